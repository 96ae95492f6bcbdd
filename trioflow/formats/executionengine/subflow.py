"""Workflows that are called: their file, what they are given, and what they leave in variables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from trioflow.formats.executionengine.definition import Node
from trioflow.formats.executionengine.expressions import member
from trioflow.formats.executionengine.inputs import feed, variable_of
from trioflow.formats.executionengine.level import Level
from trioflow.formats.fields import kind
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.model.graph import Connection, Endpoint, GraphNode

_UP = 3
"""How many folders above a document are looked into for a file that it names: paths there are those of the program."""


def subflow(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that calls another workflow."""
    fields = node.fields
    said = fields.text("workflowFilePath")
    if not said:
        level.notes.error("bad-value", fields.at("workflowFilePath"), f"{node.id!r} names no workflow.")
    found = file_of(level, said, node)
    path = found or said
    node.result = Endpoint(node.id, "result")
    made = GraphNode(node.id, f"file:{path}", **settings)
    if found is None:
        sockets = Sockets(inputs={"input": "any"}, outputs={"result": "any"})
        made = placeholder(node.id, f"file:{said}", sockets=sockets, **settings)
    mapped = fields.mapping("inputMappings")
    if mapped:
        map_inputs(level, node, mapped)
    else:
        feed(level, node, "input", made, variables=True)
    outputs = {key: value for key, value in fields.mapping("outputMappings").items() if isinstance(value, str)}
    for key, value in fields.mapping("outputMappings").items():
        if key not in outputs:
            at = f"{fields.at('outputMappings')}.{key}"
            level.notes.error("bad-value", at, f"Expected the name of a variable, got {kind(value)}.")
    if outputs and level.prefix:
        names = ", ".join(outputs.values())
        message = f"Variables of the workflow are written when its container has ended: {names}."
        level.notes.info("differs", fields.at("outputMappings"), message)
        level.written += [((node.id,), key, name) for key, name in outputs.items()]
    elif outputs:
        for name in outputs.values():
            level.variables.setdefault(name, None)
        made = attrs.evolve(made, set={name: if_there(key, name) for key, name in outputs.items()})
    return made


def file_of(level: Level, said: str, node: Node) -> str | None:
    """The path of a file that the document names, from where the document is; None if it is not there."""
    said = said.replace("\\", "/")
    home = level.context.document.path
    folder = home.parent if home is not None else Path()
    places = [folder, *[*folder.resolve().parents][:_UP]]
    for place in places:
        if (place / said).is_file():
            return said if place is folder else Path(place / said).as_posix()
    beside = Path(said).name
    if (folder / beside).is_file():
        message = f"{said!r} is not there; {beside!r} beside the document is taken."
        level.notes.info("differs", node.fields.at("workflowFilePath"), message)
        return beside
    level.notes.error(
        "missing-file", node.fields.at("workflowFilePath"), f"There is no file {said!r}.",
        f"Put it there, or give the node a body: {body_for(level.prefix + node.id)}", node=f"{level.prefix}{node.id}",
    )  # fmt: skip
    return None


def map_inputs(level: Level, node: Node, mapped: Mapping[str, Any]) -> None:
    """Give a workflow that is called its values: variables by their names, anything else as it is."""
    names = {f"in_{number}": key for number, key in enumerate(mapped, 1)}
    literals: dict[str, Any] = {}
    collect = level.helper(f"{node.id} input", "value.collect", config={"inputs": names})
    for name, key in names.items():
        value = mapped[key]
        source = variable_of(level, value) if isinstance(value, str) else None
        if source is not None:
            level.connections.append(Connection(source, Endpoint(collect, name)))
        else:
            literals[name] = value
            if isinstance(value, str):
                at = f"{node.fields.at('inputMappings')}.{key}"
                level.notes.info("differs", at, f"There is no variable {value!r}: it is taken for a text.")
    index = next(index for index, each in enumerate(level.helpers) if each.id == collect)
    level.helpers[index] = attrs.evolve(level.helpers[index], inputs=literals)
    level.connections.append(Connection(Endpoint(collect, "result"), Endpoint(node.id, "input")))


def if_there(key: str, variable: str) -> str:
    """What a workflow that was called gives under a key; if it gives nothing, the variable stays as it is."""
    return f"{json.dumps(key)} in out.result ? out.result[{json.dumps(key)}] : {member('vars', variable)}"


def if_there_inside(steps: Sequence[str], key: str, otherwise: str) -> str:
    """What a workflow that a container called gives under a key; otherwise what else there is."""
    place, known = "out.result", list[str]()
    for step in steps:
        place = f"{place}.ChildResults"
        known.append(f"{json.dumps(step)} in {place}")
        place = f"{place}[{json.dumps(step)}]"
    known.append(f"{json.dumps(key)} in {place}")
    return f"{' && '.join(known)} ? {place}[{json.dumps(key)}] : ({otherwise})"
