"""Paths of a model as requests to an engine: what the model says must be what the engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from trioflow.conformance.models.explorer import Model, S

Action = Mapping[str, Any]


class Scripted(Model[S], Protocol[S]):
    """A model of a scripted graph, whose moves are labels of parked strands or names of `actions` of the host.

    A state is what is left when no strand runs any more; the same move never leads to two states.
    """

    @property
    def graph(self) -> Mapping[str, Any]:
        """The graph document."""
        ...

    @property
    def actions(self) -> Mapping[str, Action]:
        """The host's moves by name, as actions of a request without their `at`."""
        ...

    @property
    def opening(self) -> Sequence[int]:
        """The choices that lead from the beginning of the run to the model's initial state."""
        ...

    @property
    def releases(self) -> int:
        """How many releases lead there."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that the model knows of."""
        ...

    def tells(self, before: S, move: str, after: S) -> Sequence[str]:
        """The events of a move: kind, path and node."""
        ...


def request_of(model: Scripted[S], path: Sequence[str]) -> dict[str, Any]:
    """The request of the contract that makes an engine go this way."""
    choices = [*model.opening]
    actions: list[Action] = []
    releases = model.releases
    for step in _steps(model, path):
        if step["do"] == "action":
            actions.append({"at": releases, **step["action"]})
            continue
        releases += 1
        if len(step["enabled"]) > 1:
            choices.append(step["enabled"].index(step["chosen"]))
    return {"graph": model.graph, "level": 3, "choices": choices, "actions": actions}


def difference_on(
    model: Scripted[S], path: Sequence[str], run: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> str | None:
    """The first step at which an engine goes another way than the model, in words; None if there is none.

    `run` answers a request, as the method of a `Port` does. Compared are what was released out of what, what the host
    did, and the events of the kinds that the model knows of.
    """
    came = [_projected(model, step) for step in run(request_of(model, path))["steps"][1 + model.releases :]]
    expected = [*_steps(model, path)]
    for number in range(max(len(expected), len(came))):
        wanted, got = (steps[number] if number < len(steps) else None for steps in (expected, came))
        if wanted != got:
            return f"step {number} of {list(path)}: the model says {wanted}, the engine {got}"
    return None


def _steps(model: Scripted[S], path: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The steps of a path, as the contract writes them, with the events that the model knows of."""
    state = model.initial
    for move in path:
        moves = dict(model.moves(state))
        before, state = state, moves[move]
        events = sorted(model.tells(before, move, state))
        if move in model.actions:
            yield {"do": "action", "action": model.actions[move], "events": events}
        else:
            enabled = sorted((label for label in moves if label not in model.actions), key=str.encode)
            yield {"do": "release", "enabled": enabled, "chosen": move, "events": events}


def _projected(model: Scripted[S], step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of an answer, without what the model does not know of: the rest of each event, the moment of an action."""
    words = [event.split(" ") for event in step["events"]]
    kept: dict[str, Any] = {**step, "events": sorted(" ".join(each[:3]) for each in words if each[0] in model.kinds)}
    if "action" in kept:
        kept["action"] = {name: value for name, value in kept["action"].items() if name != "at"}
    return kept
