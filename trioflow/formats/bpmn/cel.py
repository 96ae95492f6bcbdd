"""Conditions of sequence flows as CEL, over the variables of the graph."""

from __future__ import annotations

import ast
import json

from trioflow.formats.bpmn.expressions import NotUnderstood, parse

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==",
    ast.IsNot: "!=",
}  # fmt: skip
_NUMBERS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_TESTS = {"startswith": "startsWith", "startsWith": "startsWith", "endswith": "endsWith", "endsWith": "endsWith",
          "matches": "matches"}  # fmt: skip
_CONVERTED = {"int": "int", "float": "double", "double": "double", "number": "double", "str": "string",
              "string": "string"}  # fmt: skip


def as_cel(text: str) -> str:
    """A condition of a document as CEL. Raises `NotUnderstood`."""
    return cel_of(parse(text))


def cel_of(tree: ast.expr) -> str:  # noqa: C901 - a table of kinds
    """The tree of an expression as CEL. Raises `NotUnderstood` for what CEL has nothing for."""
    match tree:
        case ast.Constant(value=bool(value)):
            return "true" if value else "false"
        case ast.Constant(value=None):
            return "null"
        case ast.Constant(value=value):
            return json.dumps(value, ensure_ascii=False)
        case ast.Name(id=name):
            return f"vars.{name}"
        case ast.Attribute(value=inner, attr=name):
            return f"{_tight(inner)}.{name}"
        case ast.Subscript(value=inner, slice=index):
            return f"{_tight(inner)}[{cel_of(index)}]"
        case ast.BoolOp(op=operator, values=values):
            sign = " && " if isinstance(operator, ast.And) else " || "
            return sign.join(_tight(each) for each in values)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return f"!{_tight(inner)}"
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return f"-{_tight(inner)}"
        case ast.UnaryOp(operand=inner):
            return cel_of(inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if not (_is_number(left) or _is_number(right)):
            return f"{_tight(left)} + {_tight(right)}"
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return f"{_tight(left)} % {_tight(right)}"
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _NUMBERS:
            # Numbers of two kinds are not calculated with there, and compare only if their kinds are not known.
            return f"dyn(double({cel_of(left)}) {_NUMBERS[type(operator)]} double({cel_of(right)}))"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"{_tight(test)} ? {_tight(body)} : {_tight(orelse)}"
        case ast.List(elts=items):
            return f"[{', '.join(map(cel_of, items))}]"
        case ast.Dict(keys=keys, values=values):
            entries = (f"{cel_of(key)}: {cel_of(each)}" for key, each in zip(keys, values, strict=True) if key)
            return f"{{{', '.join(entries)}}}"
        case ast.Compare():
            return _comparison(tree)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=arguments):
            return _method(inner, name, arguments)
        case _:
            raise NotUnderstood(f"{ast.unparse(tree)!r} can't be a condition here")


def _tight(tree: ast.expr) -> str:
    said = cel_of(tree)
    simple = isinstance(tree, ast.Constant | ast.Name | ast.Attribute | ast.Subscript | ast.List | ast.Call)
    return said if simple and " ? " not in said and not said.startswith("-") else f"({said})"


def _is_number(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float)


def _comparison(tree: ast.Compare) -> str:
    left = tree.left
    found: list[str] = []
    for operator, right in zip(tree.ops, tree.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            said = _contained(left, right)
            found.append(f"!({said})" if isinstance(operator, ast.NotIn) else said)
        else:
            found.append(f"{_tight(left)} {_COMPARED[type(operator)]} {_tight(right)}")
        left = right
    return found[0] if len(found) == 1 else " && ".join(f"({each})" for each in found)


def _contained(item: ast.expr, holder: ast.expr) -> str:
    """A text in a text, or an item in a list: which, is known when it runs."""
    match holder:
        case ast.Call(func=ast.Name(id="range"), args=[first, last]):
            return f"({_tight(first)} <= {_tight(item)}) && ({_tight(item)} < {_tight(last)})"
        case _ if isinstance(holder, ast.List) or _is_number(item):
            return f"{_tight(item)} in {_tight(holder)}"
        case _:
            inside = _tight(holder)
            return f"type({inside}) == string ? {inside}.contains({cel_of(item)}) : {_tight(item)} in {inside}"


def _call(name: str, arguments: list[ast.expr]) -> str:
    if name in ("len", "size", "count", "string_length") and len(arguments) == 1:
        return f"size({cel_of(arguments[0])})"
    if name == "empty" and len(arguments) == 1:
        inner = cel_of(arguments[0])
        return f"({inner} == null || size({inner}) == 0)"
    if name == "bool" and len(arguments) == 1:
        return cel_of(arguments[0])
    if name in _CONVERTED and len(arguments) == 1:
        return f"{_CONVERTED[name]}({cel_of(arguments[0])})"
    if name == "contains" and len(arguments) == 2:
        return f"({_contained(arguments[1], arguments[0])})"
    raise NotUnderstood(f"the function {name!r} with {len(arguments)} arguments is not known in conditions")


def _method(inner: ast.expr, name: str, arguments: list[ast.expr]) -> str:
    if name == "contains" and len(arguments) == 1:
        return f"({_contained(arguments[0], inner)})"
    if name == "equals" and len(arguments) == 1:
        return f"({_tight(inner)} == {_tight(arguments[0])})"
    if name in ("size", "length") and not arguments:
        return f"size({cel_of(inner)})"
    if name == "isEmpty" and not arguments:
        return f"(size({cel_of(inner)}) == 0)"
    if name in _TESTS and len(arguments) == 1:
        return f"{_tight(inner)}.{_TESTS[name]}({cel_of(arguments[0])})"
    raise NotUnderstood(f"the function {name!r} with {len(arguments)} arguments is not known in conditions")
