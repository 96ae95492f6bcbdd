"""Values of variables from the command line: `--set NAME=VALUE`, read by the variable's declared type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.cli.bad_input import BadInput
from trioflow.errors import did_you_mean
from trioflow.model.graph import Graph
from trioflow.model.typed_text import read_value


def read_settings(graph: Graph, settings: Sequence[str]) -> dict[str, Any]:
    """Start values by variable. Raises `BadInput` with everything that is wrong."""
    types = {variable.name: variable.type for variable in graph.variables}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            problems.append(f"--set {setting}: write NAME=VALUE.")
        elif name not in types:
            problems.append(
                f"--set {setting}: the graph has no variable {name!r}.{did_you_mean(name, types)} "
                f"It has: {', '.join(types) or 'none'}."
            )
        else:
            try:
                values[name] = read_value(name, types[name], text)
            except ValueError as error:
                problems.append(f"--set {setting}: {error}")
    if problems:
        raise BadInput(*problems)
    return values
