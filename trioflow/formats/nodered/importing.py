"""From flows of Node-RED to a workflow: nodes with their names or ids, wires from `outN` to `enter`.

Subflows stand in the graph as often as they are used. Links are wires.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError, NodeError, did_you_mean
from trioflow.formats import javascript
from trioflow.formats.nodered import jsonata
from trioflow.formats.nodered.nodes import MOST_OUTPUTS, RULES, UNITS, mustache
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Imported, Notes
from trioflow.formats.shapes import ANYTHING, FLAG, NUMBER, SINGLE, TEXT, Shape, a_list, an_object, mismatches
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Variable
from trioflow.model.trigger import Trigger
from trioflow.semantics.topology import knots

KEY = "nodered"
"""The key in metadata of what an import keeps."""
MOST = 1_000_000
"""So many messages a node may have in a circle."""

_TYPES: Mapping[str, str] = {
    "inject": "inject",
    "debug": "debug",
    "function": "function",
    "switch": "switch",
    "change": "change",
    "template": "template",
    "range": "range",
    "json": "json",
    "rbe": "filter",
    "delay": "delay",
    "split": "split",
    "join": "join",
    "batch": "batch",
    "sort": "sort",
    "junction": "pass",
    "link in": "pass",
    "link out": "pass",
    "link call": "link_call",
    "catch": "pass",
    "complete": "complete",
    "status": "pass",
}
_BESIDE = frozenset({"tab", "subflow", "group", "comment", "global-config", "ui_base", "ui_tab", "ui_group"})
_VALUES = frozenset(
    {
        "str",
        "num",
        "bool",
        "json",
        "msg",
        "flow",
        "global",
        "date",
        "env",
        "re",
        "prev",
        "full",
        "elem",
        "seq",
        "jsonata",
        "",
    }
)
_OF_ALL: Mapping[str, Shape] = {
    "type": TEXT, "name": TEXT, "z": TEXT, "g": TEXT, "x": NUMBER, "y": NUMBER, "w": NUMBER, "h": NUMBER, "d": FLAG,
    "wires": Shape("a list of lists", (list,)),
}  # fmt: skip
_PORT = an_object(x=NUMBER, y=NUMBER, wires=a_list(an_object(id=TEXT, port=NUMBER)))
_OF_KNOWN = an_object(
    SINGLE, **_OF_ALL, links=a_list(TEXT), once=FLAG, active=FLAG, disabled=FLAG, rules=a_list(an_object(SINGLE)),
    props=a_list(an_object(SINGLE)), topics=a_list(an_object(SINGLE)),
    scope=a_list(TEXT), libs=a_list(an_object(SINGLE)),
    env=a_list(an_object(ANYTHING, name=TEXT, type=TEXT)), nodes=a_list(TEXT), style=an_object(SINGLE),
    **dict.fromkeys(("in", "out"), a_list(_PORT)), status=_PORT, meta=an_object(ANYTHING),
)  # fmt: skip
"""Single values, but for a few fields: so are all nodes that the editor itself brings."""
_HEARING = frozenset({"catch", "complete", "status"})
_DEEPEST = 20


@attrs.define
class _Placed:
    """A node of the document where it stands in the graph: before its id are the instances of subflows around it."""

    raw: dict[str, Any]
    path: str
    prefix: str
    env: Mapping[str, Any]
    id: str = ""

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.raw['id']}"

    @property
    def type(self) -> str:
        return str(self.raw.get("type", ""))


def import_tree(tree: Any, source: str = "<document>") -> Imported:
    """The workflow that an export says. Raises `DocumentError` for what is no list of nodes."""
    nodes = tree.get("flows") if isinstance(tree, dict) else tree
    if not isinstance(nodes, list):
        raise DocumentError(source, ["expected a list of nodes, as the editor exports it."])
    return _Importer(nodes, "flows" if isinstance(tree, dict) else "").imported()


class _Importer:
    def __init__(self, raw: list[Any], path: str) -> None:
        self._notes = Notes()
        self._raw: dict[str, tuple[str, dict[str, Any]]] = {}
        self._placed: dict[str, _Placed] = {}
        self._wires: list[Connection] = []
        self._nodes: list[GraphNode] = []
        self._ports: dict[tuple[str, int], list[str]] = {}
        """Where messages go that leave an instance of a subflow."""
        self._reads_message = False
        self._triggers: list[Trigger] = []
        self._calls: set[str] = set()
        """The nodes that call others, which go on at a node `ID (back)`."""
        for index, each in enumerate(raw):
            at = f"{path}[{index}]"
            if not isinstance(each, dict) or not isinstance(each.get("id"), str):
                self._notes.error(
                    "wrong-type", at, f"A node is an object with an id, got {_short(each)}.", "Leave it out."
                )
            elif each["id"] in self._raw:
                self._notes.error(
                    "duplicate-id", f"{at}.id", f"There is another node {each['id']!r}.", "Give one another id."
                )
            else:
                self._raw[each["id"]] = (at, cast("dict[str, Any]", each))
                for place, message in mismatches(each, _shape_of(each), at):
                    self._notes.error("wrong-type", place, message, "Write it so, or leave it out.")

    def imported(self) -> Imported:
        off = {
            id_
            for id_, (_, each) in self._raw.items()
            if each.get("d") is True or (each.get("type") == "tab" and each.get("disabled") is True)
        }
        subflows = {id_ for id_, (_, each) in self._raw.items() if each.get("type") == "subflow"}
        for id_, (path, each) in self._raw.items():
            if id_ in off or str(each.get("z")) in off or str(each.get("z")) in subflows:
                continue
            self._place(each, path, "", {}, ())
        names: dict[str, int] = {}
        for placed in self._placed.values():
            name = str(placed.raw.get("name") or "").strip()
            names[name] = names.get(name, 0) + 1
        for placed in self._placed.values():
            name = str(placed.raw.get("name") or "").strip()
            placed.id = name if name and names[name] == 1 and name not in self._raw else placed.key
        begin = self._which_begin()
        for placed in self._placed.values():
            self._node(placed, begin)
        for placed in self._placed.values():
            self._leave(placed)
        self._return()
        self._finish()
        variables = [
            Variable("msg", default={}, merge="first", doc="of each strand its own: nothing reads it where they meet")
        ]
        graph = Graph(
            kind="workflow",
            on_error="collect",
            nodes=tuple(self._nodes),
            connections=self._wires,
            variables=variables,
            triggers=tuple(self._triggers),
            metadata={KEY: {}},
        )
        return Imported(graph, tuple(self._notes))

    # --- placing ---

    def _place(
        self, raw: dict[str, Any], path: str, prefix: str, env: Mapping[str, Any], around: tuple[str, ...]
    ) -> None:
        kind = str(raw.get("type", ""))
        if kind in _BESIDE or ("wires" not in raw and kind not in _TYPES):
            return  # tabs, comments, and configurations that others refer to
        if not kind.startswith("subflow:"):
            placed = _Placed(raw, path, prefix, env)
            self._placed[placed.key] = placed
            return
        id_ = kind.removeprefix("subflow:")
        known = [key for key, (_, each) in self._raw.items() if each.get("type") == "subflow"]
        if id_ not in known or id_ in around or len(around) > _DEEPEST:
            why = "contains itself" if id_ in around else "is not there"
            near = did_you_mean(id_, known) if id_ not in known else ""
            self._notes.error("unknown-subflow", f"{path}.type", f"The subflow {id_!r} {why}.{near}", "Export it, too.")
            return
        said = self._raw[id_][1]
        own = {str(each.get("name")): each.get("value") for each in (*_dicts(said.get("env")), *_dicts(raw.get("env")))}
        inner = f"{prefix}{raw['id']}/"
        for other, (at, each) in self._raw.items():
            if each.get("z") == id_ and each.get("d") is not True and other != id_:
                self._place(each, at, inner, {**env, **own}, (*around, id_))
        for ports, side in ((_dicts(said.get("in")), "in"), (_dicts(said.get("out")), "out")):
            for number, port in enumerate(ports):
                key = f"{inner}{side} {number + 1}"
                wires = (
                    [[str(wire.get("id")) for wire in _dicts(port.get("wires"))]]
                    if side == "in"
                    else _ways(raw)[number : number + 1]
                )
                made = {"id": f"{side} {number + 1}", "type": "junction", "wires": wires, "name": ""}
                self._placed[key] = _Placed(made, path, inner, env)
                for wire in _dicts(port.get("wires")) if side == "out" else []:
                    source = f"{prefix}{raw['id']}/{wire.get('id')}"
                    if wire.get("id") == id_:
                        source = f"{inner}in 1"
                    self._ports.setdefault((source, _whole(wire.get("port"))), []).append(key)

    def _which_begin(self) -> frozenset[str]:
        """The inject nodes that begin: those that do so by themselves, or if there are none, all."""
        injects = [each for each in self._placed.values() if each.type == "inject"]
        alone = [each for each in injects if any(each.raw.get(name) for name in ("once", "repeat", "crontab"))]
        if injects and not alone:
            self._notes.info(
                "pressed", injects[0].path, "No inject node begins by itself: each is pressed once when the run begins."
            )
        for each in injects:
            if alone and each not in alone:
                self._notes.info(
                    "not-pressed", each.path, f"{each.id!r} waits to be pressed, which nobody does in a run."
                )
        return frozenset(each.key for each in alone or injects)

    # --- nodes ---

    def _node(self, each: _Placed, begin: frozenset[str]) -> None:
        raw, kind = each.raw, each.type
        said = {key: value for key, value in raw.items() if key not in ("x", "y", "w", "h", "wires", "g", "id")}
        if each.prefix:
            said["z"] = each.prefix
        if kind == "complete":
            said["watched"] = [other.id for other in self._watched(each)]
        if each.env:
            said["env"] = dict(each.env)
        metadata: dict[str, Any] = {
            KEY: {"id": raw["id"], "type": kind, **{key: raw[key] for key in ("x", "y") if key in raw}}
        }
        outputs = len(raw["wires"]) if isinstance(raw.get("wires"), list) else 0
        base = _TYPES.get(kind)
        problem = self._problem_of(each) if base is not None else None
        if base is None or problem is not None or outputs > MOST_OUTPUTS:
            code = "no-counterpart" if problem is None else "not-understood"
            message = problem or f"There is nothing for {kind!r} here.{did_you_mean(kind, _TYPES)}"
            cure = f"{'Say' if problem is None else 'Mend it, or say'} what it does: --body '{each.id}=MODULE.NAME'"
            message = message if message.endswith(("?", ".")) else f"{message}."
            self._notes.error(code, each.path, f"{message[:1].upper()}{message[1:]}", cure, node=each.id)
            self._reads_message = True
            exits = tuple(f"out{number}" for number in range(1, max(outputs, 1) + 1))
            sockets = Sockets(exits=exits, inputs={"msg": "any"}, outputs={"msg": "any"})
            type_ = f"nodered.unknown_{re.sub(r'[^a-z0-9]+', '_', kind.lower()).strip('_') or 'node'}"
            self._nodes.append(placeholder(each.id, type_, sockets=sockets, set={"msg": "out.msg"}, metadata=metadata))
            self._wires.append(Connection(Endpoint("msg (value)", "result"), Endpoint(each.id, "msg")))
            return
        type_ = f"nodered.{base}" if base not in ("function", "switch") or outputs < 2 else f"nodered.{base}_{outputs}"
        initiator = False if kind == "inject" and each.key not in begin else None
        if kind == "link out" and raw.get("mode") == "return":
            type_ = "nodered.link_return"
        if kind == "inject" and raw.get("crontab"):
            self._times(each)
        if kind == "status":
            self._notes.warning("left-out", each.path, f"No node says its status here: {each.id!r} never sends.")
        self._nodes.append(GraphNode(each.id, type_, {"node": said}, initiator=initiator, metadata=metadata))
        if kind == "link call":
            self._calls.add(each.id)
            self._nodes.append(GraphNode(f"{each.id} (back)", "nodered.pass", {"node": said}))

    def _times(self, each: _Placed) -> None:
        """Times of a calendar start runs: a trigger of the graph."""
        cron = str(each.raw["crontab"])
        if len(cron.split()) != 5:
            self._notes.error("bad-field", f"{each.path}.crontab", f"{cron!r} is not a line of cron.",
                              "Write minute, hour, day, month and weekday: 0 3 * * 1-5.")  # fmt: skip
            return
        self._triggers.append(Trigger(cron=cron))
        message = f"{each.id!r} begins at times of a calendar ({cron}): a trigger of the graph; in a run it sends once."
        self._notes.info("started-by", f"{each.path}.crontab", message)

    @staticmethod
    def _problem_of(each: _Placed) -> str | None:
        """Why a node of a kind that is known can't be taken over."""
        raw = each.raw
        buffers = [where for where, value in _fields(raw) if value == "bin"]
        if buffers:
            return f"`{buffers[0]}`: bin is not understood"
        try:
            _check_expressions(raw)
            problem = _CHECKS[each.type](raw) if each.type in _CHECKS else None
            for name in _NUMBERS:
                if raw.get(name) not in (None, ""):
                    float(raw[name])
        except javascript.NotUnderstood as error:
            limits = " (it is read as far as it is assignments, if and return)" if each.type == "function" else ""
            return f"{error}{limits}"
        except NodeError as error:
            return str(error)
        except (TypeError, ValueError) as error:
            return f"a field is not what it should be: {error}"
        for name in ("rules", "props"):
            if not isinstance(raw.get(name, []), list) or len(_dicts(raw.get(name))) < len(raw.get(name, [])):
                return f"`{name}` is not a list of objects"
        return problem

    # --- wires ---

    def _leave(self, each: _Placed) -> None:
        begin = attrs.evolve(each, id=f"{each.id} (back)") if each.id in self._calls else each
        for number, targets in enumerate(_ways(each.raw)):
            for index, target in enumerate(targets if isinstance(targets, list) else [targets]):
                self._wire(begin, number, target, f"{each.path}.wires[{number}][{index}]")
        for (source, port), keys in self._ports.items():
            if source == each.key:
                for key in keys:
                    self._connect(each, port, self._placed[key])
        if each.id in self._calls or (each.type == "link out" and each.raw.get("mode") != "return"):
            self._link(each)
        if each.type in ("catch", "complete"):
            on: Any = "failed" if each.type == "catch" else "ended"
            into = Endpoint(each.id, "enter")
            self._wires += (Connection(Endpoint(other.id), into, on=on) for other in self._watched(each))

    def _link(self, each: _Placed) -> None:
        links = each.raw.get("links")
        for index, target in enumerate(links if isinstance(links, list) else []):
            self._wire(each, 0, target, f"{each.path}.links[{index}]")

    def _wire(self, each: _Placed, number: int, target: Any, path: str) -> None:
        found = self._found(each, target)
        if found is not None:
            self._connect(each, number, found)
        elif str(target) not in self._raw:
            near = did_you_mean(str(target), self._raw)
            self._notes.error(
                "unknown-node", path, f"There is no node {target!r}.{near}", "Lead the wire to a node that is there."
            )

    def _found(self, each: _Placed, target: Any) -> _Placed | None:
        """The node that a wire leads to: in a subflow one of the same instance, or the way into one."""
        prefixes = [each.prefix, ""] if each.type == "link out" else [each.prefix]
        if each.raw.get("id", "").startswith("out ") and each.prefix:
            prefixes = [each.prefix[: each.prefix[:-1].rfind("/") + 1]]
        for prefix in prefixes:
            for key in (f"{prefix}{target}", f"{prefix}{target}/in 1"):
                if key in self._placed:
                    return self._placed[key]
        return None

    def _connect(self, source: _Placed, number: int, target: _Placed) -> None:
        self._wires.append(Connection(Endpoint(source.id, f"out{number + 1}"), Endpoint(target.id, "enter")))

    def _return(self) -> None:
        """The ways back: from each link that returns to what stands behind each node that calls."""
        returns = [
            each for each in self._placed.values() if each.type == "link out" and each.raw.get("mode") == "return"
        ]
        for each in self._placed.values():
            if each.id in self._calls:
                back, taken = Endpoint(f"{each.id} (back)", "enter"), f"out.caller == {json.dumps(each.id)}"
                self._wires += (Connection(Endpoint(other.id, "out1"), back, when=taken) for other in returns)

    def _watched(self, each: _Placed) -> list[_Placed]:
        """The nodes of whose messages a node hears: those that it names, or all of its flow."""
        scope = each.raw.get("scope") or ([] if each.type == "complete" else None)
        return [
            other
            for other in self._placed.values()
            if other.prefix == each.prefix
            and other.type not in _HEARING
            and (other.raw["id"] in scope if isinstance(scope, list) else other.raw.get("z") == each.raw.get("z"))
        ]

    def _finish(self) -> None:
        """How nodes take messages: each for itself."""
        into: dict[str, int] = {}
        for wire in self._wires:
            if wire.target.socket == "enter":
                into[wire.target.node] = into.get(wire.target.node, 0) + 1
        begins = {each.id for each in self._placed.values() if each.type == "inject"}
        circles, delayed = self._in_circles(), self._before_delays()
        for index, node in enumerate(self._nodes):
            if into.get(node.id, 0) > 1:
                node = attrs.evolve(node, join="each")  # noqa: PLW2901 - the same one, with more
            if node.id in delayed:
                node = attrs.evolve(node, inputs={"node": {**node.inputs["node"], "delayed": True}})  # noqa: PLW2901
            if node.id in circles:
                node = attrs.evolve(node, most=MOST)  # noqa: PLW2901 - as above
            if not into.get(node.id) and node.id not in begins and not node.type.startswith("nodered.unknown_"):
                node = attrs.evolve(node, initiator=False)  # noqa: PLW2901 - as above
            self._nodes[index] = node
        if self._reads_message:
            self._nodes.append(GraphNode("msg (value)", "variable.get", {"name": "msg"}))

    def _before_delays(self) -> frozenset[str]:
        """Nodes that may send several messages which are held back further on."""
        leads: dict[str, list[str]] = {}
        for wire in self._wires:
            leads.setdefault(wire.target.node, []).append(wire.source.node)
        todo = [node.id for node in self._nodes if node.type == "nodered.delay"]
        found: set[str] = set()
        while todo:
            for each in leads.get(todo.pop(), ()):
                if each not in found:
                    found.add(each)
                    todo.append(each)
        several = ("nodered.split", "nodered.function", "nodered.switch", "nodered.batch")
        return frozenset(node.id for node in self._nodes if node.id in found and node.type.startswith(several))

    def _in_circles(self) -> frozenset[str]:
        numbers = {node.id: number for number, node in enumerate(self._nodes)}
        edges: dict[int, list[int]] = {}
        for wire in self._wires:
            if wire.target.socket == "enter":
                edges.setdefault(numbers[wire.source.node], []).append(numbers[wire.target.node])
        return frozenset(self._nodes[each].id for circle in knots(edges) for each in circle)


