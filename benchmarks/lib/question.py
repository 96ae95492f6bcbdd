"""What a question is: workloads that subjects can be asked to do, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass

HUNDRED, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND, MILLION, TEN_MILLION = (10**power for power in range(2, 8))
SIZES = (HUNDRED, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND)


@dataclass(frozen=True)
class Workload:
    """Something to do with N: `does` says what, `per` what a figure is divided by ("" for the whole).

    `sizes` are the values of N. `rounds` is the most often that it is worth repeating. `limit` is how many seconds a
    measurement may take, set-up included.
    """

    name: str
    does: str
    per: str = "step"
    sizes: tuple[int, ...] = SIZES
    rounds: int = 100
    limit: float = 10.0

    def scaled(self, seconds: float, size: int) -> float:
        """What a measurement of `seconds` at a size says, in seconds."""
        return seconds / size if self.per else seconds


@dataclass(frozen=True)
class Question:
    """A question, and the workloads that answer it."""

    name: str
    asks: str
    workloads: tuple[Workload, ...]
