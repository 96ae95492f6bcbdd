"""Looking inside: where the strands of a run are, and what they see there, without running anything.

Nothing is kept for it while a run goes on: where a strand is can be read off the coroutines that hold it, and what it
sees off its store. So a run that nobody looks into pays nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from types import FrameType
from typing import Any, Literal, cast

import attrs
import trio

from trioflow.errors import CoercionError, MissingInput, RunFinished, UnknownName, did_you_mean
from trioflow.model.secret import HIDDEN
from trioflow.model.values import own_copy
from trioflow.runtime.base.cells import LAZY, NOTHING
from trioflow.runtime.base.names import output_place, variable_slot
from trioflow.runtime.base.records import Activation, Line, RunState, Strand, as_host
from trioflow.runtime.base.watch import is_system_clock
from trioflow.runtime.demand.loop import demand
from trioflow.runtime.dispatch import dispatch, drive
from trioflow.runtime.host.barrier import Barrier
from trioflow.runtime.strands.forks import ForkSet
from trioflow.runtime.workflow.firing import fire
from trioflow.semantics.address import HOST_MARK, node_names
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.events import Path, VariableSet
from trioflow.semantics.memo import Evaluation, recall, youngest
from trioflow.semantics.plan import CONSTANT, NODE, PORT, SLOT, STATIC, PlanInput, PlanNode, Target
from trioflow.semantics.store import DELETED, LEFT_UNSET, Cell


@attrs.frozen
class StrandView:
    """Where a strand is."""

    number: int
    """0 for the first, then in the order in which they were forked, as `event.strand`."""
    path: Path
    """Of its innermost activation; if it is parked, or has just been let pass, of the one that is to start."""
    node: str
    """Its node, as seen from the outermost graph: `call/work`."""
    state: Literal["running", "parked", "waiting", "ready"]
    """`parked` at the gate, `waiting` for other strands, `ready` to begin; else `running`, be it that a body waits."""
    since: float | None
    """Since when it is there, in seconds since the run began; None if that can't be told."""


@attrs.frozen
class Seen:
    """What is known of an input or output, without anything being run for it."""

    kind: Literal["value", "literal", "default", "stale", "not computed", "missing"]
    """`value`: written, or computed and current. `stale`: computed, and something that it depends on was written since,
    or may have changed. `missing`: nothing supplies a value."""
    value: Any = None
    """A copy; for `stale` the last one. Of a secret `•••`."""
    wire: str | None = None
    """The connection that supplies an input."""


@attrs.frozen
class Peek:
    """What a strand sees at a node."""

    node: str
    inputs: Mapping[str, Seen]
    outputs: Mapping[str, Seen]
    variables: Mapping[str, Any]
    """Those of the graph that the node is in; copies."""
    state: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """What the node keeps for the strand in `ctx.state`; copies."""


_DISPATCH = dispatch.__code__
_FIRE = fire.__code__
_LOOPS = {drive.__code__, cast("Any", ForkSet._run_forks).__code__}
"""They send to coroutines that they hold as `segment` or `body`, and perhaps to a `stack` of them later."""

# --- where strands are -----------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Place:
    """A dispatch that is under way in a strand."""

    strand: Strand
    line: Line
    node: PlanNode
    path: Path
    began: float | None
    """When it started, if somebody watched."""
    now: float | None
    """The same by `perf_counter`."""
    ready: bool = False


def strands(run: RunState) -> list[StrandView]:
    """All strands that are somewhere, by number. A strand of the engine's own, such as the host's, is nowhere."""
    found: list[StrandView] = []
    for number, places in sorted(_places(run).items()):
        last = places[-1]
        waiting = run.barrier.waits(number) if isinstance(run.barrier, Barrier) else None
        if waiting is not None:
            told = waiting.told
            found.append(StrandView(number, told.path, told.node, "parked", told.since))
            continue
        state: Literal["running", "waiting", "ready"] = (
            "ready" if last.ready else "waiting" if last.strand.outermost.waits else "running"
        )
        prefix = last.strand.frame.prefix
        found.append(StrandView(number, last.path.within(prefix), prefix + last.node.id, state, _since(run, last)))
    return found


@attrs.frozen(eq=False)
class Dispatching:
    """A dispatch that is under way in the task that asks."""

    line: Line
    activation: Activation
    """What runs in it."""
    onward: Sequence[Target]
    """What it will dispatch after that, in order."""


