"""Runtime expressions: jq, by the extra `imports`.

`${ ... }` around an expression is left out where nothing but one can stand. An expression sees the data as `.`, and
what is around as variables. It sees nothing of the host: its environment is empty, and it reads no files.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from trioflow.errors import MissingExtra
from trioflow.formats.serverless.problem import standard

BUILT_IN = frozenset(["authorization", "context", "input", "output", "runtime", "secrets", "task", "workflow"])
"""The variables that an expression may name anywhere; a loop or a handler adds its own."""

_NAMES = re.compile(r"\$([A-Za-z_][A-Za-z_0-9]*)")
_AT_ONCE = 500
# What would ask the host: its environment, and the moment, which a run that is resumed would not see again.
_CLOSED = "def env: {}; {} as $ENV | "


class BadExpression(ValueError):
    """A text that is not an expression, or names a variable that is not there."""


def is_expression(value: object) -> bool:
    """Whether a value of a document is an expression where a constant could stand as well: `${ ... }`."""
    return isinstance(value, str) and value.strip().startswith("${") and value.strip().endswith("}")


def body_of(text: str) -> str:
    """The expression without the `${` and `}` around it, if these are there."""
    return text.strip()[2:-1] if is_expression(text) else text


def texts_in(value: object) -> list[tuple[tuple[str | int, ...], str]]:
    """All texts in a value of a document, with the keys and places that lead to them."""
    if isinstance(value, str):
        return [((), value)]
    items: list[tuple[str | int, object]] = []
    if isinstance(value, Mapping):
        items = [(str(key), each) for key, each in cast("Mapping[object, object]", value).items()]
    elif isinstance(value, list):
        items = [*enumerate(cast("list[object]", value))]
    return [((key, *inside), text) for key, each in items for inside, text in texts_in(each)]


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def evaluate(text: str, data: Any, variables: Mapping[str, Any]) -> Any:
    """What an expression gives for the data; null if it gives nothing. Raises a `WorkflowError` of type expression."""
    expression = body_of(text)
    names = tuple(sorted(_named(expression) & variables.keys()))
    try:
        program = _program(expression, names)
        given = json.dumps({"d": data, "v": {name: variables[name] for name in names}})
        results = cast("list[Any]", program.input_text(given).all())
    except BadExpression as error:
        raise standard("expression", str(error)) from None
    except (ValueError, TypeError, RecursionError) as error:
        raise standard("expression", f"{expression.strip()!r}: {_plain(error)}") from None
    if len(results) > 1:
        raise standard(
            "expression", f"{expression.strip()!r} gives {len(results)} values. Put it into [...] for a list."
        )
    return results[0] if results else None


def filled(value: Any, data: Any, variables: Mapping[str, Any]) -> Any:
    """A value of a document, at every depth with what its expressions give. Raises a `WorkflowError`."""
    if is_expression(value):
        return evaluate(value, data, variables)
    if isinstance(value, Mapping):
        return {key: filled(each, data, variables) for key, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [filled(each, data, variables) for each in cast("Sequence[Any]", value)]
    return value


def holds(value: Any) -> bool:
    """Whether a value counts as true: all do but null and false, as in jq."""
    return value is not None and value is not False


def problems_of(expressions: Sequence[tuple[str, frozenset[str]]]) -> dict[int, str]:
    """What is wrong with expressions, by their places in the list; each comes with the variables that it may name."""
    found: dict[int, str] = {}
    for start in range(0, len(expressions), _AT_ONCE):
        _check(expressions, start, min(start + _AT_ONCE, len(expressions)), found)
    return found


def _check(expressions: Sequence[tuple[str, frozenset[str]]], start: int, end: int, found: dict[int, str]) -> None:
    # Compiling costs the same for one as for hundreds: they are halved only where something is wrong.
    if end - start > 1:
        together = ", ".join(_wrapped(body_of(text), _known(text, names)) for text, names in expressions[start:end])
        try:
            _jq().compile(f"null | ({together})")
        except ValueError:
            middle = (start + end) // 2
            _check(expressions, start, middle, found)
            _check(expressions, middle, end, found)
        return
    if end > start:
        text, names = expressions[start]
        try:
            _program(body_of(text), _known(text, names))
        except BadExpression as error:
            found[start] = str(error)


def _known(text: str, names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(_named(body_of(text)) & names))


def _named(expression: str) -> set[str]:
    return set(_NAMES.findall(expression))


def _wrapped(expression: str, names: Sequence[str]) -> str:
    bound = "".join(f'.v["{name}"] as ${name} | ' for name in names)
    return f"({_CLOSED}{bound}.d | ({expression}\n))"


@functools.lru_cache(4096)
def _program(expression: str, names: tuple[str, ...]) -> Any:
    if not expression.strip():
        raise BadExpression("an expression is empty")
    try:
        return _jq().compile(_wrapped(expression, names))
    except ValueError as error:
        raise BadExpression(f"{expression.strip()!r} is not an expression of jq: {_plain(error)}") from None


def _plain(error: BaseException) -> str:
    """What jq says, without the line and the column, which are those of another text, and what it repeats."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.sub(r" at <(?:top-level|unknown)>, line \d+, column \d+:?", "", said.removeprefix("jq: error: ")).strip()


def _jq() -> Any:
    try:
        return importlib.import_module("jq")
    except ImportError as error:
        raise MissingExtra("Serverless Workflow", "imports") from error
