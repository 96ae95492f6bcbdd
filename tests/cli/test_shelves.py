"""What `trioflow studio` opens: a graph, one that is not there yet, a folder."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.shelves import FolderShelf, NodesGiven, opened_by_name
from trioflow.telemetry import Recorder

TEXT = '{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.start"}]}'


def test_a_graph(tmp_path):
    """With its file; an example has none, and can be saved as something new."""
    path = tmp_path / "g.json"
    path.write_text(TEXT)
    opened, shelf = opened_by_name(str(path), NodesGiven())
    assert opened.file is not None and opened.file.look() == "same" and shelf is None
    assert opened_by_name("fizzbuzz", NodesGiven())[0].file is None
    with pytest.raises(BadInput):
        opened_by_name(str(tmp_path / "no" / "g.json"), NodesGiven())
    with pytest.raises(BadInput):
        opened_by_name("fizzbuz", NodesGiven())


def test_one_that_is_not_there_yet(tmp_path, capsys):
    """It is empty, and is told to be new."""
    opened, _ = opened_by_name(str(tmp_path / "new.json"), NodesGiven())
    assert opened.graph == tf.Graph() and "not there yet" in capsys.readouterr().err
    assert not (tmp_path / "new.json").exists()


def test_a_folder(tmp_path):
    """Its graphs by name; one of them, a new one, one that is wrong, and none outside."""
    (tmp_path / "g.json").write_text(TEXT)
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "notes.txt").write_text("")
    opened, shelf = opened_by_name(str(tmp_path), NodesGiven())
    assert opened.name == f"{tmp_path.name}/" and isinstance(shelf, FolderShelf)
    assert [each["name"] for each in shelf.titles()] == ["bad.json", "g.json"]
    assert shelf.open("g.json").graph.nodes[0].id == "a"
    assert shelf.open("new.json").graph == tf.Graph()
    for name in ("bad.json", "../g.json", "notes.txt"):
        with pytest.raises(tf.TrioflowError, match=name):
            shelf.open(name)


def test_a_recording_alone(tmp_path, cli):
    """It holds its graph, if it was made by `trioflow run`; what it does not say has to be given."""
    path = tmp_path / "run.rec"
    assert cli("run", "fizzbuzz", "--record", str(path)).code == 0
    opened, shelf = opened_by_name(str(path), NodesGiven(("trioflow.nodes.flow",)))
    assert opened.recording is not None and len(opened.graph.nodes) > 3 and shelf is None
    recorder = Recorder()
    trio.run(lambda: tf.run(tf.loads(TEXT), observers=[recorder]))
    recorder.recording().save(path)
    with pytest.raises(BadInput, match="which graph"):
        opened_by_name(str(path), NodesGiven())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadInput, match="damaged"):
        opened_by_name(str(path), NodesGiven())


@pytest.mark.parametrize("kind", ["sqlite", "files"])
def test_a_journal(tmp_path, kind):
    """Its runs are shown; one that can't be read is told."""
    where = tmp_path / ("runs.db" if kind == "sqlite" else "runs")
    journal = tf.SqliteJournal(where) if kind == "sqlite" else tf.FileJournal(where)
    trio.run(lambda: tf.run(tf.loads(TEXT), journal=journal, run_id="monday"))
    opened, shelf = opened_by_name(str(where), NodesGiven())
    assert opened.graph == tf.Graph() and [each["name"] for each in shelf.titles()] == ["monday"]
    assert shelf.open("monday").kept.run_id == "monday"


def test_a_database_that_is_no_journal(tmp_path):
    """It is told in words."""
    (tmp_path / "x.db").write_bytes(b"SQLite format 3\0 no")
    with pytest.raises(BadInput, match=r"x\.db"):
        opened_by_name(str(tmp_path / "x.db"), NodesGiven())
