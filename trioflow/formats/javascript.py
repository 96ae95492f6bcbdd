"""The JavaScript that people write into nodes of other programs: plain expressions, assignments, `if`, `return`.

Read into trees of Python's `ast` by the reader of expressions, and evaluated here as JavaScript does: texts and numbers
add up to texts, what is not there is undefined, objects are mappings. Nothing else can be reached from a script.
"""

# Tables of functions, of values of any type.
# pyright: reportUnknownLambdaType=false
from __future__ import annotations

import ast
import json
import math
import operator
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, SupportsFloat, cast

import attrs

from trioflow.errors import NodeError
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse

__all__ = [
    "NotUnderstood",
    "ScriptFailed",
    "WithMethods",
    "as_text",
    "evaluate",
    "expression",
    "holds",
    "names_in",
    "program",
    "run",
]


class ScriptFailed(NodeError):
    """A script of a document failed."""

    code = "script"


class WithMethods(Mapping[str, Any]):
    """A value of the host with fields, and with methods of its own: nothing else of it can be reached."""

    @abstractmethod
    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """What can be called on it."""


@attrs.frozen
class Statement:
    """A statement: `set`, `if`, `return` or `do`, with its expressions and the statements in it."""

    kind: str
    value: ast.expr | None = None
    target: ast.expr | None = None
    sign: str = "="
    body: tuple[Statement, ...] = ()
    otherwise: tuple[Statement, ...] = ()


_TEMPLATE = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)
_FILLED = re.compile(r"\$\{([^{}]*)\}")
_COMMENT = re.compile(r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL)
_SET = re.compile(
    r"^(?:(?:var|let|const)\s+)?(?P<target>[A-Za-z_$][^=!<>+\-*/(]*?)\s*(?P<sign>[-+*/]?=)(?![=>])(?P<value>.*)$",
    re.DOTALL,
)
_COUNTED = re.compile(r"^(?P<target>[A-Za-z_][\w.\[\]'\"]*)\s*(?P<sign>\+\+|--)$")
_OPEN, _CLOSED = "([{", ")]}"


@lru_cache(maxsize=4096)
def expression(text: str) -> ast.expr:
    """The tree of an expression. Raises `NotUnderstood`."""
    text = _TEMPLATE.sub(_joined, text)
    if "=>" in text or re.search(r"\b(?:function|new|typeof|await)\b", text):
        raise NotUnderstood(f"{text.strip()[:40]!r} is more than a plain expression")
    return parse(text.strip())


def _joined(match: re.Match[str]) -> str:
    """A template as a sum of texts."""
    parts = _FILLED.split(match[1])
    said = (json.dumps(part) if index % 2 == 0 else f"({part})" for index, part in enumerate(parts))
    return f"({' + '.join(said)})"


