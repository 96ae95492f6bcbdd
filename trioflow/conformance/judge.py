"""The reference semantics as a judge of answers: what must come of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from trioflow.conformance.capabilities import EVERY
from trioflow.conformance.engine import problems_of
from trioflow.conformance.strategies import request_number
from trioflow.conformance.vectors import CONTROLLED
from trioflow.reference import Undetermined, big_step, small_step, violations

Request = Mapping[str, Any]


class ReferencePort:
    """The reference semantics as a `Port`, in the same process; graphs must be valid."""

    name = "reference"
    level = 3
    capabilities = EVERY - {"validation"}

    def run(self, request: Request) -> Mapping[str, Any]:
        """Answer a request of the type `run`. A workflow is run in rounds, under no schedule."""
        answer = big_step(without_schedule(request)) if is_workflow(request) else small_step(request)
        return {"type": "result", "id": request.get("id", 0), **answer}

    def close(self) -> None:
        """Nothing to end."""


def judge(request: Request) -> Mapping[str, Any] | None:
    """The answer that a request must have; None for a workflow, or below level 2, if it depends on the schedule."""
    if request["level"] >= CONTROLLED and not is_workflow(request):
        return small_step(request)
    try:
        return big_step(without_schedule(request))
    except Undetermined:
        return None


def is_workflow(request: Request) -> bool:
    """Whether exec wires carry tokens in its graph (W1)."""
    return bool(request["graph"].get("kind") == "workflow")


def without_schedule(request: Request) -> Request:
    """What comes of it whatever the schedule, and without anybody outside."""
    return {**request, "choices": [], "actions": []}


def judge_trace(request: Request, answer: Mapping[str, Any]) -> Sequence[str]:
    """What in the trace of an answer could not have happened."""
    return violations(request, answer["trace"])


def valid(request: Request) -> bool:
    """Whether it can be run at all."""
    return not problems_of(request)


def requests(level: int, capabilities: frozenset[str]) -> Callable[[int, int], Request]:
    """Random requests of a level, by number and seed. Can be pickled."""
    return partial(_request, level, capabilities)


def _request(level: int, capabilities: frozenset[str], number: int, seed: int) -> Request:
    with_actions = None if level > CONTROLLED else False
    return request_number(number, f"{seed} L{level}", capabilities=capabilities, with_actions=with_actions)
