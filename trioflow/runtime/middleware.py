"""Middleware: what wraps activations and evaluations of the nodes that it is for. Costs nothing where it is not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, Literal

import trio

from trioflow.errors import NodeTimeout
from trioflow.runtime.activation import Activation
from trioflow.runtime.failure import mark_origin

if TYPE_CHECKING:
    from trioflow.model.context import DataContext
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.runtime.demand import DataActivation


class Invocation:
    """One activation or evaluation, seen from a middleware. `await invocation()` runs the body; it may run again."""

    __slots__ = ("_body", "_context")

    def __init__(self, context: Activation | DataActivation, body: Callable[[Any], Awaitable[Any]]) -> None:
        self._context = context
        self._body = body

    @property
    def kind(self) -> Literal["activation", "evaluation"]:
        """Whether an exec node is dispatched or a data node evaluated."""
        return "activation" if isinstance(self._context, Activation) else "evaluation"

    @property
    def node(self) -> GraphNode:
        """The node of the graph."""
        return self._context.node

    @property
    def context(self) -> DataContext:
        """The context that the body gets."""
        return self._context

    async def __call__(self) -> Any:
        """Run the body (or the next middleware) and return what it returns. A cancellation point if the body is."""
        return await self._body(self._context)

    def skip(self, error: Exception) -> None:
        """Let the activation end as *skipped*, because of this error; return None from the middleware afterwards.

        The event says where the error arose. Raises `TypeError` for an evaluation, which can't be without a result.
        """
        if not isinstance(self._context, Activation):
            raise TypeError(f"Data node {self.node.id!r} can't be skipped: whoever asked for its value needs one.")
        plan = self._context.plan
        origin = mark_origin(error, self._context.run, self._context.where, plan.id, plan.type.id)
        self._context.rarely.skipped = (error, origin)


class Middleware(ABC):
    """Wraps the bodies of some nodes. It may run a body once, again, later, elsewhere, or not at all.

    A run asks `applies` once per node, when it starts. Middlewares given first are outermost.
    """

    @abstractmethod
    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        """Whether this middleware is for the node."""

    @abstractmethod
    async def __call__(self, invocation: Invocation) -> Any:
        """Wrap one activation or evaluation: usually `return await invocation()` with something around it."""


class _ForNodes(Middleware):
    def __init__(self, nodes: Collection[str] | None) -> None:
        self._nodes = None if nodes is None else frozenset(nodes)

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return self._nodes is None or node.id in self._nodes


class TimeLimit(_ForNodes):
    """Cancels an activation or evaluation, with all below it, after `seconds`, and raises `NodeTimeout` instead.

    `nodes`: ids of the nodes that it is for; None for every node.
    """

    def __init__(self, seconds: float, *, nodes: Collection[str] | None = None) -> None:
        super().__init__(nodes)
        if not seconds > 0:
            raise ValueError(f"TimeLimit needs more than 0 seconds, got {seconds!r}.")
        self._seconds = seconds

    async def __call__(self, invocation: Invocation) -> Any:
        with trio.move_on_after(self._seconds):
            return await invocation()
        raise NodeTimeout(f"Node {invocation.node.id!r} took longer than its time limit of {self._seconds:g} s.")


class SkipOnError(_ForNodes):
    """Ends a failing activation as skipped instead: nothing is handed over, whoever triggered goes on.

    `errors`: which exceptions; others, and cancellations, pass. Data nodes are never skipped. The error stays in the
    NodeSkipped event, with its origin.
    """

    def __init__(
        self, *, nodes: Collection[str] | None = None, errors: type[Exception] | tuple[type[Exception], ...] = Exception
    ) -> None:
        super().__init__(nodes)
        self._errors = errors

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return node_type.is_exec and super().applies(node, node_type)

    async def __call__(self, invocation: Invocation) -> Any:
        try:
            return await invocation()
        except self._errors as error:
            invocation.skip(error)
            return None
