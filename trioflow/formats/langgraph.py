"""Graphs that were compiled by LangGraph, as workflows: its nodes run the same functions over the same state.

Each key of the state is a variable with the list of what was written to it, which its reducer folds when it is read. A
node goes on at wires whose condition names their target: `"b" in out.goto`. What `Send` sends to a node waits in a
variable, and the firing of that node runs its function once for each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, ClassVar, cast

import attrs
import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.port import Imported, Notes
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Variable
from trioflow.model.node_type import Node, NodeType
from trioflow.model.sockets import DataOut, ExecIn, ExecOut
from trioflow.semantics.topology import knots

__all__ = ["from_langgraph", "state_of"]

INPUT = "input"
"""The variable with what a run is given: a mapping of keys of the state."""
SENDS = "langgraph sends"
"""The variable with what was sent to nodes, and is not taken yet: by an id the name of the node, and its state."""
START, END = "__start__", "__end__"
_KEY = "langgraph"


@attrs.frozen
class _Key:
    """A key of the state: how what is written to it is folded, and what it is before; None if it takes the last."""

    name: str
    reducer: Callable[[Any, Any], Any] | None = None
    begins: tuple[Any, ...] = ()

    def value(self, written: Iterable[Any]) -> tuple[Any, ...]:
        """Its value, if it has one."""
        values = [*self.begins, *written]
        if not values:
            return ()
        return (values[-1] if self.reducer is None else reduce(self.reducer, values),)


def from_langgraph(compiled: Any) -> Imported:
    """The workflow that a compiled graph says. Run it with `variables={"input": {...}}`, and read it with `state_of`.

    Names and edges stay. Functions run in threads, async ones in the run itself, so they may await only what trio has.
    What LangGraph does besides (checkpoints, interrupts, caches) is left out and said.
    """
    return _Importer(compiled).imported()


def state_of(graph: Graph, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The state that a run of an imported graph has left in its variables."""
    body: Any = graph.types[f"langgraph.{START}"].body
    return _state(body.keys, variables)


def _state(keys: Mapping[str, _Key], variables: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: key.value(variables.get(name) or ()) for name, key in keys.items()}
    return {name: value[0] for name, value in found.items() if value}


