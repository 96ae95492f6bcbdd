"""Traces for Perfetto, read back by a reader of its own: all slices close, arrows have two ends, time goes on."""

from __future__ import annotations

from collections import Counter

import pytest
from telemetry.runs import failing, looping, watched
from telemetry.test_profile import three

from trioflow.telemetry import Recorder, perfetto_trace


def traced(graph):
    return perfetto_trace(watched(graph, Recorder()).recording())


def fields(data):
    """The fields of a message: number and value, as protocol buffers write them."""
    place = 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 1:
            yield key >> 3, int.from_bytes(data[place : place + 8], "little")
            place += 8
        else:
            assert key & 7 == 2
            size = number()
            yield key >> 3, data[place : place + size]
            place += size


def packets(trace):
    for number, packet in fields(trace):
        assert number == 1
        yield dict(fields(packet))


def named(trace):
    found = {}
    for packet in packets(trace):
        if 60 in packet:
            about = dict(fields(packet[60]))
            found[about[1]] = about[2].decode()
    return found


def slices(trace):
    """Of each event in order: time, kind, track, name, notes, arrows."""
    for packet in packets(trace):
        if 11 in packet:
            said = [*fields(packet[11])]
            event = dict(said)
            notes = [{key: value.decode() for key, value in fields(each)} for number, each in said if number == 4]
            name = event[23].decode() if 23 in event else None
            yield packet[8], event[9], event[11], name, {each[10]: each[6] for each in notes}, event.get(47)


@pytest.mark.parametrize(
    "graph", [looping(), looping(kind="concurrent"), failing(), three(2, 1, 4)], ids=["loop", "forks", "fails", "ahead"]
)
def test_every_slice_is_closed(graph):
    """Slices nest in their track, time never goes back, and each arrow has two ends."""
    trace = traced(graph)
    depth, arrows, last = Counter(), Counter(), 0
    for time, kind, track, *_, arrow in slices(trace):
        assert time >= last
        last = time
        depth[track] += {1: 1, 2: -1}.get(kind, 0)
        assert depth[track] >= 0
        arrows[arrow] += 1
    assert set(depth.values()) == {0}
    assert {count for arrow, count in arrows.items() if arrow is not None} <= {2}


def test_a_track_for_each_strand():
    """The tracks are the run, its strands, and the counter of strands."""
    trace = traced(looping(kind="concurrent"))
    names = [*named(trace).values()]
    assert names[0].startswith("run ")
    assert names[1:] == ["strands", "the run", "strand 0", "strand 1", "strand 2", "strand 3"]
    counted = [
        dict(fields(packet[11]))[30] for packet in packets(trace) if 11 in packet and 30 in dict(fields(packet[11]))
    ]
    assert counted == [2, 3, 4, 3, 2, 1]


def test_slices_say_what_and_how():
    """A slice has the node's name and path, and at its end the outcome, with the error if it failed."""
    told = [(kind, name, notes) for _, kind, _, name, notes, _ in slices(traced(failing()))]
    assert told == [
        (1, "start", {"path": "0.0"}),
        (2, None, {"outcome": "completed"}),
        (1, "outer", {"path": "0.1"}),
        (1, "bad", {"path": "0.1.0"}),
        (2, None, {"outcome": "failed", "note": "ValueError: no 0"}),
        (2, None, {"outcome": "failed", "note": "ValueError: no 0"}),
        (3, "RunFailed: ValueError: no 0", {}),
    ]


def test_what_was_begun_ahead_has_tracks_of_its_own():
    """From when it was begun until it ended, its turn came, or it was of no use."""
    for graph, ends in (
        (three(2, 1, 4), [(1, "ready"), (2, "taken up")]),
        (three(-2, 1, 4), [(1, "ready"), (2, "in vain")]),
    ):
        trace = traced(graph)
        names = named(trace)
        told = [
            (time / 1e9, kind, names[track], name or notes["outcome"]) for time, kind, track, name, notes, _ in slices(trace)
            if names[track].startswith("ahead")
        ]  # fmt: skip
        (ready, how), (later, other) = ends
        assert told == [
            (0, 1, "ahead 1", "b"), (0, 1, "ahead 2", "c"), (ready, 2, "ahead 1", how), (later, 2, "ahead 2", other),
        ]  # fmt: skip
