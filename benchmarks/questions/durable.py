"""What does it cost that a run survives the death of its process, and what to go on with it?

An effect is a function that acts, whose end is recorded before the next one begins. Peers are asked for the same: a
step, or a node, that is recorded before the next one.
"""

from __future__ import annotations

from benchmarks.lib.question import HUNDRED, TEN_THOUSAND, THOUSAND, Question, Workload

_SIZES = (HUNDRED, THOUSAND, TEN_THOUSAND)
_EFFECTS = "N effects one after the other, kept "

QUESTION = Question(
    "durable",
    "What does it cost that a run survives the death of its process?",
    (
        Workload("effects_plain", "N effects one after the other, kept nowhere", "effect", _SIZES),
        Workload("effects_memory", f"{_EFFECTS}in memory", "effect", _SIZES),
        Workload("effects_file", f"{_EFFECTS}in a file of lines", "effect", _SIZES),
        Workload("effects_sqlite", f"{_EFFECTS}in a SQLite file", "effect", _SIZES, limit=60),
        Workload("effects_power", f"{_EFFECTS}in a SQLite file on the disk", "effect", (HUNDRED, THOUSAND), limit=60),
        Workload("effects_postgres", f"{_EFFECTS}in PostgreSQL", "effect", (HUNDRED, THOUSAND), limit=60),
        Workload("resume", "going on with a run in SQLite that has N effects without moments", "effect", _SIZES),
        Workload("resume_loop", "going on with a run in SQLite that is in round N of a loop, with moments", "", _SIZES),
    ),
)
