"""What a run is made of: strands that wait, lines, forks, activations, evaluations."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from trioflow.reference.graph import Cell, Failure, Graph, Node, Path, Target, dotted, event
from trioflow.reference.store import Store


class Cancelled(BaseException):
    """Ends what a cancelled scope encloses (R5)."""


@attrs.define(eq=False)
class Scope:
    """What can be cancelled; with a `deadline`, by itself."""

    cancelled: bool = False
    deadline: int | None = None


@attrs.frozen
class Wait:
    """What a strand waits for: a release of its `label`, a time, or a condition. Exactly one is given."""

    label: str | None = None
    until: int | None = None
    condition: Callable[[], bool] | None = None
    cancellable: bool = True


Steps = Generator[Wait, None, Any]


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
    """A sequential line of control with its own store."""

    store: Store
    scopes: list[Scope]
    groups: int = 0
    steps: Steps | None = None
    wait: Wait | None = None
    failure: Failure | None = None

    @property
    def cancelled(self) -> bool:
        """Whether anything around it has been cancelled."""
        return any(scope.cancelled for scope in self.scopes)

    def check(self) -> None:
        """A cancellation point."""
        if self.cancelled:
            raise Cancelled


@attrs.define(eq=False)
class Fork:
    """A forked strand, with the line of its dispatches."""

    strand: Strand
    line: Line
    collected: bool = False
    discarded: bool = False
    ended: bool = False


@attrs.define(eq=False)
class Group:
    """The forks of one owner (F2)."""

    strand: Strand
    scope: Scope
    scopes: list[Scope]
    """What cancels the forks; a `within` that is entered later does not (R5)."""
    forks: list[Fork] = attrs.field(factory=list[Fork])
    unjoined: list[Fork] = attrs.field(factory=list[Fork])
    failed: list[Failure] = attrs.field(factory=list[Failure])  # those that are not collected, in order of time

    @property
    def in_flight(self) -> int:
        """How many have not ended."""
        return sum(not fork.ended for fork in self.forks)

    @property
    def failures(self) -> int:
        """How many failures were collected (S4)."""
        return sum(fork.collected and fork.strand.failure is not None for fork in self.forks)


@attrs.define(eq=False)
class Activation(Line):
    """One execution of one exec node (T3)."""

    target: Target = attrs.field(kw_only=True)
    strand: Strand = attrs.field(kw_only=True)
    group: Group | None = None
    writes: int = 0
    failures: int = 0
    done_fired: bool = False
    moment: Cell | None = None

    @property
    def node(self) -> Node:
        """Its node."""
        return self.target.node


@attrs.define(eq=False)
class Evaluation:
    """One run of a data node's body: the cells it used, in the order of 7 in spec/INTERPRETING.md, and what it gave."""

    used: list[Cell]
    pulled: list[tuple[Any, Cell]] = attrs.field(factory=list[tuple[Any, Cell]])
    outputs: dict[str, Cell] = attrs.field(factory=dict[str, Cell])
    ended: bool = False
    failure: Failure | None = None

    def has_ended(self) -> bool:
        """Whether nobody needs to wait for it any more."""
        return self.ended

    @property
    def cells(self) -> list[Cell]:
        """The cells that its body asked for, in order."""
        return [cell for _, cell in self.pulled]


class Run:
    """The state of one run; what happens in it is in the classes that build on this one."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.graph = Graph(request["graph"])
        options: Mapping[str, Any] = request.get("options") or {}
        self.options = {name: value for name, value in options.items() if value is not None}
        self.choices = list(request.get("choices") or ())
        self.actions: list[dict[str, Any]] = list(request.get("actions") or ())
        self.now = self.dispatches = self.releases = 0
        self.strands: list[Strand] = []
        self.running_scopes: list[Scope] = []
        self.trace: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.remembered: dict[str, list[Evaluation]] = {}
        self.in_progress: dict[str, list[Evaluation]] = {}
        self.life: list[str] = []
        self.root = Line(())
        self.cancel_scope, self.timeout_scope = Scope(), Scope(deadline=self.options.get("timeout"))
        policies = {name: variable.get("merge", "last") for name, variable in self.graph.variables.items()}
        self.main = Strand(Store(policies), [self.cancel_scope, self.timeout_scope])
        for name, value in self.graph.start_values(request.get("variables") or {}).items():
            self.main.store.write(("var", name), Cell(value, f"${name}"))
        self.closed, self.permits, self.breakpoints = False, 0, set[str]()
        self.arrivals: list[object] = []  # who waits at the gate, in order
        self.stepping = set[object]()  # who was let pass by a step, and has not gone on yet
        self.host_events: list[list[Target]] = []
        self.host_line: Line | None = None
        self.accepting = True
        self.root_group: Group | None = None
        self.hosting = False  # the host's strand has been forked
        self.cut_off = False  # Cancelled came out at the top

    def tell(self, kind: str, path: Path, *details: Any) -> None:
        """Something observable happened (E1)."""
        self.trace.append(event(kind, path, *details))

    def park(self, strand: Strand, letter: str, path: Path, node: Node) -> Steps:
        strand.check()
        yield Wait(label=f"{letter} {dotted(path)} {node.id}")


def same(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    """Whether these are the same cells, that is, the same versions."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def combined(failures: list[Failure]) -> Failure:
    """Several failures as one, the same one only once (R4, D5); it arose where the first did (E2)."""
    unique = list({id(failure): failure for failure in failures}.values())
    if len(unique) == 1:
        return unique[0]
    several = Failure(*(code for failure in unique for code in failure.codes))
    several.origin = unique[0].origin
    return several
