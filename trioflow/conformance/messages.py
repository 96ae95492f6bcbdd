"""The shapes of all that kit and ports say to each other, as `spec/INTERPRETING.md` describes them, and of vectors.

Messages stay plain trees of dicts and lists, as they are sent. The classes here say what trees are well-formed: `check`
holds a tree against one of them and tells all that is wrong with it, and the JSON Schemas in `spec/schema` are drawn
from them by `python -m trioflow.conformance.messages`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import attrs

from trioflow.model.form import Form, Minimum
from trioflow.model.graph import StreamSettings
from trioflow.model.schema import schema_of
from trioflow.model.structure import Refused, graph_from, structured

CONTRACT_VERSION = "2.2"
"""The version of `spec/INTERPRETING.md` that this kit keeps."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

# --- values ----------------------------------------------------------------------------------------------------------


def _not_a_value(value: Any) -> Iterator[tuple[str, str]]:
    if type(value) is list:
        for index, item in enumerate(value):
            for path, what in _not_a_value(item):
                yield f"[{index}]{path}", what
    elif value is not None and type(value) not in (int, str, bool):
        yield "", f"expected a whole number, text, true, false, null or a list of these, got {value!r:.60}"


def _not_a_graph(value: Any) -> Iterable[tuple[str, str]]:
    try:
        graph_from(value)
    except Refused as error:
        return error.problems
    return ()


def _not_a_rule(value: Any) -> Iterator[tuple[str, str]]:
    if type(value) is not str or not re.fullmatch(_RULE, value):
        yield "", f'expected the id of a rule such as "F3", got {value!r:.60}'


_RULE = r"[A-Z][1-9][0-9]?"
_VALUE_SCHEMA = {"type": ["integer", "string", "boolean", "null", "array"], "items": {"$ref": "#/$defs/Value"}}

Value = Annotated[Any, Form("Value", _not_a_value, _VALUE_SCHEMA)]
"""What can be on a wire: whole numbers, texts, true, false, null, and lists of these."""
GraphDocument = Annotated[Any, Form("GraphDocument", _not_a_graph, {"$ref": "graph.schema.json"})]
RuleId = Annotated[str, Form("RuleId", _not_a_rule, {"type": "string", "pattern": f"^{_RULE}$"})]
Count = Annotated[int, Minimum(0)]
Positive = Annotated[int, Minimum(1)]
ActivationPath = tuple[Count, ...]
Level = Literal[0, 1, 2, 3]
Capability = Literal[
    "core",
    "data",
    "failure",
    "state",
    "limit",
    "fork",
    "stream",
    "time",
    "event",
    "life",
    "validation",
    "action",
    "ahead",
    "workflow",
]
Status = Literal["completed", "failed", "cancelled", "invalid"]
ProblemCode = Literal[
    "duplicate-id",
    "unknown-node-type",
    "unknown-type",
    "unknown-node",
    "unknown-socket",
    "kind-mismatch",
    "second-source",
    "type-mismatch",
    "data-cycle",
    "missing-input",
    "undeclared-event",
    "unknown-merge-policy",
    "data-initiator",
    "no-initiator",
]

# --- actions ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Pause:
    """Closes the gate (G2)."""

    at: int | str
    do: Literal["pause"]


@attrs.frozen
class Resume:
    """Opens the gate (G2)."""

    at: int | str
    do: Literal["resume"]


@attrs.frozen
class Advance:
    """Lets so many dispatches pass the closed gate (G2)."""

    at: int | str
    do: Literal["step"]
    count: Positive


@attrs.frozen
class StepByPath:
    """Lets the dispatch that waits at this path pass, with what is below it or below the path above (G5-G7)."""

    at: int | str
    do: Literal["step-into", "step-over", "step-out"]
    path: tuple[int, ...]


@attrs.frozen
class Breakpoint:
    """From now on the dispatch of this node closes the gate (G3)."""

    at: int | str
    do: Literal["breakpoint"]
    node: str


@attrs.frozen
class WireBreakpoint:
    """From now on a dispatch over this wire closes the gate (G8)."""

    at: int | str
    do: Literal["wire-breakpoint"]
    wire: str


@attrs.frozen
class Cancel:
    """Cancels the run (R5)."""

    at: int | str
    do: Literal["cancel"]


