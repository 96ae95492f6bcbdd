"""Quarantine: a node that has failed often enough in a run is skipped from then on (P5)."""

from __future__ import annotations

from collections.abc import Collection

from trioflow.errors import QuarantinedNode
from trioflow.model.graph import GraphNode
from trioflow.model.node_type import NodeType
from trioflow.policies.events import Quarantined
from trioflow.policies.state import PolicyState
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware


class Quarantine(Middleware):
    """Skips a node at once after it has failed `failures` times (P5).

    Those failures go on as ever. Each node is counted for itself, in `state`, or as long as this object is used. Tells
    `Quarantined` when it begins; each skipped activation is told as `NodeSkipped`. Data nodes are never skipped.
    """

    def __init__(
        self, failures: int, *, state: PolicyState | None = None, nodes: Collection[str] | None = None
    ) -> None:
        if failures < 1:
            raise ValueError(f"Quarantine needs 1 failure at least, got {failures!r}.")
        self._most = failures
        self._failures = (state or PolicyState()).failures
        self.nodes = nodes

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return node_type.is_exec

    async def __call__(self, invocation: Invocation) -> Outcome:
        failures = self._failures
        name = invocation.address.name
        refused = invocation.refusal("quarantine")
        if refused is None and invocation.again:
            return await invocation()  # J23: it was let through, and was counted
        if refused is not None or failures.get(name, 0) >= self._most:
            times = failures[name] if refused is None else refused
            if refused is None:
                invocation.refuse("quarantine", times)
            return invocation.skip(
                QuarantinedNode(f"Node {name!r} has failed {times} times, and is skipped from then on.")
            )
        try:
            return await invocation()
        except Exception as error:
            failures[name] = failures.get(name, 0) + 1
            if failures[name] == self._most:
                invocation.tell(Quarantined(self._most, error))
            raise

    def __repr__(self) -> str:
        return f"Quarantine({self._most})"
