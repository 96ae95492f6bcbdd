"""JSON as values, read and written in slices: strict, with no NaN, no infinity and no key twice, numbers of any length.

Small texts are read by Python's own parser in one go. Of a large one it reads what fits into a window: many items of a
list at once where they are small; what is larger than a window is gone into.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from json.decoder import scanstring  # type: ignore[attr-defined]  # it is what the module's own parser takes
from typing import Any, cast

from trioflow.nodes import _expect as expect
from trioflow.nodes._elsewhere import work
from trioflow.nodes._equality import sorted_by, weight
from trioflow.nodes._slices import TURN, Steps, joined

_WINDOW = 8_192
"""Characters that are parsed in one go."""

_DEEPEST = 1_000
"""Levels of lists and objects."""

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_SUSPECT = re.compile(r"[eE]\+?0*[1-9]\d\d|\d{200}", re.ASCII)
"""What has to be in a text that writes a number beyond the greatest float, or one that Python does not read."""


class NotJson(ValueError):
    """A text that is not JSON. The message begins with the place."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise NotJson(f"the key {expect.short(twice)} occurs more than once")
    return made


def _no_constant(name: str) -> Any:
    raise NotJson(f"JSON has no {name}")


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise NotJson(f"{expect.short(text)} is beyond the greatest float")
    return number


def _int(text: str) -> int:
    if len(text) > 4_000:
        raise _LongNumber
    return int(text)


class _LongNumber(Exception):
    """A number that has to be read by itself."""


_Scan = Callable[[str, int], tuple[Any, int]]


def _scan_of(decoder: Any) -> _Scan:
    return cast("_Scan", decoder.scan_once)


_quick = _scan_of(json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant))
_careful = _scan_of(
    json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float, parse_int=_int)
)


def _scanner(text: str) -> _Scan:
    return _careful if _SUSPECT.search(text) else _quick


def read(text: str) -> Steps[Any]:
    """The value that a text writes, with a byte order mark passed over. Raises `NotJson`."""
    text = text.removeprefix("\ufeff")
    if len(text) <= _WINDOW:
        try:
            start = _blank(text, 0)
            value, end = _scanner(text)(text, start)
            end = _blank(text, end)
        except _LongNumber:
            pass
        except StopIteration as stop:
            raise NotJson(_at(text, cast("int", stop.value), "Expecting value")) from None
        except json.JSONDecodeError as error:
            raise NotJson(_at(text, error.pos, error.msg)) from None
        except RecursionError:
            raise NotJson("it is nested too deeply") from None
        else:
            if end < len(text):
                raise NotJson(_at(text, end, "Extra data"))
            return value
    return (yield from _Reader(text).read())