@attrs.frozen
class Publish:
    """Publishes an event from outside (B1)."""

    at: int | str
    do: Literal["publish"]
    event: str
    payload: Value = None


Action = Pause | Resume | Advance | StepByPath | Breakpoint | WireBreakpoint | Cancel | Publish

# --- events ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class NodeStarted:
    """An activation starts, before its inputs are resolved (E1)."""

    event: Literal["started"]
    path: ActivationPath
    node: str
    entered: str | None


@attrs.frozen
class NodeCompleted:
    """An activation has completed, all its forks joined (F2)."""

    event: Literal["completed"]
    path: ActivationPath
    node: str
    handed: str | None


@attrs.frozen
class NodeFailed:
    """An activation has failed; `origin` is where the failure arose (E2)."""

    event: Literal["failed"]
    path: ActivationPath
    node: str
    origin: ActivationPath


@attrs.frozen
class NodeCancelled:
    """An activation was cancelled (R5)."""

    event: Literal["cancelled"]
    path: ActivationPath
    node: str


@attrs.frozen
class EvaluationStarted:
    """The body of a data node starts, because this activation demands it (D4)."""

    event: Literal["evaluating"]
    path: ActivationPath
    node: str


@attrs.frozen
class EvaluationCompleted:
    """An evaluation has ended well; `key` is its identity (T8)."""

    event: Literal["evaluated"]
    path: ActivationPath
    node: str
    key: str


@attrs.frozen
class EvaluationEnded:
    """An evaluation has failed or was cancelled (D5)."""

    event: Literal["unevaluated"]
    path: ActivationPath
    node: str


@attrs.frozen
class StrandForked:
    """A strand starts (F1)."""

    event: Literal["forked"]
    path: ActivationPath


@attrs.frozen
class StrandJoined:
    """A strand's writes are merged into its owner's store (F3)."""

    event: Literal["joined"]
    path: ActivationPath


@attrs.frozen
class MergeConflict:
    """A merge under the policy `last` dropped a value (F4)."""

    event: Literal["conflict"]
    path: ActivationPath
    variable: str


@attrs.frozen
class Feedback:
    """A body said something (E3)."""

    event: Literal["feedback"]
    path: ActivationPath
    value: Value


TraceEvent = (
    NodeStarted
    | NodeCompleted
    | NodeFailed
    | NodeCancelled
    | EvaluationStarted
    | EvaluationCompleted
    | EvaluationEnded
    | StrandForked
    | StrandJoined
    | MergeConflict
    | Feedback
)

# --- traces and steps ------------------------------------------------------------------------------------------------

End = Literal["completed", "failed", "cancelled"]
Activations = tuple[tuple[ActivationPath, str, str | None, End, str | None], ...]
Said = tuple[tuple[ActivationPath, Value], ...]
Strands = tuple[tuple[ActivationPath, Literal["forked", "joined"]], ...]
Conflicts = tuple[tuple[ActivationPath, str], ...]


@attrs.frozen
class CanonicalTrace:
    """What a run did, without when: equal for every schedule (E5)."""

    activations: Activations
    feedback: Said
    strands: Strands
    conflicts: Conflicts
    evaluations: tuple[str, ...]


@attrs.frozen
class BeginStep:
    """What happened before the first step."""

    do: Literal["begin"]
    events: tuple[str, ...]


@attrs.frozen
class ReleaseStep:
    """A strand was released, out of the enabled set."""

    do: Literal["release"]
    enabled: tuple[str, ...]
    chosen: str
    events: tuple[str, ...]


@attrs.frozen
class TimeStep:
    """The time moved to the next moment at which something was due."""

    do: Literal["time"]
    now: Count
    events: tuple[str, ...]


@attrs.frozen
class ActionStep:
    """The host did something."""

    do: Literal["action"]
    action: Action
    events: tuple[str, ...]


Step = BeginStep | ReleaseStep | TimeStep | ActionStep

# --- messages --------------------------------------------------------------------------------------------------------


@attrs.frozen
class Options:
    """What is set for a run; a limit that is missing is not set, or at its default."""

    max_steps: Positive | None = None
    max_depth: Positive | None = None
    max_nesting: Positive | None = None
    max_strands: Positive | None = None
    max_ahead: Count | None = None
    timeout: Positive | None = None
    parallel_initiators: bool = False
    streams: Mapping[str, StreamSettings] = _NOTHING


