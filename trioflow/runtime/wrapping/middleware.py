"""Middleware: what wraps activations and evaluations of the nodes that it is for. Costs nothing where it is not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import attrs
import trio

from trioflow.errors import NodeTimeout
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.semantics.events import Event

if TYPE_CHECKING:
    from trioflow.model.context import Services
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.semantics.plan import Plan


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
    isolates: bool = False
    """Whether it isolates attempts: then a node that may leave its graph is refused before the run (A3)."""

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        """Whether this middleware is for a node that `nodes` names."""
        return True

    @abstractmethod
    async def __call__(self, invocation: Invocation) -> Outcome:
        """Wrap one activation or evaluation: usually `return await invocation()` with something around it."""

    def life(self, run: RunLife) -> AbstractAsyncContextManager[object] | None:
        """What is around each run: entered before nodes are set up, left when they are torn down (A7).

        None if there is nothing to do. What it raises where it is entered fails the run. Where it is left it is
        shielded from cancellation for `RunOptions.grace` seconds. A middleware may be given to several runs at once.
        """
        return None


class TimeLimit(Middleware):
    """Cancels an activation or evaluation, with all below it, after `seconds`, and raises `NodeTimeout` instead.

    `nodes`: names and patterns of the nodes that it is for; None for every node.
    """

    def __init__(self, seconds: float, *, nodes: Collection[str] | None = None) -> None:
        if not seconds > 0:
            raise ValueError(f"TimeLimit needs more than 0 seconds, got {seconds!r}.")
        self.nodes = nodes
        self._seconds = seconds

    async def __call__(self, invocation: Invocation) -> Outcome:
        with trio.move_on_after(self._seconds):
            return await invocation()
        raise NodeTimeout(f"Node {invocation.address.name!r} took longer than its time limit of {self._seconds:g} s.")

    def __repr__(self) -> str:
        return f"TimeLimit({self._seconds:g})"


class SkipOnError(Middleware):
    """Ends a failing activation as skipped instead: nothing is handed over, whoever triggered goes on.

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


@attrs.frozen(eq=False, repr=False)
class RetryScheduled(Event):
    """An attempt has failed, and another will be made after `delay` seconds."""

    attempt: int
    """The attempt that has failed, from 1."""
    delay: float
    error: Exception


class Retry(Middleware):
    """Runs a body again if it fails, at most `attempts` times in all, `delay` seconds after each failure.

    `on`: which exceptions; others, and cancellations, pass. `isolated`: what a failed attempt wrote is dropped. Each
    attempt but the first has a path of its own (A2); the last failure goes on as it is. Tells `RetryScheduled`.
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        delay: float = 1.0,
        on: type[Exception] | tuple[type[Exception], ...] = Exception,
        nodes: Collection[str] | None = None,
        isolated: bool = False,
    ) -> None:
        if attempts < 1 or not delay >= 0:
            raise ValueError(f"Retry needs 1 attempt and 0 seconds at least, got {attempts!r} and {delay!r}.")
        self.nodes = nodes
        self.isolates = isolated
        self._attempts = attempts
        self._delay = delay
        self._on = on

    async def __call__(self, invocation: Invocation) -> Outcome:
        for attempt in range(1, self._attempts):
            try:
                return await invocation(isolated=self.isolates)
            except self._on as error:
                invocation.tell(RetryScheduled(attempt, self._delay, error))
            await trio.sleep(self._delay)
        return await invocation(isolated=self.isolates)

    def __repr__(self) -> str:
        return f"Retry({self._attempts})"
