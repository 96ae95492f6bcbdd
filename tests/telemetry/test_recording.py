"""Recordings: what was recorded is what was told, in memory and in files."""

from __future__ import annotations

from collections import Counter
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telemetry.runs import failing, looping, watched

from trioflow.telemetry import Moment, Recorder, Recording, RecordingError, RecordingFile
from trioflow.testing import EventLog, run_virtual


def recorded(graph, **how):
    return watched(graph, Recorder(**how)).recording()


LOOPED = watched(looping(), Recorder())


@pytest.mark.parametrize("kind", ["sequential", "concurrent"])
def test_every_event_is_there(kind):
    """Kind, time, node, strand and path of each event, in order."""
    log, recorder = EventLog(), Recorder()
    run_virtual(looping(kind=kind), observers=[log, recorder])
    recording = recorder.recording()
    assert [(row.kind, row.time, row.node, row.strand, recording.path(row.path)) for row in recording] == [
        (type(each).__name__, each.time, each.node, each.strand, each.path.as_tuple()) for each in log.events
    ]
    assert recording.duration == log.events[-1].time


def test_the_most_that_is_kept():
    """What comes after that many events is left out, notes and all."""
    whole = recorded(failing())
    recorder = watched(failing(), Recorder(most=7))
    assert recorder.events == len(recorder.recording()) == 7
    assert [*recorder.recording()] == [*whole][:7]
    assert max(whole.notes) >= 7 > max(recorder.recording().notes, default=0)


@given(st.integers(1, 9), st.data())
def test_what_was_before(block, data):
    """How often each kind was told of each node among the first events, however much of that is kept."""
    recording = LOOPED.recording()
    events = data.draw(st.lists(st.integers(0, len(recording) + 2), min_size=1, max_size=4))
    with mock.patch("trioflow.telemetry.recording.BLOCK", block):
        for each in events:
            rows = zip(recording.column("kind")[:each], recording.column("node")[:each], strict=True)
            assert recording.tally(each) == Counter(rows)


def test_paths_lead_upwards():
    """The path of each row but the root's is one number longer than that of its parent."""
    recording = recorded(looping())
    for row in recording:
        assert recording.path(row.path)[:-1] == recording.path(row.parent)


def test_a_file_says_the_same(tmp_path):
    """What is loaded is what was saved."""
    recording = recorded(looping())
    recording.save(tmp_path / "run.rec")
    loaded = Recording.load(tmp_path / "run.rec")
    assert [*loaded] == [*recording]
    assert (loaded.run, loaded.started_at, repr(loaded)) == (recording.run, recording.started_at, repr(recording))
    assert [path.name for path in tmp_path.iterdir()] == ["run.rec"]


def test_moments():
    """At a moment it says which nodes were open in which strand, the innermost last."""
    recording = recorded(looping())
    assert recording.at(2.5) == Moment(2.5, {0: ["loop", "nap"]}, events=recording.at(2.5).events)
    assert recording.at(99.0).running == {}
    assert recording.after(0).running == {}
    concurrent = recorded(looping(kind="concurrent"))
    assert concurrent.at(0.5).running == {0: ["loop"], 1: ["nap"], 2: ["nap"], 3: ["nap"]}
    assert concurrent.at(4.5).running == {0: ["loop"], 3: ["nap"]}


def test_notes_say_what_failed():
    """Failures are there with their error, in short; values only if they were asked for."""
    rows = [row for row in recorded(failing()) if row.note]
    assert [(row.kind, row.node, row.note) for row in rows] == [
        ("NodeFailed", "bad", "ValueError: no 0"),
        ("NodeFailed", "outer", "ValueError: no 0"),
        ("RunFailed", None, "ValueError: no 0"),
    ]
    assert [row.note for row in recorded(looping(1), values=True) if row.kind == "EvaluationCompleted"] == [
        "outputs {'result': 0}"
    ]


def test_few_bytes_an_event(tmp_path):
    """A long recording takes less than 19 bytes an event in a file."""
    recording = recorded(looping(1000))
    recording.save(tmp_path / "long.rec")
    assert (tmp_path / "long.rec").stat().st_size < 19 * len(recording)


@pytest.fixture
def _small_blocks(monkeypatch):
    """Blocks of seven events."""
    for module in ("recording", "recording_file", "recording_format"):
        monkeypatch.setattr(f"trioflow.telemetry.{module}.BLOCK", 7)


@pytest.mark.usefixtures("_small_blocks")
def test_stretches_of_a_file(tmp_path):
    """Whatever is asked for is what it is in the recording, and only the blocks are read in which it is."""
    whole, file = recorded(looping(5), values=True), tmp_path / "run.rec"
    whole.save(file)
    parts = RecordingFile(file)
    assert (parts.run, parts.kinds, parts.nodes, len(parts)) == (whole.run, whole.kinds, whole.nodes, len(whole))
    assert (parts.duration, parts.document, parts.as_bytes()) == (whole.duration, "", whole.as_bytes())
    assert repr(parts).endswith(f"{len(whole)} events in {whole.duration:.3f} s>")
    assert [*parts.whole()] == [*whole]
    last = len(whole)
    for first, stop in [
        (0, last),
        (0, 0),
        (3, 5),
        (7, 14),
        (6, 22),
        (last - 1, last),
        (last, last + 9),
        (-3, 4),
        (9, 3),
    ]:
        stretch = parts.stretch(first, stop)
        assert stretch == whole.stretch(first, stop)
        assert len(stretch) == max(0, min(stop, last) - max(0, first))
        assert stretch.before == whole.tally(stretch.first)
    assert any(whole.stretch(0, last).notes)
    data = bytearray(file.read_bytes())
    data[25] ^= 1  # in the first block
    file.write_bytes(data)
    assert parts.stretch(8, last) == whole.stretch(8, last)
    with pytest.raises(RecordingError, match="damaged"):
        parts.stretch(5, last)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: b"{}", "it is not a recording. `trioflow run --record FILE` makes one."),
        (lambda data: data.replace(b"recording 2", b"recording 3", 1), "it was recorded by another version"),
        (lambda data: data[:-1], "the recording is cut off or damaged. Record the run again."),
        *[
            (lambda data, at=at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "cut off or damaged")
            for at in (25, -3, -12, -16, -30)
        ],
        (lambda data: data[:22], "cut off or damaged"),
    ],
)
def test_files_that_are_no_recordings(tmp_path, spoil, says):
    """A file that is none, of another version, cut off or damaged is refused with its name and a cure."""
    file = tmp_path / "run.rec"
    recorded(looping()).save(file)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(RecordingError, match=says) as caught:
        Recording.load(file)
    assert str(caught.value).startswith(str(file))


def test_a_file_that_can_not_be_written_stays_as_it_was(tmp_path):
    """A folder that is not there is an OSError, and nothing is left behind."""
    with pytest.raises(FileNotFoundError):
        recorded(looping()).save(tmp_path / "nowhere" / "run.rec")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("kind", ["sequential", "concurrent"])
def test_nothing_is_kept_of_what_is_over(kind):
    """When a run has ended, the recorder holds no more of it than its columns, but for a few lines."""
    recorder = watched(looping(200, kind), Recorder())
    assert len(recorder._lines) < 250
    assert len(recorder._items) < 5


def test_a_file_that_is_cut_off_anywhere(tmp_path):
    """Wherever a download has ended: what is read there as the place of its contents may be anything."""
    cut = tmp_path / "cut.rec"
    recorded(looping()).save(cut)
    whole = cut.read_bytes()
    for length in range(len(whole) - 200, len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(RecordingError, match="cut off or damaged"):
            RecordingFile(cut)