def dispatches(run: RunState) -> list[Dispatching]:
    """The dispatches that are around whoever asks, in the task that asks, the outermost first."""
    found: list[Dispatching] = []
    seen: set[int] = set()
    for frame in _python_stack():
        known = frame.f_locals
        if frame.f_code is not _DISPATCH or id(frame) in seen or "activation" not in known:
            continue  # one that has not begun, or only waits for another one
        if known["strand"].run is not run:
            continue
        seen.add(id(frame))
        found.append(Dispatching(known["line"], known["activation"], [*reversed(known["pending"] or ())]))
    return found


def _since(run: RunState, place: _Place) -> float | None:
    if place.began is not None:
        return place.began
    if place.now is None or not is_system_clock(trio.lowlevel.current_clock()):
        return None
    return trio.current_time() - (run.started_at or 0.0) - (perf_counter() - place.now)


def _places(run: RunState) -> dict[int, list[_Place]]:
    """By the number of the strand: its dispatches that are under way, the innermost last."""
    found: dict[int, list[_Place]] = {}
    seen: set[int] = set()
    if run.root_task is None or run.ended:
        return found
    running = trio.lowlevel.current_task()
    tasks = [run.root_task]
    for task in tasks:
        tasks += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        frames = _python_stack() if task is running else _frames(task.coro)
        for frame in frames:
            if id(frame) in seen:
                continue
            seen.add(id(frame))
            for place in _of_frame(run, frame):
                found.setdefault(place.strand.number, []).append(place)
    for number, places in found.items():
        # What a task has just begun with is not waiting for one any more.
        found[number] = [place for place in places if not place.ready] or places
    return found


def _python_stack() -> Iterator[FrameType]:
    """The frames of the task that is running: of no one, if the run's strands are not among those who call this."""
    frame: FrameType | None = sys._getframe()
    stack: list[FrameType] = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    for each in reversed(stack):
        yield each
        if each.f_code in _LOOPS:
            yield from _inside(each)


