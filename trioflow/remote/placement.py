"""Where the body of a node runs: the place that its policy names, which is asked in place of the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import trio

from trioflow.errors import MiddlewareError, did_you_mean
from trioflow.model.exits import chosen
from trioflow.model.moving import reason_to_stay
from trioflow.model.node_type import FunctionBody
from trioflow.model.sockets import UNSET, Unset
from trioflow.model.values import NO_VALUES
from trioflow.remote.batching import Batches
from trioflow.remote.calling import Call, Keep, code_of, first_line, packed, unpacked
from trioflow.remote.errors import WorkerDied
from trioflow.remote.keeping import HeldInFile, Kept
from trioflow.remote.places import HERE, Place, PlaceDied
from trioflow.remote.processes import Processes
from trioflow.runtime.host.moved import version_of_call
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.runtime.wrapping.portable import PortableCall, Returned, pack
from trioflow.semantics.policies.ladder import laddered

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType
    from trioflow.model.policy import Rung, RunOnPolicy
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

    What a node or its type says must be possible; a pattern is for those that can be moved, the others stay. A call of
    a graph moves if its node says so.
    """

    def __init__(self, plan: Plan, given: Given) -> None:
        self._root = plan
        self._given = given.options.policies
        self._is_kept = given.journal is not None
        services = given.services
        found = services.get(Placement) or next((e for e in services.values() if isinstance(e, Placement)), None)
        self._placement: Placement = found or _OWN
        self._stays = HERE in services
        self._prepared: set[Place] = set()
        self._batches: dict[tuple[object, ...], Batches] = {}

    def around(self, plan: Plan, node: PlanNode, name: str) -> Sequence[Middleware]:
        if self._stays:
            return ()
        ladder = laddered(plan.graph, node.graph_node, node.type, self._given, name)
        asked = None if ladder is None else ladder.policy.run_on
        if ladder is None or asked is None:
            return ()
        rung = ladder.said_by["run_on"]
        own = rung.level in {"node", "type"}
        reason = reason_to_stay(node.type)
        if reason is None and node.graph is not None:
            reason = self._reason_of_call(rung)
        if reason is None:
            place = self._placement.find(asked.on, name)
            if place not in self._prepared:
                place.prepare()
                self._prepared.add(place)
            keep = None if asked.keep is None else self._keep(place, plan, node, asked, asked.keep)
            return (Elsewhere(place, asked, node, self._code(node), keep, self._together(place, asked)),)
        if own or rung.name == name:
            raise MiddlewareError(f"Node {name!r} can't run on {asked.on!r} ({rung}): {reason}.")
        return ()

    def _reason_of_call(self, rung: Rung) -> str | None:
        if rung.level != "node":
            return "a call of a graph moves if its node says so. Give that node the policy"
        try:
            pack(self._root)
        except Exception as error:  # whatever types and values raise where they are pickled
            return f"its graph can't be sent: {first_line(error)}"
        return None

    def _code(self, node: PlanNode) -> str:
        return code_of(node.type) if node.graph is None else version_of_call(self._root, node)

    def _together(self, place: Place, asked: RunOnPolicy) -> Batches | None:
        """The batches of all nodes that ask the same of a place."""
        if asked.batch is None or asked.batch == 1:
            return None
        alike = (asked.on, asked.batch, asked.kill_within, *sorted(asked.resources.items()))
        found = self._batches.get(alike)
        if found is None:
            found = self._batches[alike] = Batches(place, asked)
        return found

    def _keep(self, place: Place, plan: Plan, node: PlanNode, asked: RunOnPolicy, least: int) -> Keep | None:
        """The outputs that may stay at the place: all that reads them runs there, and wants the type that they have."""
        keeper = place.keeper()
        if keeper is None or node.graph is not None or (node.type.is_exec and self._is_kept):  # which records them
            return None
        outputs = {number for number in range(len(node.type.outputs)) if self._stays_there(plan, node, number, asked)}
        return Keep(frozenset(outputs), least, keeper) if outputs else None

    def _stays_there(self, plan: Plan, node: PlanNode, number: int, asked: RunOnPolicy) -> bool:
        output = node.type.outputs[number]
        wires = [
            each for each in plan.graph.connections if (each.source.node, each.source.socket) == (node.id, output.name)
        ]
        for wire in wires:
            place = plan.node_index[wire.target.node]
            reader = plan.nodes[place]
            ladder = laddered(plan.graph, reader.graph_node, reader.type, self._given, reader.id)
            there = None if ladder is None else ladder.policy.run_on
            if there is None or there.on != asked.on or reason_to_stay(reader.type) is not None or reader.graph:
                return False
            (socket,) = (each for each in reader.type.inputs if each.name == wire.target.socket)
            if socket.type != output.type:
                return False
        return bool(wires) and plan.net is None

    async def __call__(self, invocation: Invocation) -> Outcome:
        raise AssertionError("it stands for others")


class Elsewhere(Middleware):
    """Sends the body of a node to a place, and answers with what comes back.

    Where the process that has it dies, a data node is sent again, three times at most; an exec node is not, unless its
    policy says so (`retry_on_death`): its effects may have happened. Raises `WorkerDied`, `VersionSkew`, and what the
    body raises.
    """

    def __init__(
        self, place: Place, asked: RunOnPolicy, node: PlanNode, code: str, keep: Keep | None, together: Batches | None
    ) -> None:
        self._place = place
        self._asked = asked
        self._code = code
        self._keep = keep
        self._together = together
        again = 0 if node.type.is_exec else _DATA_RETRIES
        self._again = again if asked.retry_on_death is None else asked.retry_on_death

    async def __call__(self, invocation: Invocation) -> Outcome:
        await invocation.inputs()
        body = invocation.portable()
        assert not isinstance(body, str), body  # it was asked before
        if isinstance(body, PortableCall):
            answer = unpacked(await self._sent(packed(Call(body, self._code)), invocation))
            if isinstance(answer.result, Returned):
                return invocation.take_back(answer.result)
            assert answer.error is not None
            raise answer.error
        context = invocation.context
        key: str | None = getattr(context, "key", None) if body.wants_context else None
        answer = unpacked(await self._sent(packed(Call(body, self._code, key, self._keep)), invocation))
        for what, arguments in answer.told:
            getattr(context, what)(*arguments)
        if answer.error is not None:
            raise answer.error
        node_type, result = invocation.type, answer.result
        exit_: str | Unset | None = UNSET
        if isinstance(node_type.body, FunctionBody) and node_type.body.chooses:
            exit_, result = chosen(node_type, result)
        return invocation.answer(self._outputs(node_type, result), exit_)

    async def _sent(self, call: bytes, invocation: Invocation) -> bytes:
        died = 0
        together = self._together
        while True:
            try:
                if together is not None and not died:
                    return await together.call(call)
                return await self._place.call(call, self._asked)  # alone: it may be the one that kills processes
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
        values = body.values_of(result)
        if self._keep is not None:
            keeper = self._keep.keeper
            values = [HeldInFile(each, keeper) if isinstance(each, Kept) else each for each in values]
        return dict(zip(names, values, strict=True))

    def __repr__(self) -> str:
        return f"Elsewhere({self._place!r})"
