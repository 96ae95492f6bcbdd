"""The exceptions of graphs, nodes and runs, and whose fault each is.

TrioflowError
├── GraphError              the author of the graph
│   ├── DocumentError         a document that can't be read as a graph
│   ├── InvalidGraph          a graph that means nothing (M5)
│   ├── MissingInput          a data input that nothing supplies (D1)
│   ├── CoercionError         a value that does not fit the input it is wired to (D11)
│   ├── MergeError            concurrent writes that the policy refuses (F4)
│   ├── ExpressionFailed      a condition, or a value that an expression gives, could not be had (W3)
│   ├── JoinUnmet             not all tokens came that a join of a workflow needs (W7)
│   └── NoWay                 a firing chooses a wire, and no condition holds (W3)
├── NodeError               the author of a node type
│   ├── NodeDefinitionError   a class or function that can't be a node type
│   ├── UnknownSocket         a body asked for a socket that its type does not declare (T4)
│   ├── UnknownName           a body asked for a variable, event or service that is not there
│   │   └── UnknownSecret       a graph names a secret that the host does not have
│   ├── ConcurrentTrigger     two triggers at once in one activation (T7)
│   └── DataNodeEffect        a data node tried to act (D8)
├── RegistryError           whoever put the node packages together
│   ├── UnknownNodeType       no package declares that id
│   └── NodePackageError      a package that fails to import
├── RunError                the run
│   ├── LimitExceeded         a limit of the run was reached (R8)
│   │   └── DepthExceeded       too many activations nested (T9) or strands (F8)
│   ├── NodeTimeout           a node, or an attempt of it, took longer than its time limit (P5)
│   ├── CircuitOpen           a breaker refuses calls for a while (P2)
│   ├── BudgetExhausted       a call has waited as long as it may for its turn (P3)
│   ├── Deadlock              activations wait for one another's places (P3)
│   ├── QuarantinedNode       a node that has failed too often, and is skipped (P5)
│   ├── MiddlewareError       a middleware answered what its node does not allow, or is for nodes that are not there
│   ├── TeardownTimeout       nodes did not tear down within the grace period (R1)
│   ├── RunFinished           the host asked something of a run that is over
│   └── RunAborted            the host asks for the result of a run that it has cancelled
├── JournalError            the journal of a run, or whoever resumes a run of it (J1)
│   ├── Unrecordable          a value that would not come back as it is (J15)
│   ├── RunNotFound           there is no such run
│   ├── RunOwned              another process has the run (J14)
│   ├── Diverged              the run does something else than the journal says (J12)
│   ├── GraphChanged          the run was begun with another graph (J13)
│   ├── InDoubt               nobody knows whether something was done (J4)
│   ├── RunStuck              a run that gets nowhere, however often it is resumed (J4)
│   └── JournalUnusable       a file that is no journal, is damaged, or can't be written
├── RecordedFailure         a failure of an earlier process that can't be made again (J7)
└── MissingExtra            an optional dependency is not installed

Packages that a program imports by themselves (`trioflow.jobs`, `remote`, `serving`, `studio`, `telemetry`, `formats`,
`conformance`) and nodes have exceptions of their own, below these. What a node's body raises itself is not in this
tree: it reaches the caller as it is, with a note that names node, type and activation (R4). Nor is `Unwind`, which is
no error at all.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence


class TrioflowError(Exception):
    """The root of all exceptions of trioflow."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Out of another process it comes with all that it has. Making it anew would take more than its message.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class GraphError(TrioflowError):
    """The graph, or what was given to it, is at fault: its author can cure it."""

    code = "graph-error"


class DocumentError(GraphError):
    """A document could not be read; `problems` holds every reason, each with its place.

    `positions` holds the line and the column of each, from 1, or None where it is not known or is said in the problem;
    it is empty if none is known.
    """

    code = "document"

    def __init__(self, source: str, problems: Sequence[str], positions: Sequence[tuple[int, int] | None] = ()) -> None:
        self.source = source
        self.problems = tuple(problems)
        self.positions = tuple(positions)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


class InvalidGraph(GraphError):
    """The graph has errors; the message lists them all (M5)."""

    code = "invalid-graph"


class MissingInput(GraphError):
    """A data input has no value: its source is unset, and it has neither literal nor default (D1)."""

    code = "missing-input"


class CoercionError(GraphError):
    """A value does not fit, and no lossless conversion is declared (D11)."""

    code = "type-mismatch"


class MergeError(GraphError):
    """Concurrent strands wrote a variable in a way that its merge policy refuses (F4)."""

    code = "merge"


class ExpressionFailed(GraphError):
    """An expression failed while it was evaluated, or got a value that no expression can have (W3)."""

    code = "expression"


class JoinUnmet(GraphError):
    """Tokens came over fewer wires than a join needs, and no more can come (W7). The message names the wires."""

    code = "join-unmet"


class NoWay(GraphError):
    """A firing takes the first wire whose condition holds, and none does (W3)."""

    code = "no-way"


class NodeError(TrioflowError):
    """A node type is written wrongly: its author can cure it."""


class NodeDefinitionError(NodeError):
    """A class or function can't be made into a node type."""


class UnknownSocket(NodeError, AttributeError):
    """A body named a socket that its type does not declare; the message lists the declared ones (T4).

    An AttributeError, too, since the sockets of a node under construction are attributes: `hasattr` can be asked.
    """


class UnknownName(NodeError):
    """A body named a variable, event or service that this run does not have."""


class UnknownSecret(UnknownName):
    """A literal names a secret that the host did not give to the run (A10)."""


