"""What a run is made of: strands that wait, what cancels them, the gate, and what they share (F1, R5, G1-G8)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.contract.trace import dotted, event
from trioflow.reference.graph import Cell, Failure, Graph, Node, Path, Target
from trioflow.reference.store import Store

if TYPE_CHECKING:
    from trioflow.reference.ahead import Ahead
    from trioflow.reference.demand import Evaluation


class Cancelled(BaseException):
    """Ends what a cancelled scope encloses (R5)."""


@attrs.define(eq=False)
class Scope:
    """What can be cancelled, inside of what else can (R5); with a deadline, by time."""

    outer: Scope | None = None
    deadline: int | None = None
    struck: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether it, or anything around it, has been cancelled."""
        scope: Scope | None = self
        while scope is not None and not scope.struck:
            scope = scope.outer
        return scope is not None


@attrs.frozen
class Wait:
    """What a strand waits for: a release of its `label`, a time, or a condition. Exactly one is given."""

    label: str | None = None
    until: int | None = None
    ready: Callable[[], bool] | None = None
    cancellable: bool = True

    def is_over(self, now: int) -> bool:
        """Whether nobody needs to wait any longer; a label is for the schedule to release."""
        return self.ready() if self.ready else self.until is not None and self.until <= now


Steps = Generator[Any, Any, Any]
"""What a strand does. It yields a `Wait`, or other steps, which are done in its place and whose result it gets."""


@attrs.define(eq=False)
class Line:
    """On whose behalf nodes are dispatched; `count` of them so far (T8)."""

    path: Path
    count: int = 0

    def next(self) -> Path:
        """Take the next index."""
        self.count += 1
        return (*self.path, self.count - 1)


@attrs.define(eq=False)
class Strand:
    """A sequential line of control with a store of its own: a stack of steps, so that no depth breaks it (T9, D10)."""

    store: Store
    scope: Scope
    line: Line
    groups: int = 0
    """How many groups are open around it (F8)."""
    counts: bool = True
    """Whether it is one of the graph's (R8), and not only of an evaluation ahead (D12)."""
    ahead: Ahead | None = None
    """Because of whose inputs evaluations run ahead now (D12)."""
    stack: list[Steps] = attrs.field(factory=list[Steps])
    wait: Wait | None = None
    failure: Failure | None = None
    scope_of_firing: Any = None
    """In a workflow: the scope whose firings it runs."""

    @property
    def ended(self) -> bool:
        """Whether it has nothing more to do."""
        return not self.stack

    def check(self) -> None:
        """A cancellation point."""
        if self.scope.cancelled:
            raise Cancelled

    def park(self, letter: str, path: Path, node: Node) -> Wait:
        """What it waits for at a label."""
        self.check()
        return Wait(label=f"{letter} {dotted(path)} {node.id}")

    def resume(self, thrown: BaseException | None = None) -> None:
        """Go on to the next wait, or to the end; what it fails with is kept."""
        result, self.wait = None, None
        while self.stack and self.wait is None:
            try:
                step = self.stack[-1].send(result) if thrown is None else self.stack[-1].throw(thrown)
                result, thrown = None, None
            except StopIteration as stop:
                self.stack.pop()
                result, thrown = stop.value, None
            except (Failure, Cancelled) as error:
                self.stack.pop()
                thrown = error
            else:
                if isinstance(step, Wait):
                    self.wait = step
                else:
                    self.stack.append(step)
        if isinstance(thrown, Failure):
            self.failure = thrown


