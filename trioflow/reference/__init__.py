"""The reference semantics: what a graph means, in three forms that check each other. Synchronous, without trio.

`small_step` runs a graph step by step under a given schedule, with virtual time, the gate, and cancellation.
`big_step` computes what it leaves behind without any schedule: forks run in place, on a copy. `violations` judges a
trace that somebody else made. All three speak the messages of `spec/INTERPRETING.md`, and each step cites its rule.
"""

from trioflow.reference.big_step import Undetermined, big_step
from trioflow.reference.happens_before import violations
from trioflow.reference.small_step import Deadlock, small_step

__all__ = ["Deadlock", "Undetermined", "big_step", "small_step", "violations"]
