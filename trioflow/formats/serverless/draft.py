"""The graph of a document while it is made: its nodes and wires, and which ids are taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Notes
from trioflow.formats.serverless.shape import Names, Reading
from trioflow.formats.serverless.trees import Library, Tree, objects_in
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode

_MOST_NODES = 200_000
_TOO_LARGE = (
    f"it becomes more than {_MOST_NODES:,} nodes: what functions and extensions do stands at each task that uses them."
)


@attrs.frozen
class TaskList:
    """A list of tasks: where its JSON pointer and its path begin, and what the variables of loops in it are called."""

    pointer: str
    path: str
    names: Names
    is_outermost: bool = False
    in_extension: bool = False
    before: bool = False
    """Whether it is what an extension does before a task, which `then: exit` leaves out."""


@attrs.frozen
class Made:
    """What a task has become: the node by which it is entered, and the one by which it is left."""

    first: str
    last: str


class Draft:
    """The graph of a document while it is made."""

    def __init__(
        self,
        tree: Tree,
        source: str,
        notes: Notes,
        make_graph: Callable[[Draft], Graph],
        library: Library,
        graphs: dict[str, Graph | None],
        bodies: Collection[str],
        called: str = "",
    ) -> None:
        self.tree = tree
        self.source = source
        self.notes = notes
        self.make_graph = make_graph
        """Makes the graph of a document that this one calls."""
        self.library = library
        self.graphs = graphs
        self.bodies = bodies
        self.called = called
        """The name of the graph in those of another document that calls it."""
        use = tree.get("use")
        self.use: Tree = cast("Tree", use) if isinstance(use, Mapping) else {}
        self.reading = Reading(notes, self.use)
        self.nodes: list[GraphNode] = []
        self.wires: list[Connection] = []
        self.ids: set[str] = {"start", "workflow", "graph enter", "graph leave"}
        self.numbers: dict[str, int] = {}
        self.calling: list[str] = []
        self.emits = any(isinstance(each, Mapping) and "emit" in each for each in objects_in(tree))

    def add_task(self, type_id: str, name: str, task: Tree, pointer: str, **inputs: Any) -> str:
        return self.add(type_id, name, {"task": without_tasks(task), "reference": pointer, **inputs})

    def delegated(self, work: str, type_id: str, name: str, task: Tree, pointer: str) -> str:
        """A task whose work is done by a host, in the node `work`."""
        node = self.add_task("serverless.delegate", name, task, pointer)
        sockets = Sockets(inputs={"input": "any"}, outputs={"output": "any"})
        self.nodes.append(placeholder(work, type_id, sockets=sockets))
        self.wire(f"{node}.call", f"{work}.enter")
        self.wire(f"{node}.given", f"{work}.input")
        self.wire(f"{work}.output", f"{node}.result")
        return node

    def has_body(self, name: str) -> bool:
        """Whether the host gives a body to the task that gets the next id of this name."""
        if not self.bodies:
            return False
        node = self.free(name)
        return node in self.bodies or (self.called != "" and f"{self.called}/{node}" in self.bodies)

    def add(self, type_id: str, name: str, inputs: Mapping[str, Any]) -> str:
        node = self.unique(name)
        self.nodes.append(GraphNode(node, type_id, inputs))
        return node

    def unique(self, name: str) -> str:
        if len(self.ids) > _MOST_NODES:
            raise DocumentError(self.source, [_TOO_LARGE])
        found = self.free(name)
        self.ids.add(found)
        return found

    def free(self, name: str) -> str:
        """The id that a task of this name gets next."""
        wanted = name.replace("/", "∕") or "task"  # noqa: RUF001 - events name a node in a graph with /
        number = self.numbers.get(wanted, 1)
        found = wanted if number == 1 else f"{wanted} {number}"
        while found in self.ids:
            number += 1
            found = f"{wanted} {number}"
        self.numbers[wanted] = number
        return found

    def wire(self, source: str, target: str) -> None:
        ends = [Endpoint(*each.rsplit(".", 1)) for each in (source, target)]
        self.wires.append(Connection(*ends))


def without_tasks(task: Tree) -> dict[str, Any]:
    """The definition of a task with the lists of tasks in it left empty: they are nodes of their own."""
    made = dict(task)
    for key in ("do", "try"):
        if key in made:
            made[key] = []
    for outer, key in (("catch", "do"), ("foreach", "do"), ("fork", "branches")):
        if isinstance(made.get(outer), Mapping) and key in made[outer]:
            made[outer] = {**made[outer], key: []}
    return made
