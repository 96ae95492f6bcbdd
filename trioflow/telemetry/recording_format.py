"""How recordings are written: blocks of events, each packed by itself, and at the end a head that says where they are.

So a stretch of a large one is read without the rest. Nothing here knows what events mean.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trioflow.errors import TrioflowError

OF_EVENTS = (("kind", "B"), ("node", "H"), ("strand", "I"), ("path", "I"), ("time", "d"))
OF_PATHS = (("parent", "I"), ("index", "q"))
BLOCK = 65_536
"""Events of a block, and paths."""

_MAGIC = b"trioflow recording 2\n"
_END = struct.Struct("<QII")
"""Where the head is, how long, and its checksum: the last bytes of the file."""


class RecordingError(TrioflowError):
    """A file is not a recording, or not a whole one."""


def begins_like_one(file: str | os.PathLike[str]) -> bool:
    """Whether a file begins like a recording, of whatever version. Raises `OSError`."""
    with Path(file).open("rb") as opened:
        return opened.read(19) == _MAGIC[:19]


def as_blocks(head: Mapping[str, Any], columns: Mapping[str, array[Any]], notes: Mapping[int, str]) -> bytes:
    """What is written of a recording: `head` is what is to be said of the whole of it, as JSON."""
    parts = [_MAGIC]
    size = len(_MAGIC)

    def add(data: bytes) -> list[int]:
        """Pack something; gives where it is, how long, and its checksum."""
        nonlocal size
        packed = zlib.compress(data, 6)
        parts.append(packed)
        size += len(packed)
        return [size - len(packed), len(packed), zlib.crc32(packed)]

    by_block: dict[int, dict[str, str]] = {}
    for number, note in notes.items():
        by_block.setdefault(number // BLOCK, {})[str(number)] = note
    blocks = [
        [*add(_joined(OF_EVENTS, columns, block)), *add(json.dumps(by_block.get(number, {})).encode())]
        for number, block in enumerate(_slices(len(columns["kind"])))
    ]
    paths = [add(_joined(OF_PATHS, columns, block)) for block in _slices(len(columns["parent"]))]
    at, length, checksum = add(json.dumps({**head, "blocks": blocks, "paths": paths}).encode())
    return b"".join([*parts, _END.pack(at, length, checksum)])


class BlockFile:
    """A recording in a file, of which parts are read. Nothing is kept open. Raises `RecordingError`, `OSError`."""

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._name = os.fspath(file)
        with Path(file).open("rb") as opened:
            magic = opened.read(len(_MAGIC))
            if magic != _MAGIC:
                raise RecordingError(
                    f"{self._name}: "
                    + (
                        "it was recorded by another version of trioflow. Look at it with that, or record the run again."
                        if magic.startswith(_MAGIC[:19])
                        else "it is not a recording. `trioflow run --record FILE` makes one."
                    )
                )
            self._size = opened.seek(0, os.SEEK_END)
            if self._size < len(_MAGIC) + _END.size:
                raise self._damaged()
            opened.seek(self._size - _END.size)
            place = _END.unpack(opened.read())
        self.head: dict[str, Any] = json.loads(self._read(place))

    def events(self, first: int, stop: int) -> tuple[dict[str, array[Any]], dict[int, str]]:
        """The columns of some events, and the notes of them."""
        columns: dict[str, array[Any]] = {name: array(code) for name, code in OF_EVENTS}
        notes: dict[int, str] = {}
        for number in range(first // BLOCK, -(-stop // BLOCK)):
            *events, at, length, checksum = self.head["blocks"][number]
            begin = number * BLOCK
            for name, column in self._columns(OF_EVENTS, events):
                columns[name].extend(column[max(0, first - begin) : stop - begin])
            said = json.loads(self._read((at, length, checksum)))
            notes |= {int(each): note for each, note in said.items() if first <= int(each) < stop}
        return columns, notes

    def paths(self) -> dict[str, array[Any]]:
        """The columns of all paths."""
        columns: dict[str, array[Any]] = {name: array(code) for name, code in OF_PATHS}
        for place in self.head["paths"]:
            for name, column in self._columns(OF_PATHS, place):
                columns[name].extend(column)
        return columns

    def _columns(self, of: tuple[tuple[str, str], ...], place: list[int]) -> Iterator[tuple[str, array[Any]]]:
        data = self._read(place)
        count = len(data) // sum(array(code).itemsize for _, code in of)
        at = 0
        for name, code in of:
            column: array[Any] = array(code)
            column.frombytes(data[at : at + count * column.itemsize])
            at += count * column.itemsize
            yield name, column

    def _read(self, place: tuple[int, ...] | list[int]) -> bytes:
        at, length, checksum = place
        if at + length > self._size:  # what is cut off ends in anything
            raise self._damaged()
        with Path(self._name).open("rb") as opened:
            opened.seek(at)
            packed = opened.read(length)
        if len(packed) != length or zlib.crc32(packed) != checksum:
            raise self._damaged()
        return zlib.decompress(packed)

    def _damaged(self) -> RecordingError:
        return RecordingError(f"{self._name}: the recording is cut off or damaged. Record the run again.")


def _slices(count: int) -> Iterator[slice]:
    return (slice(begin, begin + BLOCK) for begin in range(0, count, BLOCK))


def _joined(of: tuple[tuple[str, str], ...], columns: Mapping[str, array[Any]], block: slice) -> bytes:
    return b"".join(columns[name][block].tobytes() for name, _ in of)
