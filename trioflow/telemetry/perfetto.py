"""Traces for Perfetto (ui.perfetto.dev), made of recordings: a track for each strand, a slice for each node.

Written as protocol buffers by hand: the few messages that are needed are smaller than a library for them. The numbers
are those of `perfetto_trace.proto`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from trioflow.telemetry.recording import Recording, Row

_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4
_SEQUENCE = 7
_PROCESS, _STRANDS, _RUN, _FIRST = 1, 2, 3, 4
"""The tracks: the run as a process, the counter of strands, what belongs to no strand, and from there the strands."""
_AHEAD = 1 << 40
"""From there on, more tracks than there are strands: of what was begun ahead, as many as run at once."""
_ENDS = ("Completed", "Failed", "Cancelled", "Skipped")
_ENDS_AHEAD = {"EvaluationReady": "ready", "EvaluationStarted": "taken up", "EvaluationForgotten": "in vain"}


def perfetto_trace(recording: Recording) -> bytes:
    """The trace of a recorded run, as a file that Perfetto opens.

    A slice says path and outcome, with the error of a failure; an arrow leads from where a strand was forked to its
    first slice; a counter shows how many strands there were. What was begun ahead has tracks of its own, until it has
    ended or its turn has come. What had not ended when the recording was taken is open.
    """
    return b"".join(_packet(body) for body in _bodies(recording))


def _bodies(recording: Recording) -> Iterable[bytes]:
    run = f"run {recording.run}"
    process = _varint(1, 1) + _text(6, run)
    yield _bytes(60, _varint(1, _PROCESS) + _text(2, run) + _bytes(3, process))
    yield _bytes(60, _varint(1, _STRANDS) + _text(2, "strands") + _varint(5, _PROCESS) + _bytes(8, b""))
    known: set[int] = set()
    waiting: set[int] = set()  # strands to whose first slice an arrow leads
    strands = 1
    ahead = _Ahead(recording)
    for row in recording:
        yield from ahead.packets(row)
        track = _RUN if row.strand is None else _FIRST + row.strand
        if track not in known:
            known.add(track)
            name = "the run" if row.strand is None else f"strand {row.strand}"
            yield _bytes(60, _varint(1, track) + _text(2, name) + _varint(5, _PROCESS))
        what, how = _taken_apart(row.kind)
        if how == "Started" and what != "Run":
            notes = {"path": _shown(recording.path(row.path)), **({} if what == "Node" else {"kind": "evaluation"})}
            arrow = track if track in waiting else None
            waiting.discard(track)
            yield _event(row, track, _BEGIN, row.node or "", notes, arrow)
        elif how in _ENDS and what != "Run":
            notes = {"outcome": how.lower(), **({} if row.note is None else {"note": row.note})}
            yield _event(row, track, _END, None, notes)
        elif row.kind == "StrandForked":
            waiting.add(track)
            yield _event(row, _FIRST, _INSTANT, f"fork {_shown(recording.path(row.path))}", {}, track)
            strands += 1
            yield _counted(row, strands)
        elif row.kind == "StrandJoined":
            strands -= 1
            yield _counted(row, strands)
        elif row.note is not None:
            yield _event(row, track, _INSTANT, f"{row.kind}: {row.note}", {})


class _Ahead:
    """Evaluations that were begun ahead: several of a strand overlap, so each has the first track that is free."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._running: dict[tuple[int, str | None], int] = {}  # by path and node: the track
        self._known = 0

    def packets(self, row: Row) -> Iterable[bytes]:
        if row.kind == "EvaluationAhead":
            slot = next(each for each in count() if each not in self._running.values())
            self._running[row.path, row.node] = slot
            if slot == self._known:
                self._known += 1
                name = _text(2, f"ahead {slot + 1}")
                yield _bytes(60, _varint(1, _AHEAD + slot) + name + _varint(5, _PROCESS))
            notes = {"path": _shown(self._recording.path(row.path))}
            yield _event(row, _AHEAD + slot, _BEGIN, row.node or "", notes)
        elif row.kind in _ENDS_AHEAD:
            ended = self._running.pop((row.path, row.node), None)
            if ended is not None:
                yield _event(row, _AHEAD + ended, _END, None, {"outcome": _ENDS_AHEAD[row.kind]})


def _taken_apart(kind: str) -> tuple[str, str]:
    for what in ("Node", "Evaluation", "Run"):
        if kind.startswith(what):
            return what, kind[len(what) :]
    return "", kind


def _shown(path: Iterable[int]) -> str:
    return ".".join(map(str, path)) or "root"


def _event(row: Row, track: int, kind: int, name: str | None, notes: dict[str, str], arrow: int | None = None) -> bytes:
    body = [_varint(9, kind), _varint(11, track)]
    if name is not None:
        body.append(_text(23, name))
    body += [_bytes(4, _text(10, key) + _text(6, value)) for key, value in notes.items()]
    if arrow is not None:
        body.append(_fixed64(47, arrow))
    return _at(row, body)


def _counted(row: Row, strands: int) -> bytes:
    return _at(row, [_varint(9, _COUNTER), _varint(11, _STRANDS), _varint(30, strands)])


def _at(row: Row, body: Iterable[bytes]) -> bytes:
    return _varint(8, round(row.time * 1e9)) + _bytes(11, b"".join(body))


def _packet(body: bytes) -> bytes:
    return _bytes(1, body + _varint(10, _SEQUENCE))


def _number(value: int) -> bytes:
    """A number in as many bytes as it needs, seven bits in each."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(value)) + value


def _fixed64(field: int, value: int) -> bytes:
    return _number(field << 3 | 1) + value.to_bytes(8, "little")


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode("utf-8", "replace"))
