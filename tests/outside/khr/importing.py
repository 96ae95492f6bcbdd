"""From a behaviour graph to a graph of trioflow, by its public names alone.

Flow sockets are exec sockets, value sockets data sockets, the object model is a variable. One node, `root`, holds the
agenda: it triggers what starts, what is done, ticks, and events, one after the other.
"""

from __future__ import annotations

import functools
import math
import types
from collections import namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from outside.khr import model
from outside.khr.agenda import Agenda, Moving
from outside.khr.document import SIZES, Behaviour, Node, Wire, zero
from outside.khr.operations import OPERATIONS

import trioflow as tf

MODEL = "model"
EVENTS = ("event/onStart", "event/onTick", "event/receive", "event/onSelect", "event/onHoverIn", "event/onHoverOut")


def graph_of(behaviour: Behaviour) -> tf.Graph:
    """The graph. Sockets have a letter in front: `v` values in, `o` values out, `i` flows in, `f` flows out."""
    return _Importer(behaviour).graph()


def agenda_of(behaviour: Behaviour) -> Agenda:
    return Agenda(ticks=any(node.op == "event/onTick" for node in behaviour.nodes))


class _Importer:
    def __init__(self, behaviour: Behaviour) -> None:
        self._of = behaviour
        self._handles: dict[int, Any] = {}
        self._initials: dict[Wire, Any] = {}
        self._root: list[str] = []
        self._leads: list[tuple[str, Wire]] = []

    def graph(self) -> tf.Graph:
        of = self._of
        with tf.build() as g:
            for name, value in zip(variables_of(of), of.variables, strict=True):
                g.variable(name, "any", value)
            g.variable(MODEL, "any", model.model_of(of))
            for node in of.nodes:
                self._add(g, node)
            for node in of.nodes:
                self._wire_values(g, node)
                self._wire_flows(g, node)
            root = g.add(_root_type(of, tuple(self._root)), "root")
            for way, target in self._leads:
                if target.node in self._handles:
                    g.connect(root[f"f{way}"], self._handles[target.node][f"i{target.socket}"])
        return g.graph

    def _add(self, g: tf.Builder, node: Node) -> None:
        literals = {f"v{name}": value for name, value in node.values.items() if not isinstance(value, Wire)}
        if node.op in OPERATIONS:
            kind: Any = _operation(node.op)
        elif node.op == "variable/get":
            self._handles[node.index] = g.add("variable.get", f"{node.index}", name=self._variable(node, "variable"))
            return
        elif node.op == "pointer/get":
            kind = _pointer_get(node.configured("pointer", ""), self._of.types[node.configured("type", 2)])
        elif node.op == "math/switch":
            kind = _switch(tuple(map(int, node.configuration.get("cases", []))))
        elif node.op == "math/random":
            kind = random_number
        elif node.op in EVENTS or node.op in _EXEC:
            kind = self._exec(node)
        else:
            raise NotImplementedError(node.op)
        known = {each.name for each in kind.type.inputs}
        self._handles[node.index] = g.add(kind, f"{node.index}", **{k: v for k, v in literals.items() if k in known})

    def _variable(self, node: Node, key: str) -> str:
        return variables_of(self._of)[int(node.configured(key, 0))]

    def _exec(self, node: Node) -> Any:
        execute, enters, outputs = _EXEC.get(node.op, (_event, ("in",), {}))
        values, flows = [*node.values], [*node.flows]
        if node.op == "event/receive":
            event = int(node.configured("event", 0))
            outputs = self._of.events[event]
            self._root.append(f"receive {event} {node.index}")
            self._leads.append((self._root[-1], Wire(node.index, "in")))
        elif node.op in EVENTS:
            way = {"event/onStart": "start", "event/onTick": "tick"}.get(node.op)
            outputs = {"timeSinceStart": math.nan, "timeSinceLastTick": math.nan} if way == "tick" else _SELECTED
            outputs = {} if way == "start" else outputs
            if way is not None:
                self._root.append(f"{way} {node.index}")
                self._leads.append((self._root[-1], Wire(node.index, "in")))
        elif node.op in {"flow/setDelay", "variable/interpolate", "pointer/interpolate"}:
            self._root.append(f"done {node.index}")
            if "done" in node.flows:
                self._leads.append((self._root[-1], node.flows["done"]))
        elif node.op == "flow/waitAll":
            count = int(node.configured("inputFlows", 0))
            enters = (*map(str, range(count)), "reset")
            outputs = {"remainingInputs": count}
        elif node.op == "flow/for":
            outputs = {"index": int(node.configured("initialIndex", 0))}
        elif node.op == "event/send":
            values = [*self._of.events[int(node.configured("event", 0))]]
        for name, value in outputs.items():
            self._initials[Wire(node.index, name)] = value
        return _exec_type(
            node,
            self._of,
            execute,
            enters,
            tuple(values),
            tuple(outputs),
            tuple(each for each in flows if each != "done"),
        )

    def _wire_values(self, g: tf.Builder, node: Node) -> None:
        if node.index not in self._handles:
            return
        here = self._handles[node.index]
        for name, source in node.values.items():
            if not isinstance(source, Wire) or source.node not in self._handles:
                continue
            there = self._handles[source.node]
            if source in self._initials:
                # An output of a node that has not been entered yet is what the standard says that it is at first.
                said = g.add(or_initial, f"{node.index} {name}", initial=self._initials[source])
                g.connect(there[f"o{source.socket}"], said.value)
                g.connect(said.result, here[f"v{name}"])
            else:
                op = self._of.nodes[source.node].op
                single = op not in OPERATIONS or len(OPERATIONS[op][2]) == 1
                g.connect(there["result" if single and op != "pointer/get" else f"o{source.socket}"], here[f"v{name}"])

    def _wire_flows(self, g: tf.Builder, node: Node) -> None:
        if node.index in self._handles:
            for name, target in node.flows.items():
                if name != "done" and target.node in self._handles:
                    g.connect(self._handles[node.index][f"f{name}"], self._handles[target.node][f"i{target.socket}"])


