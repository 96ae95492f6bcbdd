"""Fallback: something else in the place of a node that has failed (P5).

What is to be undone later is what was done: `FellBack.to` is the node that was fired, not the one that failed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trioflow.errors import MiddlewareError
from trioflow.model.node_type import NodeType
from trioflow.model.policy import FallbackPolicy
from trioflow.model.sockets import UNSET
from trioflow.model.values import NO_VALUES
from trioflow.policies.events import FellBack
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan, PlanNode


class Fallback(Middleware):
    """Answers for a node that fails: by another node of its graph, by values, or by going on somewhere (P5).

    `node`: is fired below the activation (A4), with the inputs of the same names, and the failure as its input
    `error`, if it has one: as it is, or as a text if that is a text. Its outputs of the same names become those of the
    failed node, which goes on at `exit`, or else where the fired node goes on, or at its only exec output. `value`:
    values of data outputs instead. Cancellations pass. What the fired node raises goes on, from the first failure.
    Tells `FellBack`. A node that data is asked of takes a value only.
    """

    def __init__(
        self,
        node: str | None = None,
        *,
        value: Mapping[str, Any] | None = None,
        exit: str | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        if node is not None and value is not None:
            raise ValueError("Fallback takes a node or values, not both.")
        if node is None and value is None and exit is None:
            raise ValueError("Fallback needs a node, values, or an exec output: say what is to be done instead.")
        self._policy = FallbackPolicy(node, value, exit)
        self.nodes = nodes
        self._target: NodeType | None = None

    def around(self, plan: Plan, node: PlanNode, name: str) -> tuple[Middleware, ...]:
        policy = self._policy
        if policy.node is None:
            return (self,) if node.type.is_exec or policy.value is not None else ()
        place = plan.node_index.get(policy.node)
        if not node.type.is_exec or place == node.index:
            return ()
        made = Fallback(policy.node, exit=policy.exit)
        made._target = None if place is None else plan.nodes[place].type
        return (made,)

    async def __call__(self, invocation: Invocation) -> Outcome:
        try:
            return await invocation()
        except Exception as error:
            return await self._instead(invocation, error)

    async def _instead(self, invocation: Invocation, error: Exception) -> Outcome:
        policy = self._policy
        if invocation.wanted(FellBack):
            invocation.tell(FellBack(policy.node, error))
        if policy.node is None:
            ends = UNSET if policy.exit is None else policy.exit
            return invocation.answer(policy.value or NO_VALUES, ends)
        inputs = await self._inputs(invocation, error)
        outcome = await invocation.fire(policy.node, inputs)
        if outcome.skipped is not None:
            raise error
        known = invocation.type.output_index
        outputs = {name: value for name, value in outcome.outputs.items() if name in known}
        return invocation.answer(outputs, self._exit(invocation, outcome.exit))

    async def _inputs(self, invocation: Invocation, error: Exception) -> dict[str, Any]:
        """What the node that is fired gets: inputs of the same names, and the failure."""
        target = self._target
        if target is None:
            return {}
        try:
            resolved = await invocation.inputs()
        except Exception:
            resolved = {}  # they are why it has failed
        inputs = {name: value for name, value in resolved.items() if name in target.input_index}
        if "error" in target.input_index:
            socket = target.inputs[target.input_index["error"]]
            inputs["error"] = f"{type(error).__name__}: {error}" if socket.type is str else error
        return inputs

    def _exit(self, invocation: Invocation, fired: str | None) -> Any:
        policy, exits = self._policy, [each.name for each in invocation.type.exec_outputs]
        if policy.exit is not None:
            return policy.exit
        if fired in exits or len(exits) != 1:
            if fired is not None and fired not in exits and exits:
                raise MiddlewareError(
                    f"{policy.node!r} took the place of {invocation.address.name!r} and went on at {fired!r}, which is "
                    f"not one of {', '.join(exits)}. Say where to go on: fallback: {{node: {policy.node}, exit: ...}}."
                )
            return fired if exits else None
        return None if fired is None else exits[0]

    def __repr__(self) -> str:
        node = self._policy.node
        return "Fallback(a value)" if node is None else f"Fallback({node!r})"
