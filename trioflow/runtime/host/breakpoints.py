"""Breakpoints: where a run is to stop, and on what condition (G3, G8).

A breakpoint names the nodes whose dispatches must look at it, so that all others cost what they cost without one. Only
one on a value has to be looked at by every dispatch, and one on failures by none.
"""

from __future__ import annotations

import json
import operator
import re
import weakref
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.secret import hide
from trioflow.model.values import own_copy
from trioflow.runtime.base.cells import NOTHING
from trioflow.runtime.base.inputs import current, missing, value_of
from trioflow.runtime.base.names import variable_slot
from trioflow.runtime.base.records import Line, Strand, as_host
from trioflow.runtime.demand.inputs import computed
from trioflow.semantics.address import node_names, selector, wire_within
from trioflow.semantics.events import Path
from trioflow.semantics.plan import Met, Plan, PlanNode, Target

if TYPE_CHECKING:
    from trioflow.semantics.store import Cell

Condition: TypeAlias = Callable[[Callable[[str], Any]], bool] | str
"""When a breakpoint is to stop: a function that gets a function which reads variables by name, or a text such as
`total >= 10 and input.item == "a"`."""

Kind = Literal["node", "wire", "value", "failure"]


class _All:
    """Stands for all nodes."""

    def __contains__(self, node: object) -> bool:
        return True


@attrs.define(eq=False, kw_only=True)
class Breakpoint:
    """A breakpoint of a run, from `gate.add_breakpoint`.

    `id` is `b1`, `b2` and so on; `on` says what it is set on. `hits` counts how often it was reached while it was
    enabled and the run could stop there, whether its condition held or not. With `log` it tells `BreakpointHit` and
    does not stop.
    """

    id: str = attrs.field(on_setattr=attrs.setters.frozen)
    kind: Kind = attrs.field(on_setattr=attrs.setters.frozen)
    on: str = attrs.field(on_setattr=attrs.setters.frozen)
    condition: Condition | None = attrs.field(default=None, on_setattr=attrs.setters.frozen)
    log: bool = attrs.field(default=False, on_setattr=attrs.setters.frozen)
    enabled: bool = True
    hits: int = 0

    _place: Place = attrs.field(repr=False, alias="place")
    _holds: Sequence[Comparison] = attrs.field(default=(), repr=False, alias="holds")

    @property
    def stops(self) -> Container[PlanNode]:
        """The nodes whose dispatches must look at it."""
        return self._place.stops

    def reached(self, strand: Strand, target: Target) -> str | None:
        """What this dispatch has reached, in words for people; None if the breakpoint does not concern it."""
        return self._place.reached(strand, target)

    def overlook(self, cell: Cell) -> None:
        """This cell is none that it stops for: the host has written it."""
        if isinstance(self._place, OnValue):
            self._place.seen.add(cell)

    async def holds(self, strand: Strand, line: Line, node: PlanNode, path: Path, error: str | None = None) -> bool:
        """Whether its condition holds, at a dispatch of this node. Raises what the condition raises."""
        if callable(self.condition):
            return bool(self.condition(lambda name: own_copy(_variable(strand, name))))  # G4
        for comparison in self._holds:
            value = await _value(comparison.name, strand, line, node, path, self.hits, error)
            if not comparison.compare(value):
                return False
        return True


# --- places ----------------------------------------------------------------------------------------------------------


