# Functions of scripts, of values of any type.
# pyright: reportUnknownLambdaType=false
"""The nodes of flows. Each takes the message of its strand, `msg`, and sends on at `out1`, `out2` and so on."""

from __future__ import annotations

import copy
import html
import json
import os
import random
import re
import types
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar, cast

import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats import javascript
from trioflow.formats.nodered import jsonata
from trioflow.formats.nodered.memory import Memory, hold, release

MOST_OUTPUTS = 20
CALLERS = "_linkSource"
"""The field of a message with the nodes to which it is to come back, the last one last."""
Message = dict[str, Any]


class FlowError(NodeError):
    """A node of a flow says that something is wrong."""


class Flow(tf.Node, abstract=True):
    """A node of a flow: what the document says of it stands in the input `node`."""

    enter = tf.ExecIn()
    node: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="what the document says of it")
    exits: ClassVar[tuple[tf.ExecOut, ...]] = ()
    memory: Memory

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self.memory = hold(ctx.services)

    async def teardown(self) -> None:
        release(self._services)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        node: Mapping[str, Any] = await ctx.get_input(self.node)
        message: Message = copy.deepcopy(ctx.get_variable("msg") or {})
        try:
            sends = await self.work(ctx, node, message)
        except Exception as error:
            # What catches it gets the message with what went wrong.
            source = {"id": ctx.node.id, "type": node.get("type", ""), "name": node.get("name", "")}
            ctx.set_variable("msg", {**message, "error": {"message": str(error), "source": source}})
            raise
        if not sends:
            return None
        if len(sends) > 1 and node.get("delayed"):
            await self._send_without_waiting(ctx, sends)
            return None
        for number, each in sends[:-1]:
            ctx.set_variable("msg", each)
            await ctx.trigger(self.exits[number])
        number, last = sends[-1]
        ctx.set_variable("msg", last)
        return self.exits[number]

    async def _send_without_waiting(self, ctx: tf.Context, sends: list[tuple[int, Message]]) -> None:
        """Send messages in order: each goes as far as it comes before it is held back, then the next one follows."""
        outer = _held_back.get()
        async with AsyncExitStack() as stack:
            for number, each in sends:
                branches = await stack.enter_async_context(ctx.branches())
                ctx.set_variable("msg", each)
                held_back = trio.Event()
                token = _held_back.set(held_back)
                branches.start(self.exits[number])
                _held_back.reset(token)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_when_ended, branches, held_back)
                    await held_back.wait()
                    nursery.cancel_scope.cancel()
            outer.set()

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        """What it sends: from 0 the number of the output, and the message."""
        raise NotImplementedError

    # --- values ---

    def value(self, ctx: tf.Context, node: Mapping[str, Any], kind: str, text: Any, message: Message) -> Any:
        """A value that the editor has a type for."""
        match kind:
            case "num":
                return javascript.evaluate(javascript.expression(str(text) or "0"), {})
            case "bool":
                return str(text).lower() == "true"
            case "json":
                return json.loads(text) if isinstance(text, str) else text
            case "msg":
                return self.read(message, text) if text else message
            case "flow" | "global":
                return self.read(self.memory.context(node.get("z", "") if kind == "flow" else ""), text)
            case "date":
                return int(ctx.now().timestamp() * 1000)
            case "jsonata":
                functions = {
                    "flowContext": partial(self.value, ctx, node, "flow", message=message),
                    "globalContext": partial(self.value, ctx, node, "global", message=message),
                    "env": partial(self.value, ctx, node, "env", message=message),
                }
                return jsonata.evaluate(str(text), message, functions)
            case "env":
                return cast("Mapping[str, Any]", node.get("env", {})).get(text, os.environ.get(str(text), ""))
            case _:
                return text

    @staticmethod
    def read(holder: Mapping[str, Any], path: Any) -> Any:
        """What a path such as `payload.items[0]` leads to; None if it leads nowhere."""
        try:
            return javascript.evaluate(javascript.expression(str(path)), holder)
        except javascript.ScriptFailed:
            return None

    def write(self, node: Mapping[str, Any], kind: str, path: str, value: Any, message: Message) -> None:
        """Set what a path leads to, in the message or a context."""
        holder = message if kind == "msg" else self.memory.context(node.get("z", "") if kind == "flow" else "")
        tree = javascript.expression(path)
        names = [*_prefixes(tree)]
        for each in names:
            if self.read(holder, each) is None:
                javascript.run(
                    [javascript.Statement("set", javascript.expression("{}"), javascript.expression(each))], holder, {}
                )
        holder_value = javascript.expression("value_")
        scope = _Scope(holder, value)
        javascript.run([javascript.Statement("set", holder_value, tree)], scope, {})


