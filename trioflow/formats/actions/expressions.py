"""Expressions in `${{ }}`: literals, contexts, comparisons, `!`, `&&`, `||`, and functions.

Texts are compared without regard to case, values of unlike kinds as numbers, and what is not there is null: so the
documentation of GitHub Actions says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import attrs

from trioflow.errors import NodeError, did_you_mean

CONTEXTS = frozenset(
    {"github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"}
)
STATUS = frozenset({"success", "failure", "always", "cancelled"})
"""Functions that ask how it went so far; a condition without one of them also asks for `success()`."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|(?P<text>'(?:[^']|'')*')
    |(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!().,*\[\]]))""",
    re.VERBOSE,
)
_INSIDE = re.compile(r"\$\{\{((?:[^'}]|'[^']*'|\}(?!\}))*)\}\}")  # braces in its texts don't end it
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}
_DEEPEST = 50


class BadExpression(Exception):
    """A text is not an expression."""


class ExpressionFailed(NodeError):
    """An expression of a document can't be evaluated."""

    code = "expression"


@attrs.frozen
class Tree:
    """A part of an expression: what it is, a value or name, and its parts."""

    kind: str
    value: Any = None
    parts: tuple[Tree, ...] = ()

    def calls(self) -> frozenset[str]:
        """The functions that it calls."""
        own = {self.value} if self.kind == "call" else set[str]()
        return frozenset(own).union(*(each.calls() for each in self.parts))

    def reads(self) -> list[tuple[str, ...]]:
        """The paths that it reads, as far as they are fixed, such as `("needs", "build", "result")`."""
        path: list[str] = []
        tree = self
        while tree.kind == "of" and tree.parts[1].kind == "value":
            path.insert(0, str(tree.parts[1].value))
            tree = tree.parts[0]
        if tree.kind == "name":
            return [(str(tree.value), *path)]
        return [path for each in self.parts for path in each.reads()]


@lru_cache(maxsize=4096)
def parse(text: str) -> Tree:
    """The tree of an expression. Raises `BadExpression`."""
    parser = _Parser(text)
    tree = parser.either()
    parser.end()
    return tree


def unwrapped(text: str) -> str:
    """A condition, which may or may not stand in `${{ }}`."""
    match = _INSIDE.fullmatch(text.strip())
    return match[1] if match is not None else text


def inside(text: str) -> list[str]:
    """The expressions in a text."""
    return _INSIDE.findall(text)


