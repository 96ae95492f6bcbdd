"""JSON as text: read strictly, written so that a change to one node is a change to one line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


class BadText(ValueError):
    """The text can't be read in its format; the message is one line and begins with the place."""


class Repeated(dict[Any, Any]):
    """An object in which keys occur more than once; `keys_twice` are these keys.

    It lets whoever looks at the object later name its path, which the parser does not know.
    """

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        super().__init__(pairs)
        self.keys_twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def read(text: str) -> Any:
    """The tree of dicts and lists in a JSON text; a `Repeated` stands for an object with repeated keys.

    NaN and infinities come through as floats: whoever looks at the tree refuses them. Raises `BadText`, and
    `RecursionError` for a text that is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise BadText("it is empty.") from error
        ends = " The text ends there: is it cut off?" if error.pos >= len(text.rstrip()) else ""
        raise BadText(f"line {error.lineno}, column {error.colno}: {error.msg}.{ends}") from error
    except ValueError as error:
        # Python converts no integer of thousands of digits.
        raise BadText(f"{error}.") from error


def write(tree: Mapping[str, Any]) -> str:
    """A JSON text with one line for each element of the lists at the top, and of those of inner graphs.

    Raises `BadText`.
    """
    return f"{_graph(tree, '')}\n"


def _graph(tree: Mapping[str, Any], indent: str) -> str:
    parts: list[str] = []
    for key, value in tree.items():
        if isinstance(value, list) and value:
            lines = f",\n{indent}    ".join(map(_encode, value))
            parts.append(f"{_encode(key)}: [\n{indent}    {lines}\n{indent}  ]")
        elif key == "graphs" and isinstance(value, dict) and value:
            inner = [f"{_encode(name)}: {_graph(graph, indent + '    ')}" for name, graph in value.items()]
            parts.append(f"{_encode(key)}: {{\n{indent}    " + f",\n{indent}    ".join(inner) + f"\n{indent}  }}")
        else:
            parts.append(f"{_encode(key)}: {_encode(value)}")
    if not parts:
        return "{}"
    return f"{{\n{indent}  " + f",\n{indent}  ".join(parts) + f"\n{indent}}}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Repeated(pairs)


def _encode(value: Any) -> str:
    try:
        text = _encoder.encode(value)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)  # a lone surrogate has no form in UTF-8, but an escape
    except ValueError as error:
        raise BadText(f"{error}.") from error
    return text


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