_held_back: ContextVar[trio.Event] = ContextVar("trioflow_nodered_held_back", default=trio.Event())  # noqa: B039 - nobody waits for it
"""Set when the message that is on its way is held back, so that the next one may follow."""


async def _when_ended(branches: Any, event: trio.Event) -> None:
    await branches.wait_first()
    event.set()


class _Scope(dict[str, Any]):
    """A holder of names, in which `value_` is something else."""

    def __init__(self, holder: dict[str, Any], value: Any) -> None:
        super().__init__()
        self._holder, self._value = holder, value

    def get(self, name: str, default: Any = None) -> Any:
        return self._value if name == "value_" else self._holder.get(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        self._holder[name] = value


def _prefixes(tree: Any) -> list[str]:
    """The paths on the way to what a tree leads to, the outermost first."""
    import ast  # noqa: PLC0415 - only the shapes of trees

    found: list[str] = []
    inner = getattr(tree, "value", None)
    while isinstance(inner, ast.Attribute | ast.Subscript | ast.Name):
        found.insert(0, ast.unparse(inner))
        inner = getattr(inner, "value", None)
    return found


def _outputs(base: type[Flow], name: str, most: int = 1) -> None:
    """Declare the node types of a kind: one for each number of outputs."""
    for count in range(1, most + 1):
        exits = {f"out{number}": tf.ExecOut() for number in range(1, count + 1)}
        type_id = f"nodered.{name}" if count == 1 else f"nodered.{name}_{count}"
        body = {**exits, "__doc__": base.__doc__, "__module__": __name__, "exits": tuple(exits.values())}
        made = types.new_class(
            f"{base.__name__}{count}", (base,), {"id": type_id, "durable": "replayed"}, partial(dict.update, **body)
        )
        globals()[made.__name__] = made


# --- in and out ---


class _Inject(Flow, abstract=True):
    """Begins with a message: at once, after a while, again and again."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        await ctx.sleep(float(node.get("onceDelay") or 0) if node.get("once") else 0)
        every = float(node.get("repeat") or 0)
        while every:
            ctx.set_variable("msg", self._message(ctx, node))
            await ctx.trigger(self.exits[0])
            await ctx.sleep(every)
        return [(0, self._message(ctx, node))]

    def _message(self, ctx: tf.Context, node: Mapping[str, Any]) -> Message:
        message: Message = {"_msgid": f"{random.Random(ctx.key).getrandbits(64):016x}"}
        props = node.get("props") or [{"p": "payload"}, {"p": "topic", "vt": "str"}]
        for each in props:
            path = each["p"]
            own = "v" not in each and path in ("payload", "topic")
            kind = each.get("vt") or (node.get("payloadType", "date") if path == "payload" else "str")
            text = node.get(path, "") if own else each.get("v", "")
            self.write(node, "msg", path, self.value(ctx, node, str(kind), text, message), message)
        return message


class _Debug(Flow, abstract=True):
    """Prints a part of the message, or all of it as JSON."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        if node.get("active", True) is False:
            return []
        path = node.get("complete", "payload")
        whole = path in ("true", True) or node.get("targetType") == "full"
        found = message if whole else self.read(message, "payload" if path in ("false", "", False) else path)
        print(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str))  # noqa: T201 - so it does
        return []


class _Pass(Flow, abstract=True):
    """Passes messages on: a link, a junction, the way into or out of a subflow, what catches failures."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        return [(0, message)]


class _Complete(Flow, abstract=True):
    """Passes on the messages that other nodes are done with, but for those with which they have failed."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        error = message.get("error")
        failed = isinstance(error, dict) and error.get("source", {}).get("id") in node["watched"]
        return [] if failed else [(0, message)]


