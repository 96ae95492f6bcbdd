"""Where the body of a node runs: the place that its policy names, which is asked in place of the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import trio

from trioflow.errors import MiddlewareError, did_you_mean
from trioflow.model.moving import reason_to_stay
from trioflow.model.node_type import FunctionBody
from trioflow.model.policy import RunOnPolicy
from trioflow.model.values import NO_VALUES
from trioflow.remote.calling import Call, code_of, packed, unpacked
from trioflow.remote.errors import WorkerDied
from trioflow.remote.places import Place, PlaceDied
from trioflow.remote.processes import Processes
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.policies.ladder import laddered

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType
    from trioflow.runtime.host.given import Given
    from trioflow.semantics.plan import Plan, PlanNode

_DATA_RETRIES = 3
"""Of a data node, which does nothing that could be done twice."""
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 5.0


class Placement:
    """The host's places, by the names that `run_on` says; a service of runs. `processes` is there without a word.

    `Placement(processes=Processes(4), farm=Ray("auto"))`, given as `services={Placement: ...}`.
    """

    def __init__(self, **places: Place) -> None:
        wrong = [name for name, place in places.items() if not isinstance(place, Place)]
        if wrong:
            raise TypeError(f"{wrong[0]}= must be a place such as Processes(4), got {places[wrong[0]]!r}.")
        self._places = places

    def find(self, name: str, node: str) -> Place:
        """The place of that name. Raises `MiddlewareError`, which names the node that wants it."""
        found = self._places.get(name)
        if found is None and name == "processes":
            found = self._places[name] = Processes()
        if found is None:
            known = {"processes": None, **self._places}
            raise MiddlewareError(
                f"Node {node!r} is to run on {name!r}, which the host does not have.{did_you_mean(name, known)} "
                f"It has: {', '.join(known)}. Give it to the run: services={{trioflow.remote.Placement: "
                f"trioflow.remote.Placement({name}=trioflow.remote.Ray())}}."
            )
        return found


_OWN = Placement()
"""That of runs whose hosts give none: its processes are kept from run to run."""


class Placed(Middleware):
    """Stands for the places of all nodes of a run whose policies say `run_on`. Innermost: it is asked for the body.

    What a node or its type says must be possible; a pattern is for those that can be moved, the others stay.
    """

    def __init__(self, given: Given) -> None:
        self._given = given.options.policies
        services = given.services
        found = services.get(Placement) or next((e for e in services.values() if isinstance(e, Placement)), None)
        self._placement: Placement = found or _OWN

    def around(self, plan: Plan, node: PlanNode, name: str) -> Sequence[Middleware]:
        ladder = laddered(plan.graph, node.graph_node, node.type, self._given, name)
        asked = None if ladder is None else ladder.policy.run_on
        if ladder is None or asked is None:
            return ()
        reason = reason_to_stay(node.type)
        if reason is None:
            return (Elsewhere(self._placement.find(asked.on, name), asked, node.type),)
        rung = ladder.said_by["run_on"]
        if rung.level in {"node", "type"} or rung.name == name:
            raise MiddlewareError(f"Node {name!r} can't run on {asked.on!r} ({rung}): {reason}.")
        return ()

    async def __call__(self, invocation: Invocation) -> Outcome:
        raise AssertionError("it stands for others")


class Elsewhere(Middleware):
    """Sends the body of a node to a place, and answers with what comes back.

    Where the process that has it dies, a data node is sent again, three times at most; an exec node is not, unless its
    policy says so (`retry_on_death`): its effects may have happened. Raises `WorkerDied`, `VersionSkew`, and what the
    body raises.
    """

    def __init__(self, place: Place, asked: RunOnPolicy, node_type: NodeType) -> None:
        self._place = place
        self._asked = asked
        self._code = code_of(node_type)
        again = 0 if node_type.is_exec else _DATA_RETRIES
        self._again = again if asked.retry_on_death is None else asked.retry_on_death

    async def __call__(self, invocation: Invocation) -> Outcome:
        await invocation.inputs()
        body = invocation.portable()
        assert not isinstance(body, str), body  # it was asked before
        context = invocation.context
        key: str | None = getattr(context, "key", None) if body.wants_context else None
        answer = unpacked(await self._sent(packed(Call(body, self._code, key)), invocation))
        for what, arguments in answer.told:
            getattr(context, what)(*arguments)
        if answer.error is not None:
            raise answer.error
        return invocation.answer(self._outputs(invocation.type, answer.result))

    async def _sent(self, call: bytes, invocation: Invocation) -> bytes:
        died = 0
        while True:
            try:
                return await self._place.call(call, self._asked)
            except PlaceDied as error:
                died += 1
                if died > self._again or not error.started:
                    raise self._given_up(invocation, error, died) from error
            await trio.sleep(min(_FIRST_DELAY * 2 ** (died - 1), _LONGEST_DELAY))

    def _given_up(self, invocation: Invocation, error: PlaceDied, died: int) -> WorkerDied:
        name = invocation.address.name
        if not error.started:
            return WorkerDied(
                f"No process could be started to run node {name!r} on {self._place!r}: {error}, before any had "
                'answered. Put what your main script does under `if __name__ == "__main__":`, and see what it wrote.'
            )
        times = "once" if died == 1 else f"{died} times"
        cure = (
            " It was not tried again, because it may have done what it does: retry_on_death says otherwise."
            if self._again == 0
            else ""
        )
        return WorkerDied(f"The process that ran node {name!r} on {self._place!r} has died, {times}: {error}.{cure}")

    def _outputs(self, node_type: NodeType, result: object) -> Mapping[str, object]:
        body = node_type.body
        assert isinstance(body, FunctionBody)
        if body.result == "none":
            return NO_VALUES
        names = [each.name for each in node_type.outputs]
        return dict(zip(names, body.values_of(result), strict=True))

    def __repr__(self) -> str:
        return f"Elsewhere({self._place!r})"