class ConcurrentTrigger(NodeError):
    """A second trigger started while one of the same activation was running (T7)."""


class DataNodeEffect(NodeError):
    """A data node tried to trigger, emit, publish or set a variable (D8)."""


class RegistryError(TrioflowError):
    """The registry has no such node type, or a package of node types is broken."""


class UnknownNodeType(RegistryError):
    """No registered package declares this node type id."""


class NodePackageError(RegistryError):
    """A package of node types could not be imported, or declares no node types."""


class RunError(TrioflowError):
    """The run itself had to stop."""


class LimitExceeded(RunError):
    """A limit of the run was reached (R8). `limit` names it, `value` is what it was set to.

    Steps and time are budgets of the run as a whole: no body can catch that they are used up. It can catch the others.
    """

    def __init__(self, message: str, *, limit: str, value: float) -> None:
        self.limit = limit
        self.value = value
        super().__init__(message)


class DepthExceeded(LimitExceeded):
    """Activations (T9) or strands (F8) nest deeper than the run allows."""


class NodeTimeout(RunError):
    """A node did not finish within a time limit (P5): `limit` says whether that of one attempt, or of all in total."""

    def __init__(self, message: str, *, limit: Literal["attempt", "total"] = "total", seconds: float = 0.0) -> None:
        self.limit: Literal["attempt", "total"] = limit
        self.seconds = seconds
        super().__init__(message)


class CircuitOpen(RunError):
    """A breaker refuses a call, which was not made (P2). `retry_after`: seconds until it lets one through again."""

    def __init__(self, message: str, *, key: str, retry_after: float) -> None:
        self.key = key
        self.retry_after = retry_after
        super().__init__(message)


class BudgetExhausted(RunError):
    """A call has waited as long as it may for its turn (P3). `budget` names what it has waited for."""

    def __init__(self, message: str, *, budget: str) -> None:
        self.budget = budget
        super().__init__(message)


class Deadlock(RunError):
    """An activation would wait for ever: all that could make room wait themselves (P3). `holders` are their paths."""

    def __init__(self, message: str, *, holders: Sequence[str]) -> None:
        self.holders = tuple(holders)
        super().__init__(message)


class QuarantinedNode(RunError):
    """A node is skipped because it has failed too often in this run (P5)."""


class MiddlewareError(RunError):
    """A middleware did what it may not: the message names it, the node, and what is allowed (A3, A4)."""


class TeardownTimeout(RunError):
    """Nodes were still tearing down when the grace period ended (R1)."""


class RunFinished(RunError):
    """The run is over and can't do this any more."""


class RunAborted(RunError):
    """The run was cancelled with `run.cancel()`, so there is no result."""


class RunSuspended(RunError):
    """A run was put away, because all of it waits, or because the host said so; that is no end of it (J22).

    `waits_for` are the names of the signals that it waits for, `due` is when the first of its timers is.
    """

    def __init__(
        self, message: str, *, run_id: str, due: datetime.datetime | None = None, waits_for: Sequence[str] = ()
    ) -> None:
        self.run_id = run_id
        self.due = due
        self.waits_for = tuple(waits_for)
        super().__init__(message)


class JournalError(TrioflowError):
    """A run can't be kept in its journal, or can't be resumed. The run stays as it was."""


class Unrecordable(JournalError):
    """A value would not come back from the journal as it is; the message says where it is and how to cure it (J15)."""


class RunNotFound(JournalError):
    """The journal has no run of that name."""


class RunOwned(JournalError):
    """Another process has the run, or has taken it meanwhile (J14)."""


class Diverged(JournalError):
    """The run does something else than its journal says; nothing was written after that (J12)."""


class GraphChanged(JournalError):
    """The run was begun with another graph, or other node types (J13)."""


class InDoubt(JournalError):
    """Nobody knows whether an effect was done before the process died; the host must say so: `settle` (J4)."""


class RunStuck(JournalError):
    """The run was resumed several times, and each time ended before anything new was recorded (J4)."""


class JournalUnusable(JournalError):
    """It is no journal, of a newer version, damaged, or can't be read or written."""


class RecordedFailure(TrioflowError):
    """A failure that was recorded and can't be made again: `names` are its class and the classes of that (J7)."""

    def __init__(self, names: Sequence[str], text: str) -> None:
        self.names = tuple(names)
        self.text = text
        name = self.names[0] if self.names else "an exception"
        super().__init__(f"{name}: {text}" if text else name)


class MissingExtra(TrioflowError, ImportError):
    """An optional dependency is missing; the message is the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional package. Install it with: python -m pip install 'trioflow[{extra}]'"
        )


class Unwind(BaseException):
    """Raised by a body to get back to a body above it in the same strand, which awaits it and catches it.

    It is no failure: the activations in between end as cancelled, their `finally` blocks run, and `except Exception`
    lets it pass. For nodes that change the flow from below, as `flow.break` does; subclass it, and catch what you
    raise: one that nobody catches is a failure of the run, `NodeError`.
    """


_LONGEST_NAME = 200


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words that are most like a word, the nearest first; none if none is like it."""
    known = sorted(known)
    # No name is so long: what a graph hands over as one must not take time.
    import difflib  # noqa: PLC0415 - only where something goes wrong

    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6) if len(word) <= _LONGEST_NAME else []
    if not near:
        lowered = {name.lower(): name for name in known}
        near = [lowered[word.lower()]] if word.lower() in lowered else []
    return near


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known words, or the empty string."""
    *others, last = [repr(name) for name in nearest(word, known)] or [""]
    offered = f"{', '.join(others)} or {last}" if others else last
    return f" Did you mean {offered}?" if offered else ""