def _shape_of(raw: Mapping[str, Any]) -> Shape:
    kind = raw.get("type")
    known = isinstance(kind, str) and (
        kind in _TYPES or kind in ("tab", "subflow", "group", "comment") or kind.startswith("subflow:")
    )
    return _OF_KNOWN if known else an_object(**_OF_ALL)


def _function(raw: Mapping[str, Any]) -> str | None:
    javascript.program(str(raw.get("func", "")))
    return "it uses modules of Node.js" if raw.get("libs") else None


def _switch(raw: Mapping[str, Any]) -> str | None:
    unknown = [str(rule.get("t")) for rule in _dicts(raw.get("rules")) if rule.get("t") not in RULES]
    if unknown:
        return f"there is no rule {unknown[0]!r} here.{did_you_mean(unknown[0], RULES)}"
    _path(raw.get("property", "payload"), raw.get("propertyType", "msg"))
    return None


def _change(raw: Mapping[str, Any]) -> str | None:
    if "rules" not in raw:
        return "it is of a version before 0.11"
    for rule in _dicts(raw.get("rules")):
        if rule.get("t") not in ("set", "change", "delete", "move"):
            return f"there is no rule {rule.get('t')!r} here"
        _path(rule.get("p", "payload"), rule.get("pt", "msg"))
        if rule.get("t") in ("set", "move"):
            _value(rule.get("to", "payload"), rule.get("tot", "msg" if rule.get("t") == "move" else "str"))
    return None


