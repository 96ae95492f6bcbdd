"""Every schedule of a run: a stateless search through the choices of its enabled sets (spec/INTERPRETING.md, 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


class Undecided(Exception):
    """Something else than the schedule decides, too: the same choices led to other enabled sets or releases."""


def schedules(
    run: Callable[[Sequence[int]], Mapping[str, Any]],
) -> Iterator[tuple[tuple[int, ...], Mapping[str, Any]]]:
    """Every sequence of choices that a run can take, with its answer, depth first.

    `run` gives the answer for a prefix of choices, after which the first of each enabled set is taken. An answer that
    is no result ends the search. Raises `Undecided` if an answer does not fit the ones before it.
    """
    prefix: list[int] = []
    before: list[tuple[str, ...]] = []
    while True:
        answer = run(tuple(prefix))
        if answer["type"] != "result":
            yield tuple(prefix), answer
            return
        _refuse_disobedience(answer, prefix)
        enabled = _decisions(answer)
        if enabled[: len(prefix)] != before[: len(prefix)]:
            at = next((i for i in range(len(prefix)) if enabled[i : i + 1] != before[i : i + 1]), 0)
            said = enabled[at] if at < len(enabled) else "none"
            raise Undecided(
                f"the choices {prefix} led to {before[at]} at decision {at} in one run, and to {said} in another"
            )
        choices = [*prefix, *[0] * (len(enabled) - len(prefix))]
        yield tuple(choices), answer
        while choices and choices[-1] + 1 == len(enabled[len(choices) - 1]):
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
        prefix, before = choices, enabled


def _decisions(answer: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The enabled sets of an answer's steps that left a choice."""
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