def variables_of(behaviour: Behaviour) -> list[str]:
    return [f"{index}" for index in range(len(behaviour.variables))]


# --- values ---


@functools.cache
def _operation(op: str) -> Any:
    function, inputs, outputs = OPERATIONS[op]
    names = ", ".join(f"v{name}: object" for name in inputs)
    given = ", ".join(f"v{name}" for name in inputs)
    scope: dict[str, Any] = {"function": function, "Out": object}
    if len(outputs) > 1:
        out = namedtuple("Out", [f"o{name}" for name in outputs])  # noqa: PYI024 - the fields are known only now
        out.__annotations__ = {f"o{name}": object for name in outputs}
        scope |= {"Out": out}
        exec(f"def body({names}) -> Out:\n    return Out(*function({given}))", scope)  # noqa: S102 - names of a table
    else:
        exec(f"def body({names}) -> object:\n    return function({given})", scope)  # noqa: S102 - as above
    return tf.data_node(id=f"khr.{op.replace('/', '.')}")(scope["body"])


@functools.cache
def _switch(cases: tuple[int, ...]) -> Any:
    given = ", ".join(["vselection: object", "vdefault: tf.Lazy[object]", *(f"v{n}: tf.Lazy[object]" for n in cases)])
    table = ", ".join(f"{n}: v{n}" for n in cases)
    scope: dict[str, Any] = {"tf": tf}
    body = f"async def body({given}) -> object:\n    return await {{{table}}}.get(vselection, vdefault)()"
    exec(body, scope)  # noqa: S102 - names of numbers
    return tf.data_node(id=f"khr.switch_{'_'.join(map(str, cases))}")(scope["body"])


