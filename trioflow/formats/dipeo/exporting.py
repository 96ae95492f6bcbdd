"""From a workflow to a diagram in the light form, if that loses nothing: it is tried by importing it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from trioflow.errors import DocumentError
from trioflow.formats.compare import differences
from trioflow.formats.dipeo.draft import KEY
from trioflow.formats.dipeo.importing import import_diagram
from trioflow.formats.port import Document, ImportOptions
from trioflow.model.graph import Graph
from trioflow.model.json_text import BadText
from trioflow.model.registry import Registry


def export_light(graph: Graph, registry: Registry) -> str:
    """The workflow as the text of a light diagram. Raises `DocumentError` with everything that it can't say.

    It can say what was imported from a diagram, whichever form that had, without the nodes that were taken out since.
    """
    from trioflow.model.yaml_text import write  # noqa: PLC0415 - PyYAML is optional

    about = _mapping(graph.metadata.get(KEY))
    nodes: list[dict[str, Any]] = []
    problems: list[str] = []
    for index, node in enumerate(graph.nodes):
        kept = _mapping(node.metadata.get(KEY))
        if "type" in kept:
            said: dict[str, Any] = {"label": node.id, "type": kept["type"]}
            said |= {name: kept[name] for name in ("position", "props") if kept.get(name)}
            nodes.append(said)
        elif not kept.get("made"):
            problems.append(f"nodes[{index}]: a diagram has nothing for node {node.id!r} ({node.type}).")
    labels = {said["label"] for said in nodes}
    arrows = [each for each in about.get("arrows", ()) if _ends(each) <= labels]
    tree = {
        "version": "light",
        **{name: value for name, value in about.items() if name not in {"arrows", "persons"}},
        "nodes": nodes,
        "connections": arrows,
        **({"persons": about["persons"]} if about.get("persons") else {}),
    }
    try:
        text = write(tree)
        again = import_diagram(Document("<document>", text, "yaml"), registry, ImportOptions()).graph
    except (BadText, DocumentError, TypeError) as error:
        raise DocumentError("<graph>", [*problems, str(error)]) from error
    problems += [] if problems else differences(graph, again)
    if problems:
        raise DocumentError("<graph>", problems)
    return text


def _ends(arrow: Mapping[str, Any]) -> set[str]:
    return {str(arrow.get(key, "")).partition("[")[0] for key in ("from", "to")}


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
