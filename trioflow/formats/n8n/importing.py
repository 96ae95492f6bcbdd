"""From a workflow of n8n to a workflow here: nodes with their names, and wires that are taken where items are left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats import javascript
from trioflow.formats.fields import short
from trioflow.formats.n8n.expressions import check, plain
from trioflow.formats.n8n.lists import OPERATIONS, conditions_of
from trioflow.formats.n8n.shape import in_node, in_workflow
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.formats.port import Imported, Notes
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Variable
from trioflow.semantics.topology import knots

KEY = "n8n"
"""The key in metadata of what an import keeps."""
MOST = 1_000_000

_TYPES: Mapping[str, str] = {
    "noOp": "pass",
    "set": "set",
    "if": "if",
    "filter": "filter",
    "switch": "switch",
    "merge": "merge",
    "limit": "limit",
    "sort": "sort",
    "removeDuplicates": "remove_duplicates",
    "splitOut": "split_out",
    "aggregate": "aggregate",
    "renameKeys": "rename_keys",
    "splitInBatches": "loop",
    "code": "code",
    "wait": "wait",
    "stopAndError": "stop_and_error",
}
_TRIGGERS = re.compile(r"(?i)trigger$|^(start|webhook|cron|interval)$")
_BESIDE = frozenset({"stickyNote"})
_KEPT = ("executeOnce", "alwaysOutputData", "disabled", "onError", "continueOnFail")


def import_tree(tree: Any, source: str = "<document>") -> Imported:
    """The workflow that an export says. Raises `DocumentError` for what is none."""
    if (
        not isinstance(tree, dict)
        or not isinstance(tree.get("nodes"), list)
        or not isinstance(tree.get("connections"), dict)
    ):
        raise DocumentError(
            source, ["expected an object with `nodes`, a list, and `connections`, as the editor exports it."]
        )
    return _Importer(cast("dict[str, Any]", tree)).imported()


class _Importer:
    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree, self._notes = tree, Notes()
        self._raw: dict[str, tuple[str, dict[str, Any]]] = {}
        self._nodes: dict[str, GraphNode] = {}
        self._wires: list[Connection] = []
        self._into: dict[str, list[tuple[str, int, int]]] = {}
        """What leads to a node: the name of another one, its output, the input."""
        self._zone = ""

    def _read_zone(self) -> None:
        """In which time zone `$now` is."""
        settings = self._tree.get("settings")
        zone = settings.get("timezone") if isinstance(settings, dict) else None
        if not isinstance(zone, str) or zone in ("", "DEFAULT"):
            return
        try:
            ZoneInfo(zone)
            self._zone = zone
        except (ValueError, ZoneInfoNotFoundError, OSError):
            message = f"There is no time zone {zone!r} here: that of the host is taken."
            self._notes.error("bad-field", "settings.timezone", message, "Write a name such as Europe/Berlin.")

    def imported(self) -> Imported:
        self._tell(in_workflow(self._tree))
        self._read_zone()
        self._read_nodes()
        self._read_connections()
        for name, (path, raw) in self._raw.items():
            self._node(name, path, raw)
        self._connect()
        variables = [Variable(name, default={}, merge="union") for name in ("data", "last", "loops")]
        variables += [Variable("input"), Variable("found")]
        called = self._tree.get("name")
        graph = Graph(
            kind="workflow",
            nodes=tuple(self._nodes.values()),
            connections=self._wires,
            variables=variables,
            metadata={KEY: {"name": called if isinstance(called, str) else ""}},
        )
        return Imported(graph, tuple(self._notes))

    def _tell(self, wrong: Iterable[tuple[str, str]]) -> None:
        for path, message in wrong:
            self._notes.error("wrong-type", path, message, "Write it so, or leave it out.")

    def _read_nodes(self) -> None:
        for index, each in enumerate(self._tree["nodes"]):
            path = f"nodes[{index}]"
            if not isinstance(each, dict) or not isinstance(each.get("name"), str) or not each["name"]:
                self._notes.error(
                    "wrong-type", path, f"A node is an object with a name, got {short(each)}.", "Leave it out."
                )
            elif each["name"] in self._raw:
                self._notes.error(
                    "duplicate-id", f"{path}.name", f"There is another node {each['name']!r}.", "Rename one."
                )
            elif _kind(each) not in _BESIDE:
                self._raw[each["name"]] = (path, cast("dict[str, Any]", each))

    def _read_connections(self) -> None:
        for source, kinds in self._tree["connections"].items():
            path = f"connections.{source}"
            if source not in self._raw:
                near = did_you_mean(source, self._raw)
                self._notes.error(
                    "unknown-node", path, f"There is no node {source!r}.{near}", "Connect a node that is there."
                )
                continue
            for kind, outputs in (kinds if isinstance(kinds, dict) else {}).items():
                if kind != "main":
                    self._notes.error(
                        "no-counterpart",
                        f"{path}.{kind}",
                        f"Connections of the kind {kind!r} are not understood.",
                        "Leave it out.",
                    )
                    continue
                for output, targets in enumerate(outputs if isinstance(outputs, list) else []):
                    for index, target in enumerate(targets if isinstance(targets, list) else []):
                        self._read_target(source, output, target, f"{path}.main[{output}][{index}]")

    def _read_target(self, source: str, output: int, target: Any, path: str) -> None:
        name = target.get("node") if isinstance(target, dict) else None
        if not isinstance(name, str) or name not in self._raw:
            near = did_you_mean(str(name), self._raw)
            self._notes.error(
                "unknown-node", path, f"There is no node {name!r}.{near}", "Connect a node that is there."
            )
            return
        number = target.get("index", 0)
        self._into.setdefault(name, []).append(
            (source, output, number if isinstance(number, int) and number >= 0 else 0)
        )

    # --- nodes ---

    def _node(self, name: str, path: str, raw: dict[str, Any]) -> None:
        kind = _kind(raw)
        self._tell(in_node(raw, kind, path))
        parameters = raw.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            self._notes.error(
                "wrong-type",
                f"{path}.parameters",
                f"`parameters` is an object, got {short(parameters)}.",
                "Write it so.",
            )
        said: dict[str, Any] = {"name": name, "parameters": parameters if isinstance(parameters, dict) else {}}
        said |= {key: raw[key] for key in _KEPT if key in raw}
        said["version"] = raw.get("typeVersion") if isinstance(raw.get("typeVersion"), int | float) else 1
        if self._zone:
            said["timezone"] = self._zone
        leads = self._tree["connections"].get(name)
        outputs: Any = leads.get("main") if isinstance(leads, dict) else None
        said["outputs"] = len(outputs) if isinstance(outputs, list) and outputs else 1
        said["shown"] = not (isinstance(outputs, list) and any(outputs))
        metadata = {KEY: {key: raw[key] for key in ("id", "type", "position", "notes") if key in raw}}
        pinned: Any = self._tree.get("pinData")
        pinned = pinned.get(name) if isinstance(pinned, dict) else None
        for wrong in check(said["parameters"]):
            self._notes.error(
                "bad-expression",
                f"{path}.parameters",
                f"{wrong[:1].upper()}{wrong[1:]}.",
                "Use names, fields, calculations.",
            )
        if pinned is not None or _TRIGGERS.search(kind):
            if isinstance(pinned, list):
                said["pinned"] = pinned
                self._notes.info("pinned", path, f"{name!r} has data pinned to it, which it leaves.")
            self._nodes[name] = GraphNode(name, "n8n.trigger", {"node": said}, metadata=metadata)
            return
        base = _TYPES.get(kind)
        problem: str | None = None
        try:
            problem = _CHECKS[kind](said) if kind in _CHECKS else None
        except javascript.NotUnderstood as error:
            problem = f"{error}; its code is read as far as it is assignments, if and return"
        except (TypeError, ValueError, AttributeError) as error:
            problem = f"a parameter is not what it should be: {error}"
        if raw.get("disabled") is True:
            base, problem = "pass", None
        if base is None or problem is not None:
            self._outside(name, path, kind, said, problem, metadata)
        else:
            self._nodes[name] = GraphNode(name, f"n8n.{base}", {"node": said}, metadata=metadata)

    def _outside(
        self, name: str, path: str, kind: str, said: dict[str, Any], problem: str | None, metadata: dict[str, Any]
    ) -> None:
        """A placeholder, in a node that gives it the items."""
        code, message = (
            ("no-counterpart", f"There is nothing for {kind!r} here")
            if problem is None
            else ("not-understood", problem)
        )
        self._notes.error(code, path, f"{name!r}: {message}.", f"Say what it does: {body_for(name)}", node=name)
        gate = f"{name} (call)"
        words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()).strip("_")
        type_ = f"n8n.unknown_{words or 'node'}"
        sockets = Sockets(inputs={"items": "any", "parameters": "any"}, outputs={"items": "any"})
        self._nodes[gate] = GraphNode(gate, "n8n.call", {"node": said}, metadata=metadata)
        self._nodes[name] = placeholder(name, type_, sockets=sockets, set={"found": "out.items"}, metadata=metadata)
        self._wires.append(Connection(Endpoint(gate, "body"), Endpoint(name, "enter")))
        self._wires.append(Connection(Endpoint(gate, "given"), Endpoint(name, "items")))
        self._wires.append(Connection(Endpoint(gate, "parameters"), Endpoint(name, "parameters")))

    # --- wires ---

    def _entry(self, name: str) -> str:
        return f"{name} (call)" if f"{name} (call)" in self._nodes else name

    def _connect(self) -> None:
        for name, came in self._into.items():
            target, sources = self._entry(name), dict[str, int]()
            node = self._nodes[target]
            inputs: list[list[list[Any]]] = []
            drawn: set[tuple[str, int]] = set()
            for source, output, number in came:
                begin, taken = self._entry(source), f"out.counts[{output}] > 0"
                between = source
                if source in sources and sources[source] != output and node.type != "n8n.merge":
                    # It must know from which output the items come: one node more says so.
                    between = f"{source} to {name} ({output + 1})"
                    said = {"name": between, "sources": [[source, output]]}
                    self._nodes[between] = GraphNode(between, "n8n.pass", {"node": said})
                    self._wires.append(Connection(Endpoint(begin, "then"), Endpoint(between, "enter"), when=taken))
                    begin, output, taken = between, 0, "out.counts[0] > 0"  # noqa: PLW2901 - from there on
                sources[between] = output
                inputs += [[] for _ in range(number + 1 - len(inputs))]
                inputs[number].append([between, output])
                if (begin, output) not in drawn:
                    drawn.add((begin, output))
                    self._wires.append(Connection(Endpoint(begin, "then"), Endpoint(target, "enter"), when=taken))
            said = {**node.inputs["node"], "sources": [[source, output] for source, output in sources.items()]}
            if node.type == "n8n.merge":
                said["inputs"] = inputs
            self._nodes[target] = attrs.evolve(node, inputs={**node.inputs, "node": said})
        self._join()

    def _join(self) -> None:
        into: dict[str, int] = {}
        numbers = {name: number for number, name in enumerate(self._nodes)}
        edges: dict[int, list[int]] = {}
        for wire in self._wires:
            if wire.target.socket == "enter":
                into[wire.target.node] = into.get(wire.target.node, 0) + 1
                edges.setdefault(numbers[wire.source.node], []).append(numbers[wire.target.node])
        names = [*self._nodes]
        circles = frozenset(names[each] for circle in knots(edges) for each in circle)
        for name, node in self._nodes.items():
            changes: dict[str, Any] = {}
            if into.get(name, 0) > 1 and node.type != "n8n.merge":
                changes["join"] = "each"
            if name in circles:
                changes["most"] = MOST
            if not into.get(name) and node.type != "n8n.trigger":
                changes["initiator"] = False
                path = self._raw[name.removesuffix(" (call)")][0]
                self._notes.warning("not-reached", path, f"Nothing leads to {name!r}.", "Connect it, or remove it.")
            if node.type == "n8n.merge" and "inputs" not in node.inputs["node"]:
                changes["inputs"] = {"node": {**node.inputs["node"], "inputs": [[]]}}
            if changes:
                self._nodes[name] = attrs.evolve(node, **changes)


# --- what can be taken over ---


def _conditions(said: Mapping[str, Any]) -> str | None:
    conditions = said["parameters"].get("conditions") or {}
    for operation, _, _ in conditions_of(conditions):
        if operation not in OPERATIONS:
            return f"there is no operation {operation!r} here.{did_you_mean(operation, OPERATIONS)}"
    return None if isinstance(conditions, dict) else "`conditions` is not an object"


def _switch(said: Mapping[str, Any]) -> str | None:
    rules: Any = said["parameters"].get("rules") or {}
    for each in rules.get("values") or ():
        problem = _conditions({"parameters": each})
        if problem is not None:
            return problem
    for each in rules.get("rules") or ():
        if each.get("operation", "equal") not in OPERATIONS:
            return f"there is no operation {each.get('operation')!r} here"
    return None


_MODES = {
    "append": "append",
    "chooseBranch": "choose",
    "passThrough": "choose",
    "mergeByPosition": "position",
    "combineByPosition": "position",
    "mergeByIndex": "position",
    "multiplex": "all",
    "combineAll": "all",
    "mergeByFields": "fields",
    "combineByFields": "fields",
}


def _merge(said: dict[str, Any]) -> str | None:
    given: Mapping[str, Any] = said["parameters"]
    mode = given.get("mode", "append")
    if mode == "combine":
        mode = (
            given.get("combineBy")
            or given.get("combinationMode")
            or ("combineByFields" if said["version"] >= 3 else "mergeByFields")
        )
    if mode not in _MODES:
        return f"mode={mode!r} is not understood"
    said["mode"] = _MODES[mode]
    fields: Any = given.get("fieldsToMatchString") or given.get("mergeByFields") or ""
    if isinstance(fields, str):
        said["fields"] = [[each.strip()] * 2 for each in fields.split(",") if each.strip()]
    else:
        said["fields"] = [
            [str(each.get("field1", "")), str(each.get("field2", ""))] for each in fields.get("values", ())
        ]
    if said["mode"] == "fields" and given.get("joinMode", "keepMatches") not in (
        "keepMatches",
        "keepNonMatches",
        "enrichInput1",
        "enrichInput2",
        "keepEverything",
    ):
        return f"joinMode={given.get('joinMode')!r} is not understood"
    return None


def _code(said: dict[str, Any]) -> str | None:
    given = said["parameters"]
    if (
        given.get("language", "javaScript") != "javaScript"
        or given.get("mode", "runOnceForAllItems") != "runOnceForEachItem"
    ):
        return "only JavaScript that runs once for each item is understood"
    said["script"] = plain(str(given.get("jsCode", "")))
    javascript.program(said["script"])
    return None


def _wait(said: Mapping[str, Any]) -> str | None:
    given = said["parameters"]
    if given.get("resume", "timeInterval") != "timeInterval" or given.get("unit", "hours") not in (
        "seconds",
        "minutes",
        "hours",
        "days",
    ):
        return "only waiting for a while is understood"
    return None


def _sort(said: Mapping[str, Any]) -> str | None:
    return None if said["parameters"].get("type", "simple") == "simple" else "only sorting by fields is understood"


def _lists(said: Mapping[str, Any]) -> str | None:
    for name, inner in (
        ("values", None),
        ("assignments", "assignments"),
        ("sortFieldsUi", "sortField"),
        ("fieldsToAggregate", "fieldToAggregate"),
        ("keys", "key"),
    ):
        found: Any = said["parameters"].get(name)
        if found is None or (name == "values" and not isinstance(found, dict)):
            continue
        lists = [found.get(inner, [])] if inner is not None else [*found.values()]
        if not all(isinstance(each, list) and all(isinstance(one, dict) for one in each) for each in lists):
            return f"`{name}` does not hold lists of objects"
    return None


def _both(one: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    return lambda said: one(said) or _lists(said)


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "if": _conditions,
    "filter": _conditions,
    "switch": _switch,
    "merge": _merge,
    "code": _code,
    "wait": _wait,
    "sort": _both(_sort),
    "set": _lists,
    "aggregate": _lists,
    "renameKeys": _lists,
}


def _kind(raw: Mapping[str, Any]) -> str:
    return str(raw.get("type", "")).rpartition(".")[2]