@functools.cache
def _pointer_get(pointer: str, kind: str) -> Any:
    names = model.parameters_of(pointer)
    given = ", ".join(["ctx: tf.DataContext", *(f"v{name}: object" for name in names)])
    indices = ", ".join(f"{name!r}: v{name}" for name in names)
    out = namedtuple("Out", ["ovalue", "oisValid"])  # noqa: PYI024 - as above
    out.__annotations__ = {"ovalue": object, "oisValid": bool}
    scope = {"tf": tf, "read": model.read, "steps_of": model.steps_of, "Out": out, "pointer": pointer, "kind": kind}
    exec(  # noqa: S102 - names of a pattern of words
        f"def body({given}) -> Out:\n"
        f"    return Out(*read(ctx.get_variable({MODEL!r}), steps_of(pointer, {{{indices}}}), kind))",
        scope,
    )
    return tf.data_node(id=f"khr.pointer_{abs(hash((pointer, kind)))}")(scope["body"])


@tf.data_node(id="khr.random", volatile=True)
def random_number(ctx: tf.DataContext) -> object:
    return ctx.random.random()


@tf.data_node(id="khr.or_initial")
async def or_initial(value: tf.Lazy[object], initial: object) -> object:
    try:
        return await value()
    except tf.MissingInput:
        return initial


# --- flows ---

Execute = Callable[[tf.Context, Node, Behaviour], Awaitable[str | None]]


def _exec_type(
    node: Node,
    behaviour: Behaviour,
    execute: Execute,
    enters: Sequence[str],
    values: Sequence[str],
    outputs: Sequence[str],
    flows: Sequence[str],
) -> Any:
    async def body(self: tf.Node, ctx: tf.Context) -> Any:
        way = await execute(ctx, node, behaviour)
        return None if way is None or way not in flows else ways[f"f{way}"]

    ways = {f"f{name}": tf.ExecOut() for name in flows}
    members = {
        **{f"i{name}": tf.ExecIn() for name in enters},
        **{f"v{name}": tf.DataIn(object, default=None) for name in values},
        **{f"o{name}": tf.DataOut(object) for name in outputs},
        **ways,
        "execute": body,
    }
    return types.new_class("Flow", (tf.Node,), {"id": f"khr.flow_{node.index}"}, lambda scope: scope.update(members))


def _agenda(ctx: tf.DataContext) -> Agenda:
    return ctx.services.get(Agenda)