class _LinkCall(Flow, abstract=True):
    """Passes a message on, which remembers where it is to come back to."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        return [(0, {**message, CALLERS: [*message.get(CALLERS, ()), ctx.node.id]})]


class _LinkReturn(Flow, abstract=True):
    """Sends a message back to the node that called last; `caller` is its id."""

    caller = tf.DataOut(str, doc="the id of the node that called last")

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        *before, caller = message.pop(CALLERS, None) or [""]
        ctx.set_output(self.caller, caller)
        return [(0, {**message, CALLERS: before} if before else message)]


# --- functions ---


class _Function(Flow, abstract=True):
    """Runs a script, and sends what it returns."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        sends: list[tuple[int, Message]] = []

        def fail(text: Any = "", *_: Any) -> None:
            raise FlowError(javascript.as_text(text))

        functions: dict[str, Callable[..., Any]] = {
            "node.error": fail,
            "node.status": lambda *_: None,
            "node.done": lambda: None,
            "node.send": lambda found: sends.extend(self._sent(found)),
            "RED.util.cloneMessage": copy.deepcopy,
        }
        for level in ("log", "warn", "debug", "trace"):
            functions[f"node.{level}"] = lambda text, *_: ctx.emit_feedback(javascript.as_text(text))
        for name, holder in (
            ("flow", self.memory.context(node.get("z", ""))),
            ("global", self.memory.context()),
            ("context", self.memory.of_node(ctx.node.id)),
        ):
            functions[f"{name}.get"] = lambda key, *_, holder=holder: copy.deepcopy(holder.get(key))
            functions[f"{name}.set"] = lambda key, value, *_, holder=holder: holder.__setitem__(key, value)
        functions["env.get"] = lambda name: self.value(ctx, node, "env", name, message)
        found = javascript.run(javascript.program(node.get("func", "")), {"msg": message}, functions)
        return [*sends, *self._sent(found)]

    def _sent(self, found: Any) -> list[tuple[int, Message]]:
        if found is None:
            return []
        by_output: list[Any] = found if isinstance(found, list) else [found]
        sends: list[tuple[int, Message]] = []
        for number, each in enumerate(by_output[: len(self.exits)]):
            for message in each if isinstance(each, list) else [each]:
                if isinstance(message, dict):
                    sends.append((number, copy.deepcopy(cast("Message", message))))
                elif message is not None:
                    raise FlowError(f"A function sends messages, which are objects, got {message!r}.")
        return sends


class _Switch(Flow, abstract=True):
    """Sends the message on at the outputs whose rules hold: all of them, or the first."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        found = self.value(ctx, node, str(node.get("propertyType", "msg")), node.get("property", "payload"), message)
        all_of_them = str(node.get("checkall", "true")) == "true"
        kept = self.memory.of_node(ctx.node.id)
        sends: list[tuple[int, Message]] = []
        for number, rule in enumerate(node.get("rules", ())):
            if rule.get("t") == "else":
                holds = not sends
            elif rule.get("t") == "jsonata_exp":
                holds = self.value(ctx, node, "jsonata", rule.get("v"), message) is True
            else:
                values = [
                    kept.get("before")
                    if rule.get(f"{name}t") == "prev"
                    else self.value(ctx, node, str(rule.get(f"{name}t", "str")), rule.get(name), message)
                    for name in ("v", "v2")
                ]
                holds = matches(str(rule.get("t")), found, values[0], values[1], case=bool(rule.get("case")))
            if holds:
                sends.append((number, copy.deepcopy(message)))
                if not all_of_them:
                    break
        kept["before"] = found
        return sends


def matches(rule: str, found: Any, value: Any, other: Any = None, *, case: bool = False) -> bool:
    """Whether a rule of a switch holds."""
    compare = javascript.expression
    names = {"a": found, "b": value, "c": other}
    signs = {
        "eq": "a == b",
        "neq": "a != b",
        "lt": "a < b",
        "lte": "a <= b",
        "gt": "a > b",
        "gte": "a >= b",
        "btwn": "(a >= b && a <= c) || (a <= b && a >= c)",
    }
    if rule in signs:
        return bool(javascript.evaluate(compare(signs[rule]), names))
    match rule:
        case "cont":
            return str(value) in javascript.as_text(found)
        case "regex":
            return re.search(str(value), javascript.as_text(found), re.IGNORECASE if case else 0) is not None
        case "true" | "false":
            return found is (rule == "true")
        case "null" | "nnull":
            return (found is None) is (rule == "null")
        case "empty" | "nempty":
            sized = isinstance(found, str | list | dict)
            return sized and (not found) is (rule == "empty")
        case "hask":
            return isinstance(found, dict) and value in found
        case _:  # istype
            kinds: Mapping[str, Any] = {
                "string": str,
                "number": (int, float),
                "boolean": bool,
                "array": list,
                "object": dict,
                "null": type(None),
                "undefined": type(None),
            }
            is_bool = isinstance(found, bool)
            return isinstance(found, kinds.get(str(value), ())) and (is_bool is (value == "boolean"))


RULES = frozenset(
    {
        "eq",
        "neq",
        "lt",
        "lte",
        "gt",
        "gte",
        "btwn",
        "cont",
        "regex",
        "true",
        "false",
        "null",
        "nnull",
        "empty",
        "nempty",
        "hask",
        "istype",
        "jsonata_exp",
        "else",
    }
)


class _Change(Flow, abstract=True):
    """Sets, changes, moves and deletes parts of the message, or of a context."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        for rule in node.get("rules", ()):
            kind, path = str(rule.get("pt", "msg")), str(rule.get("p", "payload"))
            to = None
            if rule.get("t") in ("set", "change"):
                to = self.value(ctx, node, str(rule.get("tot", "str")), rule.get("to", ""), message)
                to = copy.deepcopy(to)
            match rule.get("t"):
                case "set":
                    self.write(node, kind, path, to, message)
                case "change":
                    before = self.value(ctx, node, kind, path, message)
                    old = self.value(ctx, node, str(rule.get("fromt", "str")), rule.get("from", ""), message)
                    self.write(node, kind, path, _replaced(before, old, to, rule.get("fromt") == "re"), message)
                case "delete":
                    self._delete(node, kind, path, message)
                case _:  # move
                    before = self.value(ctx, node, kind, path, message)
                    self._delete(node, kind, path, message)
                    self.write(node, str(rule.get("tot", "msg")), str(rule.get("to", "")), before, message)
        return [(0, message)]

    def _delete(self, node: Mapping[str, Any], kind: str, path: str, message: Message) -> None:
        holder: Any = message if kind == "msg" else self.memory.context(node.get("z", "") if kind == "flow" else "")
        inner = _prefixes(javascript.expression(path))
        holder = self.read(holder, inner[-1]) if inner else holder
        last = re.split(r"[.\[]", path)[-1].strip("]'\"")
        if isinstance(holder, dict):
            holder.pop(last, None)
        elif isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
            del holder[int(last)]


