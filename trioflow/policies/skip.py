"""Skipping: a node that fails ends without a result, and whoever triggered it goes on (P5)."""

from __future__ import annotations

from collections.abc import Collection

from trioflow.model.graph import GraphNode
from trioflow.model.node_type import NodeType
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware


class SkipOnError(Middleware):
    """Ends a failing activation as skipped instead: nothing is handed over, whoever triggered goes on (P5).

    `errors`: which exceptions; others, and cancellations, pass. Data nodes are never skipped. The error stays in the
    NodeSkipped event, with its origin.
    """

    def __init__(
        self, *, nodes: Collection[str] | None = None, errors: type[Exception] | tuple[type[Exception], ...] = Exception
    ) -> None:
        self.nodes = nodes
        self._errors = errors

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return node_type.is_exec

    async def __call__(self, invocation: Invocation) -> Outcome:
        try:
            return await invocation()
        except self._errors as error:
            return invocation.skip(error)

    def __repr__(self) -> str:
        return "SkipOnError()"