def _of_message(raw: Mapping[str, Any]) -> str | None:
    _path(raw.get("field") or raw.get("property") or "payload", "msg")
    return None


def _template(raw: Mapping[str, Any]) -> str | None:
    if raw.get("syntax", "mustache") == "mustache" and "{{" in mustache(str(raw.get("template", "")), [{}]):
        return "`template`: a `{{` is not closed"
    return _of_message(raw)


def _debug(raw: Mapping[str, Any]) -> str | None:
    if raw.get("targetType", "msg") == "msg" and raw.get("complete") not in (True, False, "true", "false", "", None):
        _path(raw["complete"], "msg")
    return None


def _delay(raw: Mapping[str, Any]) -> str | None:
    kind = raw.get("pauseType", "delay")
    if kind not in ("delay", "delayv", "random", "rate") or raw.get("drop"):
        return f"`pauseType`: {kind!r} is not understood: only delay, delayv, random and rate"
    for name in ("timeoutUnits", "randomUnits"):
        if raw.get(name, "seconds") not in UNITS:
            return f"`{name}`: there is no unit {raw[name]!r}.{did_you_mean(str(raw[name]), UNITS)}"
    return None


def _join(raw: Mapping[str, Any]) -> str | None:
    if raw.get("mode", "auto") not in ("auto", "custom") or raw.get("timeout"):
        return "only joining of parts, and of a number of messages, is understood"
    known = raw.get("build", "array") in ("array", "object", "string", "merged")
    return None if known else f"build={raw.get('build')!r} is not understood"


