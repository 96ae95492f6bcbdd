"""What a node gets: what the nodes before it give, put together, and variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.formats.executionengine.conditions import translated
from trioflow.formats.executionengine.definition import Node, Wire, result_socket
from trioflow.formats.executionengine.expressions import member
from trioflow.formats.executionengine.level import Level
from trioflow.model.graph import Connection, Endpoint, GraphNode


def sources_of(level: Level, node: Node) -> list[Endpoint]:
    """Where what a node gets comes from, each once, in the order of the document."""
    found: list[Endpoint] = []
    if level.enter is not None and (node.id in level.entries or not level.prefix):
        found.append(level.enter)  # all of a workflow that is called may ask for what it was given
    for wire in level.incoming.get(node.id, ()):
        if not wire.carries:
            continue
        result = result_of(level, wire)
        if result is not None and result not in found:
            found.append(result)
    return found


def result_of(level: Level, wire: Wire) -> Endpoint | None:
    """Where what a wire brings is found."""
    source = wire.source
    if source.type == "ForEach":
        name = source.fields.text("itemVariableName", "item")
        return Endpoint(f"{source.id} {name}", "result") if wire.is_body else None
    if source.type == "While":
        return None
    return Endpoint(source.id, result_socket(source.type))


def feed(level: Level, node: Node, socket: str, made: GraphNode, *, variables: bool = False) -> None:
    """Wire what a node gets to one of its inputs."""
    source = joined(level, node, sources_of(level, node), variables=variables)
    if source is not None:
        level.connections.append(Connection(source, Endpoint(node.id, socket)))


def joined(level: Level, node: Node, sources: Sequence[Endpoint], *, variables: bool = False) -> Endpoint | None:
    """Where what several give, put together, is found."""
    found = [*sources]
    if variables and level.variables:
        names = {f"var_{number}": name for number, name in enumerate(level.variables, 1)}
        collect = level.helper(f"{node.id} variables", "value.collect", config={"inputs": names})
        for name, variable in names.items():
            got = variable_of(level, variable)
            assert got is not None
            level.connections.append(Connection(got, Endpoint(collect, name)))
        found.insert(0, Endpoint(collect, "result"))
    if len(found) < 2:
        return found[0] if found else None
    names = {f"in_{number}": each.node for number, each in enumerate(found, 1)}
    join = level.helper(f"{node.id} input", "value.join", config={"inputs": names})
    for name, source in zip(names, found, strict=True):
        level.connections.append(Connection(source, Endpoint(join, name)))
    return Endpoint(join, "result")


def feed_error(level: Level, node: Node, failing: Sequence[Wire]) -> None:
    """Wire the failure of what came before to a node."""
    sources = [*dict.fromkeys(Endpoint(wire.source.id, "!error") for wire in failing)]
    if not sources:
        return
    source = sources[0]
    if len(sources) > 1:
        names = [f"in_{number}" for number in range(1, len(sources) + 1)]
        first = level.helper(f"{node.id} error", "value.first", config={"inputs": names})
        for name, each in zip(names, sources, strict=True):
            level.connections.append(Connection(each, Endpoint(first, name)))
        source = Endpoint(first, "result")
    level.connections.append(Connection(source, Endpoint(node.id, "error")))


def variable_of(level: Level, name: str) -> Endpoint | None:
    """Where the value of a variable is found; None if there is none of that name."""
    if name in level.variables:
        helper = f"variable {name}"
        if helper not in {each.id for each in level.helpers}:
            level.helper(helper, "variable.get", {"name": name})
        return Endpoint(helper, "result")
    if name in level.inherited and level.enter is not None:
        helper = f"variable {name}"
        if helper not in {each.id for each in level.helpers}:
            level.helper(helper, "dict.get_or", {"key": name, "otherwise": None})
            level.connections.append(Connection(level.enter, Endpoint(helper, "entries")))
        return Endpoint(helper, "result")
    return None


def compute(level: Level, node: Node, field: str, socket: str) -> None:
    """Wire the value of an expression to an input of a node."""
    source = joined(level, node, sources_of(level, node))

    def resolve(root: str, name: str) -> str | None:
        if root in {"globals", ""} and name in level.variables:
            return f"vars.{name}"
        if root in {"input", "output"} or (root == "" and source is not None):
            return member("input", name)
        return None

    text = translated(level, node, field, resolve)
    if text is None:
        return
    given: dict[str, Any] = {"text": text} if source is not None else {"text": text, "input": {}}
    helper = level.helper(f"{node.id} {socket}", "value.expression", given, config={"inputs": ["input"]})
    if source is not None:
        level.connections.append(Connection(source, Endpoint(helper, "input")))
    level.connections.append(Connection(Endpoint(helper, "result"), Endpoint(node.id, socket)))
