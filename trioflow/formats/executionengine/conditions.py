"""Conditions and other expressions, in ours."""

from __future__ import annotations

from typing import Any

from trioflow.formats.executionengine.definition import CODE, Node, result_socket
from trioflow.formats.executionengine.expressions import Untranslatable, member, translate
from trioflow.formats.executionengine.level import Level


def names_at(level: Level, node: Node) -> Any:
    """What names mean in a condition on a wire that leaves a node."""
    result = f"out.{result_socket(node.type)}"

    def resolve(root: str, name: str) -> str | None:
        if root in {"globals", ""} and name in level.variables:
            return f"vars.{name}"
        if root == "output" or (root in {"input", ""} and node.type not in CODE):
            return member(result, name)
        return None

    return resolve


def translated(level: Level, node: Node, field: str, resolve: Any) -> str | None:
    """An expression in ours; None where it can't be translated."""
    text = node.fields.text(field)
    try:
        if not text:
            raise Untranslatable("it is missing")
        return translate(text, resolve)
    except Untranslatable as error:
        refuse(level, node.fields.at(field), text, error)
        return None


def refuse(level: Level, path: str, text: str, error: Untranslatable) -> None:
    """Say that an expression can't be translated."""
    cure = "Write it with output.NAME, input.NAME, variables, comparisons, &&, || and !."
    level.notes.error("condition", path, f"{text!r} can't be translated: {error}.", cure)