def _batch(raw: Mapping[str, Any]) -> str | None:
    return None if raw.get("mode", "count") == "count" else "only groups by number are understood"


def _link_out(raw: Mapping[str, Any]) -> str | None:
    mode = raw.get("mode", "link")
    return None if mode in ("link", "return") else f"mode={mode!r} is not understood"


def _link_call(raw: Mapping[str, Any]) -> str | None:
    if raw.get("linkType", "static") != "static":
        return "a link whose target the message names is not understood"
    return None if raw.get("links") else "it does not say what it calls"


def _inject(raw: Mapping[str, Any]) -> str | None:
    kind = str(raw.get("payloadType", ""))
    if kind not in _VALUES:
        return f"`payloadType`: there is no kind of value {kind!r}.{did_you_mean(kind, _VALUES - {''})}"
    for prop in _dicts(raw.get("props")):
        _path(prop.get("p", "payload"), "msg")
        _value(prop.get("v", ""), prop.get("vt", "str"))
    _value(raw.get("payload", ""), raw.get("payloadType", "str"))
    return None


def _value(text: Any, kind: Any) -> None:
    """Raise `NotUnderstood` for what is no value of its kind."""
    if kind == "json" and isinstance(text, str):
        try:
            json.loads(text)
        except ValueError as error:
            raise javascript.NotUnderstood(f"{_short(text)} is not JSON: {error}") from None
    elif text:
        _path(text, kind)