def _replaced(before: Any, old: Any, new: Any, by_pattern: bool) -> Any:
    if isinstance(before, str):
        if by_pattern:
            text = re.sub(r"\$(\d)", r"\\\1", javascript.as_text(new))
            return re.sub(str(old), text, before)
        return new if before == old else before.replace(str(old), javascript.as_text(new))
    return new if javascript.equal(before, old) else before


class _Template(Flow, abstract=True):
    """Fills a template in the Mustache language."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        text = str(node.get("template", ""))
        if node.get("syntax", "mustache") == "mustache":
            more = {"flow": self.memory.context(node.get("z", "")), "global": self.memory.context()}
            text = mustache(text, [{**more, **message}])
        value = json.loads(text) if node.get("output") == "json" else text
        self.write(node, str(node.get("fieldType", "msg")), str(node.get("field", "payload")), value, message)
        return [(0, message)]


_TAG = re.compile(r"\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{(?P<kind>[#^/!&]?)\s*(?P<name>[^{}]*?)\s*\}\}")


def mustache(text: str, stack: list[Any]) -> str:
    """A template filled from a stack of mappings, the innermost last."""
    said: list[str] = []
    at = 0
    while (match := _TAG.search(text, at)) is not None:
        said.append(text[at : match.start()])
        at = match.end()
        kind, name = match["kind"], match["raw"] or match["name"]
        if kind == "!":
            continue
        found = _looked_up(name, stack)
        if kind in ("#", "^"):
            inner, at = _section(text, at, name)
            if kind == "^":
                said += [mustache(inner, stack)] if not found else []
            else:
                each_of: list[Any] = found if isinstance(found, list) else [found] if javascript.holds(found) else []
                said += (mustache(inner, [*stack, each]) for each in each_of)
        elif kind != "/":
            written = "" if found is None else javascript.as_text(found)
            said.append(written if match["raw"] or kind == "&" else html.escape(written, quote=True))
    return "".join([*said, text[at:]])


def _looked_up(name: str, stack: list[Any]) -> Any:
    if name == ".":
        return stack[-1]
    for each in reversed(stack):
        found = Flow.read(each, name) if isinstance(each, dict) else None
        if found is not None:
            return found
    return None


def _section(text: str, begin: int, name: str) -> tuple[str, int]:
    depth = 1
    for match in _TAG.finditer(text, begin):
        if match["name"] == name and match["kind"] in ("#", "^", "/"):
            depth += -1 if match["kind"] == "/" else 1
            if not depth:
                return text[begin : match.start()], match.end()
    raise FlowError(f"In the template the section {name!r} is not closed.")


class _Range(Flow, abstract=True):
    """Maps a number from one range to another."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        low, high, to_low, to_high = (float(node.get(name) or 0) for name in ("minin", "maxin", "minout", "maxout"))
        value = float(self.read(message, path))
        action = node.get("action", "scale")
        if action == "drop" and not low <= value <= high:
            return []
        if action == "clamp":
            value = min(max(value, low), high)
        elif action == "roll":
            value = (value - low) % (high - low) + low
        value = (value - low) / (high - low) * (to_high - to_low) + to_low
        value = round(value) if str(node.get("round", False)).lower() == "true" else value
        self.write(node, "msg", path, int(value) if float(value).is_integer() else value, message)
        return [(0, message)]


