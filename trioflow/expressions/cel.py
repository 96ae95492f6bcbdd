"""The language: compiled once, asked as often as a wire is looked at."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from trioflow.errors import ExpressionFailed, MissingExtra, did_you_mean
from trioflow.expressions.values import crossing

LONGEST: Final = 10_000
"""How many characters an expression may have: longer ones take milliseconds to read, in one piece."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_MISMATCH = re.compile(r"no matching overload for '(\S+)' applied to '\((\w+), (\w+)\)'")
_UNEXPECTED = re.compile(
    r"(?:mismatched|extraneous) input '(.*?)' expecting (.*)|no viable alternative at input '(.*)'"
)
_UNKNOWN = re.compile(r"token recognition error at: '(.*)'")
_MISSING = re.compile(r"missing (\S+) at '")
_OF_PYTHON = {"and": "&&", "or": "||", "not": "!", "is": "=="}
_NUMBERS = frozenset({"int", "uint", "double"})
_ORDER = frozenset({"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"})


class BadExpression(Exception):
    """A text is not an expression, or one that can't mean anything here: `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class Expression:
    """An expression that was checked. `names` are those that it needs values of, such as `out.score`."""

    def __init__(self, text: str, compiled: Any, names: tuple[str, ...], *, error_type: Any) -> None:
        self.text = text
        self.names = names
        self._compiled = compiled
        self._error_type = error_type

    def value(self, values: Mapping[str, Any]) -> Any:
        """What it is with these values, by name. Raises `ExpressionFailed`, which says why.

        An error is a value there, and a true one: so its type is asked first.
        """
        data = {name: crossing(values[name], name) for name in self.names}
        try:
            found = self._compiled.eval(data=data)
        except RuntimeError as error:
            raise ExpressionFailed(f"The expression {self.text!r} failed: {error}") from None
        if found.type() == self._error_type:
            raise ExpressionFailed(f"The expression {self.text!r} failed: {_reason(str(found.value()))}")
        return found.plain_value()

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds. Raises `ExpressionFailed` also for one that is neither true nor false."""
        found = self.value(values)
        if not isinstance(found, bool):
            raise ExpressionFailed(
                f"The condition {self.text!r} is {found!r}, and a condition is true or false. Compare it."
            )
        return found

    def __repr__(self) -> str:
        return f"<expression {self.text!r}>"


def compile_expression(text: str, names: Mapping[str, type | None], *, condition: bool = False) -> Expression:
    """Check a text against the names that it may use and their types; None for any type.

    Names are qualified (`out.score`, `vars.total`) or single words (`error`). Numbers of all types compare with each
    other, and with nothing else. Raises `BadExpression`, with its place, and `MissingExtra`.
    """
    if len(text) > LONGEST:
        raise BadExpression(f"an expression has {LONGEST:,} characters at most, and this has {len(text):,}", 1, 1)
    return _compiled(text, tuple(sorted(names.items())), condition)


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, names: tuple[tuple[str, type | None], ...], condition: bool) -> Expression:
    cel = _cel()
    types = dict(names)
    used = tuple(dict.fromkeys(name for word in _WORD.findall(text) for name in _prefixes(word) if name in types))
    # Once with types, and all numbers as whole ones, to see whether a number is compared with a text. Then with any
    # values, since numbers of all types compare, and any input may be null (D1).
    result = None
    try:
        result = _environment(cel, names, True).compile(text).return_type()
    except RuntimeError as error:
        for line, column, message in _problems(str(error)):
            match = _MISMATCH.search(message)
            if match is not None and match[1] in _ORDER and "null_type" not in match.groups() and not _alike(match):
                raise BadExpression(_compared(match[2], match[3]), line, column) from None
    try:
        compiled = _environment(cel, names, False).compile(text)
    except RuntimeError as error:
        line, column, message = next(iter(_problems(str(error))), (1, 1, str(error)))
        raise BadExpression(_explained(message, text, line, column, [*types]), line, column) from None
    result = compiled.return_type() if result is None else result
    if condition and result not in (cel.Type.BOOL, cel.Type.DYN):
        raise BadExpression(f"a condition is true or false, and this is {_kind(result.name().lower())}", 1, 1)
    return Expression(text, compiled, used, error_type=cel.Type.ERROR)


@functools.lru_cache(maxsize=1024)
def _environment(cel: ModuleType, names: tuple[tuple[str, type | None], ...], typed: bool) -> Any:
    types: dict[Any, Any] = {}
    if typed:
        types = {bool: cel.Type.BOOL, str: cel.Type.STRING, int: cel.Type.INT, float: cel.Type.INT}
    return cel.NewEnv(variables={name: types.get(kind, cel.Type.DYN) for name, kind in names})


def _cel() -> ModuleType:
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
    except ImportError:
        raise MissingExtra("A condition or expression", "expressions") from None
    return cel  # type: ignore[no-any-return]


def _prefixes(word: str) -> list[str]:
    """`out.page.size` may be the name `out.page`, or `out`."""
    parts = word.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _problems(text: str) -> list[tuple[int, int, str]]:
    return [(int(match[1]), int(match[2]), match[3]) for match in _PLACE.finditer(text)]


def _explained(message: str, text: str, line: int, column: int, names: list[str]) -> str:
    match = _UNDECLARED.search(message)
    if match is None:
        return _syntax(message.replace("Syntax error: ", ""), text)
    rows = text.splitlines() or [""]
    word = _WORD.match(rows[min(line, len(rows)) - 1], column - 1)
    meant = ".".join((word[0] if word else match[1]).split(".")[:2])
    return f"there is no {meant!r} here.{did_you_mean(meant, names)} There are: {', '.join(names) or 'none'}"


def _syntax(message: str, text: str) -> str:
    """What is wrong with the form of an expression, in words of its own."""
    if (missing := _MISSING.match(message)) is not None:
        said = f"{missing[1]} is missing"
    elif (unknown := _UNKNOWN.match(message)) is not None:
        word = unknown[1].strip()
        if word[:1] in ("'", '"'):
            return f"the text that begins here has no closing {word[0]}"
        said = "two values are compared with ==" if word == "=" else f"{word!r} means nothing here"
    elif (unexpected := _UNEXPECTED.match(message)) is not None:
        word = unexpected[1] if unexpected[3] is None else unexpected[3]
        if word == "<EOF>":
            wanted = re.findall(r"'(.)'", unexpected[2])
            said = "the expression ends too early: "
            said += "a value is missing" if "true" in unexpected[2] else f"expected {' or '.join(wanted)}"
        else:
            said = f"{word!r} can't stand here"
    else:
        return message
    words = set(re.findall(r"[a-z]+", re.sub(r"'[^']*'|\"[^\"]*\"", "", text)))
    here = [f"{python!r} is written {cel}" for python, cel in _OF_PYTHON.items() if python in words]
    return f"{said}; {', '.join(here)}" if here else said


def _alike(match: re.Match[str]) -> bool:
    return match[2] == match[3] or _NUMBERS.issuperset((match[2], match[3]))


def _compared(left: str, right: str) -> str:
    cure = "Compare what is alike, or convert it: int(...), double(...), string(...)"
    return f"{_kind(left)} is compared with {_kind(right)}. {cure}"


def _kind(name: str) -> str:
    return {"string": "a text", "bool": "true or false", "null_type": "null"}.get(
        name, "a number" if name in _NUMBERS else name
    )


def _reason(text: str) -> str:
    return text.partition(": ")[2] or text