@lru_cache(maxsize=1024)
def program(text: str) -> tuple[Statement, ...]:
    """The statements of a script. Raises `NotUnderstood`."""
    reader = _Reader(_COMMENT.sub(lambda match: match[1] or " ", text))
    found = reader.block()
    if reader.left():
        raise NotUnderstood("a bracket is closed that was not opened")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def left(self) -> str:
        """What was not read."""
        return self._text[self._at :].strip()

    def block(self) -> tuple[Statement, ...]:
        """Statements up to the end, or to the bracket that closes them."""
        found: list[Statement] = []
        while True:
            self._skip()
            if self._at >= len(self._text) or self._text[self._at] == "}":
                return tuple(found)
            found.append(self._statement())

    def _statement(self) -> Statement:
        match = re.compile(r"if\s*\(").match(self._text, self._at)
        if match is not None:
            self._at = match.end() - 1
            test = expression(self._bracketed()[1:-1])
            body = self._body()
            self._skip()
            otherwise: tuple[Statement, ...] = ()
            if re.compile(r"else\b").match(self._text, self._at):
                self._at += 4
                otherwise = self._body()
            return Statement("if", test, body=body, otherwise=otherwise)
        return _simple(self._line())

    def _body(self) -> tuple[Statement, ...]:
        self._skip()
        if not self._text.startswith("{", self._at):
            return (self._statement(),)
        self._at += 1
        found = self.block()
        if not self._text.startswith("}", self._at):
            raise NotUnderstood("a bracket is not closed")
        self._at += 1
        return found

    def _bracketed(self) -> str:
        begin, depth = self._at, 0
        while self._at < len(self._text):
            character = self._text[self._at]
            depth += (character in _OPEN) - (character in _CLOSED)
            self._at = self._behind_text() if character in "\"'`" else self._at + 1
            if not depth:
                return self._text[begin : self._at]
        raise NotUnderstood("a bracket is not closed")

    def _line(self) -> str:
        """Up to a semicolon, or the end of a line where nothing is left open."""
        begin = self._at
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in _OPEN:
                self._bracketed()
                continue
            if character in ";}":
                break
            if character == "\n" and not self._goes_on(begin):
                break
            self._at = self._behind_text() if character in "\"'`" else self._at + 1
        return self._text[begin : self._at].strip()

    def _goes_on(self, begin: int) -> bool:
        before, after = self._text[begin : self._at].rstrip(), self._text[self._at :].lstrip()
        if before.endswith(("++", "--")):
            return False
        return before.endswith(("=", "+", "-", "*", "/", "&&", "||", "?", ":", ",")) or after.startswith(
            (".", "+", "*", "&&", "||", "?", ":")
        )

    def _behind_text(self) -> int:
        quote, at = self._text[self._at], self._at + 1
        while at < len(self._text) and self._text[at] != quote:
            at += 2 if self._text[at] == "\\" else 1
        return at + 1

    def _skip(self) -> None:
        while self._at < len(self._text) and (self._text[self._at].isspace() or self._text[self._at] == ";"):
            self._at += 1


