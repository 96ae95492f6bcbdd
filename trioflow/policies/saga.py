"""Sagas: what was done below a node whose body has failed is undone, the last first (P9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trioflow.model.composition import SAGA
from trioflow.policies.events import Undone
from trioflow.runtime.base.failure import note
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.address import show_path
from trioflow.semantics.plan import Plan, PlanNode
from trioflow.semantics.policies.sagas import is_for_sagas, values_for_undo

Place = tuple[str, tuple[int, ...]]
"""The graph, as seen from the outermost one, and the path of an activation there."""


@attrs.frozen(eq=False)
class Done:
    """An activation that has completed, the node that undoes it, and the values that this one gets."""

    node: str
    path: tuple[int, ...]
    undo: str
    inputs: Mapping[str, Any]


class Sagas:
    """What was done in the sagas of one run that are under way."""

    def __init__(self) -> None:
        self._open: dict[Place, list[Done]] = {}

    def around(self, plan: Plan, node: PlanNode) -> Sequence[Middleware]:
        """What notes, or undoes, what was done; nothing in workflows, which undo by themselves (W17)."""
        if not is_for_sagas(plan.graph):
            return ()
        if node.type.id == SAGA:
            return (Saga(self),)
        undo = node.graph_node.undo
        return () if undo is None else (Step(self, undo, plan, node.id),)

    def begin(self, place: Place) -> None:
        self._open[place] = []

    def note(self, place: Place, done: Sequence[Done]) -> None:
        """What was done belongs to the innermost saga around it; to nobody, if there is none."""
        graph, path = place
        for end in range(len(path) - 1, 0, -1):
            found = self._open.get((graph, path[:end]))
            if found is not None:
                found += done
                return

    def end(self, place: Place) -> list[Done]:
        """A saga is over. What was done in it, the last in canonical order first."""
        return sorted(self._open.pop(place), key=_order, reverse=True)


def _order(done: Done) -> list[tuple[bool, int]]:
    # Marks of attempts and fired nodes are negative, and come after what the first attempt has dispatched.
    return [(number < 0, abs(number)) for number in done.path]


class Step(Middleware):
    """Around a node that says how it is undone: notes that it has completed, and with what (P9)."""

    def __init__(self, sagas: Sagas, undo: str, plan: Plan, node: str) -> None:
        self._sagas = sagas
        self._undo = undo
        self._values = values_for_undo(plan.graph, node, undo)

    async def __call__(self, invocation: Invocation) -> Outcome:
        outcome = await invocation()
        if outcome.skipped is None:
            written = outcome.outputs if self._values else {}
            inputs = {name: written[output] for name, output in self._values.items() if output in written}
            graph, node, path = _where(invocation)
            self._sagas.note((graph, path), [Done(node, path, self._undo, inputs)])
        return outcome


class Saga(Middleware):
    """Around `flow.saga`: undoes what was done below it if its body has failed (P9).

    What can't be undone is noted on the failure, and the rest is undone all the same. A cancellation undoes nothing,
    and ends undoing. Whatever was not undone belongs to the saga around this one.
    """

    def __init__(self, sagas: Sagas) -> None:
        self._sagas = sagas

    async def __call__(self, invocation: Invocation) -> Outcome:
        graph, _, path = _where(invocation)
        place = (graph, path)
        self._sagas.begin(place)
        failure: Exception | None = None
        outcome = None
        try:
            outcome = await invocation()
            if outcome.exit == "failed":
                failure = outcome.outputs["error"]
        except Exception as error:
            failure = error
        finally:
            done = self._sagas.end(place)
            if failure is None:
                self._sagas.note(place, done)
        if failure is not None:
            await self._undo(invocation, place, done, failure)
        if outcome is None:
            assert failure is not None
            raise failure
        return outcome

    async def _undo(self, invocation: Invocation, place: Place, done: list[Done], failure: Exception) -> None:
        try:
            while done:
                await self._undo_one(invocation, done.pop(0), failure)
        finally:
            self._sagas.note(place, done)  # what a cancellation has left

    async def _undo_one(self, invocation: Invocation, done: Done, failure: Exception) -> None:
        caught: Exception | None = None
        try:
            await invocation.fire(done.undo, done.inputs)
        except Exception as error:
            caught = error
            note(
                failure,
                f"and could not be undone: {done.node!r} at {show_path(done.path)}, by {done.undo!r}: {error!r}",
            )
        invocation.tell(Undone(done.node, show_path(done.path), done.undo, caught))


def _where(invocation: Invocation) -> tuple[str, str, tuple[int, ...]]:
    address = invocation.address
    return address.graph, address.node, address.path
