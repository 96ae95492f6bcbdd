"""Keys of entries: where in a run something was recorded, as bytes that sort as paths do.

Each number of a path is its length and its bytes, so that comparing keys compares paths, and the key of an activation
is the beginning of the keys of all that it has dispatched. Marks of attempts and of fired nodes, which are negative,
come after the numbers of what was dispatched (A2, A4). After the path comes what else it is, if it is not the end of
the activation: a letter, and a name or number.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trioflow.semantics.address import AGENDA_MARK, HOST_MARK, show_path

if TYPE_CHECKING:
    from trioflow.runtime.base.records import Line

_MARK = 0x80
_END = 0xFF


def path_key(path: Iterable[int]) -> bytes:
    """The key of an activation's end."""
    return b"".join(map(number_key, path))


def line_key(line: Line, known: dict[Line, bytes]) -> bytes:
    """The same for the path of a line. `known` is the line above the last one that was asked for, with its key."""
    above = line.parent
    if above is None:
        return b""
    key = known.get(above)
    if key is None:
        key = path_key(above.where.as_tuple())
        known.clear()
        known[above] = key
    return key + number_key(line.index)


@functools.lru_cache(4096)
def number_key(number: int) -> bytes:
    """One number of a path."""
    value = number if number >= 0 else -number
    size = (value.bit_length() + 7) >> 3
    return bytes((size if number >= 0 else _MARK | size,)) + value.to_bytes(size, "big")


def part_key(path: bytes, kind: str, name: str | int = "") -> bytes:
    """The key of something else that belongs to an activation: a letter says what, a name or number which one."""
    return b"%b\xff%b%b" % (path, kind.encode(), str(name).encode("utf-8", "surrogatepass"))


def path_part(key: bytes) -> bytes:
    """The activation that a key belongs to."""
    place = 0
    while place < len(key) and key[place] != _END:
        place += 1 + (key[place] & 0x7F)
    return key[:place]


def is_path(key: bytes) -> bool:
    """Whether a key is that of an activation's end, and of nothing else that belongs to it."""
    return path_part(key) == key


def path_of(key: bytes) -> tuple[int, ...]:
    """The path in a key."""
    path: list[int] = []
    place = 0
    while place < len(key) and key[place] != _END:
        size = key[place] & 0x7F
        value = int.from_bytes(key[place + 1 : place + 1 + size], "big")
        path.append(-value if key[place] & _MARK else value)
        place += 1 + size
    return tuple(path)


def ancestors(key: bytes) -> Iterable[bytes]:
    """The keys of the activation that a key belongs to, and of all around it, the innermost first."""
    ends: list[int] = []
    place = 0
    while place < len(key) and key[place] != _END:
        place += 1 + (key[place] & 0x7F)
        ends.append(place)
    return (key[:end] for end in reversed(ends))


def show_key(key: bytes) -> str:
    """A key for people: the path, and what else it is."""
    part = path_part(key)
    rest = key[len(part) + 1 :].decode("utf-8", "surrogatepass")
    return show_path(path_of(key)) + (f" [{rest}]" if rest else "")


_NAMED = {"host": HOST_MARK, "later": AGENDA_MARK}


def read_path(text: str) -> tuple[int, ...]:
    """A path as people write it: `0.1.~2.0`. Raises `ValueError`."""
    path: list[int] = []
    for part in text.split(".") if text != "root" else ():
        if part in _NAMED:
            path.append(_NAMED[part])
            continue
        mark, digits = (part[:1], part[1:]) if part[:1] in {"~", "!"} else ("", part)
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"expected a path such as '0.1.0', got {text!r}")
        number = int(digits)
        path.append(-2 * number if mark == "~" else -2 * number - 1 if mark == "!" else number)
    return tuple(path)