async def _event(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    for name, value in _agenda(ctx).payload.items():
        ctx.set_output(f"o{name}", value)
    return "out"


async def _send(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    event = int(node.configured("event", 0))
    values = {}
    for name, initial in of.events[event].items():
        values[name] = await ctx.get_input(f"v{name}") if name in node.values else initial
    _agenda(ctx).send(event, of.event_names[event], values)
    return "out"


async def _log(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    agenda = _agenda(ctx)
    said = [await ctx.get_input(f"v{name}") for name in node.values]
    agenda.log.append((agenda.now, node.configured("message", ""), tuple(said)))
    return "out"


async def _sequence(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    *others, last = sorted(node.flows) or [None]
    for way in others:
        await ctx.trigger(f"f{way}")
    return last


async def _branch(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    return "true" if await ctx.get_input("vcondition") else "false"


async def _flow_switch(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    selection = str(await ctx.get_input("vselection"))
    cases = {str(int(each)) for each in node.configuration.get("cases", [])}
    return selection if selection in cases else "default"


async def _for(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    index, end = await ctx.get_input("vstartIndex"), await ctx.get_input("vendIndex")
    ctx.set_output("oindex", index)
    while index < end:
        if "loopBody" in node.flows:
            await ctx.trigger("floopBody")
        index += 1
        ctx.set_output("oindex", index)
    return "completed"


async def _while(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    while await ctx.get_input("vcondition"):
        if "loopBody" in node.flows:
            await ctx.trigger("floopBody")
    return "completed"


async def _do_n(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    count = ctx.state.get("count", 0)
    if ctx.entered == "ireset":
        count, way = 0, None
    elif count < await ctx.get_input("vn"):
        count, way = count + 1, "out"
    else:
        return None
    ctx.state["count"] = count
    ctx.set_output("ocurrentCount", count)
    return way


async def _multi_gate(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    ways = sorted(node.flows)
    if ctx.entered == "ireset":
        ctx.state["used"] = frozenset()
        ctx.set_output("olastIndex", -1)
        return None
    used: frozenset[int] = ctx.state.get("used", frozenset())
    if len(used) == len(ways) and node.configured("isLoop", False):
        used = frozenset()
    free = [index for index in range(len(ways)) if index not in used]
    if not free:
        return None
    index = ctx.random.choice(free) if node.configured("isRandom", False) else free[0]
    ctx.state["used"] = used | {index}
    ctx.set_output("olastIndex", index)
    return ways[index]


async def _wait_all(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    count = int(node.configured("inputFlows", 0))
    entered: frozenset[str] = ctx.state.get("entered", frozenset())
    entered = frozenset() if ctx.entered == "ireset" else entered | {str(ctx.entered)}
    ctx.state["entered"] = entered
    ctx.set_output("oremainingInputs", count - len(entered))
    if ctx.entered == "ireset":
        return None
    return "completed" if len(entered) == count else "out"


async def _throttle(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    if ctx.entered == "ireset":
        ctx.state.pop("at", None)
        ctx.set_output("olastRemainingTime", math.nan)
        return None
    seconds, now = await ctx.get_input("vduration"), _agenda(ctx).now
    if not math.isfinite(seconds) or seconds < 0:
        return "err"
    left = ctx.state["at"] + seconds - now if "at" in ctx.state else 0.0
    if left > 0:
        ctx.set_output("olastRemainingTime", left)
        return None
    ctx.state["at"] = now
    ctx.set_output("olastRemainingTime", 0.0)
    return "out"


async def _set_delay(ctx: tf.Context, node: Node, of: Behaviour) -> str | None:
    agenda = _agenda(ctx)
    if ctx.entered == "icancel":
        agenda.cancel(node=node.index)
        ctx.set_output("olastDelayIndex", -1)
        return None
    seconds = await ctx.get_input("vduration")
    if not math.isfinite(seconds) or seconds < 0:
        return "err"
    ctx.set_output("olastDelayIndex", agenda.delay(node.index, seconds))
    return "out"


async def _cancel_delay(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    _agenda(ctx).cancel(index=await ctx.get_input("vdelayIndex"))
    return "out"


async def _variable_set(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    indices = node.configuration.get("variables") or node.configuration.get("variable") or []
    values = [await ctx.get_input(f"v{index}" if str(index) in node.values else "vvalue") for index in indices]
    for index, value in zip(indices, values, strict=True):
        ctx.set_variable(f"{index}", value)
        # What moves it is forgotten.
        _agenda(ctx).moving = {k: each for k, each in _agenda(ctx).moving.items() if each.target != int(index)}
    return "out"


async def _pointer(ctx: tf.Context, node: Node) -> list[str]:
    pointer = node.configured("pointer", "")
    return model.steps_of(pointer, {name: await ctx.get_input(f"v{name}") for name in model.parameters_of(pointer)})


async def _pointer_set(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    steps, value = await _pointer(ctx, node), await ctx.get_input("vvalue")
    made, is_valid = model.write(ctx.get_variable(MODEL), steps, value)
    if not is_valid:
        return "err"
    ctx.set_variable(MODEL, made)
    return "out"


async def _interpolate(ctx: tf.Context, node: Node, of: Behaviour) -> str:
    agenda = _agenda(ctx)
    end, seconds = await ctx.get_input("vvalue"), await ctx.get_input("vduration")
    p1, p2 = await ctx.get_input("vp1"), await ctx.get_input("vp2")
    if node.op == "variable/interpolate":
        target: Any = int(node.configured("variable", 0))
        start, is_valid = ctx.get_variable(f"{target}"), True
    else:
        steps = await _pointer(ctx, node)
        target = tuple(steps)
        start, is_valid = model.read(ctx.get_variable(MODEL), steps, of.types[node.configured("type", 2)])
    if not is_valid or not math.isfinite(seconds) or seconds < 0:
        return "err"
    agenda.moving = {key: each for key, each in agenda.moving.items() if each.target != target}
    agenda.moving[node.index] = Moving(target, start, end, agenda.now, seconds, p1, p2)
    return "out"


_SELECTED = {
    "selectedNodeIndex": -1,
    "controllerIndex": -1,
    "selectionPoint": zero("float3"),
    "selectionRayOrigin": zero("float3"),
    "hoverNodeIndex": -1,
}
_EXEC: Mapping[str, tuple[Execute, tuple[str, ...], Mapping[str, Any]]] = {
    "event/send": (_send, ("in",), {}),
    "debug/log": (_log, ("in",), {}),
    "flow/sequence": (_sequence, ("in",), {}),
    "flow/branch": (_branch, ("in",), {}),
    "flow/switch": (_flow_switch, ("in",), {}),
    "flow/for": (_for, ("in",), {"index": 0}),
    "flow/while": (_while, ("in",), {}),
    "flow/doN": (_do_n, ("in", "reset"), {"currentCount": 0}),
    "flow/multiGate": (_multi_gate, ("in", "reset"), {"lastIndex": -1}),
    "flow/waitAll": (_wait_all, (), {}),
    "flow/throttle": (_throttle, ("in", "reset"), {"lastRemainingTime": math.nan}),
    "flow/setDelay": (_set_delay, ("in", "cancel"), {"lastDelayIndex": -1}),
    "flow/cancelDelay": (_cancel_delay, ("in",), {}),
    "variable/set": (_variable_set, ("in",), {}),
    "variable/interpolate": (_interpolate, ("in",), {}),
    "pointer/set": (_pointer_set, ("in",), {}),
    "pointer/interpolate": (_interpolate, ("in",), {}),
}


def _root_type(behaviour: Behaviour, ways: tuple[str, ...]) -> Any:
    """The node that triggers all that begins by itself."""
    starts = [each for each in ways if each.startswith("start ")]
    ticks = [each for each in ways if each.startswith("tick ")]

    async def trigger(ctx: tf.Context, way: str, payload: Mapping[str, Any]) -> None:
        _agenda(ctx).payload = payload
        await ctx.trigger(f"f{way}")

    async def events(ctx: tf.Context) -> None:
        agenda = _agenda(ctx)
        while agenda.events:
            event, values = agenda.events.popleft()
            for way in ways:
                if way.startswith(f"receive {event} "):
                    await trigger(ctx, way, values)

    async def move(ctx: tf.Context) -> None:
        agenda = _agenda(ctx)
        for node, moving in [*agenda.moving.items()]:
            if agenda.moving.get(node) is not moving:
                continue  # what was done meanwhile has stopped it
            value, has_arrived = moving.at(agenda.now)
            if isinstance(moving.target, tuple):
                ctx.set_variable(MODEL, model.write(ctx.get_variable(MODEL), [*moving.target], value)[0])
            else:
                ctx.set_variable(f"{moving.target}", value)
            if has_arrived:
                agenda.moving.pop(node)
                await trigger(ctx, f"done {node}", {})

    async def execute(self: tf.Node, ctx: tf.Context) -> None:
        agenda = _agenda(ctx)
        for way in starts:
            await trigger(ctx, way, {})
        await events(ctx)
        while (due := agenda.until()) is not None:
            await ctx.sleep(due - agenda.now)
            agenda.now = due
            while (node := agenda.take()) is not None:
                await trigger(ctx, f"done {node}", {})
                await events(ctx)
            times = agenda.tick()
            if times is not None:
                await move(ctx)
                for way in ticks:
                    await trigger(ctx, way, {"timeSinceStart": times[0], "timeSinceLastTick": times[1]})
                await events(ctx)

    members = {**{f"f{way}": tf.ExecOut() for way in ways}, "execute": execute}
    traits = {"id": "khr.root", "initiator": True}
    return types.new_class("Root", (tf.Node,), traits, lambda scope: scope.update(members))


__all__ = ["MODEL", "SIZES", "agenda_of", "graph_of", "variables_of"]