class _Importer:
    def __init__(self, compiled: Any) -> None:
        self._compiled, self._builder = compiled, compiled.builder
        self._notes = Notes()
        self._keys: dict[str, _Key] = {}
        self._wires: list[Connection] = []

    def imported(self) -> Imported:
        self._read_keys()
        self._leave_out()
        names = [START, *sorted(self._builder.nodes)]
        types = {f"langgraph.{name}": self._type(name) for name in names}
        self._connect()
        nodes = [GraphNode(name, f"langgraph.{name}", metadata={_KEY: {}}) for name in names]
        graph = Graph(
            kind="workflow",
            nodes=tuple(self._joined(nodes)),
            connections=self._wires,
            variables=[
                Variable(INPUT, default={}),
                Variable(SENDS, default={}, merge="union"),
                *(Variable(each.name, "list", [], "append" if each.reducer is not None else "error")
                  for each in self._keys.values()),
            ],
            types=types,
            metadata={_KEY: {"name": str(getattr(self._compiled, "name", ""))}},
        )  # fmt: skip
        return Imported(graph, tuple(self._notes), formats=frozenset({_KEY}))

    def _read_keys(self) -> None:
        for name, channel in self._builder.channels.items():
            operator = getattr(channel, "operator", None)
            if callable(operator):
                value = getattr(channel, "value", None)
                known = value is not None and not isinstance(value, type) and "MISSING" not in repr(value).upper()
                self._keys[name] = _Key(name, operator, (value,) if known else ())
                continue
            self._keys[name] = _Key(name)
            if type(channel).__name__ != "LastValue":
                self._notes.info(
                    "other-channel", f"channels.{name}", f"A {type(channel).__name__} is read as a last value."
                )
        for name in getattr(self._builder, "managed", {}):
            self._notes.warning("left-out", f"channels.{name}", f"The managed value {name!r} is left out.")

    def _leave_out(self) -> None:
        for name in ("checkpointer", "store", "cache"):
            if getattr(self._compiled, name, None) not in (None, False):
                self._notes.warning("left-out", name, f"The {name} is left out. Give runs a journal to keep them.")
        for name in ("interrupt_before_nodes", "interrupt_after_nodes"):
            for each in getattr(self._compiled, name, ()) or ():
                self._notes.warning(
                    "left-out", f"{name}.{each}", f"The run is not interrupted at {each!r}. Set a breakpoint."
                )
        for name, spec in self._builder.nodes.items():
            for setting in ("retry_policy", "cache_policy"):
                if getattr(spec, setting, None):
                    self._notes.warning(
                        "left-out", f"nodes.{name}.{setting}", f"{setting} is left out. Give the node a policy."
                    )

    # --- nodes ---

    def _type(self, name: str) -> NodeType:
        spec = self._builder.nodes.get(name)
        branches = [*self._builder.branches.get(name, {}).values()]
        made = type(
            "LangGraphNode",
            (_LangGraphNode,),
            {"spec": spec, "branches": branches, "keys": self._keys, "nodes": frozenset(self._builder.nodes)},
            abstract=True,
        )
        return NodeType(
            id=f"langgraph.{name}",
            doc=inspect.getdoc(getattr(getattr(spec, "runnable", None), "func", None)) or "",
            inputs=(),
            outputs=(_named(DataOut(list[str]), "goto"),),
            exec_inputs=(_named(ExecIn(), "enter"),),
            exec_outputs=(_named(ExecOut(), "then"),),
            streams=(),
            body=made,
            version=f"langgraph:{name}",
        )

    def _connect(self) -> None:
        builder = self._builder
        for source, target in sorted(builder.edges):
            self._wire(source, target, None)
        self._waits: dict[str, int] = {}
        for sources, target in sorted(builder.waiting_edges):
            for each in sorted(sources):
                self._wire(each, target, None)
            self._waits[target] = self._waits.get(target, 0) + 1
        for source in sorted({*builder.branches, *builder.nodes}):
            ends: set[str] = set()
            for branch in builder.branches.get(source, {}).values():
                ends |= {*branch.ends.values()} if branch.ends else {*builder.nodes}
            spec = builder.nodes.get(source)
            ends |= {*(getattr(spec, "ends", None) or ())}
            for target in sorted(ends):
                self._wire(source, target, f'"{target}" in out.goto')

    def _wire(self, source: str, target: str, when: str | None) -> None:
        if target != END:
            self._wires.append(Connection(Endpoint(source, "then"), Endpoint(target, "enter"), when=when))

    def _joined(self, nodes: list[GraphNode]) -> Iterable[GraphNode]:
        into: dict[str, list[str]] = {}
        for wire in self._wires:
            into.setdefault(wire.target.node, []).append(wire.source.node)
        steps = self._steps()
        for node in nodes:
            sources = into.get(node.id, [])
            if not sources and node.id != START:
                yield attrs.evolve(node, initiator=False)
                continue
            unlike = {steps.get(each) for each in sources} - {None}
            in_circle = node.id in self._circles
            if node.id in self._waits and self._waits[node.id] == 1 and len(sources) > 1 and not in_circle:
                yield attrs.evolve(node, min="every")
                continue
            if len(unlike) > 1 and not in_circle:
                said = "Ways of unlike length lead to it: it fires once for all that comes, as with `defer=True`"
                self._notes.info("fires-once", f"nodes.{node.id}", f"{said}; in LangGraph it does for each length.")
            yield attrs.evolve(node, most=1000) if in_circle else node

    def _steps(self) -> dict[str, int]:
        """How many steps each node is from the start, on the longest way; and which nodes are in circles."""
        numbers: dict[str, int] = {}
        for wire in self._wires:
            for each in (wire.source.node, wire.target.node):
                numbers.setdefault(each, len(numbers))
        edges: dict[int, list[int]] = {}
        for wire in self._wires:
            edges.setdefault(numbers[wire.source.node], []).append(numbers[wire.target.node])
        ids = [*numbers]
        self._circles = frozenset(ids[each] for circle in knots(edges) for each in circle)
        found = {START: 0}
        for _ in numbers:
            for wire in self._wires:
                if wire.source.node in found and wire.target.node not in self._circles:
                    found[wire.target.node] = max(found.get(wire.target.node, 0), found[wire.source.node] + 1)
        return found


