"""Where in the text of a document its parts stand, for messages about them. Only read when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from trioflow.errors import MissingExtra


class Position(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Part(Protocol):
    """A value in a text: where it stands, and its parts by key or place."""

    @property
    def position(self) -> Position: ...

    def parts(self) -> Mapping[Any, Part]: ...


class Positions:
    """Positions in a text that could be read, by the paths of problems: `nodes[0].inputs.x`, `graphs["a b"].nodes`."""

    def __init__(self, root: Part | None) -> None:
        self._root = root

    @classmethod
    def of(cls, text: str, format: Literal["json", "yaml"] = "json") -> Positions:
        """Those of a text in JSON or YAML; none for a text that can't be read."""
        text = text.removeprefix("\ufeff")
        try:
            return cls(_JsonPart(text, _after_blanks(text, 0), {}) if format == "json" else _yaml_root(text))
        except (ValueError, MissingExtra):
            return cls(None)

    @classmethod
    def in_file(cls, path: Path) -> Positions:
        """Those of a file, of YAML if its name says so; none if it can't be read. Blocks while it reads."""
        try:
            text = path.read_bytes().decode()
        except (OSError, ValueError):
            return cls(None)
        return cls.of(text, "yaml" if path.suffix.lower() in {".yaml", ".yml"} else "json")

    def find(self, path: str) -> Position | None:
        """The position of what the path leads to, or of the nearest around it that is there; None if nothing is."""
        part = self._root
        if part is None:
            return None
        try:
            while True:
                step = _step(part.parts(), path)
                if step is None:
                    return part.position
                part, path = step
        except (ValueError, RecursionError):  # it could not be read in the first place
            return None


def _step(parts: Mapping[Any, Part], path: str) -> tuple[Part, str] | None:
    """The part that the path begins with, and the rest of the path."""
    item = re.match(r"\[(\d+)\]", path)
    if item is not None and int(item[1]) in parts:
        return parts[int(item[1])], path[item.end() :]
    plain = path.removeprefix(".")
    # Keys may hold dots and brackets: the longest that fits is meant.
    for key in sorted((key for key in parts if isinstance(key, str)), key=len, reverse=True):
        for written, rest in ((key, plain), (f"[{json.dumps(key, ensure_ascii=False)}]", path)):
            if rest.startswith(written) and rest[len(written) : len(written) + 1] in {"", ".", "["}:
                return parts[key], rest[len(written) :]
    return None


# --- JSON: only what a path leads through is looked at; Python's reader passes over all else -------------------------

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")


def _after_blanks(text: str, offset: int) -> int:
    found = _BLANKS.match(text, offset)
    assert found is not None
    return found.end()


class _JsonPart:
    def __init__(self, text: str, offset: int, known: dict[int, Mapping[Any, Part]]) -> None:
        self._text = text
        self._offset = offset
        self._known = known

    @property
    def position(self) -> Position:
        before = self._text.rfind("\n", 0, self._offset)
        return Position(self._text.count("\n", 0, self._offset) + 1, self._offset - before)

    def parts(self) -> Mapping[Any, Part]:
        if self._offset not in self._known:
            opening = self._text[self._offset : self._offset + 1]
            self._known[self._offset] = self._inside(opening == "{") if opening in {"{", "["} else {}
        return self._known[self._offset]

    def _inside(self, is_object: bool) -> dict[Any, Part]:
        text, found = self._text, dict[Any, Part]()
        offset = _after_blanks(text, self._offset + 1)
        while text[offset : offset + 1] not in {"}", "]", ""}:
            key: Any = len(found)
            if is_object:
                key, offset = _DECODER.raw_decode(text, offset)
                offset = _after_blanks(text, _after_blanks(text, offset) + 1)  # the colon
            found[key] = _JsonPart(text, offset, self._known)
            _, offset = _DECODER.raw_decode(text, offset)
            offset = _after_blanks(text, offset)
            if text[offset : offset + 1] == ",":
                offset = _after_blanks(text, offset + 1)
        return found


# --- YAML: read event by event ---------------------------------------------------------------------------------------


class _YamlPart:
    def __init__(self, position: Position) -> None:
        self.position = position
        self.inside: dict[Any, Part] = {}

    def parts(self) -> Mapping[Any, Part]:
        return self.inside


def _yaml_root(text: str) -> Part | None:
    from trioflow.model.yaml_text import marks  # noqa: PLC0415 - PyYAML is optional

    outside = _YamlPart(Position(1, 1))
    # Open lists and objects: the part, whether it is an object, and in an object the key that has no value yet.
    stack: list[tuple[_YamlPart, bool]] = [(outside, False)]
    keys: list[Any] = [None]
    for kind, line, column, value in marks(text):
        if kind == "]":
            stack.pop()
            keys.pop()
            continue
        holder, is_object = stack[-1]
        if is_object and keys[-1] is None and kind == "scalar":
            keys[-1] = (value,)
            continue
        part = _YamlPart(Position(line, column))
        key: Any = len(holder.inside)
        if is_object:
            key = keys[-1][0] if keys[-1] is not None else None
            keys[-1] = None
        holder.inside[key] = part
        if kind != "scalar":
            stack.append((part, kind == "{"))
            keys.append(None)
    return outside.inside.get(0)