def _path(path: Any, kind: Any) -> None:
    """Raise `NotUnderstood` for what leads nowhere."""
    if kind in ("msg", "flow", "global"):
        try:
            javascript.expression(str(path))
        except javascript.NotUnderstood as error:
            raise javascript.NotUnderstood(f"{path!r} is not a path to a value: {error}") from None


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "function": _function,
    "switch": _switch,
    "change": _change,
    **dict.fromkeys(("range", "json", "rbe", "split"), _of_message),
    "template": _template,
    "debug": _debug,
    "delay": _delay,
    "join": _join,
    "batch": _batch,
    "link out": _link_out,
    "link call": _link_call,
    "inject": _inject,
}
_NUMBERS = (
    "timeout",
    "repeat",
    "onceDelay",
    "count",
    "overlap",
    "rate",
    "nbRateUnits",
    "minin",
    "maxin",
    "minout",
    "maxout",
    "randomFirst",
    "randomLast",
    "arraySplt",
)


def _fields(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The types of values that stand in a node, with their fields."""
    for name, value in raw.items():
        if name.endswith(("Type", "tot", "fromt")) and isinstance(value, str):
            yield name, value
        elif name in ("rules", "props"):
            for each in _dicts(value):
                for inner in ("t", "vt", "v2t", "tot", "fromt", "pt"):
                    yield f"{name}.{inner}", each.get(inner)


_TYPED = (("property", "propertyType"), ("payload", "payloadType"), ("msgKey", "msgKeyType"), ("v", "vt"),
          ("v2", "v2t"), ("to", "tot"), ("from", "fromt"), ("p", "pt"))  # fmt: skip
"""The fields that hold a value, and those that say of which kind it is."""


def _check_expressions(raw: Mapping[str, Any]) -> None:
    """Raise `NotUnderstood` for the first expression in JSONata in a node that is none."""
    for each in (raw, *_dicts(raw.get("rules")), *_dicts(raw.get("props"))):
        texts = [each.get(name) for name, kind in _TYPED if each.get(kind) == "jsonata"]
        if each.get("t") == "jsonata_exp":
            texts.append(each.get("v"))
        for text in texts:
            jsonata.check(str(text))


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, if it is one."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _ways(raw: Mapping[str, Any]) -> list[Any]:
    """The wires of a node, by its outputs."""
    found: Any = raw.get("wires")
    return found if isinstance(found, list) else []


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