class _Json(Flow, abstract=True):
    """Makes a text of a value, or a value of a text, in JSON."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        value, action = self.read(message, path), node.get("action", "")
        if isinstance(value, str) and action != "str":
            value = json.loads(value)
        elif not isinstance(value, str) and action != "obj":
            indent = 4 if node.get("pretty") else None
            value = json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
        self.write(node, "msg", path, value, message)
        return [(0, message)]


class _Filter(Flow, abstract=True):
    """Sends a message on only if its value is another one than before."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept = self.memory.of_node(ctx.node.id)
        topic = str(self.read(message, node.get("topi") or "topic") or "") if node.get("septopics", True) else ""
        value = self.read(message, node.get("property") or "payload")
        first = topic not in kept
        same = not first and kept[topic] == value
        kept[topic] = value
        return [] if same or (first and node.get("func") == "rbei") else [(0, message)]


# --- time and order ---


class _Delay(Flow, abstract=True):
    """Holds messages back: for a while, or so that not too many come at once."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kind = node.get("pauseType", "delay")
        if kind != "rate":
            _held_back.get().set()
        if kind == "delay":
            await ctx.sleep(float(node.get("timeout") or 0) * UNITS[str(node.get("timeoutUnits", "seconds"))])
        elif kind == "delayv":
            await ctx.sleep(float(message.get("delay") or 0) / 1000)
        elif kind == "random":
            unit = UNITS[str(node.get("randomUnits", "seconds"))]
            first, last = float(node.get("randomFirst") or 1), float(node.get("randomLast") or 5)
            await ctx.sleep(random.Random(ctx.key).uniform(first, last) * unit)
        else:
            await self._in_turn(ctx, node)
        return [(0, message)]

    async def _in_turn(self, ctx: tf.Context, node: Mapping[str, Any]) -> None:
        kept = self.memory.of_node(ctx.node.id)
        unit = UNITS[
            {"second": "seconds", "minute": "minutes", "hour": "hours", "day": "days"}.get(
                str(node.get("rateUnits", "second")), "seconds"
            )
        ]
        between = float(node.get("nbRateUnits") or 1) * unit / float(node.get("rate") or 1)
        now = trio.current_time()
        due = max(now, kept.get("due", now))
        kept["due"] = due + between
        _held_back.get().set()
        await ctx.sleep(due - now)


UNITS = {"milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


class _Split(Flow, abstract=True):
    """Sends the parts of a text, list or mapping, one after the other."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        value = self.read(message, path)
        by = str(node.get("splt", "\\n")).replace("\\n", "\n").replace("\\t", "\t")
        more: dict[str, Any] = {"type": "array"}
        keys: list[str] = []
        if isinstance(value, str):
            parts: list[Any] = (
                value.split(by) if node.get("spltType", "str") == "str" else _pieces(value, int(node.get("splt") or 1))
            )
            more = {"type": "string", "ch": by if node.get("spltType", "str") == "str" else ""}
        elif isinstance(value, dict):
            keys, parts = [*value], [*value.values()]
            more = {"type": "object"}
        elif isinstance(value, list):
            size = int(node.get("arraySplt") or 1)
            parts = [*value] if size == 1 else [value[at : at + size] for at in range(0, len(value), size)]
            more["len"] = size
        else:
            return [(0, message)]
        sends: list[tuple[int, Message]] = []
        for index, part in enumerate(parts):
            each = copy.deepcopy(message)
            self.write(node, "msg", path, part, each)
            each["parts"] = {"id": ctx.key, "index": index, "count": len(parts), **more}
            if "parts" in message:
                each["parts"]["parts"] = message["parts"]
            if keys:
                each["parts"]["key"] = keys[index]
                if node.get("addname"):
                    self.write(node, "msg", str(node["addname"]), keys[index], each)
            sends.append((0, each))
        return sends


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