def _frames(awaited: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits, the innermost last."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            return
        yield frame
        if frame.f_code in _LOOPS:
            yield from _inside(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)


def _inside(loop: FrameType) -> Iterator[FrameType]:
    """What a loop that sends to coroutines itself holds."""
    known = loop.f_locals
    for _, segment in known.get("stack") or ():
        yield from _frames(segment)
    yield from _frames(known.get("segment") or known.get("body"))


def _of_frame(run: RunState, frame: FrameType) -> Iterator[_Place]:
    known = frame.f_locals
    if frame.f_code is _DISPATCH:
        strand, target = known.get("strand"), known.get("target")
        if strand is None or target is None or strand.run is not run:
            return
        activation: Any = known.get("activation")
        if activation is not None and activation.is_open and activation.plan is target.node:
            began = known.get("began") if known.get("watched") is activation else None
            yield _Place(strand, activation, target.node, activation.where, began, known.get("now"))
        else:
            line: Line = known["line"]
            yield _Place(strand, line, target.node, Path(line.where, line.count), None, known.get("now"))
    elif frame.f_code is _FIRE and known["strand"].run is run:
        yield from _of_firing(known)
    elif frame.f_code in _LOOPS and "waiting" in known:
        for fork, strand, work, _ in known["waiting"]:
            if strand.run is run and isinstance(work, tuple) and work:
                line = fork.line
                yield _Place(strand, line, work[0].node, Path(line.where, line.count), None, None, ready=True)


def _of_firing(known: Mapping[str, Any]) -> Iterator[_Place]:
    strand, node, line, activation = known["strand"], known["target"].node, known["line"], known.get("activation")
    if activation is None:  # it is about to begin, and perhaps parked
        yield _Place(strand, line, node, Path(line.where, line.count), None, None)
    elif activation.is_open:
        yield _Place(strand, activation, node, activation.where, known.get("began"), None)


def _strand_at(run: RunState, number: int, node: str) -> tuple[_Place, PlanNode]:
    """The strand of this number in the graph that this node is in, and the node. Raises `UnknownName`."""
    planned = run.plan.node(node)
    if planned is None:
        raise UnknownName(
            f"There is no node {node!r} to look at.{did_you_mean(node, node_names(run.plan))} Name a node by its "
            "id, and one in a graph that a node calls as 'call/id'."
        )
    prefix = node[: -len(planned.id)]
    places = _of(run, number)
    here = [place for place in places if place.strand.frame.prefix == prefix]
    if not here:
        graphs = {place.strand.frame.prefix.rstrip("/") for place in places}
        others = ", ".join(sorted(repr(graph) if graph else "the outermost graph" for graph in graphs))
        raise UnknownName(
            f"Strand {number} is not in the graph of node {node!r} now: it is in {others}. Stop it inside, with a "
            "breakpoint on a node in there. What is in a data graph is there only while it is evaluated: evaluate the "
            "node that calls it."
        )
    return here[-1], planned


def _of(run: RunState, number: int) -> list[_Place]:
    if run.ended:
        raise RunFinished("The run has ended: there is no strand to look at. `run.result()` has what it left behind.")
    found = _places(run)
    if number not in found:
        there = ", ".join(map(str, sorted(found))) or "none"
        raise UnknownName(
            f"There is no strand {number} now: it has ended, or has not begun. There is: {there}. run.strands() tells "
            "where each is."
        )
    return found[number]


# --- what they see ---------------------------------------------------------------------------------------------------


def peek(run: RunState, number: int, node: str) -> Peek:
    """What a strand sees at a node, without running anything."""
    place, planned = _strand_at(run, number, node)
    strand = place.strand
    return Peek(
        node,
        {each.socket.name: _seen_input(strand, planned, each) for each in planned.inputs},
        {
            socket.name: _seen_output(strand, _evaluating(strand, planned, output), output)
            for output, socket in enumerate(planned.type.outputs)
        },
        {name: own_copy(strand.store.cells[slot].value) for name, slot in strand.frame.plan.variable_index.items()},
        {
            name: own_copy(cell.value)
            for (index, name), cell in sorted(strand.store.state.items())
            if index == planned.index and cell.value is not DELETED
        },
    )


def _seen_input(strand: Strand, node: PlanNode, planned: PlanInput) -> Seen:
    wire = planned.wire
    if planned.source is not CONSTANT and planned.connection is not None:
        try:
            cell = _current(strand, planned)
        except RecursionError:  # a chain of thousands of nodes, which only an evaluation can follow
            cell = None
        if cell is None:
            last = _last(strand, planned)
            return Seen("not computed", None, wire) if last is None else Seen("stale", _shown(last), wire)
        if cell is not planned.constant and cell is not strand.store.cells[planned.own] and cell is not NOTHING:
            return Seen("value", _shown(cell), wire)
    kind: Literal["literal", "default"] = "literal" if planned.socket.name in node.graph_node.inputs else "default"
    if planned.secret is not None:
        return Seen("literal", HIDDEN, wire)
    otherwise = planned.constant or strand.store.cells[planned.own]
    return Seen("missing", None, wire) if otherwise is None else Seen(kind, _shown(otherwise), wire)


def _seen_output(strand: Strand, node: PlanNode, output: int) -> Seen:
    cells = strand.store.cells
    if node.first_output >= 0:
        cell: Cell | None = cells[node.first_output + output]
        return Seen("not computed") if cell is None else Seen("value", _shown(cell))
    if node.static and cells[node.slot + output] is not None:
        return _of_cell(cells[node.slot + output], "value")
    evaluation = None if node.static else _evaluation(strand, node)
    if evaluation is not None:
        return _of_cell(evaluation.outputs[output], "value")
    last = strand.store.evaluations.get(node.slot) if node.static else cells[node.slot]
    return Seen("not computed") if last is None else _of_cell(last.outputs[output], "stale")


def _of_cell(cell: Cell | None, kind: Literal["value", "stale"]) -> Seen:
    return Seen("missing") if cell is None or cell is LEFT_UNSET else Seen(kind, _shown(cell))


def _shown(cell: Cell) -> Any:
    return own_copy(cell.value)


def _current(strand: Strand, planned: PlanInput) -> Cell | None:
    """The input's current cell, `NOTHING` if there is none; None if that can't be told without evaluating."""
    store = strand.store
    otherwise: Cell = planned.constant or store.cells[planned.own] or NOTHING
    source = planned.source
    if source is SLOT:
        return cast("Cell", store.cells[planned.slot] or otherwise)
    if source is STATIC:
        kept: Cell | None = store.cells[planned.slot]
        return otherwise if kept is LEFT_UNSET else kept
    if source is NODE:
        evaluation = _evaluation(strand, planned.upstream)
        return None if evaluation is None else evaluation.outputs[planned.output] or otherwise
    if source is PORT:
        caller = strand.caller
        if caller is None:
            return strand.run.defaults[planned.output] or otherwise
        known = caller.cells.get(planned.output)
        return known or _current(caller.strand, caller.node.inputs[planned.output])
    return otherwise


def _evaluation(strand: Strand, node: PlanNode) -> Evaluation | None:
    """An evaluation of a data node that is current (D4); None if none is, or if time may have changed it (D6)."""
    store = strand.store
    if node.impure:
        return None
    last = store.cells[node.slot] if not node.static else None
    if last is not None and last.verified is store.revision:
        return cast("Evaluation", last)
    used: list[Cell] = []
    for planned in node.inputs:
        cell = LAZY if planned.socket.lazy else _current(strand, planned)
        if cell is None or cell is NOTHING:
            return None
        used.append(cell)
    known = recall(youngest(used, strand.frame.root_cell), strand.frame.base + node.index, used)
    while known is not None and not isinstance(known, Evaluation):
        asked = known.asks
        found = store.cells[asked] if isinstance(asked, int) else _current(strand, asked)
        known = None if found is None else known.answered(found)
    return known


def _last(strand: Strand, planned: PlanInput) -> Cell | None:
    """What the source has given before."""
    last: Evaluation | None = None
    if planned.source is STATIC:
        last = strand.store.evaluations.get(planned.upstream.slot)
    elif planned.source is NODE:
        last = strand.store.cells[planned.slot]
    return None if last is None else last.outputs[planned.output]


def _evaluating(strand: Strand, node: PlanNode, output: int) -> PlanNode:
    """The plan node that this output of a node is evaluated by: of a data graph each has its own (C2)."""
    others = (each for each in strand.frame.plan.nodes if each.graph_node is node.graph_node and each.only == output)
    return next(others, node) if node.graph is not None and not node.type.is_exec else node


# --- what the host does ----------------------------------------------------------------------------------------------


async def evaluate(run: RunState, number: int, node: str, output: str) -> Any:
    """The value of an output as the strand would get it now, evaluated in a store that is dropped."""
    await trio.lowlevel.checkpoint()
    place, planned = _strand_at(run, number, node)
    strand = place.strand
    wanted = output_place(planned, output)
    cell: Cell | None
    if planned.first_output >= 0:
        cell = strand.store.cells[planned.first_output + wanted]
        if cell is None:
            raise MissingInput(
                f"Output {output!r} of node {node!r} ({planned.type.id}) was not written in strand {number}: an exec "
                "node writes when it runs, and nothing evaluates it."
            )
        return own_copy(cell.value)
    evaluating = _evaluating(strand, planned, wanted)
    evaluation = await demand(as_host(strand, place.line, planned, place.path), evaluating)
    cell = evaluation.outputs[wanted]
    if cell is None:
        raise MissingInput(f"Output {output!r} of node {node!r} ({planned.type.id}) was left unset by its body.")
    return own_copy(cell.value)


def set_variable(run: RunState, number: int, name: str, value: object) -> None:
    """Write a variable in a strand that is parked, as an event of the run."""
    prefix, slash, inner = name.rpartition("/")
    prefix += slash
    places = _of(run, number)
    barrier = run.barrier
    waiting = barrier.waits(number) if isinstance(barrier, Barrier) else None
    if waiting is None or not isinstance(barrier, Barrier):
        at = places[-1]
        raise RuntimeError(
            f"Strand {number} is not parked: it is at {at.strand.frame.prefix + at.node.id!r}, and goes on while its "
            "variables would be set. Call gate.pause() and `await gate.wait_parked()` first; a strand that waits for "
            "others is not parked, set the variable in those."
        )
    strand = next((place.strand for place in reversed(places) if place.strand.frame.prefix == prefix), None)
    if strand is None:
        raise UnknownName(
            f"Strand {number} is not in the graph {prefix[:-1]!r} now: it waits at {waiting.told.node!r}. Variables "
            "of that graph can be set while the strand is in it."
        )
    slot = variable_slot(strand.frame.plan, inner)
    coercer = strand.frame.plan.variable_coercers[slot]
    value = own_copy(value)
    if coercer is not None and value is not None:
        try:
            value = coercer(value)
        except Mismatch as error:
            raise CoercionError(f"Variable {name!r}: {error}. Set a value of its type.") from None
    path = waiting.told.path
    number_of_write = barrier.count_write()
    cell = strand.store.write(slot, value, f"{Path(path, HOST_MARK)}/{waiting.node.id}.${inner}#{number_of_write}")
    barrier.overlook(cell)
    run.tell_of(VariableSet(inner, value), strand, path, waiting.node.id)