@attrs.frozen
class Start:
    """The first request."""

    type: Literal["start"]
    contract: str


@attrs.frozen
class Run:
    """The request to run a graph."""

    type: Literal["run"]
    id: int
    graph: GraphDocument
    variables: Mapping[str, Value] = _NOTHING
    options: Options = Options()
    level: Level = 0
    choices: tuple[Count, ...] = ()
    actions: tuple[Action, ...] = ()


@attrs.frozen
class Stop:
    """The last request: the port ends with exit code 0."""

    type: Literal["stop"]


@attrs.frozen
class Started:
    """The answer to the first request: who the port is, and what it claims."""

    type: Literal["started"]
    contract: str
    name: str
    language: str
    level: Level
    capabilities: tuple[Capability, ...]


@attrs.frozen
class Result:
    """What a run did. Fields of higher levels than asked may be missing."""

    type: Literal["result"]
    id: int
    status: Status
    errors: tuple[str, ...]
    problems: tuple[tuple[ProblemCode, str], ...]
    variables: Mapping[str, Value]
    outputs: Mapping[str, Mapping[str, Value]]
    feedback: Said
    life: tuple[str, ...]
    trace: tuple[TraceEvent, ...] = ()
    canonical: CanonicalTrace | None = None
    steps: tuple[Step, ...] = ()


@attrs.frozen
class Skipped:
    """The request needs something that the port does not claim."""

    type: Literal["skipped"]
    id: int
    reason: str


@attrs.frozen
class Fault:
    """The port has found a fault in itself or in the request."""

    type: Literal["error"]
    id: int
    message: str
    context: Any = None


Request = Start | Run | Stop
Answer = Result | Skipped | Fault

# --- vectors ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class ExpectedTrace:
    """The lists of the canonical trace that a vector wants to be equal."""

    activations: Activations = ()
    feedback: Said = ()
    strands: Strands = ()
    conflicts: Conflicts = ()
    evaluations: tuple[str, ...] = ()


@attrs.frozen
class Expected:
    """The fields of the result that a vector wants to be equal; those that are missing may be anything."""

    status: Status = "completed"
    errors: tuple[str, ...] = ()
    problems: tuple[tuple[ProblemCode, str], ...] = ()
    variables: Mapping[str, Value] = _NOTHING
    outputs: Mapping[str, Mapping[str, Value]] = _NOTHING
    feedback: Said = ()
    life: tuple[str, ...] = ()
    trace: tuple[TraceEvent, ...] = ()
    canonical: ExpectedTrace = ExpectedTrace()
    steps: tuple[Step, ...] = ()


@attrs.frozen
class Vector:
    """A graph, what is done to it, and what must come of it: a check of the rules that it names.

    `choices` is the schedule; `"schedule": "all"` in its place means every schedule that there is.
    """

    name: str
    rules: tuple[RuleId, ...]
    graph: GraphDocument
    expect: Expected
    variables: Mapping[str, Value] = _NOTHING
    options: Options = Options()
    level: Level = 0
    choices: tuple[Count, ...] = ()
    schedule: Literal["all"] | None = None
    actions: tuple[Action, ...] = ()
    doc: str = ""


# --- checking --------------------------------------------------------------------------------------------------------


def check(tree: Any, shape: Any) -> list[str]:
    """All that is wrong with a tree that should have the shape of a class or union of this module, with paths."""
    try:
        structured(tree, shape)
    except Refused as error:
        return [f"{path.removeprefix('.') or 'the message'}: {what}" for path, what in error.problems]
    except RecursionError:
        return ["the message: it is nested too deeply"]
    return []


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of `spec/schema` by file name."""
    return {
        "message.schema.json": schema_of(Start | Run | Stop | Started | Result | Skipped | Fault, "trioflow message"),
        "trace.schema.json": schema_of(tuple[TraceEvent, ...], "trioflow trace"),
        "vector.schema.json": schema_of(Vector, "trioflow vector"),
    }


if __name__ == "__main__":
    folder = Path(__file__).parents[2] / "spec" / "schema"
    for name, schema in schemas().items():
        (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
