"""From a document to a graph: each task is a node, and what follows it a wire.

The wires call, so a list of tasks is a chain of nodes, and a task with tasks in it triggers their first one and comes
back when control has come to the end. What is not done here (containers, AsyncAPI, gRPC, MCP) is a placeholder, for
which a host may give a body.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Imported, Notes
from trioflow.formats.serverless import shape
from trioflow.formats.serverless.duration import as_cron
from trioflow.formats.serverless.expressions import escaped
from trioflow.formats.serverless.nodes.processes import without_subscription
from trioflow.formats.serverless.nodes.scopes import WIDE, WIDTH
from trioflow.formats.serverless.shape import Kind, Names, Reading, read_fields, step
from trioflow.formats.serverless.task import CONTEXT, DATA, INPUT, NAMES, WORKFLOW
from trioflow.model.graph import Connection, Endpoint, Entry, Exit, Graph, GraphNode, Input, Interface, Output, Variable
from trioflow.model.trigger import Trigger

KINDS = ("call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait")
"""The fields of which a task has one, which says what it does. A `for` has a `do` as well."""

Tree = Mapping[str, Any]
Library = Mapping[tuple[str, str, str], Tree]
"""Workflows by namespace, name and version."""

FORMAT_NAME = "serverless-workflow"
"""The name of the format, also the key in the metadata of a graph that comes from it."""


_MOST_NODES = 200_000
_TOO_LARGE = (
    f"it becomes more than {_MOST_NODES:,} nodes: what functions and extensions do stands at each task that uses them."
)
_OUTSIDE = {"asyncapi": "AsyncAPI", "grpc": "gRPC", "mcp": "MCP", "a2a": "A2A"}
_WORK: Mapping[str, str] = {
    "do": "serverless.do",
    "emit": "serverless.emit",
    "for": "serverless.for",
    "listen": "serverless.listen",
    "raise": "serverless.raise",
    "set": "serverless.set",
    "try": "serverless.try",
    "wait": "serverless.wait",
}


def read_tree(tree: Any, source: str, library: Library | None = None, bodies: Collection[str] = ()) -> Imported:
    """The graph that a document says; `tree` is the document as dicts and lists, JSON without anything else.

    `library` are the workflows that it may call, by namespace, name and version. `bodies` are the ids of the tasks that
    a host does in their place. Raises `DocumentError` for what is no document of the format at all.
    """
    if not isinstance(tree, dict) or "do" not in tree:
        raise DocumentError(source, ["expected an object with `document` and `do`."])
    notes = Notes()
    graph = _Importer(cast("Tree", tree), source, notes, library or {}, {}, bodies).graph()
    return Imported(graph, tuple(notes))


def named_by(tree: Tree) -> tuple[str, str, str]:
    """The namespace, the name and the version of a document; texts, whatever it says."""
    about = tree.get("document")
    said: Tree = cast("Tree", about) if isinstance(about, Mapping) else {}
    return str(said.get("namespace", "")), str(said.get("name", "")), str(said.get("version", ""))


@attrs.frozen
class _List:
    """A list of tasks: where its JSON pointer and its path begin, and what the variables of loops in it are called."""

    pointer: str
    path: str
    names: Names
    is_outermost: bool = False
    in_extension: bool = False
    before: bool = False
    """Whether it is what an extension does before a task, which `then: exit` leaves out."""


@attrs.frozen
class _Made:
    """What a task has become: the node by which it is entered, and the one by which it is left."""

    first: str
    last: str


class _Importer:
    def __init__(
        self,
        tree: Tree,
        source: str,
        notes: Notes,
        library: Library,
        graphs: dict[str, Graph | None],
        bodies: Collection[str],
        called: str = "",
    ) -> None:
        self._tree = tree
        self._source = source
        self._notes = notes
        self._library = library
        self._graphs = graphs
        self._bodies = bodies
        self._called = called
        """The name of the graph in those of another document that calls it."""
        use = tree.get("use")
        self._use: Tree = cast("Tree", use) if isinstance(use, Mapping) else {}
        self._reading = Reading(notes, self._use)
        self._nodes: list[GraphNode] = []
        self._wires: list[Connection] = []
        self._ids: set[str] = {"start", "workflow", "graph enter", "graph leave"}
        self._numbers: dict[str, int] = {}
        self._calling: list[str] = []
        self._emits = any(isinstance(each, Mapping) and "emit" in each for each in _objects_in(tree))

    def graph(self) -> Graph:
        """The graph of the document."""
        tree = self._tree
        read_fields(self._reading, tree, "", frozenset(), shape.WORKFLOW, ("document", "do"))
        self._check_use()
        triggers = self._schedule()
        frame = {key: value for key, value in tree.items() if key != "do"}
        if not self._called:
            self._nodes.append(GraphNode("start", "flow.start"))
        else:
            self._nodes += [GraphNode("graph enter", "graph.enter"), GraphNode("graph leave", "graph.leave")]
            self._wire("graph enter.enter", "workflow.enter")
            self._wire("graph enter.input", "workflow.given")
            self._wire("workflow.done", "graph leave.done")
            self._wire("workflow.output", "graph leave.output")
        self._nodes.append(GraphNode("workflow", "serverless.workflow", {"document": frame}))
        if not self._called:
            self._wire("start.then", "workflow.enter")
        self._list(tree["do"], _List("/do", "do", frozenset(), is_outermost=True), "workflow.tasks")
        self._reading.compile()
        return Graph(
            nodes=self._nodes,
            connections=self._wires,
            variables=[
                Variable(INPUT, "any", {}, doc="what the workflow is given"),
                Variable(DATA, "any", None, "first", doc="what the last task gave, in the end the output"),
                Variable(CONTEXT, "any", {}, doc="what tasks export to, $context"),
                Variable(NAMES, "dict", {}, "first", doc="what loops and handlers add to the names of expressions"),
                Variable(WORKFLOW, "dict", {}, "first", doc="what is known of the workflow, $workflow"),
            ],
            interface=_INTERFACE if self._called else None,
            triggers=[] if self._called else triggers,
            metadata={FORMAT_NAME: {"dsl": _get(tree, "document", "dsl")}},
            graphs={name: graph for name, graph in self._graphs.items() if graph is not None}
            if not self._called
            else {},
        )

    # --- what is not a task ---

    def _check_use(self) -> None:
        for name, policy in _items(self._use.get("retries")):
            shape.retry(self._reading, policy, step("use.retries", name), frozenset(["error"]))
        for index, item in enumerate(_list(self._use.get("extensions"))):
            if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
                self._reading.wrong(step("use.extensions", index), "an object with one name and its extension", item)
            for name, extension in _items(item):
                path = step(step("use.extensions", index), name)
                read_fields(self._reading, extension, path, frozenset(), shape.EXTENSION, ("extend",))
        if self._use.get("catalogs"):
            self._notes.warning("not-understood", "use.catalogs", "Catalogs are not read.")

    def _schedule(self) -> list[Trigger]:
        """When runs start: triggers of the graph, where one can say it."""
        schedule = self._tree.get("schedule")
        found: list[Trigger] = []
        for key, value in _items(schedule):
            cron = str(value) if key == "cron" else as_cron(value) if key == "every" else ""
            if key == "on":
                message = "A run waits for these events before it begins, unless it is given an input."
            elif len(cron.split()) == 5:
                found.append(Trigger(cron=cron))
                message = f"A trigger of the graph ({cron}), for `trioflow serve`: one run does the work once."
            else:
                message = "One run does the work once. When it runs is for whoever starts runs: a trigger, or cron."
            self._notes.info("schedule", step("schedule", key), message)
        return found

    # --- lists of tasks ---

    def _list(self, items: Any, around: _List, source: str | None) -> str | None:
        """Make nodes of a list of tasks, the first one behind `source`; gives the id of the first one."""
        if not isinstance(items, list):
            self._reading.wrong(around.path, "a list of tasks", items)
            return None
        found: list[tuple[str, Any, int]] = []
        for index, item in enumerate(items):
            if isinstance(item, Mapping) and len(cast("Tree", item)) == 1:
                ((name, task),) = cast("Tree", item).items()
                found.append((name, task, index))
            else:
                self._reading.wrong(step(around.path, index), "an object with one name and its task", item)
        made: list[_Made | None] = [None] * len(found)
        places: dict[str, int] = {}
        for place, (name, task, index) in enumerate(found):
            path = step(step(around.path, index), name)
            if name in places:
                self._notes.error("same-name", path, f"There are two tasks {name!r} in this list.")
            places.setdefault(name, place)
            pointer = f"{around.pointer}/{index}/{escaped(name)}"
            made[place] = self._extended(name, task, pointer, path, around)
        siblings = {name: made[place] for name, place in places.items()}
        there = [(here, item) for here, item in zip(made, found, strict=True) if here is not None]
        for (here, (name, task, index)), after in zip_longest(there, there[1:]):
            path = step(step(around.path, index), name)
            self._lead(here, task, path, around, siblings, after[0] if after is not None else None)
        if not there:
            return None
        first = there[0][0].first
        if source is not None:
            self._wire(source, f"{first}.enter")
        return first

    def _lead(
        self,
        here: _Made,
        task: Tree,
        path: str,
        around: _List,
        siblings: Mapping[str, _Made | None],
        following: _Made | None,
    ) -> None:
        """The wires from a task to what follows it."""

        def lead(socket: str, directive: Any, at: str) -> None:
            to = self._target(directive, at, around, siblings, following)
            if to is not None:
                self._wire(f"{here.last}.{socket}", f"{to}.enter")

        lead("then", task.get("then"), step(path, "then"))
        if "if" in task:
            lead("skipped", None, path)
        for number, item in enumerate(_list(task.get("switch")), 1):
            for name, case in _items(item):
                at = step(step(step(path, "switch"), number - 1), name)
                lead(f"case_{number}", _get(case, "then"), step(at, "then"))

    def _target(
        self,
        directive: Any,
        at: str,
        around: _List,
        siblings: Mapping[str, _Made | None],
        following: _Made | None,
    ) -> str | None:
        """The node to which a directive leads; None where it only comes back to the task around."""
        if directive is None or directive == "continue":
            return following.first if following is not None else None
        if directive == "exit":
            return self._add("serverless.exit", "exit", {}) if around.before else None
        if directive == "end":
            return None if around.is_outermost else self._add("serverless.end", "end", {})
        if not isinstance(directive, str):
            return None  # said already
        there = siblings.get(directive)
        if directive not in siblings:
            near = did_you_mean(directive, siblings)
            self._notes.error("unknown-name", at, f"There is no task {directive!r} in this list.{near}")
        return there.first if there is not None else None

    # --- tasks ---

    def _extended(self, name: str, task: Any, pointer: str, path: str, around: _List) -> _Made | None:
        """A task, with what extensions do around it."""
        if not isinstance(task, Mapping):
            self._reading.wrong(path, "a task", task)
            return None
        described = cast("Tree", task)
        kind = self._kind(described, path)
        if kind is None:
            return None
        extensions = [] if around.in_extension else self._extensions_of(kind)
        if not extensions:
            return self._task(name, described, kind, pointer, path, around)
        outer: _Made | None = None
        inside = ""
        for place, (extension, pointer_of, path_of) in extensions:
            definition = {
                "task": {**_without_tasks(described), "name": name},
                **{key: extension[key] for key in ("when",) if key in extension},
            }
            node = self._add(
                "serverless.extended", f"{place} around {name}", {"task": definition, "reference": pointer}
            )
            if inside:
                self._wire(f"{inside}.tasks", f"{node}.enter")
            outer = outer or _Made(node, node)
            inside = node
            for key in ("before", "after"):
                if key in extension:
                    part = _List(
                        f"{pointer_of}/{key}",
                        step(path_of, key),
                        frozenset(),
                        in_extension=True,
                        before=key == "before",
                    )
                    self._list(extension[key], part, f"{node}.{key}")
        innermost = self._task(name, described, kind, pointer, path, around)
        if innermost is not None:
            self._wire(f"{inside}.tasks", f"{innermost.first}.enter")
        return outer

    def _kind(self, task: Tree, path: str) -> str | None:
        has = [kind for kind in KINDS if kind in task and not (kind == "do" and "for" in task)]
        if len(has) == 1:
            return has[0]
        got = ", ".join(has) if has else ", ".join(map(str, task)) or "nothing"
        near = "" if has else next(filter(None, (did_you_mean(str(key), KINDS) for key in task)), "")
        self._notes.error("unknown-task", path, f"A task has exactly one of {', '.join(KINDS)}, got {got}.{near}")
        return None

    def _extensions_of(self, kind: str) -> list[tuple[str, tuple[Tree, str, str]]]:
        found: list[tuple[str, tuple[Tree, str, str]]] = []
        for index, item in enumerate(_list(self._use.get("extensions"))):
            for name, extension in _items(item):
                extends = cast("Tree", extension).get("extend") if isinstance(extension, Mapping) else None
                if extends in (kind, "all") or (extends == "composite" and kind in ("do", "fork")):
                    path = step(step("use.extensions", index), name)
                    found.append((name, (cast("Tree", extension), f"/use/extensions/{index}/{escaped(name)}", path)))
        return found

    def _task(self, name: str, task: Tree, kind: str, pointer: str, path: str, around: _List) -> _Made | None:
        names = around.names
        fields: dict[str, Kind] = {**shape.TASK, **_FIELDS[kind]}
        # What follows `in` sees the variables of the loop, and so does its own condition.
        if not read_fields(self._reading, task, path, names, fields, (kind,)):
            return None
        if kind != "switch" and self._has_body(name):
            node = self._delegated(self._unique(name), "serverless.answered", f"{name}.task", task, pointer)
            return _Made(node, node)
        make = getattr(self, f"_{kind}", None)
        made: str | None
        if make is not None:
            made = make(name, task, pointer, path, around)
        else:
            made = self._add(_WORK[kind], name, {"task": _without_tasks(task), "reference": pointer})
        return _Made(made, made) if made is not None else None

    def _node(self, type_id: str, name: str, task: Tree, pointer: str, **inputs: Any) -> str:
        return self._add(type_id, name, {"task": _without_tasks(task), "reference": pointer, **inputs})

    def _do(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str:
        node = self._node("serverless.do", name, task, pointer)
        self._list(task["do"], self._inside(around, f"{pointer}/do", step(path, "do")), f"{node}.tasks")
        return node

    def _inside(self, around: _List, pointer: str, path: str, *names: Any) -> _List:
        more = frozenset(each for each in names if isinstance(each, str))
        return _List(pointer, path, around.names | more, in_extension=around.in_extension)

    def _for(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str | None:
        loop = cast("Tree", task["for"]) if isinstance(task["for"], Mapping) else {}
        node = self._node("serverless.for", name, task, pointer)
        inside = self._inside(
            around, f"{pointer}/do", step(path, "do"), loop.get("each", "item"), loop.get("at", "index")
        )
        if "while" in task:
            shape.loose(self._reading, task["while"], step(path, "while"), inside.names)
        if "do" not in task:
            self._notes.error("missing-field", path, "The field 'do' is missing.")
            return node
        self._list(task["do"], inside, f"{node}.tasks")
        return node

    def _try(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str:
        node = self._node("serverless.try", name, task, pointer)
        self._list(task["try"], self._inside(around, f"{pointer}/try", step(path, "try")), f"{node}.tasks")
        at = step(path, "catch")
        if not isinstance(task.get("catch"), Mapping):
            self._reading.wrong(at, "an object with errors, as, retry or do", task.get("catch"))
            return node
        catch = cast("Tree", task["catch"])
        inside = self._inside(around, f"{pointer}/catch/do", step(at, "do"), catch.get("as", "error"))
        for key in ("when", "exceptWhen"):
            if key in catch:
                shape.loose(self._reading, catch[key], step(at, key), inside.names)
        if "retry" in catch:
            kind = shape.referable("retries", shape.retry)
            kind(self._reading, catch["retry"], step(at, "retry"), inside.names)
        if "do" in catch:
            self._list(catch["do"], inside, f"{node}.catch")
        return node

    def _fork(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str | None:
        fork = cast("Tree", task["fork"]) if isinstance(task["fork"], Mapping) else {}
        branches = fork.get("branches", [])
        at = step(step(path, "fork"), "branches")
        count = len(_list(branches))
        if count > WIDE:
            self._notes.error("too-many", at, f"A fork has at most {WIDE} branches here, got {count}.")
            return None
        if count == 0:
            self._notes.error("missing-field", at, "A fork needs a list with at least one branch.")
            return None
        node = self._node("serverless.fork" if count <= WIDTH else "serverless.wide_fork", name, task, pointer)
        for index, item in enumerate(_list(branches)):
            # Each branch is a list of one task, so that what follows in the list does not follow it.
            one = self._inside(around, f"{pointer}/fork/branches", at)
            first = self._branch(item, index, one)
            if first is not None:
                self._wire(f"{node}.branch_{index + 1}", f"{first.first}.enter")
                self._wire(f"{first.last}.output", f"{node}.result_{index + 1}")
        return node

    def _branch(self, item: Any, index: int, around: _List) -> _Made | None:
        path = step(around.path, index)
        if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
            self._reading.wrong(path, "an object with one name and its task", item)
            return None
        ((name, task),) = cast("Tree", item).items()
        path = step(path, name)
        made = self._extended(name, task, f"{around.pointer}/{index}/{escaped(name)}", path, around)
        if made is not None:
            self._lead(made, cast("Tree", task), path, around, {name: made}, None)
        return made

    def _switch(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str | None:
        cases = _list(task["switch"])
        at = step(path, "switch")
        if not cases or len(cases) > WIDE:
            self._notes.error("too-many" if cases else "missing-field", at, f"A switch has 1 to {WIDE} cases here.")
            return None
        for index, item in enumerate(cases):
            if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
                self._reading.wrong(step(at, index), "an object with one name and its case", item)
                return None
            ((case, described),) = cast("Tree", item).items()
            read_fields(self._reading, described, step(step(at, index), case), around.names, shape.CASE, ("then",))
            if not isinstance(described, Mapping):
                return None
        return self._node("serverless.switch" if len(cases) <= WIDTH else "serverless.wide_switch", name, task, pointer)

    def _listen(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str:
        node = self._node("serverless.listen", name, task, pointer, emits=self._emits)
        if "foreach" in task:
            at = step(path, "foreach")
            each = cast("Tree", task["foreach"]) if isinstance(task["foreach"], Mapping) else {}
            inside = self._inside(
                around, f"{pointer}/foreach/do", step(at, "do"), each.get("item", "item"), each.get("at", "index")
            )
            read_fields(self._reading, task["foreach"], at, inside.names, shape.FOREACH)
            if "do" in each:
                self._list(each["do"], inside, f"{node}.tasks")
        return node

    def _call(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str | None:
        called, at = task["call"], step(path, "with")
        if not isinstance(called, str):
            self._reading.wrong(step(path, "call"), "http, openapi, or the name of a function", called)
            return None
        if called in {"http", "openapi"}:
            kind = shape.HTTP if called == "http" else shape.OPENAPI
            kind(self._reading, task.get("with"), at, around.names)
            if not isinstance(task.get("with"), Mapping):
                return None
            secret = self._secret_of(cast("Tree", task["with"]))
            return self._node(f"serverless.call_{called}", name, task, pointer, **secret)
        if "with" in task:
            # What is asked of each message that comes is for whoever does the work.
            shape.strict_object(self._reading, without_subscription(task["with"]), at, around.names)
        functions = self._use.get("functions")
        if isinstance(functions, Mapping) and called in functions:
            return self._function(name, called, task, pointer, path)
        if called in _OUTSIDE:
            return self._placeholder(
                name, f"serverless.{called}", task, pointer, path, f"{_OUTSIDE[called]} is not spoken here."
            )
        near = did_you_mean(called, cast("Tree", functions)) if isinstance(functions, Mapping) else ""
        return self._placeholder(
            name,
            "serverless.catalogued",
            task,
            pointer,
            path,
            f"The function {called!r} is not in this document.{near}",
        )

    def _function(self, name: str, called: str, task: Tree, pointer: str, path: str) -> str | None:
        if called in self._calling:
            self._notes.error("circle", step(path, "call"), f"The function {called!r} calls itself.")
            return None
        node = self._node("serverless.function", name, task, pointer)
        self._calling.append(called)
        around = _List("/use/functions", "use.functions", frozenset())
        body = self._extended(
            f"{name}: {called}",
            self._use["functions"][called],
            f"/use/functions/{escaped(called)}",
            step("use.functions", called),
            around,
        )
        self._calling.pop()
        if body is not None:
            self._wire(f"{node}.tasks", f"{body.first}.enter")
        return node

    def _secret_of(self, given: Tree) -> dict[str, Any]:
        """The secret that the authentication of a call names."""
        endpoint = given.get("endpoint", _get(given, "document", "endpoint"))
        described: Any = given.get("authentication", _get(endpoint, "authentication"))
        name = _get(described, "use")
        if isinstance(name, str):
            described = _get(self._use, "authentications", name)
        for scheme in _items_of(described).values():
            secret = _get(scheme, "use")
            if isinstance(secret, str):
                return {"secret": {"secret": secret}}
        return {}

    def _run(self, name: str, task: Tree, pointer: str, path: str, around: _List) -> str | None:
        run = cast("Tree", task["run"]) if isinstance(task["run"], Mapping) else {}
        if run.get("await") is False:
            self._notes.info("awaits", step(step(path, "run"), "await"), "It is waited for all the same.")
        if "workflow" in run:
            return self._workflow(name, task, run["workflow"], pointer, path)
        if "container" in run:
            return self._placeholder(name, "serverless.container", task, pointer, path, "Containers are not run here.")
        kind = "shell" if "shell" in run else "script"
        return self._node(f"serverless.run_{kind}", name, task, pointer) if kind in run else None

    def _workflow(self, name: str, task: Tree, described: Any, pointer: str, path: str) -> str | None:
        if not isinstance(described, Mapping):
            return None
        wanted = cast("Tree", described)
        key = (str(wanted.get("namespace", "")), str(wanted.get("name", "")), str(wanted.get("version", "latest")))
        if key[2] == "latest":
            versions = sorted(
                (each for each in self._library if each[:2] == key[:2]), key=lambda each: _version(each[2])
            )
            key = versions[-1] if versions else key
        called = "/".join(key)
        found = self._library.get(key)
        if found is None:
            message = f"The workflow {called} is not in the folder of this document."
            return self._placeholder(name, "serverless.missing_workflow", task, pointer, path, message)
        if called not in self._graphs:
            self._graphs[called] = None  # it may call itself
            inner = _Importer(found, self._source, Notes(), self._library, self._graphs, self._bodies, called)
            graph = inner.graph()
            for each in inner._notes:
                if each.severity == "error":
                    self._notes.error(each.code, step(path, "run"), f"{called}: {each.path}: {each.message}", each.cure)
            self._graphs[called] = graph
        node = self._node("serverless.delegate", name, task, pointer)
        call = self._add(f"graph:{called}", f"{name}: {wanted.get('name')}", {})
        self._wire(f"{node}.call", f"{call}.enter")
        self._wire(f"{node}.given", f"{call}.input")
        self._wire(f"{call}.output", f"{node}.result")
        return node

    def _placeholder(self, name: str, type_id: str, task: Tree, pointer: str, path: str, message: str) -> str:
        work = self._unique(f"{self._free(name)}.{type_id.rpartition('.')[2]}")
        node = self._delegated(work, type_id, name, task, pointer)
        self._notes.error("placeholder", path, message, "Give the node a body that does it.", node=work)
        return node

    def _delegated(self, work: str, type_id: str, name: str, task: Tree, pointer: str) -> str:
        """A task whose work is done by a host, in the node `work`."""
        node = self._node("serverless.delegate", name, task, pointer)
        sockets = Sockets(inputs={"input": "any"}, outputs={"output": "any"})
        self._nodes.append(placeholder(work, type_id, sockets=sockets))
        self._wire(f"{node}.call", f"{work}.enter")
        self._wire(f"{node}.given", f"{work}.input")
        self._wire(f"{work}.output", f"{node}.result")
        return node

    def _has_body(self, name: str) -> bool:
        """Whether the host gives a body to the task that gets the next id of this name."""
        if not self._bodies:
            return False
        node = self._free(name)
        return node in self._bodies or (self._called != "" and f"{self._called}/{node}" in self._bodies)

    # --- nodes and wires ---

    def _add(self, type_id: str, name: str, inputs: Mapping[str, Any]) -> str:
        node = self._unique(name)
        self._nodes.append(GraphNode(node, type_id, inputs))
        return node

    def _unique(self, name: str) -> str:
        if len(self._ids) > _MOST_NODES:
            raise DocumentError(self._source, [_TOO_LARGE])
        found = self._free(name)
        self._ids.add(found)
        return found

    def _free(self, name: str) -> str:
        """The id that a task of this name gets next."""
        wanted = name.replace("/", "∕") or "task"  # noqa: RUF001 - events name a node in a graph with /
        number = self._numbers.get(wanted, 1)
        found = wanted if number == 1 else f"{wanted} {number}"
        while found in self._ids:
            number += 1
            found = f"{wanted} {number}"
        self._numbers[wanted] = number
        return found

    def _wire(self, source: str, target: str) -> None:
        ends = [Endpoint(*each.rsplit(".", 1)) for each in (source, target)]
        self._wires.append(Connection(*ends))


_INTERFACE = Interface(
    entries=[Entry("enter")], exits=[Exit("done")], inputs=[Input("input", "any", {})], outputs=[Output("output")]
)

_FIELDS: Mapping[str, Mapping[str, Kind]] = {
    "call": {"call": shape.anything, "with": shape.anything},
    "do": {"do": shape.anything},
    "emit": {"emit": shape.EMIT},
    "for": {"for": shape.FOR, "while": shape.anything, "do": shape.anything},
    "fork": {"fork": shape.record({"branches": shape.anything, "compete": shape.flag}, "branches")},
    "listen": {"listen": shape.LISTEN, "foreach": shape.anything},
    "raise": {"raise": shape.RAISE},
    "run": {"run": shape.RUN},
    "set": {"set": shape.some(shape.strict_object)},
    "switch": {"switch": shape.listing(shape.anything)},
    "try": {"try": shape.anything, "catch": shape.record(shape.CATCH)},
    "wait": {"wait": shape.duration},
}


def _without_tasks(task: Tree) -> dict[str, Any]:
    """The definition of a task with the lists of tasks in it left empty: they are nodes of their own."""
    made = dict(task)
    for key in ("do", "try"):
        if key in made:
            made[key] = []
    for outer, key in (("catch", "do"), ("foreach", "do"), ("fork", "branches")):
        if isinstance(made.get(outer), Mapping) and key in made[outer]:
            made[outer] = {**made[outer], key: []}
    return made


def _objects_in(value: Any) -> Iterator[Any]:
    todo = [value]
    while todo:
        each = todo.pop()
        yield each
        if isinstance(each, Mapping):
            todo += cast("Tree", each).values()
        elif isinstance(each, list):
            todo += _list(each)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _items_of(value: Any) -> Tree:
    return cast("Tree", value) if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from _items_of(value).items()


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = _items_of(value).get(key)
    return value


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(each) if each.isdigit() else -1 for each in text.split("."))
