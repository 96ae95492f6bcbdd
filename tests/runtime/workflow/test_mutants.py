"""Each rule of workflows that no port can be asked for, broken in a small way, is noticed by a test of that rule."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from runtime.workflow import test_progress, test_undo
from semantics.workflow import test_gates, test_keeping

from trioflow.conformance.mutants import Mutant
from trioflow.runtime.context import BodyContext
from trioflow.runtime.workflow import undo
from trioflow.runtime.workflow.scope import ScopeRun
from trioflow.semantics.workflow.gates import GateMachine


def virtual(test, *given):
    """Run an async test on a virtual clock."""
    return lambda: trio.run(partial(test, *given, None), clock=trio.testing.MockClock(autojump_threshold=0))


def each(test, seeds):
    """Run a test with each of these."""
    return lambda: [test(seed) for seed in seeds]


MUTANTS = [
    (Mutant("w19_takes_all_that_wait", "W19", "", ((GateMachine._open_gate, "if first[token[0].place] is not token", "if False"),)), each(test_gates.test_surplus_tokens_fire_an_inclusive_join_again, range(8))),
    (Mutant("w19_waits_for_what_it_has", "W19", "", ((GateMachine._may_come, "waiting.isdisjoint(ways[place])", "True"),)), test_gates.test_it_does_not_wait_for_what_may_come_either_way),
    (Mutant("w19_waits_for_nothing", "W19", "", ((GateMachine._may_come, "return any(", "return False and any("),)), test_gates.test_tokens_with_which_a_scope_begins),
    (Mutant("w20_keeps_all", "W20", "", ((ScopeRun._let_go, "store.drop(slot)", "pass"),)), test_keeping.test_a_chain),
    (Mutant("w22_whatever_cancels", "W22", "", ((undo._cancelled_by, 'return "timeout"', 'return "cancelled"'),)), virtual(test_undo.test_what_has_cancelled_it, ["timeout"], True, False)),
    (Mutant("w22_cut_off_again", "W22", "", ((undo._shielded, "shield=True", "shield=False"),)), virtual(test_undo.test_a_cancellation_that_is_undone)),
    (Mutant("w22_as_long_as_it_likes", "W22", "", ((undo._shielded, "or inf)", "or inf) + 3600"),)), virtual(test_undo.test_no_time_is_left)),
    (Mutant("w23_is_no_output", "W23", "", ((BodyContext.report_progress, "if plan.progress_slot >= 0:", "if False:"),)), virtual(test_progress.test_what_was_reported_is_an_output)),
    (Mutant("w23_opens_no_scope", "W23", "", ((BodyContext.report_progress, "forks.start(plan.progress)", "pass"),)), virtual(test_progress.test_each_report_is_a_scope)),
]  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize(("mutant", "probe"), MUTANTS, ids=[each.name for each, _ in MUTANTS])
def test_noticed(mutant: Mutant, probe):
    """The test of a rule passes, and fails when the rule is broken."""
    probe()
    with mutant.alive(), pytest.raises(BaseException):  # noqa: B017, PT011 - whatever its assertions come to
        probe()
    probe()