class _LangGraphNode(Node, abstract=True):
    spec: ClassVar[Any]
    branches: ClassVar[list[Any]]
    keys: ClassVar[Mapping[str, _Key]]
    nodes: ClassVar[frozenset[str]]

    async def execute(self, ctx: tf.Context) -> Any:
        goto: list[str] = []
        if self.spec is None:
            await self._go_on(ctx, ctx.get_variable(INPUT), goto)
        else:
            results: list[Any] = [None] * len(given := self._taken(ctx))
            if len(given) == 1:
                await self._call(given[0], results, 0)
            else:
                async with trio.open_nursery() as nursery:
                    for place, each in enumerate(given):
                        nursery.start_soon(self._call, each, results, place)
            self._refuse_concurrent(ctx, results)
            for each in results:
                await self._go_on(ctx, each, goto)
        ctx.set_output("goto", goto)
        return "then"

    async def _call(self, given: Any, results: list[Any], place: int) -> None:
        results[place] = await _called(self.spec.runnable, given)

    def _taken(self, ctx: tf.Context) -> list[Any]:
        """What it is called with: the state, or what was sent to it, in the order in which it was sent."""
        waiting: dict[str, Any] = ctx.get_variable(SENDS) or {}
        mine = {id_: each for id_, each in waiting.items() if each is not None and each[0] == ctx.node.id}
        if not mine:
            return [self._given(ctx, getattr(self.spec, "input_schema", None))]
        ctx.set_variable(SENDS, {**waiting, **dict.fromkeys(mine)})
        return [each[1] for each in mine.values()]

    def _refuse_concurrent(self, ctx: tf.Context, results: list[Any]) -> None:
        """Of several calls at once only one may write a key without a reducer, as there."""
        if len(results) < 2:
            return
        written = [name for each in results if isinstance(each, Mapping) for name in cast("Mapping[str, Any]", each)]
        for name in dict.fromkeys(written):
            if written.count(name) > 1 and name in self.keys and self.keys[name].reducer is None:
                raise NodeError(f"{ctx.node.id!r} was sent to {len(results)} times, and more than once it wrote "
                                f"{name!r}, which has no reducer.")  # fmt: skip

    async def _go_on(self, ctx: tf.Context, found: Any, goto: list[str]) -> None:
        """Write what a call gave, and add where to go on."""
        for each in found if isinstance(found, list | tuple) else [found]:
            update = each
            if type(each).__name__ == "Command":
                update, targets = each.update, each.goto
                goto += self._names(ctx, targets if isinstance(targets, list | tuple) else [targets])
            self._write(ctx, update)
        for branch in self.branches:
            ways = await _called(branch.path, self._given(ctx, None))
            ways = [*ways] if isinstance(ways, list | tuple) else [ways]
            goto += self._names(ctx, [_end_of(branch.ends, each) for each in ways])

    def _given(self, ctx: tf.Context, schema: Any) -> Any:
        state = _state(self.keys, {name: ctx.get_variable(name) for name in self.keys})
        named = inspect.get_annotations(schema) if isinstance(schema, type) else {}
        if isinstance(schema, type) and not issubclass(schema, dict):
            return schema(**{name: value for name, value in state.items() if name in named or not named})
        return {name: value for name, value in state.items() if not named or name in named}

    def _write(self, ctx: tf.Context, update: Any) -> None:
        if update is None:
            return
        if not isinstance(update, Mapping):
            named: Any = getattr(update, "model_dump", None)
            update = named() if callable(named) else getattr(update, "__dict__", None)
        if not isinstance(update, Mapping):
            raise NodeError(f"{ctx.node.id!r} returned {update!r}, which is not a mapping of keys of the state.")
        for name, value in cast("Mapping[str, Any]", update).items():
            key = self.keys.get(name)
            if key is not None:
                before = ctx.get_variable(name) if key.reducer is not None else []
                ctx.set_variable(name, [*before, value])

    def _names(self, ctx: tf.Context, targets: Iterable[Any]) -> list[str]:
        found: list[str] = []
        for each in targets:
            if type(each).__name__ == "Send":
                found += self._names(ctx, [each.node])
                waiting: dict[str, Any] = ctx.get_variable(SENDS) or {}
                ctx.set_variable(SENDS, {**waiting, f"{ctx.key} {len(waiting)}": [each.node, each.arg]})
                continue
            if each not in self.nodes and each != END:
                raise NodeError(f"{ctx.node.id!r} goes on at {each!r}, which is not a node.")
            found.append(str(each))
        return found


def _end_of(ends: Mapping[Any, str] | None, way: Any) -> Any:
    is_key = type(way).__name__ != "Send" and getattr(way, "__hash__", None) is not None
    return ends.get(way, way) if ends and is_key else way


async def _called(runnable: Any, state: Any) -> Any:
    """What a node or a branch gives for a state: in a thread, or here if it is async alone."""
    if getattr(runnable, "func", runnable) is None:
        return await runnable.afunc(state)
    return await trio.to_thread.run_sync(runnable.invoke, state)


def _named(socket: Any, name: str) -> Any:
    socket.name = name
    return socket