class _Join(Flow, abstract=True):
    """Makes one message of several: the parts of one that was split, or as many as are wanted."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept = self.memory.of_node(ctx.node.id)
        parts: Mapping[str, Any] = message.get("parts") or {}
        automatic = node.get("mode", "auto") == "auto"
        if automatic and not parts:
            return []
        path = str(node.get("property") or "payload")
        whole = node.get("propertyType") == "full" and not automatic
        value = {key: each for key, each in message.items() if key != "_msgid"} if whole else self.read(message, path)
        group = str(parts.get("id", "")) if automatic or not node.get("count") else ""
        found = kept.setdefault(group, [])
        key = parts.get("key") if automatic else self.read(message, node.get("key") or "topic")
        if node.get("build") == "object" and not automatic:
            found[:] = [each for each in found if each[1] != key]
        found.append((parts.get("index", len(found)), key, value))
        wanted = int((parts.get("count") if automatic else node.get("count")) or parts.get("count") or 0)
        if not (message.get("complete") or (wanted and len(found) >= wanted)):
            return []
        del kept[group]
        found.sort(key=lambda each: each[0])
        kind = (
            {"array": "array", "object": "object", "string": "string"}[str(parts.get("type", "array"))]
            if automatic
            else str(node.get("build", "array"))
        )
        values = [each[2] for each in found]
        joined: Any = values
        if kind == "string":
            by = (
                parts.get("ch", "")
                if automatic
                else str(node.get("joiner", "\\n")).replace("\\n", "\n").replace("\\t", "\t")
            )
            joined = by.join(map(javascript.as_text, values))
        elif kind == "object":
            joined = {javascript.as_text(key): value for _, key, value in found}
        elif kind == "merged":
            joined = {key: value for each in values if isinstance(each, dict) for key, value in each.items()}
        elif automatic and parts.get("len", 1) > 1:
            joined = [item for each in values for item in each]
        outer = parts.get("parts")
        message.pop("parts", None)
        if outer is not None:
            message["parts"] = outer
        self.write(node, "msg", path, joined, message)
        return [(0, message)]


class _Batch(Flow, abstract=True):
    """Makes groups of so many messages, numbered as parts, which may overlap."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept: list[Message] = self.memory.of_node(ctx.node.id).setdefault("messages", [])
        kept.append(message)
        size, overlap = int(node.get("count") or 1), int(node.get("overlap") or 0)
        if len(kept) < size:
            return []
        group = [copy.deepcopy(each) for each in kept]
        del kept[: size - overlap]
        for index, each in enumerate(group):
            each["parts"] = {"id": ctx.key, "index": index, "count": size, "type": "array"}
        return [(0, each) for each in group]


class _Sort(Flow, abstract=True):
    """Sorts a list in the message."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path, key = str(node.get("target") or "payload"), str(node.get("msgKey") or node.get("seqKey") or "")
        items = self.read(message, path)
        if isinstance(items, list):
            kind = str(node.get("msgKeyType", "elem"))
            as_key: Callable[[Any], Any] = float if node.get("as_num") else str

            def by(item: Any) -> Any:
                if kind == "jsonata":
                    return as_key(self.value(ctx, node, kind, key, item))
                return as_key(self.read(item, key) if kind != "elem" and isinstance(item, dict) else item)

            found = sorted(items, key=by, reverse=node.get("order") == "descending")
            self.write(node, "msg", path, found, message)
        return [(0, message)]


for _base, _name, _most in (
    (_Inject, "inject", 1),
    (_Debug, "debug", 1),
    (_Pass, "pass", 1),
    (_Complete, "complete", 1),
    (_LinkCall, "link_call", 1),
    (_LinkReturn, "link_return", 1),
    (_Function, "function", MOST_OUTPUTS),
    (_Switch, "switch", MOST_OUTPUTS),
    (_Change, "change", 1),
    (_Template, "template", 1),
    (_Range, "range", 1),
    (_Json, "json", 1),
    (_Filter, "filter", 1),
    (_Delay, "delay", 1),
    (_Split, "split", 1),
    (_Join, "join", 1),
    (_Batch, "batch", 1),
    (_Sort, "sort", 1),
):
    _outputs(_base, _name, _most)