class OnNode:
    """Dispatches of a node, or of the nodes of some types."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.selector = selector([name])
        if "*" in name:
            self.stops: Container[PlanNode] = {
                node for inner in _plans(plan) for node in inner.nodes if self.selector.selects("", node.type.id)
            }
            if not self.stops:
                types = sorted({node.type.id for inner in _plans(plan) for node in inner.nodes})
                raise UnknownName(
                    f"No node has a type like {name!r}, so nothing would stop there. The types of the graph's nodes "
                    f"are: {', '.join(types)}."
                )
            return
        node = plan.node(name)
        if node is None:
            raise UnknownName(
                f"There is no node {name!r} to stop at.{did_you_mean(name, node_names(plan))} Name a node by its id, "
                "one in a graph that a node calls as 'call/id', or nodes of some types by a pattern such as 'http.*'."
            )
        if not node.type.is_exec:
            raise UnknownName(
                f"Node {name!r} ({node.type.id}) is a data node: it is evaluated when somebody asks, and never "
                "dispatched, so nothing would stop there. Set the breakpoint on the node that uses its value."
            )
        self.stops = {node}

    def reached(self, strand: Strand, target: Target) -> str | None:
        """G3."""
        name = strand.frame.prefix + target.node.id
        return f"node {name!r}" if self.selector.selects(name, target.node.type.id) else None


class OnWire:
    """Dispatches over one exec wire (G8)."""

    def __init__(self, plan: Plan, wire: str) -> None:
        source, arrow, led = (part.strip() for part in wire.partition("->"))
        self.prefix, slash, inner = source.rpartition("/")
        self.prefix += slash
        graph = _graph_at(plan, self.prefix)
        known: list[Target] = []
        if graph is not None:
            known = [target for node in graph.nodes for row in node.targets for target in row if target.wire]
            known += graph.wired.values()
        name = f"{inner} -> {led.removeprefix(self.prefix)}"
        self.targets = [target for target in known if target.wire == name]
        if not arrow or not self.targets:
            wires = [wire_within(self.prefix, str(target.wire)) for target in known]
            raise UnknownName(
                f"There is no exec wire {wire!r} to stop at.{did_you_mean(wire, wires)} Write 'node.output -> "
                "node.input', and in a graph that a node calls 'call/node.output -> call/node.input'."
            )
        self.name = wire_within(self.prefix, name)
        self.at = self.prefix + self.targets[0].node.id
        self.stops: Container[PlanNode] = {target.node for target in self.targets}

    def reached(self, strand: Strand, target: Target) -> str | None:
        """G8."""
        over = target.over if isinstance(target, Met) else (target,)
        if strand.frame.prefix == self.prefix and any(came is each for came in over for each in self.targets):
            return f"wire {self.name!r}"
        return None


class OnValue:
    """The next dispatch of a strand in which a variable or an output of an exec node was written.

    A cell is told once, in whatever strand it is seen first.
    """

    stops: Container[PlanNode] = _All()

    def __init__(self, plan: Plan, name: str, since: int) -> None:
        self.name = name
        self.prefix, slash, inner = name.rpartition("/")
        self.prefix += slash
        self.started = f"${inner}"
        self.since = since
        self.seen: weakref.WeakSet[Cell] = weakref.WeakSet()
        graph = _graph_at(plan, self.prefix)
        places = {} if graph is None else _values_of(graph)
        place = places.get(inner)
        if place is None:
            raise UnknownName(
                f"There is no variable or output {name!r} to watch.{did_you_mean(inner, places)} Name a variable, or "
                "an output of an exec node as 'node.output', in a graph that a node calls as 'call/node.output'. What "
                "a data node gives is computed when somebody asks: watch what it is made of."
            )
        self.slot = place

    def reached(self, strand: Strand, target: Target) -> str | None:
        """A cell that is younger than the breakpoint, and was not told."""
        if strand.frame.prefix != self.prefix:
            return None
        cell: Cell | None = strand.store.cells[self.slot]
        # The start value of a variable, of a call that has just begun, is no change.
        if cell is None or cell.serial <= self.since or cell in self.seen or cell.origin == self.started:
            return None
        self.seen.add(cell)
        return hide(f"{self.name} is now {_short(cell.value)}")


class OnFailure:
    """Activations that fail, before the failure goes on to whoever triggered them."""

    stops: Container[PlanNode] = frozenset[PlanNode]()

    def reached(self, strand: Strand, target: Target) -> str | None:
        """No dispatch does."""


Place = OnNode | OnWire | OnValue | OnFailure


def _plans(plan: Plan) -> Iterator[Plan]:
    """A plan and those of all graphs that are called in it, each once."""
    found = {id(plan): plan}
    waiting = [plan]
    while waiting:
        each = waiting.pop()
        yield each
        for node in each.nodes:
            if node.graph is not None and id(node.graph) not in found:
                found[id(node.graph)] = node.graph
                waiting.append(node.graph)


def _graph_at(plan: Plan, prefix: str) -> Plan | None:
    """The graph whose nodes have this before their ids."""
    if not prefix:
        return plan
    call = plan.node(prefix[:-1])
    return None if call is None else call.graph


def _values_of(plan: Plan) -> dict[str, int]:
    """The slots of variables and of outputs of exec nodes, by name."""
    found = {
        f"{node.id}.{socket.name}": node.first_output + place
        for node in plan.nodes
        if node.first_output >= 0
        for place, socket in enumerate(node.type.outputs)
    }
    return found | dict(plan.variable_index)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- conditions ------------------------------------------------------------------------------------------------------


@attrs.frozen
class Comparison:
    """One part of a condition: a name is compared with a literal. Nothing of it is evaluated as Python."""

    name: str
    sign: str
    literal: Any

    def compare(self, value: Any) -> bool:
        """Whether it holds. `true` is not 1. Raises `TypeError` if the two can't be compared."""
        if self.sign in ("==", "!="):
            same = value == self.literal and isinstance(value, bool) == isinstance(self.literal, bool)
            return same == (self.sign == "==")
        try:
            return bool(_SIGNS[self.sign](value, self.literal))
        except TypeError:
            raise TypeError(
                f"{self.name} is {_short(value)}, which can't be compared with {self.literal!r} by {self.sign}."
            ) from None


