"""All ways to draw a graph, by name: what `trioflow draw` and `run.draw()` offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.diagram import to_diagram
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.svg import to_svg
from trioflow.formats.text import to_text
from trioflow.model.graph import Graph
from trioflow.model.jsonable import to_json
from trioflow.model.registry import Registry
from trioflow.semantics.tracking import RunReport


def _to_json(graph: Graph, registry: Registry, *, fold: bool = False, report: RunReport | None = None) -> str:
    return to_json(attrs.asdict(to_diagram(graph, registry, fold=fold, report=report))) + "\n"


FORMATS: Mapping[str, Callable[..., str]] = {
    "text": to_text, "svg": to_svg, "mermaid": to_mermaid, "dot": to_dot, "json": _to_json,
}  # fmt: skip
"""How a graph may be drawn."""


def draw(
    graph: Graph, registry: Registry, format: str = "text", *, fold: bool = False, report: RunReport | None = None
) -> str:
    """The graph in one of the `FORMATS`, with what a run of it has done if there is a `report` of it.

    Never raises for what is wrong with the graph. Raises `ValueError` for a format that there is not.
    """
    drawn = FORMATS.get(format)
    if drawn is None:
        raise ValueError(f"Nothing can be drawn as {format!r}.{did_you_mean(format, FORMATS)} Take {_or(FORMATS)}.")
    return drawn(graph, registry, fold=fold, report=report)


def _or(names: Mapping[str, object]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
