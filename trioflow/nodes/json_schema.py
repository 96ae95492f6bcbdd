"""JSON Schema, by the extra `schema` (jsonschema)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import trioflow as tf
from trioflow.errors import MissingExtra
from trioflow.nodes import _expect as expect

_SHOWN = 20


class SchemaUnmet(ValueError):
    """A value does not fit a schema. `problems` are all that is wrong with it, each with its place."""

    def __init__(self, message: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(message)

    __reduce__ = tf.TrioflowError.__reduce__


class Validated(NamedTuple):
    """A value, and what is wrong with it."""

    result: object
    valid: bool
    problems: list[str]


def checker(node: str, schema: object) -> Callable[[object], list[str]]:
    """What finds all that is wrong with a value, each with its place. Raises `ValueError` for a schema that is none.

    References are followed within the schema; nothing is ever fetched.
    """
    try:
        import jsonschema.validators  # noqa: PLC0415 - an extra
        from referencing import Registry  # noqa: PLC0415 - comes with it
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtra(f"The node type {node}", "schema") from error
    if not isinstance(schema, dict | bool):
        raise ValueError(f"{node}: a schema is an object, or true or false; got {expect.shown(schema)}.")
    kind: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
        validator: Any = kind(schema, registry=cast("Any", Registry)())
    except jsonschema.SchemaError as error:
        raise ValueError(f"{node}: this is not a schema: {error.json_path}: {expect.short(error.message)}.") from None
    except (RecursionError, OverflowError) as error:
        raise ValueError(f"{node}: the schema can't be checked: {type(error).__name__}.") from None

    def problems() -> Iterator[str]:
        for each in validator.iter_errors(checked):
            yield f"{each.json_path}: {each.message[:300]}"

    checked: object = None

    def check(value: object) -> list[str]:
        nonlocal checked
        checked = value
        try:
            found = problems()
            return [each for _, each in zip(range(_SHOWN), found, strict=False)]
        except Unresolvable as error:
            raise ValueError(f"{node}: the schema refers to {error.ref!r}, which is not in it.") from None
        except (RecursionError, OverflowError, ArithmeticError) as error:
            raise ValueError(f"{node}: the value can't be checked: {type(error).__name__}.") from None

    return check


@tf.exec_node(id="json.validate_schema", durable="replayed")
def validate_schema(value: object, schema: object, strict: bool = True) -> Validated:
    """Checks a value against a JSON Schema. One that does not fit is an error, `SchemaUnmet`: what is wrong, and where.

    With `strict=False` it goes on, and `problems` says the same. By the draft that `$schema` names, or 2020-12.
    References lead only into the schema itself. Needs the extra `schema`.

    >>> fire("json.validate_schema", value={"n": "x"}, schema={"properties": {"n": {"type": "integer"}}}, strict=False)
    [('then', {'result': {'n': 'x'}, 'valid': False, 'problems': ["$.n: 'x' is not of type 'integer'"]})]
    """
    problems = checker("json.validate_schema", schema)(value)
    if problems and strict:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SchemaUnmet(f"json.validate_schema: the value does not fit: {problems[0]}{more}.", problems)
    return Validated(value, not problems, problems)