def _blank(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    assert found is not None
    return found.end()


def _at(text: str, place: int, what: str) -> str:
    line = text.count("\n", 0, place) + 1
    return f"line {line}, column {place - text.rfind(chr(10), 0, place)}: {what}"


class _Holder:
    """A list or an object that is being read, and the key of its next value."""

    __slots__ = ("closing", "failed", "found", "name")

    def __init__(self, found: Any, closing: str) -> None:
        self.found = found
        self.closing = closing
        self.failed = 0
        self.name = ""

    def add(self, value: Any) -> None:
        if self.closing == "]":
            self.found.append(value)
        else:
            self.found[self.name] = value


_LARGE: Any = object()
"""Stands for a value that does not end in the window, or is none."""


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._base = 0
        self._window = ""

    def _error(self, what: str, place: int | None = None) -> NotJson:
        return NotJson(_at(self._text, self._place if place is None else place, what))

    def read(self) -> Steps[Any]:
        holders: list[_Holder] = []
        yield from self._skip()
        while True:
            value = yield from self._small()
            if value is _LARGE and self._next() in ("[", "{"):
                if len(holders) > _DEEPEST:
                    raise self._error("it is nested too deeply")
                holder = _Holder([], "]") if self._next() == "[" else _Holder({}, "}")
                self._place += 1
                yield from self._skip()
                if self._next() != holder.closing:
                    holders.append(holder)
                    yield from self._next_item(holder)
                    continue
                self._place += 1
                value = holder.found
            elif value is _LARGE:
                value = yield from self._single()
            while holders:
                holders[-1].add(value)
                yield from self._skip()
                if self._goes_on(holders[-1].closing):
                    yield from self._skip()
                    yield from self._next_item(holders[-1])
                    break
                value = holders.pop().found
            else:
                yield from self._skip()
                if self._place < len(self._text):
                    raise self._error("Extra data")
                return value

    def _skip(self) -> Steps[None]:
        """Pass over white space."""
        while True:
            found = _BLANK.match(self._text, self._place, self._place + _WINDOW)
            assert found is not None
            self._place = found.end()
            if found.end() - found.start() < _WINDOW:
                return
            yield TURN

    def _move(self) -> None:
        """Let the window begin here."""
        self._base = self._place
        self._window = self._text[self._base : self._base + _WINDOW]

    def _small(self) -> Steps[Any]:
        """The value here, by Python's parser if it is sure to end in the window."""
        local = self._place - self._base
        while True:
            if self._place >= len(self._text):
                raise self._error("Expecting value")
            if 0 <= local < len(self._window):
                try:
                    value, end = _scanner(self._window)(self._window, local)
                except NotJson as error:
                    if not local:
                        raise self._error(str(error)) from None
                except (json.JSONDecodeError, StopIteration, _LongNumber, RecursionError):
                    pass
                else:
                    # A number that ends with the window may go on behind it, as 1 does in `1.5` and in `1e+5`.
                    is_last = self._base + len(self._window) >= len(self._text)
                    if is_last or end + 3 <= len(self._window) or self._window[end - 1] in '"]}':
                        self._place = self._base + end
                        return value
                if not local:
                    return _LARGE
            self._move()
            local = 0
            yield TURN

    def _single(self) -> Steps[Any]:
        """The text, number or word here, however long."""
        if self._next() == '"':
            return self._string()
        for word, value in (("null", None), ("true", True), ("false", False)):
            if self._text.startswith(word, self._place):
                self._place += len(word)
                return value
        found = _NUMBER.match(self._text, self._place)
        if found is None:
            raise self._error("Expecting value")
        whole, fraction, exponent = found.groups()
        if len(whole) > expect.LONGEST_NUMBER:
            raise self._error(f"a number of {len(whole):,} digits; {expect.LONGEST_NUMBER:,} are read at most")
        if fraction or exponent:
            try:
                number: Any = _float(found[0])
            except NotJson as error:
                raise self._error(str(error)) from None
        else:
            number = int(whole) if len(whole) <= 4_000 else (yield work("whole", whole))
        self._place = found.end()
        return number

    def _string(self) -> str:
        try:
            value, self._place = scanstring(self._text, self._place + 1)
        except json.JSONDecodeError as error:
            raise self._error(error.msg, error.pos) from None
        return cast("str", value)

    def _many(self, opening: str, closing: str) -> Any:
        """Many small items at once, up to a comma in the window: the list or object of them, or None."""
        self._move()
        window = self._window
        for separator in (",", closing + ",", "},", "],"):
            cut = window.rfind(separator)
            if cut > 0:
                cut += len(separator) - 1
                inside = f"{opening}{window[:cut]}{closing}"
                try:
                    value, end = _scanner(inside)(inside, 0)
                except (ValueError, StopIteration, _LongNumber, RecursionError):
                    continue
                if end == len(inside) and value:
                    self._place += cut + 1
                    return value
        return None

    def _next_item(self, holder: _Holder) -> Steps[None]:
        """Take many items at once, as long as that works, and go to the value of the next."""
        is_list = holder.closing == "]"
        while holder.failed < 3:
            many = self._many("[" if is_list else "{", holder.closing)
            yield TURN
            if many is None:
                holder.failed += 1
                break
            if is_list:
                holder.found += many
            else:
                self._check_new(holder, many)
                holder.found.update(many)
            yield from self._skip()
        if is_list:
            return
        begin = self._place
        if self._next() != '"':
            raise self._error("Expecting property name enclosed in double quotes")
        holder.name = self._string()
        self._check_new(holder, (holder.name,), begin)
        yield from self._skip()
        if self._next() != ":":
            raise self._error("Expecting ':' delimiter")
        self._place += 1
        yield from self._skip()

    def _check_new(self, holder: _Holder, names: Iterable[str], place: int | None = None) -> None:
        for name in names:
            if name in holder.found:
                raise self._error(f"the key {expect.short(name)} occurs more than once", place)

    def _next(self) -> str:
        return self._text[self._place : self._place + 1]

    def _goes_on(self, closing: str) -> bool:
        """Pass over what follows an item: whether another one does."""
        character = self._next()
        if character not in (",", closing) or not character:
            raise self._error("Expecting ',' delimiter")
        self._place += 1
        return character == ","


def write(value: object, indent: int | None = None, *, sort_keys: bool = False) -> Steps[str]:
    """The value as a JSON text. Raises `TypeError` and `ValueError` for what JSON has no form for, with its place."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent, sort_keys=sort_keys).encode
    try:
        if weight(value, _SMALL) < _SMALL and _is_plain(value, ""):
            return encode(value)
        parts: list[str] = []
        yield from _Writer(encode, indent, parts, sort_keys=sort_keys).write(value, "", 0)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
    return (yield from joined(parts))


_SMALL = 1_000
"""Values, at every depth, that are written in one go."""


def _where(path: str) -> str:
    return f"at {path!r}" if path else "the value"


def escaped(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _is_plain(value: object, path: str) -> bool:
    """Whether Python's writer has a form for it, which is so for all that JSON has but numbers of many digits.

    It would turn keys into texts, and tuples into lists: those are raised for.
    """
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        return value.bit_length() < 14_000
    if isinstance(value, float):
        if value - value != 0:
            raise ValueError(f"{_where(path)} is {value!r}, which JSON does not have")
        return True
    plain = True
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            plain &= _is_plain(item, f"{path}/{escaped(_key(key, path))}")
    elif isinstance(value, list):
        for place, item in enumerate(cast("list[object]", value)):
            plain &= _is_plain(item, f"{path}/{place}")
    else:
        raise TypeError(f"{_where(path)} is {expect.shown(value)}, which JSON does not have")
    return plain


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{_where(path)} has the key {expect.shown(key)}; keys of JSON are texts")
    return key


class _Writer:
    """Writes what is small in one go, many items together, and goes into what is not."""

    def __init__(self, encode: Callable[[Any], str], indent: int | None, parts: list[str], *, sort_keys: bool) -> None:
        self._encode = encode
        self._indent = indent
        self._parts = parts
        self._sort = sort_keys

    def write(self, value: Any, path: str, depth: int) -> Steps[None]:
        if weight(value, _SMALL) < _SMALL and _is_plain(value, path):
            self._parts.append(self._moved(self._encode(value), depth))
        elif isinstance(value, int):
            self._parts.append((yield work("digits", int(value))))
        elif isinstance(value, str):
            yield from self._long(value)
        elif isinstance(value, dict):
            entries = cast("dict[object, object]", value)
            names: list[Any] = [*entries]
            if self._sort and all(isinstance(name, str) for name in names):
                names = yield from sorted_by("", names, names, descending=False)
            yield from self._items("{", ((_key(name, path), entries[name]) for name in names), "}", path, depth)
        elif isinstance(value, list):
            yield from self._items("[", enumerate(cast("list[object]", value)), "]", path, depth)
        else:
            _is_plain(value, path)

    def _items(
        self, opening: str, items: Iterable[tuple[Any, Any]], closing: str, path: str, depth: int
    ) -> Steps[None]:
        self._parts.append(opening)
        begin = len(self._parts)
        group: list[tuple[Any, Any]] = []
        size = 0
        for name, item in items:
            count = 1 if isinstance(item, int | float) else weight(item, _SMALL)
            if count < _SMALL:
                group.append((name, item))
                size += count
            if size >= _SMALL or count >= _SMALL:
                yield from self._group(group, opening, path, depth, begin)
                yield TURN
                group, size = [], 0
            if count >= _SMALL:
                yield from self._one(name, item, opening, path, depth, begin)
        yield from self._group(group, opening, path, depth, begin)
        if self._indent is not None:
            self._parts.append(self._line(depth))
        self._parts.append(closing)

    def _group(self, group: list[tuple[Any, Any]], opening: str, path: str, depth: int, begin: int) -> Steps[None]:
        """Write some items that are small."""
        if not group:
            return
        if not all(_is_plain(item, f"{path}/{escaped(str(name))}") for name, item in group):  # tell of all of them
            for name, item in group:
                yield from self._one(name, item, opening, path, depth, begin)
            return
        inside = self._encode(dict(group) if opening == "{" else [item for _, item in group])[1:-1]
        if self._indent is not None:
            inside = self._moved(inside[:-1], depth)  # it begins with a line end, and ended with one
        self._separate(begin, "," if self._indent is not None else ", ")
        self._parts.append(inside)

    def _one(self, name: Any, item: Any, opening: str, path: str, depth: int, begin: int) -> Steps[None]:
        self._separate(begin, "," if self._indent is not None else ", ")
        if self._indent is not None:
            self._parts.append(self._line(depth + 1))
        if opening == "{":
            self._parts.append(f"{self._encode(name)}: ")
        yield from self.write(item, f"{path}/{escaped(str(name))}", depth + 1)

    def _separate(self, begin: int, separator: str) -> None:
        if len(self._parts) > begin:
            self._parts.append(separator)

    def _line(self, depth: int) -> str:
        return "\n" + " " * ((self._indent or 0) * depth)

    def _moved(self, text: str, depth: int) -> str:
        """A text with its lines indented; those in texts are escapes."""
        return text if self._indent is None or not depth else text.replace("\n", self._line(depth))

    def _long(self, value: str) -> Steps[None]:
        self._parts.append('"')
        for start in range(0, len(value), _WINDOW * 8):
            self._parts.append(self._encode(value[start : start + _WINDOW * 8])[1:-1])
            yield TURN
        self._parts.append('"')
