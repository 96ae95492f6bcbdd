"""What `trioflow studio` opens: a graph, one that is not there yet, a folder."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.shelves import FolderShelf, opened_by_name

TEXT = '{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.start"}]}'


def test_a_graph(tmp_path):
    """With its file; an example has none, and can be saved as something new."""
    path = tmp_path / "g.json"
    path.write_text(TEXT)
    opened, shelf = opened_by_name(str(path), ())
    assert opened.file is not None and opened.file.look() == "same" and shelf is None
    assert opened_by_name("fizzbuzz", ())[0].file is None
    with pytest.raises(BadInput):
        opened_by_name(str(tmp_path / "no" / "g.json"), ())
    with pytest.raises(BadInput):
        opened_by_name("fizzbuz", ())


def test_one_that_is_not_there_yet(tmp_path, capsys):
    """It is empty, and is told to be new."""
    opened, _ = opened_by_name(str(tmp_path / "new.json"), ())
    assert opened.graph == tf.Graph() and "not there yet" in capsys.readouterr().err
    assert not (tmp_path / "new.json").exists()


def test_a_folder(tmp_path):
    """Its graphs by name; one of them, a new one, one that is wrong, and none outside."""
    (tmp_path / "g.json").write_text(TEXT)
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "notes.txt").write_text("")
    opened, shelf = opened_by_name(str(tmp_path), ())
    assert opened.name == f"{tmp_path.name}/" and isinstance(shelf, FolderShelf)
    assert [each["name"] for each in shelf.titles()] == ["bad.json", "g.json"]
    assert shelf.open("g.json").graph.nodes[0].id == "a"
    assert shelf.open("new.json").graph == tf.Graph()
    for name in ("bad.json", "../g.json", "notes.txt"):
        with pytest.raises(tf.TrioflowError, match=name):
            shelf.open(name)
