"""JSON Schemas of classes that are written down in the manner of pydantic. The text is read, and never run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

_PLAIN: Mapping[str, Any] = {
    "str": {"type": "string"}, "int": {"type": "integer"}, "float": {"type": "number"}, "bool": {"type": "boolean"},
    "None": {"type": "null"}, "Any": {}, "dict": {"type": "object"}, "Dict": {"type": "object"},
    "list": {"type": "array"}, "List": {"type": "array"},
}  # fmt: skip


def schema_in(text: str) -> dict[str, Any]:
    """The schema of the class `Response`, or of the last one. Raises `ValueError` for what is none."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"it is not Python: {getattr(error, 'msg', None) or error}") from None
    classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
    if not classes:
        raise ValueError("it holds no class")
    known = {name: _schema(each, classes) for name, each in classes.items()}
    main = "Response" if "Response" in known else [*known][-1]
    return {**known[main], "$defs": {name: each for name, each in known.items() if name != main}}


def _schema(of: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> dict[str, Any]:
    bases = [ast.unparse(each) for each in of.bases]
    if any(base.endswith("Enum") for base in bases):
        values = [
            each.value.value
            for each in of.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        ]
        return {"enum": values}
    properties: dict[str, Any] = {}
    required: list[str] = []
    for each in of.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            properties[each.target.id] = _type(each.annotation, classes)
            if each.value is None:
                required.append(each.target.id)
    return {"type": "object", "properties": properties, "required": required}


def _type(node: ast.expr, classes: Mapping[str, ast.ClassDef]) -> dict[str, Any]:
    if isinstance(node, ast.Constant) and (isinstance(node.value, str) or node.value is None):
        return _named(node.value or "None", classes)
    if isinstance(node, ast.Name):
        return _named(node.id, classes)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return {"anyOf": [_type(node.left, classes), _type(node.right, classes)]}
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        outer, inner = node.value.id, node.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if outer in {"List", "list", "Sequence"}:
            return {"type": "array", "items": _type(parts[0], classes)}
        if outer in {"Dict", "dict", "Mapping"}:
            return {"type": "object", "additionalProperties": _type(parts[-1], classes)}
        if outer == "Optional":
            return {"anyOf": [_type(parts[0], classes), {"type": "null"}]}
        if outer == "Union":
            return {"anyOf": [_type(each, classes) for each in parts]}
        if outer == "Literal":
            return {"enum": [each.value for each in parts if isinstance(each, ast.Constant)]}
    raise ValueError(f"nothing is known of the type {ast.unparse(node)}")


def _named(name: str, classes: Mapping[str, ast.ClassDef]) -> dict[str, Any]:
    if name in classes:
        return {"$ref": f"#/$defs/{name}"} if name != "Response" else {"$ref": "#"}
    if name not in _PLAIN:
        raise ValueError(f"nothing is known of the type {name}")
    return dict(_PLAIN[name])
