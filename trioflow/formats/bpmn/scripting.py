"""Scripts of tasks: a subset of Python without anything dangerous in it; `evaluation.py` makes functions of them.

Assignments, conditions, loops, calls of harmless functions and of methods of texts, lists and mappings. Names are the
variables of the process. Scripts in other languages are understood as far as they are assignments and prints.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

import attrs

from trioflow.formats.bpmn.evaluation import Action, Value, action_of, said, value_of
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse

_STATEMENT = re.compile(
    r"^(?:(?:var|let|const|def|int|String|Integer|boolean|double)\s+)?(?P<name>[A-Za-z_]\w*)\s*(?P<sign>[-+*/]?=)(?!=)"
    r"(?P<value>.*)$",
    re.DOTALL,
)
_COUNTED = re.compile(r"^(?P<name>[A-Za-z_]\w*)(?P<sign>\+\+|--)$")
_SET = re.compile(
    r"^\w+\.set(?:Variable|VariableLocal|_variable)\(\s*(['\"])(?P<name>\w+)\1\s*,(?P<value>.*)\)$", re.DOTALL
)
_PRINT = re.compile(
    r"^(?:print|println|puts|echo|console\.(?:log|info)|System\.out\.println?)\s*\((?P<value>.*)\)$", re.DOTALL
)


@lru_cache(maxsize=4096)
def parse_script(text: str, language: str = "") -> ast.Module:
    """The statements of a script. Raises `NotUnderstood`, with line and column in the message."""
    python = any(each in language.lower() for each in ("python", "jython", "py"))
    if python or not language:
        try:
            tree = ast.parse(_unindented(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if python:
                line = getattr(error, "lineno", None)
                raise NotUnderstood(f"it is not Python{f' in line {line}' if line else ''}: {said(error)}") from None
        else:
            _check(tree)
            return tree
    return ast.Module([_simple(each) for each in _statements(text)], [])


def assigned_in(tree: ast.AST) -> list[str]:
    """The names that a script sets, in order."""
    comprehended = {
        id(name) for each in ast.walk(tree) if isinstance(each, ast.comprehension) for name in ast.walk(each.target)
    }
    return [
        *dict.fromkeys(
            each.id
            for each in ast.walk(tree)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and id(each) not in comprehended
        )
    ]


def changed_in(tree: ast.AST) -> list[str]:
    """The names whose values a script changes in place: it writes them, too."""
    found: dict[str, None] = {}
    for each in ast.walk(tree):
        inner: ast.AST | None = None
        if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.ctx, ast.Store | ast.Del):
            inner = each
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            inner = each.func
        while isinstance(inner, ast.Subscript | ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            found[inner.id] = None
    return [*found]


@attrs.frozen
class Script:
    """A script as it is run: what it does, the names that it reads or sets, and those that it sets."""

    action: Action
    touched: tuple[str, ...]
    written: tuple[str, ...]


@lru_cache(maxsize=4096)
def script_of(text: str, language: str = "") -> Script:
    """A script, made ready once to be run often. Raises `NotUnderstood`."""
    tree = parse_script(text, language)
    written = dict.fromkeys([*assigned_in(tree), *changed_in(tree)])
    return Script(action_of(tree.body), tuple(dict.fromkeys([*names_in(tree), *written])), tuple(written))


@lru_cache(maxsize=4096)
def expression_of(text: str) -> tuple[Value, tuple[str, ...]]:
    """An expression, made ready once to be asked often, and the names in it. Raises `NotUnderstood`."""
    tree = parse(text)
    return value_of(tree), tuple(names_in(tree))


_ALLOWED = (
    ast.Module, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue,
    ast.Pass, ast.Delete, ast.Assert, ast.expr, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.keyword, ast.comprehension,
)  # fmt: skip
_FORBIDDEN = (ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.Starred, ast.NamedExpr)


def _check(tree: ast.AST) -> None:
    for each in ast.walk(tree):
        if not isinstance(each, _ALLOWED) or isinstance(each, _FORBIDDEN):
            line = getattr(each, "lineno", None)
            what = ast.unparse(each).partition("\n")[0] if isinstance(each, ast.stmt | ast.expr) else ""
            raise NotUnderstood(f"{what or type(each).__name__!r}{f' in line {line}' if line else ''} is not allowed")


def _unindented(text: str) -> str:
    lines = text.strip("\n").splitlines()
    margin = min((len(each) - len(each.lstrip()) for each in lines if each.strip()), default=0)
    return "\n".join(each[margin:] for each in lines) + "\n"


def _statements(text: str) -> list[str]:
    """The statements of a script in some other language: by lines and semicolons."""
    found: list[str] = []
    for line in text.splitlines():
        quoted = ""
        start = 0
        for index, character in enumerate(line):
            if quoted:
                quoted = "" if character == quoted else quoted
            elif character in "'\"":
                quoted = character
            elif character == ";":
                found.append(line[start:index])
                start = index + 1
            elif line[index : index + 2] == "//":
                line = line[:index]  # noqa: PLW2901 - a comment
                break
        found.append(line[start:])
    return [each.strip() for each in found if each.strip()]


def _simple(text: str) -> ast.stmt:
    """An assignment, a print, or an expression. Raises `NotUnderstood`."""
    match = _COUNTED.match(text)
    if match is not None:
        return ast.parse(f"{match['name']} {match['sign'][0]}= 1").body[0]
    for pattern in (_SET, _STATEMENT):
        match = pattern.match(text)
        if match is not None:
            target, value = ast.Name(match["name"], ast.Store()), parse(match["value"].strip())
            sign = match.groupdict().get("sign") or "="
            if sign != "=":
                op = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div}[sign[0]]()
                return ast.AugAssign(target, op, value)
            return ast.Assign([target], value, lineno=1)
    match = _PRINT.match(text)
    if match is not None:
        value = parse(match["value"].strip()) if match["value"].strip() else ast.Constant("")
        return ast.Expr(ast.Call(ast.Name("print", ast.Load()), [value], []))
    return ast.Expr(parse(text))
