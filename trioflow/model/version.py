"""Versions of node types: what code a run was begun with, and whether it is still the same (J13)."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import io
import textwrap
import tokenize
from typing import TYPE_CHECKING, Any

from trioflow.model.node_type import FunctionBody

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType

STANDARD = "trioflow"
"""The version of types that come with trioflow: what they do is changed with a note in its changelog only."""


def version_of(node_type: NodeType) -> str:
    """What a type calls its version; else a digest of its source without comments, docstrings and blank lines.

    Empty if there is none, as of what was written at a prompt. The same under every Python, as it is made of text.
    """
    if node_type.version is not None:
        return node_type.version
    body: Any = node_type.body.function if isinstance(node_type.body, FunctionBody) else node_type.body
    if str(getattr(body, "__module__", "")).partition(".")[0] == "trioflow":
        return STANDARD
    return _source_version(inspect.unwrap(body))


@functools.lru_cache(4096)
def _source_version(body: Any) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(body))
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(code_of(source).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def code_of(source: str) -> str:
    """A source without what makes no difference to what it does: comments, docstrings, blank lines."""
    lines = source.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
        for first, end in _docstrings(ast.parse(source)):
            lines[first - 1 : end] = [""] * (end - first + 1)
    except (SyntaxError, tokenize.TokenError):
        pass  # part of a longer expression, such as a lambda: then all of it counts
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstrings(tree: ast.Module) -> list[tuple[int, int]]:
    """Where they are: the first line and the last."""
    found: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not node.body:
            continue
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            found.append((first.lineno, first.end_lineno or first.lineno))
    return found
