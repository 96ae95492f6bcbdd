"""Templates in the Mustache language."""

from __future__ import annotations

import html
import re
from typing import Any

from trioflow.formats import javascript
from trioflow.formats.nodered.nodes.flow import FlowError
from trioflow.formats.nodered.paths import read

_TAG = re.compile(r"\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{(?P<kind>[#^/!&]?)\s*(?P<name>[^{}]*?)\s*\}\}")


def mustache(text: str, stack: list[Any]) -> str:
    """A template filled from a stack of mappings, the innermost last."""
    said: list[str] = []
    at = 0
    while (match := _TAG.search(text, at)) is not None:
        said.append(text[at : match.start()])
        at = match.end()
        kind, name = match["kind"], match["raw"] or match["name"]
        if kind == "!":
            continue
        found = _looked_up(name, stack)
        if kind in ("#", "^"):
            inner, at = _section(text, at, name)
            if kind == "^":
                said += [mustache(inner, stack)] if not found else []
            else:
                each_of: list[Any] = found if isinstance(found, list) else [found] if javascript.holds(found) else []
                said += (mustache(inner, [*stack, each]) for each in each_of)
        elif kind != "/":
            written = "" if found is None else javascript.as_text(found)
            said.append(written if match["raw"] or kind == "&" else html.escape(written, quote=True))
    return "".join([*said, text[at:]])


def _looked_up(name: str, stack: list[Any]) -> Any:
    if name == ".":
        return stack[-1]
    for each in reversed(stack):
        found = read(each, name) if isinstance(each, dict) else None
        if found is not None:
            return found
    return None


def _section(text: str, begin: int, name: str) -> tuple[str, int]:
    depth = 1
    for match in _TAG.finditer(text, begin):
        if match["name"] == name and match["kind"] in ("#", "^", "/"):
            depth += -1 if match["kind"] == "/" else 1
            if not depth:
                return text[begin : match.start()], match.end()
    raise FlowError(f"In the template the section {name!r} is not closed.")