def filled(value: Any, evaluate: Callable[[Tree], Any]) -> Any:
    """A value with its expressions evaluated; a text that is nothing but one is what that gives."""
    if isinstance(value, str):
        whole = _INSIDE.fullmatch(value.strip())
        if whole is not None:
            return evaluate(parse(whole[1]))
        return _INSIDE.sub(lambda match: as_text(evaluate(parse(match[1]))), value)
    if isinstance(value, Mapping):
        return {key: filled(each, evaluate) for key, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [filled(each, evaluate) for each in cast("list[Any]", value)]
    return value


def evaluate(tree: Tree, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """What an expression is. Raises `ExpressionFailed`."""
    try:
        return _value(tree, contexts, {**_FUNCTIONS, **functions})
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise ExpressionFailed(f"An expression can't be evaluated: {error}.") from error


def holds(value: Any) -> bool:
    """Whether a value counts as true."""
    return not (value in (None, "", False) or (isinstance(value, int | float) and (value == 0 or value != value)))  # noqa: PLR0124 - NaN is unlike itself


def as_text(value: Any) -> str:
    """A value as it is written into a text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case dict() | list() | tuple():
            return json.dumps(value, indent=2, ensure_ascii=False, default=str)
        case _:
            return str(value)


def _value(tree: Tree, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    match tree.kind:
        case "value":
            return tree.value
        case "name":
            return contexts.get(str(tree.value))
        case "of":
            holder, key = (_value(each, contexts, functions) for each in tree.parts)
            return _of(holder, key)
        case "all":
            holder = _value(tree.parts[0], contexts, functions)
            return _All(holder.values() if isinstance(holder, Mapping) else holder or ())
        case "!":
            return not holds(_value(tree.parts[0], contexts, functions))
        case "&&":
            left = _value(tree.parts[0], contexts, functions)
            return _value(tree.parts[1], contexts, functions) if holds(left) else left
        case "||":
            left = _value(tree.parts[0], contexts, functions)
            return left if holds(left) else _value(tree.parts[1], contexts, functions)
        case "call":
            return functions[tree.value](*(_value(each, contexts, functions) for each in tree.parts))
        case sign:
            left, right = (_value(each, contexts, functions) for each in tree.parts)
            return _compared(sign, left, right)


class _All(list[Any]):
    """What `.*` gives: what is read of it is read of all."""


def _of(holder: Any, key: Any) -> Any:
    if isinstance(holder, _All):
        return _All(found for each in holder if (found := _of(each, key)) is not None)
    if isinstance(holder, Mapping):
        named = cast("Mapping[str, Any]", holder)
        if key in named:
            return named[key]
        return next((each for name, each in named.items() if name.lower() == str(key).lower()), None)
    if isinstance(holder, list) and isinstance(key, int | float) and 0 <= key < len(holder):
        return holder[int(key)]
    return None


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return math.nan


def _compared(sign: str, left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.lower(), right.lower()
    elif type(left) is not type(right):
        left, right = _number(left), _number(right)
    match sign:
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _contains(holder: Any, item: Any) -> bool:
    if isinstance(holder, list):
        return any(_compared("==", each, item) for each in holder)
    return as_text(item).lower() in as_text(holder).lower()


def _format(text: Any, *values: Any) -> str:
    def put(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        return as_text(values[int(match[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}", put, as_text(text))


def _join(items: Any, separator: Any = ",") -> str:
    return as_text(separator).join(map(as_text, items)) if isinstance(items, list) else as_text(items)


def _starts(text: Any, start: Any) -> bool:
    return as_text(text).lower().startswith(as_text(start).lower())


def _ends(text: Any, end: Any) -> bool:
    return as_text(text).lower().endswith(as_text(end).lower())


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _from_json(text: Any) -> Any:
    return json.loads(as_text(text))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": _contains,
    "startsWith": _starts,
    "endsWith": _ends,
    "format": _format,
    "join": _join,
    "toJSON": _to_json,
    "fromJSON": _from_json,
}
FUNCTIONS = {*_FUNCTIONS, *STATUS}


class _Parser:
    """By descent: `||` binds least, then `&&`, comparisons, `!`, `.` and `[]`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._next = self._depth = at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                rest = text[at:].strip()
                more = " Texts stand in single quotes." if rest.startswith('"') else ""
                more = more or (" Values are compared by ==." if rest.startswith("=") else "")
                raise BadExpression(f"{rest[:12]!r} is not understood.{more}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._tokens.append(("end", ""))

    def either(self) -> Tree:
        """An expression."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadExpression("It is nested too deeply.")
        tree = self._both()
        while self._sign("||"):
            tree = Tree("||", None, (tree, self._both()))
        self._depth -= 1
        return tree

    def end(self) -> None:
        """Nothing is left over."""
        kind, text = self._tokens[self._next]
        if kind != "end":
            raise BadExpression(f"{text!r} is not expected there.")

    def _both(self) -> Tree:
        tree = self._compared()
        while self._sign("&&"):
            tree = Tree("&&", None, (tree, self._compared()))
        return tree

    def _compared(self) -> Tree:
        tree = self._negated()
        while self._tokens[self._next][1] in ("==", "!=", "<", "<=", ">", ">="):
            sign = self._take()
            tree = Tree(sign, None, (tree, self._negated()))
        return tree

    def _negated(self) -> Tree:
        signs = 0
        while self._sign("!"):
            signs += 1
        tree = self._followed()
        for _ in range(min(signs, 2 + signs % 2)):
            tree = Tree("!", None, (tree,))
        return tree

    def _followed(self) -> Tree:
        tree = self._atom()
        while True:
            if self._sign("."):
                if self._sign("*"):
                    tree = Tree("all", None, (tree,))
                    continue
                kind, name = self._tokens[self._next]
                if kind != "name":
                    raise BadExpression("A name is expected behind the dot.")
                self._next += 1
                tree = Tree("of", None, (tree, Tree("value", name)))
            elif self._sign("["):
                tree = Tree("all", None, (tree,)) if self._sign("*") else Tree("of", None, (tree, self.either()))
                self._need("]")
            else:
                return tree

    def _atom(self) -> Tree:
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "number":
            number = float(int(text, 16)) if "0x" in text else float(text)
            return Tree("value", int(number) if number.is_integer() else number)
        if kind == "text":
            return Tree("value", text[1:-1].replace("''", "'"))
        if kind == "name" and self._sign("("):
            return self._call(text)
        if kind == "name" and text in _CONSTANTS:
            return Tree("value", _CONSTANTS[text])
        if kind == "name":
            if text.lower() not in CONTEXTS:
                raise BadExpression(f"There is no context {text!r}.{did_you_mean(text, CONTEXTS)}")
            return Tree("name", text.lower())
        if text == "(":
            tree = self.either()
            self._need(")")
            return tree
        raise BadExpression(f"{text!r} is not expected there." if text else "It ends too early.")

    def _call(self, name: str) -> Tree:
        known = {each.lower(): each for each in FUNCTIONS}
        if name.lower() not in known:
            raise BadExpression(f"There is no function {name!r} here.{did_you_mean(name, FUNCTIONS)}")
        arguments: list[Tree] = []
        while not self._sign(")"):
            arguments.append(self.either())
            if not self._sign(","):
                self._need(")")
                break
        return Tree("call", known[name.lower()], tuple(arguments))

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _sign(self, text: str) -> bool:
        found = self._tokens[self._next] == ("sign", text)
        self._next += found
        return found

    def _need(self, text: str) -> None:
        if not self._sign(text):
            raise BadExpression(f"{text!r} is expected instead of {self._tokens[self._next][1] or 'the end'!r}.")