_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARISON = re.compile(
    r"""\s*(?P<name>v\[(?:"[^"]+"|'[^']+')\]|[^\s=!<>"']+)\s*(?P<sign>==|!=|<=|>=|<|>)\s*"""
    r"""(?P<literal>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+)\s*(?P<and>and\b|$)"""
)
_WORDS = {"True": True, "False": False, "None": None}


def read_condition(text: str) -> tuple[Comparison, ...]:
    """A condition's comparisons. Raises `ValueError`."""
    found: list[Comparison] = []
    at = 0
    more = True
    while more:
        match = _COMPARISON.match(text, at)
        literal = None if match is None else _literal(match["literal"])
        if match is None or literal is None:
            raise ValueError(
                f"The condition {text!r} can't be read{f' from {text[at:]!r} on' if at else ''}. Write NAME OP "
                "LITERAL, several joined by `and`: a variable or an input, `path` or `hits`; one of == != < <= > >=; a "
                'number, a text in quotes, true, false or null. For example: total >= 10 and input.item == "a".'
            )
        # A variable may be written as in Python, too: v["total"].
        name = f"variable.{match['name'][3:-2]}" if match["name"].startswith("v[") else match["name"]
        found.append(Comparison(name, match["sign"], literal[0]))
        at = match.end()
        more = match["and"] == "and"
    return tuple(found)


def _literal(text: str) -> tuple[Any] | None:
    if text[0] == "'":
        return (text[1:-1],)
    if text in _WORDS:
        return (_WORDS[text],)
    try:
        value: Any = json.loads(text)
    except ValueError:
        return None
    return None if isinstance(value, list | dict) else (value,)


def check_names(comparisons: Sequence[Comparison], plan: Plan, node: str | None, kind: Kind) -> None:
    """Whether the names of a condition mean anything at this node. Raises `UnknownName`, with all at once."""
    found = None if node is None else plan.node(node)
    graph = _graph_at(plan, "" if node is None else node[: node.rfind("/") + 1])
    if found is None or graph is None:
        return  # it may be reached at any node
    known = [*_reserved(kind), *(each.name for each in found.type.inputs), *graph.variable_index]
    problems = [
        f"The condition names {each.name!r}, which node {node!r} does not have.{did_you_mean(each.name, known)} It can "
        f"name: {', '.join(known)}."
        for each in comparisons
        if each.name.removeprefix("input.").removeprefix("variable.") not in known
    ]
    if problems:
        raise UnknownName("\n".join(problems))


def _reserved(kind: Kind) -> Collection[str]:
    return ("hits", "path", "error") if kind == "failure" else ("hits", "path")


def _variable(strand: Strand, name: str) -> Any:
    return strand.store.cells[variable_slot(strand.frame.plan, name)].value


async def _value(
    name: str, strand: Strand, line: Line, node: PlanNode, path: Path, hits: int, error: str | None
) -> Any:
    """What a name in a condition means: an input of the node comes before a variable; `input.` and `variable.` say."""
    if name == "hits":
        return hits
    if name == "path":
        return str(path)
    if name == "error" and error is not None:
        return error
    place = node.type.input_index.get(name.removeprefix("input."))
    if place is None or name.startswith("variable."):
        return _variable(strand, name.removeprefix("variable."))
    planned = node.inputs[place]
    asking = as_host(strand, line, node, path)
    cell = current(asking, planned)
    if cell is None:
        cell = await computed(asking, planned)
    if cell is NOTHING:
        raise missing(node, planned)
    return value_of(planned, cell)
