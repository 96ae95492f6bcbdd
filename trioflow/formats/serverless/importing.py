"""From a document to a graph: each task is a node, and what follows it a wire.

The wires call, so a list of tasks is a chain of nodes, and a task with tasks in it triggers their first one and comes
back when control has come to the end. What is not done here (containers, AsyncAPI, gRPC, MCP) is a placeholder, for
which a host may give a body.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from trioflow.errors import DocumentError
from trioflow.formats.port import Imported, Notes
from trioflow.formats.serverless import shape
from trioflow.formats.serverless.draft import Draft, TaskList
from trioflow.formats.serverless.duration import as_cron
from trioflow.formats.serverless.shape import read_fields, step
from trioflow.formats.serverless.task import CONTEXT, DATA, INPUT, NAMES, WORKFLOW
from trioflow.formats.serverless.tasks import make_list
from trioflow.formats.serverless.trees import Library, Tree, fields_of, get_in, items_in
from trioflow.model.graph import Entry, Exit, Graph, GraphNode, Input, Interface, Output, Variable
from trioflow.model.trigger import Trigger

FORMAT_NAME = "serverless-workflow"
"""The name of the format, also the key in the metadata of a graph that comes from it."""


def read_tree(tree: Any, source: str, library: Library | None = None, bodies: Collection[str] = ()) -> Imported:
    """The graph that a document says; `tree` is the document as dicts and lists, JSON without anything else.

    `library` are the workflows that it may call, by namespace, name and version. `bodies` are the ids of the tasks that
    a host does in their place. Raises `DocumentError` for what is no document of the format at all.
    """
    if not isinstance(tree, dict) or "do" not in tree:
        raise DocumentError(source, ["expected an object with `document` and `do`."])
    notes = Notes()
    graph = make_graph(Draft(cast("Tree", tree), source, notes, make_graph, library or {}, {}, bodies))
    return Imported(graph, tuple(notes))


def make_graph(draft: Draft) -> Graph:
    """The graph of the document."""
    tree = draft.tree
    read_fields(draft.reading, tree, "", frozenset(), shape.WORKFLOW, ("document", "do"))
    check_use(draft)
    triggers = triggers_in(draft)
    frame = {key: value for key, value in tree.items() if key != "do"}
    if not draft.called:
        draft.nodes.append(GraphNode("start", "flow.start"))
    else:
        draft.nodes += [GraphNode("graph enter", "graph.enter"), GraphNode("graph leave", "graph.leave")]
        draft.wire("graph enter.enter", "workflow.enter")
        draft.wire("graph enter.input", "workflow.given")
        draft.wire("workflow.done", "graph leave.done")
        draft.wire("workflow.output", "graph leave.output")
    draft.nodes.append(GraphNode("workflow", "serverless.workflow", {"document": frame}))
    if not draft.called:
        draft.wire("start.then", "workflow.enter")
    make_list(draft, tree["do"], TaskList("/do", "do", frozenset(), is_outermost=True), "workflow.tasks")
    draft.reading.compile()
    return Graph(
        nodes=draft.nodes,
        connections=draft.wires,
        variables=[
            Variable(INPUT, "any", {}, doc="what the workflow is given"),
            Variable(DATA, "any", None, "first", doc="what the last task gave, in the end the output"),
            Variable(CONTEXT, "any", {}, doc="what tasks export to, $context"),
            Variable(NAMES, "dict", {}, "first", doc="what loops and handlers add to the names of expressions"),
            Variable(WORKFLOW, "dict", {}, "first", doc="what is known of the workflow, $workflow"),
        ],
        interface=_INTERFACE if draft.called else None,
        triggers=[] if draft.called else triggers,
        metadata={FORMAT_NAME: {"dsl": get_in(tree, "document", "dsl")}},
        graphs={name: graph for name, graph in draft.graphs.items() if graph is not None} if not draft.called else {},
    )


def check_use(draft: Draft) -> None:
    """Check what tasks use."""
    for name, policy in fields_of(draft.use.get("retries")):
        shape.retry(draft.reading, policy, step("use.retries", name), frozenset(["error"]))
    for index, item in enumerate(items_in(draft.use.get("extensions"))):
        if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
            draft.reading.wrong(step("use.extensions", index), "an object with one name and its extension", item)
        for name, extension in fields_of(item):
            path = step(step("use.extensions", index), name)
            read_fields(draft.reading, extension, path, frozenset(), shape.EXTENSION, ("extend",))
    if draft.use.get("catalogs"):
        draft.notes.warning("not-understood", "use.catalogs", "Catalogs are not read.")


def triggers_in(draft: Draft) -> list[Trigger]:
    """When runs start: triggers of the graph, where one can say it."""
    schedule = draft.tree.get("schedule")
    found: list[Trigger] = []
    for key, value in fields_of(schedule):
        cron = str(value) if key == "cron" else as_cron(value) if key == "every" else ""
        if key == "on":
            message = "A run waits for these events before it begins, unless it is given an input."
        elif len(cron.split()) == 5:
            found.append(Trigger(cron=cron))
            message = f"A trigger of the graph ({cron}), for `trioflow serve`: one run does the work once."
        else:
            message = "One run does the work once. When it runs is for whoever starts runs: a trigger, or cron."
        draft.notes.info("schedule", step("schedule", key), message)
    return found


_INTERFACE = Interface(
    entries=[Entry("enter")], exits=[Exit("done")], inputs=[Input("input", "any", {})], outputs=[Output("output")]
)
