"""Every schedule of a run: a stateless search through the choices of its enabled sets (spec/INTERPRETING.md, 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
Decisions = Sequence[tuple[str, ...]]
"""The enabled sets that left a choice, in the order in which they were met."""


class Undecided(Exception):
    """Something else than the schedule decides, too: the same choices led to other enabled sets or releases."""


def search(run: Callable[[Sequence[int]], tuple[T, Decisions]]) -> Iterator[tuple[tuple[int, ...], T]]:
    """Every sequence of choices that a run can take, with what came of it, depth first; each is run once.

    `run` is given the first choices, and takes the first of each enabled set after them. Raises `Undecided` if it does
    not meet the decisions that the same choices led to before.
    """
    prefix: list[int] = []
    before: Decisions = ()
    while True:
        result, met = run(tuple(prefix))
        at = first_difference(before[: len(prefix)], met[: len(prefix)])
        if at is not None:
            said = met[at] if at < len(met) else "none"
            raise Undecided(
                f"the choices {prefix} led to {before[at]} at decision {at} in one run, and to {said} in another"
            )
        choices = [*prefix, *[0] * (len(met) - len(prefix))]
        yield tuple(choices), result
        while choices and choices[-1] + 1 == len(met[len(choices) - 1]):
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
        prefix, before = choices, met


def first_difference(left: Sequence[object], right: Sequence[object]) -> int | None:
    """The place of the first items that are not equal, or that only one of them has; None if there are none."""
    differing = (i for i in range(max(len(left), len(right))) if left[i : i + 1] != right[i : i + 1])
    return next(differing, None)


def schedules(
    run: Callable[[Sequence[int]], Mapping[str, Any]],
) -> Iterator[tuple[tuple[int, ...], Mapping[str, Any]]]:
    """Every sequence of choices that a run can take, with its answer, depth first.

    `run` gives the answer for a prefix of choices, after which the first of each enabled set is taken. An answer that
    is no result ends the search. Raises `Undecided` if an answer does not fit the ones before it.
    """

    def answered(choices: Sequence[int]) -> tuple[Mapping[str, Any], Decisions]:
        answer = run(choices)
        if answer["type"] != "result":
            raise _NoResult(choices, answer)
        _refuse_disobedience(answer, choices)
        return answer, _decisions(answer)

    try:
        yield from search(answered)
    except _NoResult as ended:
        yield ended.choices, ended.answer


class _NoResult(Exception):
    def __init__(self, choices: Sequence[int], answer: Mapping[str, Any]) -> None:
        self.choices = tuple(choices)
        self.answer = answer


def _decisions(answer: Mapping[str, Any]) -> Decisions:
    return [
        tuple(step["enabled"])
        for step in answer.get("steps") or ()
        if step["do"] == "release" and len(step["enabled"]) > 1
    ]


def _refuse_disobedience(answer: Mapping[str, Any], choices: Sequence[int]) -> None:
    left = iter(choices)
    for index, step in enumerate(answer.get("steps") or ()):
        if step["do"] != "release":
            continue
        enabled = step["enabled"]
        wanted = enabled[next(left, 0) % len(enabled) if len(enabled) > 1 else 0]
        if step["chosen"] != wanted:
            raise Undecided(f"step {index} released {step['chosen']!r} where the schedule says {wanted!r}")