def _simple(text: str) -> Statement:
    if re.match(r"(?:for|while|do|switch|try|function|throw|class|async)\b", text):
        raise NotUnderstood(f"{text.split(maxsplit=1)[0]!r} is more than assignments, if and return")
    match = re.match(r"return\b(.*)$", text, re.DOTALL)
    if match is not None:
        return Statement("return", expression(match[1]) if match[1].strip() else None)
    match = _COUNTED.match(text)
    if match is not None:
        return Statement("set", ast.Constant(1), expression(match["target"]), f"{match['sign'][0]}=")
    match = _SET.match(text)
    if match is not None:
        return Statement("set", expression(match["value"]), expression(match["target"]), match["sign"])
    match = re.match(r"(?:var|let)\s+([\w$]+)$", text)
    if match is not None:
        return Statement("set", ast.Constant(None), expression(match[1]))
    return Statement("do", expression(text))


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def run(
    statements: Sequence[Statement], names: MutableMapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Run a script over names, which it changes; what it returns. Raises `ScriptFailed`.

    `functions` are those that it may call besides, by what is written before the bracket, such as `node.warn`.
    """
    try:
        _run(statements, names, functions)
    except _Returned as returned:
        return returned.value
    return None


def _run(
    statements: Sequence[Statement], names: MutableMapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> None:
    for each in statements:
        value = evaluate(each.value, names, functions) if each.value is not None else None
        if each.kind == "return":
            raise _Returned(value)
        if each.kind == "if":
            _run(each.body if holds(value) else each.otherwise, names, functions)
        elif each.kind == "set":
            assert each.target is not None
            if each.sign != "=":
                value = _OPERATORS[_SIGNS[each.sign[0]]](evaluate(each.target, names, functions), value)
            _assign(each.target, value, names, functions)


def _assign(
    target: ast.expr, value: Any, names: MutableMapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> None:
    match target:
        case ast.Name(id=name):
            names[name] = value
        case ast.Attribute(value=inner, attr=name):
            _put(evaluate(inner, names, functions), name, value)
        case ast.Subscript(value=inner, slice=index):
            _put(evaluate(inner, names, functions), evaluate(index, names, functions), value)
        case _:
            raise ScriptFailed(f"Nothing can be assigned to {ast.unparse(target)!r}.")


def _put(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, dict):
        holder[as_text(key) if not isinstance(key, str) else key] = value
    elif isinstance(holder, list) and isinstance(key, int) and 0 <= key <= len(holder):
        holder[key : key + 1] = [value]
    else:
        raise ScriptFailed(f"{as_text(key)!r} can't be set in {as_text(holder)[:40]!r}.")


def evaluate(tree: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = {}) -> Any:
    """What an expression is. Raises `ScriptFailed`."""
    try:
        return _value(tree, names, functions)
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError) as error:
        raise ScriptFailed(f"{ast.unparse(tree)}: {error}") from error


def holds(value: Any) -> bool:
    """Whether a value counts as true: lists and mappings always do."""
    return isinstance(value, list | dict) or (bool(value) and value == value)  # noqa: PLR0124 - NaN is unlike itself


def as_text(value: Any) -> str:
    """A value as JavaScript writes it into a text; lists and mappings as JSON."""
    match value:
        case None:
            return "undefined"
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def _value(tree: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:  # noqa: C901 - a table of kinds
    def value(each: ast.expr) -> Any:
        return _value(each, names, functions)

    match tree:
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=inner, attr=name):
            return _of(value(inner), name, ast.unparse(inner))
        case ast.Subscript(value=inner, slice=index):
            return _of(value(inner), value(index), ast.unparse(inner))
        case ast.BoolOp(op=joined, values=parts):
            found: Any = None
            for each in parts:
                found = value(each)
                if holds(found) is isinstance(joined, ast.Or):
                    break
            return found
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not holds(value(inner))
        case ast.UnaryOp(op=sign, operand=inner):
            return _number(value(inner)) * (-1 if isinstance(sign, ast.USub) else 1)
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](value(left), value(right))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return value(body if holds(value(test)) else orelse)
        case ast.Compare(left=left, ops=signs, comparators=others):
            return _compared(value(left), [(type(sign), value(each)) for sign, each in zip(signs, others, strict=True)])
        case ast.List(elts=items):
            return [value(each) for each in items]
        case ast.Dict(keys=keys, values=values):
            return {as_text(value(key)): value(each) for key, each in zip(keys, values, strict=True) if key is not None}
        case ast.Call(func=function, args=arguments):
            return _call(function, [value(each) for each in arguments], names, functions)
        case _:
            raise ScriptFailed(f"{ast.unparse(tree)!r} is not understood.")


def _call(
    function: ast.expr, arguments: list[Any], names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    named = ast.unparse(function)
    known = functions.get(named) or _FUNCTIONS.get(named)
    if known is not None:
        return known(*arguments)
    if isinstance(function, ast.Attribute):
        holder = _value(function.value, names, functions)
        if isinstance(holder, WithMethods) and function.attr in holder.methods():
            return holder.methods()[function.attr](*arguments)
        for kind, methods in _METHODS.items():
            if isinstance(holder, kind) and function.attr in methods:
                return methods[function.attr](holder, *arguments)
        if function.attr == "toString":
            return as_text(holder)
    raise ScriptFailed(f"There is no function {named!r} here.")


def _of(holder: Any, key: Any, said: str) -> Any:
    if holder is None:
        raise ScriptFailed(f"{said!r} is not there, so it has no {as_text(key)!r}.")
    if key == "length" and isinstance(holder, str | list):
        return len(cast("Sequence[Any]", holder))
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(key if isinstance(key, str) else as_text(key))
    if isinstance(holder, str | list) and isinstance(key, int) and 0 <= key < len(cast("Sequence[Any]", holder)):
        return holder[key]
    return None


def _number(value: Any) -> Any:
    match value:
        case bool() | None:
            return int(bool(value))
        case int() | float():
            return value
        case str():
            try:
                return int(value) if re.fullmatch(r"\s*-?\d+\s*", value) else float(value or 0)
            except ValueError:
                return math.nan
        case SupportsFloat():
            return float(value)
        case _:
            return math.nan


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str | list | dict) or isinstance(right, str | list | dict):
        return as_text(left) + as_text(right)
    return _whole_if_it_is(_number(left) + _number(right))


def _divided(left: Any, right: Any) -> Any:
    left, right = _number(left), _number(right)
    if right == 0:
        return math.nan if left == 0 or left != left else math.copysign(math.inf, left)  # noqa: PLR0124 - NaN
    return _whole_if_it_is(left / right)


def _whole_if_it_is(value: Any) -> Any:
    """A number, such that 6.0 is written 6."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _plus,
    ast.Sub: lambda left, right: _whole_if_it_is(_number(left) - _number(right)),
    ast.Mult: lambda left, right: _whole_if_it_is(_number(left) * _number(right)),
    ast.Div: _divided,
    ast.Mod: lambda left, right: (
        math.fmod(_number(left), _number(right))
        if isinstance(_number(left), float)
        else int(math.fmod(_number(left), _number(right)))
    ),
    ast.Pow: lambda left, right: _number(left) ** min(_number(right), 1000),
}
_SIGNS: Mapping[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div}
_ORDERED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def _compared(left: Any, others: list[tuple[type[ast.cmpop], Any]]) -> bool:
    for sign, right in others:
        if sign in _ORDERED:
            both_texts = isinstance(left, str) and isinstance(right, str)
            pair = (left, right) if both_texts else (_number(left), _number(right))
            found = _ORDERED[sign](*pair)
        elif sign in (ast.In, ast.NotIn):
            found = (left in right) is (sign is ast.In)
        else:
            found = equal(left, right) is (sign in (ast.Eq, ast.Is))
        if not found:
            return False
        left = right
    return True


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; a text and a number are if the text says that number."""
    if isinstance(left, str) is not isinstance(right, str) and None not in (left, right):
        return bool(_number(left) == _number(right))
    return bool(left == right)


def _whole(text: Any, *_: Any) -> int:
    match = re.match(r"\s*(-?\d+)", as_text(text))
    if match is None:
        raise ValueError(f"{as_text(text)!r} begins with no number")
    return int(match[1])


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Number": _number,
    "String": as_text,
    "Boolean": holds,
    "parseInt": _whole,
    "parseFloat": lambda text: _number(as_text(text)),
    "isNaN": lambda value: _number(value) != _number(value),
    "Math.round": lambda value: math.floor(_number(value) + 0.5),
    "Math.floor": lambda value: math.floor(_number(value)),
    "Math.ceil": lambda value: math.ceil(_number(value)),
    "Math.abs": lambda value: abs(_number(value)),
    "Math.min": lambda *values: min(map(_number, values)),
    "Math.max": lambda *values: max(map(_number, values)),
    "Math.sqrt": lambda value: math.sqrt(_number(value)),
    "Math.pow": lambda left, right: _number(left) ** _number(right),
    "JSON.stringify": lambda value, *_: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    "JSON.parse": json.loads,
    "Object.keys": lambda value: [*value],
    "Object.values": lambda value: [*value.values()],
    "Array.isArray": lambda value: isinstance(value, list),
}


def _push(items: list[Any], *more: Any) -> int:
    items.extend(more)
    return len(items)


def _slice(items: Any, begin: Any = 0, end: Any = None) -> Any:
    return items[begin:end]


_METHODS: Mapping[type, Mapping[str, Callable[..., Any]]] = {
    str: {
        "toUpperCase": str.upper,
        "toLowerCase": str.lower,
        "trim": str.strip,
        "includes": str.__contains__,
        "startsWith": str.startswith,
        "endsWith": str.endswith,
        "slice": _slice,
        "substring": _slice,
        "split": lambda text, by="": text.split(by) if by else [*text],
        "repeat": lambda text, times: text * min(int(times), 10_000),
        "replace": lambda text, old, new: text.replace(old, as_text(new), 1),
        "replaceAll": lambda text, old, new: text.replace(old, as_text(new)),
        "indexOf": str.find,
        "concat": lambda text, *more: text + "".join(map(as_text, more)),
        "charAt": lambda text, at: text[at : at + 1],
        "padStart": lambda text, width, by=" ": text.rjust(width, by),
        "padEnd": lambda text, width, by=" ": text.ljust(width, by),
    },
    list: {
        "push": _push,
        "join": lambda items, by=",": by.join(map(as_text, items)),
        "includes": list.__contains__,
        "slice": _slice,
        "indexOf": lambda items, item: items.index(item) if item in items else -1,
        "concat": lambda items, *more: [
            *items,
            *(one for each in more for one in (each if isinstance(each, list) else [each])),
        ],
        "reverse": lambda items: items[::-1],
        "at": lambda items, at: items[at] if -len(items) <= at < len(items) else None,
    },
    float: {"toFixed": lambda value, digits=0: f"{value:.{digits}f}"},
    int: {"toFixed": lambda value, digits=0: f"{value:.{digits}f}"},
    dict: {"hasOwnProperty": dict.__contains__},
}
