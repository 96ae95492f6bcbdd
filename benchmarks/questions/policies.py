"""What do policies cost where nothing fails and nobody waits, and what does whoever waits?"""

from __future__ import annotations

from benchmarks.lib.question import HUNDRED, SIZES, TEN_THOUSAND, Question, Workload

_SIZES = (HUNDRED, TEN_THOUSAND)

QUESTION = Question(
    "policies",
    "What does a policy add to a call that does nothing and succeeds?",
    (
        Workload("policy_none", "N calls without any", "call", _SIZES),
        Workload("policy_retry", "the same with a retry of 3 attempts", "call", _SIZES),
        Workload("policy_breaker", "the same with a breaker", "call", _SIZES),
        Workload("policy_limit", "the same with a limit that is not reached", "call", _SIZES),
        Workload("policy_rate", "the same with a rate that is not reached", "call", _SIZES),
        Workload("policy_timeout", "the same with a time limit", "call", _SIZES),
        Workload("policy_tracker", "the same without any, and its progress can be asked for", "call", _SIZES),
        Workload("policy_admit", "one of N that wait for a place gets it", "", SIZES),
    ),
)