@attrs.define(eq=False)
class Gate:
    """Where a run pauses and goes on step by step (spec/rules/gate.md)."""

    closed: bool = False
    permits: int = 0
    breakpoints: set[str] = attrs.field(factory=set[str])
    """Ids of nodes, and names of wires."""
    queue: dict[Path, object] = attrs.field(factory=dict[Path, object])
    """Who waits, in the order of arrival, by the path of the activation that is to start."""
    stepping: set[object] = attrs.field(factory=set[object])
    """Who was let pass by a permit; since then the gate was not opened."""
    below: list[Path] = attrs.field(factory=list[Path])
    """What is strictly below one of these passes (G6, G7)."""

    def admit(self, strand: Strand, path: Path, target: Target) -> Steps:
        """What every dispatch passes (T2)."""
        node = target.node
        yield strand.park("d", path, node)
        if not self.breakpoints.isdisjoint({node.id, target.wire}) and (not self.closed or self.passes(path)):
            self.pause()  # G3, G6, G8
        if self.closed and not self.passes(path):
            if self.permits:
                self.permits -= 1
                return
            arrival = self.queue[path] = object()
            try:
                yield Wait(ready=lambda: path not in self.queue)
                yield strand.park("g", path, node)
            except Cancelled:
                if path in self.queue:
                    del self.queue[path]
                elif arrival in self.stepping:
                    self.step(1)  # G2: the next in line takes its place
                raise

    def passes(self, path: Path) -> bool:
        """Whether a step by path lets it pass."""
        return any(len(path) > len(above) and path[: len(above)] == above for above in self.below)

    def pause(self) -> None:
        """G2: nobody passes. G6: nor does what steps by path let pass."""
        self.closed = True
        self.below.clear()

    def resume(self) -> None:
        """G2: all pass; permits that are left are void."""
        self.closed, self.permits = False, 0
        self.queue.clear()
        self.stepping.clear()
        self.below.clear()

    def step(self, count: int) -> None:
        """G2: so many pass, and the gate stays closed."""
        if self.closed:
            self.permits += count
            while self.permits and self.queue:
                self.permits -= 1
                self.stepping.add(self.queue.pop(next(iter(self.queue))))

    def step_into(self, path: Sequence[int]) -> None:
        """G5: who waits there passes, and nobody else."""
        self.queue.pop(tuple(path), None)

    def step_over(self, path: Sequence[int]) -> None:
        """G6: so does all that is strictly below."""
        self._step_below(tuple(path), tuple(path))

    def step_out(self, path: Sequence[int]) -> None:
        """G7: so does all that is below the path above."""
        self._step_below(tuple(path), tuple(path)[:-1])

    def _step_below(self, path: Path, above: Path) -> None:
        if self.queue.pop(path, None):
            self.below.append(above)
            for waiting in [waiting for waiting in self.queue if self.passes(waiting)]:
                del self.queue[waiting]

    def breakpoint(self, node: str) -> None:
        """G3: its dispatches close the gate."""
        self.breakpoints.add(node)

    def wire_breakpoint(self, wire: str) -> None:
        """G8: dispatches over it close the gate."""
        self.breakpoints.add(wire)


class Run:
    """What the strands of a run share."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        options = request.get("options") or {}
        self.options: dict[str, Any] = {"max_ahead": 0}
        self.options |= {name: value for name, value in options.items() if value is not None}
        self.graph = Graph(request["graph"], self.options.get("streams", {}))
        self.now = self.dispatches = 0
        self.gate = Gate()
        self.trace: list[dict[str, Any]] = []
        self.remembered: dict[tuple[Any, ...], list[Evaluation]] = {}  # by node and eager cells (D4)
        self.in_progress: dict[tuple[Any, ...], Evaluation] = {}  # likewise (D5)
        self.ahead: dict[tuple[Any, ...], Evaluation] = {}  # likewise, those that nobody has taken up (D12)
        self.forgetful = False  # an evaluation was not remembered
        self.outside = Scope()  # what the host can cancel (R5)
        self.exhausted = Scope(self.outside)  # by a dispatch that would be one too many (R8)
        self.timeout = Scope(self.exhausted, self.options.get("timeout"))
        self.limits = [self.timeout]  # all scopes with a deadline
        policies = {name: variable.get("merge", "last") for name, variable in self.graph.variables.items()}
        self.main = Strand(Store(policies), self.timeout, Line(()))
        self.strands: list[Strand] = []
        self.forked = False
        given = request.get("variables") or {}
        for name, variable in self.graph.variables.items():
            self.main.store.write(("var", name), Cell(given.get(name, variable.get("default")), f"${name}"))

    def tell(self, kind: str, path: Path, *details: Any) -> None:
        """Something observable happened (E1)."""
        self.trace.append(event(kind, path, *details))

    def spawn(self, strand: Strand, work: Steps) -> None:
        """Start a strand: it runs to its first wait when the others have settled (F1)."""
        strand.stack.append(work)
        strand.wait = Wait(ready=lambda: True, cancellable=False)
        self.strands.append(strand)

    def depends(self, what: str) -> None:
        """What happens next depends on the schedule, or on the time: it is outside of the promise of E5."""
