"""Conditions that DiPeO writes as Python expressions, put into CEL, and which names the code of code nodes needs."""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Callable, Iterator

_COMPARE: dict[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==",
    ast.IsNot: "!=",
}  # fmt: skip
_BINARY: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Mod: "%"}
_CALLS = {"len": "size", "str": "string", "int": "int", "float": "double", "bool": "bool"}
_METHODS = {"startswith": "startsWith", "endswith": "endsWith"}

Resolve = Callable[[str], str | None]
"""What a name means, in CEL; None if there is nothing of that name."""


class Untranslatable(ValueError):
    """An expression that can't be said here, and why."""


def translate(text: str, resolve: Resolve) -> str:
    """The expression in CEL. Raises `Untranslatable`."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Untranslatable(f"it is not an expression: {getattr(error, 'msg', None) or error}") from None
    return _Translator(resolve).of(tree.body)


class _Translator:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def of(self, node: ast.expr) -> str:  # noqa: C901 - a table of kinds, row by row
        if isinstance(node, ast.Constant):
            return _literal(node.value)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.BoolOp):
            sign = " && " if isinstance(node.op, ast.And) else " || "
            return f"({sign.join(map(self.of, node.values))})"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            return f"{'!' if isinstance(node.op, ast.Not) else '-'}({self.of(node.operand)})"
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.IfExp):
            return f"({self.of(node.test)} ? {self.of(node.body)} : {self.of(node.orelse)})"
        if isinstance(node, ast.Attribute):
            return f"{self.of(node.value)}.{node.attr}"
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            return f"{self.of(node.value)}[{self.of(node.slice)}]"
        if isinstance(node, ast.List | ast.Tuple):
            return f"[{', '.join(map(self.of, node.elts))}]"
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Untranslatable(f"{ast.unparse(node)!r} can't be said in CEL")

    def _name(self, name: str) -> str:
        found = self._resolve(name)
        if found is None:
            raise Untranslatable(f"nothing is known of {name!r} here")
        return found

    def _binary(self, node: ast.BinOp) -> str:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Div):
            return f"(double({left}) / double({right}))"
        sign = _BINARY.get(type(node.op))
        if sign is None:
            raise Untranslatable(f"{ast.unparse(node)!r} can't be said in CEL")
        return f"({left} {sign} {right})"

    def _compare(self, node: ast.Compare) -> str:
        parts: list[str] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            pair = self.of(left), self.of(right)
            if isinstance(operator, ast.In | ast.NotIn):
                # Of a text in a text CEL knows nothing; a literal text is what a list or a dictionary may hold.
                found = f"{pair[0]} in {pair[1]}"
                parts.append(f"!({found})" if isinstance(operator, ast.NotIn) else found)
            else:
                parts.append(f"{pair[0]} {_COMPARE[type(operator)]} {pair[1]}")
            left = right
        return f"({' && '.join(parts)})" if len(parts) > 1 else parts[0]

    def _call(self, node: ast.Call) -> str:
        function, arguments = node.func, node.args
        if not node.keywords and isinstance(function, ast.Name) and function.id in _CALLS and len(arguments) == 1:
            return f"{_CALLS[function.id]}({self.of(arguments[0])})"
        if not node.keywords and isinstance(function, ast.Attribute):
            of = self.of(function.value)
            if function.attr in _METHODS and len(arguments) == 1:
                return f"{of}.{_METHODS[function.attr]}({self.of(arguments[0])})"
            if function.attr == "get" and len(arguments) in {1, 2}:
                key = self.of(arguments[0])
                otherwise = self.of(arguments[1]) if len(arguments) == 2 else "null"
                return f"({key} in {of} ? {of}[{key}] : {otherwise})"
        raise Untranslatable(f"the call {ast.unparse(node)!r} can't be said in CEL")


def _literal(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    raise Untranslatable(f"{value!r} can't be said in CEL")


def names_in(text: str) -> frozenset[str]:
    """The names that an expression asks for; none of one that can't be read."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(each.id for each in ast.walk(tree) if isinstance(each, ast.Name))


class Code:
    """What code sets, and what it asks for before it has set it."""

    def __init__(self, text: str) -> None:
        self.assigned: dict[str, None] = {}
        self.asked: dict[str, None] = {}
        self.functions: dict[str, tuple[str, ...] | None] = {}
        """The functions that it defines, with their parameters; None for one that takes any."""
        self.returns = False
        self.prints = False
        self.problem = ""
        self._private: set[str] = set()
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            self.problem = f"{getattr(error, 'msg', None) or error}{f' (line {line} of the code)' if line else ''}"
            return
        self.prints = any(isinstance(each, ast.Name) and each.id == "print" for each in ast.walk(tree))
        for statement in tree.body:
            self._visit(statement)
        known = {*vars(builtins), "inputs", "state", "result"}
        self.asked = {name: None for name in self.asked if name not in known}

    def _visit(self, node: ast.AST) -> None:  # noqa: C901 - as above
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(node, ast.FunctionDef):
                takes_any = node.args.kwarg is not None
                names = tuple(each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
                self.functions[node.name] = None if takes_any else names
            self._assign(node.name, kept=False)
            return  # what is inside has names of its own
        if isinstance(node, ast.Return):
            self.returns = True
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self._assign((alias.asname or alias.name).partition(".")[0], kept=False)
            return
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                if node.id not in self.assigned:
                    self.asked[node.id] = None
            else:
                self._assign(node.id)
            return
        if (
            isinstance(node, ast.AugAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id not in self.assigned
        ):
            self.asked[node.target.id] = None
        for each in _in_order(node):
            self._visit(each)

    def _assign(self, name: str, *, kept: bool = True) -> None:
        self.assigned[name] = None
        if not kept:
            self._private.add(name)

    @property
    def values(self) -> list[str]:
        """The names of values that it sets, without functions and modules."""
        return [name for name in self.assigned if name not in self._private and not name.startswith("_")]


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a statement in the order in which they are evaluated: values before what they are assigned to."""
    if isinstance(node, ast.Assign):
        yield node.value
        yield from node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        if node.value is not None:
            yield node.value
        yield node.target
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield node.iter
        yield node.target
        yield from (*node.body, *node.orelse)
    else:
        yield from ast.iter_child_nodes(node)
