"""From a diagram of DiPeO to a workflow of ours.

Each node becomes one node of its label, and where it needs more, nodes beside it whose ids begin with its label. What
arrows bring a node is put together by their labels (`value.collect`): as names for scripts, templates and prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trioflow.formats.called import add_interface
from trioflow.formats.dipeo.conditions import condition_node
from trioflow.formats.dipeo.diagram import Arrow, Node
from trioflow.formats.dipeo.draft import KEY, Draft, Made
from trioflow.formats.dipeo.files import db, endpoint
from trioflow.formats.dipeo.forms import read_diagram
from trioflow.formats.dipeo.inputs import find_variables, resolve_sources
from trioflow.formats.dipeo.jobs import api_job, code_job, hook, json_schema_validator, template_job
from trioflow.formats.dipeo.joins import bound_circles, set_join
from trioflow.formats.dipeo.persons import check_persons, person_job, user_response
from trioflow.formats.dipeo.sub_diagrams import sub_diagram
from trioflow.formats.dipeo.unknown import unknown
from trioflow.formats.fields import Fields
from trioflow.formats.port import Document, Imported, ImportOptions, Notes
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode
from trioflow.model.registry import Registry


def import_diagram(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    """The workflow that a diagram says. Raises `DocumentError` for what is none."""
    notes = Notes()
    diagram = read_diagram(document, notes)
    said = tuple(notes)
    draft = Draft(document, diagram, notes, called=options.called)
    graph = make_graph(draft)
    while draft.clashes:
        # A label that a node beside another one has to have gives way, and all is made again.
        notes = Notes(said)
        labels = {node.label for node in diagram.nodes}
        names: dict[str, str] = {}
        for label in draft.clashes:
            name = f"{label}~"
            while name in labels:
                name += "~"
            labels.add(name)
            names[label] = name
            notes.info("renamed", "nodes", f"{label!r} is called {name!r}: the import needs that name itself.")
        said = tuple(notes)
        diagram = diagram.renamed(names)
        draft = Draft(document, diagram, notes, called=options.called)
        graph = make_graph(draft)
    return Imported(graph, tuple(notes))


def make_graph(draft: Draft) -> Graph:
    """Make the workflow; one that is called has an interface."""
    find_variables(draft)
    for node in draft.diagram.nodes:
        make_node(draft, node)
    for arrow in draft.diagram.arrows:
        connect(draft, arrow)
    bound_circles(draft)
    for message, places in draft.said.items():
        more = f" (so for {len(places):,})" if len(places) > 1 else ""
        draft.notes.info("differs", places[0], message + more + ".")
    interface = None
    if draft.is_called:
        starts = [node.label for node in draft.diagram.nodes if node.type == "start"] or [
            node.label for node in draft.diagram.nodes if not draft.incoming.get(node.label)
        ]
        ends = [node.label for node in draft.diagram.nodes if node.type == "endpoint"] or [*draft.made]
        interface = add_interface(
            draft.nodes, draft.connections,
            starts=[(draft.made[label].enter, f"{label} inputs") for label in starts],
            results=[(label, value) for label in ends if (value := draft.made[label].value) is not None],
            ends=[made.exit for made in draft.made.values()],
            single=True,
        )  # fmt: skip
    resolve_sources(draft)
    about = {**draft.diagram.about, "persons": {name: dict(said) for name, said in draft.diagram.persons.items()},
             "arrows": [arrow.as_data() for arrow in draft.diagram.arrows]}  # fmt: skip
    check_persons(draft)
    return Graph(
        kind="workflow",
        interface=interface,
        nodes=draft.nodes,
        connections=draft.connections,
        variables=draft.variables.values(),
        metadata={KEY: about},
    )


def make_node(draft: Draft, node: Node) -> None:
    """Make what a node of the diagram becomes."""
    fields = Fields(dict(node.props), node.path, draft.notes, names=node.names)
    for name in ("flipped", "skippable", "color", "notes", "description"):
        fields.take(name)
    draft.making = node.label
    make = _MAKERS.get(node.type, unknown)
    made = make(draft, node, fields)
    draft.made[node.label] = made
    fields.tell_left()
    kept = {"type": node.type, "props": dict(node.props)}
    if node.position is not None:
        kept["position"] = dict(node.position)
    draft.evolve(node.label, metadata={**draft.at(node.label).metadata, KEY: kept})
    set_join(draft, node, fields, made)


def start(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that keeps what a run is given."""
    fields.choice("trigger_mode", ("none", "manual", "hook"), "none")
    if fields.text("trigger_mode").lower() == "hook":
        draft.notes.info("differs", fields.at("trigger_mode"), "What starts a run is whoever runs it.")
    for name in ("hook_event", "hook_filters", "output_data_structure"):
        fields.take(name)
    data = fields.mapping("custom_data")
    names = ["data", "input"] if draft.is_called else ["data"]
    inputs = draft.helper(f"{node.label} inputs", "value.join", {"data": data}, config={"inputs": names})
    draft.add(GraphNode(node.label, "state.keep"))
    draft.wire(inputs, "result", node.label, "value")
    return draft.plain(node.label, "kept")


def connect(draft: Draft, arrow: Arrow) -> None:
    """Wire what an arrow leads from to what it leads to."""
    source, target = draft.made[arrow.source], draft.made[arrow.target]
    when = None
    if arrow.output in {"condtrue", "condfalse"} or source.when:
        if draft.by_label[arrow.source].type != "condition":
            message = f"{arrow.source!r} has no handle {arrow.output!r}: only conditions have it."
            draft.notes.error("unknown-handle", arrow.path, message, "The connection is left out.")
            return
        when = source.when.get(arrow.output)
        if when is None and arrow.output in {"condtrue", "condfalse"}:
            return  # its condition was refused
        if when is None:
            message = "An arrow that leaves a condition and names no handle is always followed."
            draft.notes.info("differs", arrow.path, message)
    elif arrow.output != "default":
        message = f"{arrow.source!r} has no handle {arrow.output!r}."
        draft.notes.error("unknown-handle", arrow.path, message, "The connection is left out.")
        return
    if arrow.input not in {"default", "first"}:
        draft.notes.error("unknown-handle", arrow.path, f"{arrow.target!r} has no handle {arrow.input!r}.")
        return
    draft.connections.append(Connection(source.exit, Endpoint(target.enter, "enter"), when=when))
    if source.turns:
        over = f"turn > {source.turns}"
        turn = Endpoint(f"{arrow.source} turn", "then")
        draft.connections.append(Connection(turn, Endpoint(target.enter, "enter"), when=over))


_MAKERS: Mapping[str, Callable[[Draft, Node, Fields], Made]] = {
    "start": start,
    "endpoint": endpoint,
    "person_job": person_job,
    "user_response": user_response,
    "condition": condition_node,
    "code_job": code_job,
    "template_job": template_job,
    "api_job": api_job,
    "hook": hook,
    "json_schema_validator": json_schema_validator,
    "db": db,
    "sub_diagram": sub_diagram,
}
