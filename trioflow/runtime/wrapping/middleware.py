"""Middleware: what wraps activations and evaluations of the nodes that it is for. Costs nothing where it is not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import attrs
import trio

if TYPE_CHECKING:
    from trioflow.model.context import Services
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.runtime.wrapping.invocation import Invocation, Outcome
    from trioflow.semantics.plan import Plan, PlanNode


@attrs.frozen
class RunLife:
    """What a middleware is told of the run around which it lives (A7)."""

    plan: Plan
    """The graph that is run, as planned."""
    addresses: Sequence[str]
    """The names of the nodes that the middleware is for: `work`, `call/work`."""
    services: Services
    """What the host gave to the run."""
    nursery: trio.Nursery
    """For tasks that end with the run: they are cancelled when its life is left."""


class Middleware(ABC):
    """Wraps the bodies of some nodes: it may run a body once, again, isolated, or answer instead of it.

    It is for the nodes that `nodes` names and for which `applies` is true, which must not change. A run refuses names
    that no node has. Middlewares given first are outermost.
    """

    nodes: Collection[str] | None = None
    """Names of nodes (`work`, `call/work`) and patterns of types (`http.*`); None for every node (A1)."""
    names: Collection[str] = ()
    """Names of nodes that `around` tells apart; in graphs that are called a node may have several (A1)."""
    isolates: bool = False
    """Whether it isolates attempts: then a node that may leave its graph is refused before the run (A3)."""

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        """Whether this middleware is for a node that `nodes` names."""
        return True

    def around(self, plan: Plan, node: PlanNode, name: str) -> Sequence[Middleware]:
        """What is around one node of a graph, the first outermost: this one, unless it stands for others.

        `name` is that of the node as the run names it. Asked once for each node of each graph, before it first runs.
        """
        return (self,)

    @abstractmethod
    async def __call__(self, invocation: Invocation) -> Outcome:
        """Wrap one activation or evaluation: usually `return await invocation()` with something around it."""

    def life(self, run: RunLife) -> AbstractAsyncContextManager[object] | None:
        """What is around each run: entered before nodes are set up, left when they are torn down (A7).

        None if there is nothing to do. What it raises where it is entered fails the run. Where it is left it is
        shielded from cancellation for `RunOptions.grace` seconds. A middleware may be given to several runs at once.
        """
        return None
