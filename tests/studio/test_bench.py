"""The graph that is worked on, and its file: nothing is lost, whoever writes it meanwhile."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.errors import DocumentError, UnknownName
from trioflow.studio import Session, edits, places, session
from trioflow.studio.bench import Bench
from trioflow.studio.edits import EditError, SetInput
from trioflow.studio.files import GraphFile, NotSaved, new_file

from .pages import registry, summing

TEXT = '{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.start", "metadata": {"colour": "red"}}]}'


@pytest.fixture
def file(tmp_path):
    (tmp_path / "g.json").write_text(TEXT)
    return GraphFile(tmp_path / "g.json")


@pytest.fixture
def bench(file):
    return Bench(file.read(), registry(), file)


def add(bench, type_="debug.print"):
    return bench.edit([edits.Add(type_, 10, 20)])


def test_it_is_saved_and_read_again(bench, file, tmp_path):
    """With all that it says beyond what is edited; a saved graph is not unsaved any more, and undoing makes it so."""
    assert add(bench) == ["print"]
    assert bench.told()["unsaved"]
    bench.save(tmp_path)
    saved = tf.load(file.path)
    assert saved == bench.graph and saved.nodes[0].metadata["colour"] == "red"
    assert not bench.told()["unsaved"] and file.look() == "same"
    assert bench.undo() == "add a node" and bench.told()["unsaved"] and bench.told()["redo"] == "add a node"
    assert bench.redo() == "add a node" and not bench.told()["unsaved"]
    assert bench.redo() is None


def test_places_are_saved_once_a_person_has_placed_something(bench, file, tmp_path):
    """What is only wired or filled in stays laid out by itself, and nodes stay where they are seen meanwhile."""
    bench.edit([edits.Rename("a", "b")])
    assert "position" in bench.graph.nodes[0].metadata
    bench.save(tmp_path)
    assert "position" not in file.path.read_text()
    bench.edit([edits.Move({"b": [5, 6]})])
    bench.save(tmp_path)
    assert '"position": {"x": 5, "y": 6}' in file.path.read_text()
    bench.edit([edits.Arrange()])
    bench.save(tmp_path)
    assert "position" not in file.path.read_text()


def test_typing_is_one_step(bench):
    """As long as the same field is typed into."""
    for text in ("1", "12", "123"):
        bench.edit([edits.SetInput("a", "x", text)], "x")
    bench.edit([edits.SetInput("a", "x", "9")], "x again")
    assert bench.undo() and bench.graph.nodes[0].inputs["x"] == 123
    assert bench.undo() and "x" not in bench.graph.nodes[0].inputs
    assert bench.undo() is None


def test_several_edits_are_one_step_or_none(bench):
    """One that is refused takes the others along."""
    before = bench.graph
    with pytest.raises(EditError):
        bench.edit([edits.Add("debug.print", id="b"), edits.Add("debug.print", id="b")])
    assert bench.graph is before


def test_a_file_that_somebody_else_writes_is_read_again(bench, file):
    """If nothing was done here; and undo leads back."""
    file.path.write_text(TEXT.replace('"a"', '"theirs"'))
    assert "read again" in bench.noticed(file.look(), busy=False)
    assert bench.graph.nodes[0].id == "theirs" and not bench.told()["unsaved"]
    assert bench.undo() == "take what the file holds" and bench.graph.nodes[0].id == "a"


def test_both_have_changed_it(bench, file, tmp_path):
    """It is said, once; saving is refused until a person has chosen; either is kept."""
    add(bench)
    file.path.write_text(TEXT.replace('"a"', '"theirs"'))
    assert "so was the graph here" in bench.noticed(file.look(), busy=False)
    assert bench.noticed(file.look(), busy=False) is None
    assert bench.told()["state"] == "changed"
    with pytest.raises(NotSaved, match="changed by somebody else"):
        bench.save(tmp_path)
    bench.take_file()
    assert bench.graph.nodes[0].id == "theirs"
    bench.undo()
    assert [each.id for each in bench.graph.nodes] == ["a", "print"]
    bench.save(tmp_path, anyway=True)
    assert len(tf.load(file.path).nodes) == 2


def test_a_file_that_is_wrong_half_way(bench, file, tmp_path):
    """What is seen stays, the reason is told once, what is there is not written over, and it is read when it is whole."""
    file.path.write_text(TEXT[:30])
    assert "can't be read" in bench.noticed(file.look(), busy=False)
    assert bench.noticed(file.look(), busy=False) is None
    assert bench.graph.nodes[0].id == "a" and "g.json" in bench.told()["problem"]
    with pytest.raises(NotSaved):
        bench.save(tmp_path)
    file.path.write_text(TEXT.replace('"a"', '"whole"'))
    bench.noticed(file.look(), busy=False)
    assert bench.graph.nodes[0].id == "whole" and bench.told()["problem"] is None


def test_a_file_that_is_deleted(bench, file, tmp_path):
    """It is said once, and saving writes it again."""
    file.path.unlink()
    assert "deleted" in bench.noticed(file.look(), busy=False)
    assert bench.noticed(file.look(), busy=False) is None
    assert bench.told()["unsaved"]
    bench.save(tmp_path)
    assert tf.load(file.path) == bench.graph and bench.noticed(file.look(), busy=False) is None


def test_a_graph_that_runs_is_not_taken_away(bench, file):
    """Somebody else's changes wait."""
    file.path.write_text(TEXT.replace('"a"', '"theirs"'))
    bench.noticed(file.look(), busy=True)
    assert bench.graph.nodes[0].id == "a" and bench.told()["state"] == "changed"


def test_a_graph_without_a_file_gets_one(tmp_path):
    """In the folder, under a name that nothing has yet."""
    bench = Bench(tf.Graph(), registry())
    with pytest.raises(DocumentError, match="no file yet"):
        bench.save(tmp_path)
    bench.save(tmp_path, "new.yaml")
    assert bench.told()["file"] == "new.yaml" and tf.load(tmp_path / "new.yaml") == tf.Graph()
    for name in ("new.yaml", "../new.json", "new.txt", ".json"):
        with pytest.raises(DocumentError):
            new_file(tmp_path, name)


def test_comments_are_not_lost_unasked(tmp_path):
    """YAML is written anew, without them."""
    path = tmp_path / "g.yaml"
    path.write_text("trioflow: '1.2'\n# why\nnodes: [{id: a, type: flow.start}]\n")
    file = GraphFile(path)
    with pytest.raises(NotSaved, match="comments"):
        file.save(file.read())
    file.save(tf.Graph(), anyway=True)
    file.save(tf.Graph())
    assert "# why" not in path.read_text()


def test_a_name_that_is_no_file(tmp_path):
    """A folder of that name is not what was read, and can't be written."""
    (tmp_path / "g.json").mkdir()
    file = GraphFile(tmp_path / "g.json")
    assert file.look() == "same"
    with pytest.raises((DocumentError, OSError)):
        file.save(tf.Graph())


def test_forms(bench):
    """Inputs with their literals as texts, choices where a name is meant, what else the document says; wires' terms."""
    bench.edit([edits.Add("variable.set", id="s"), edits.SetVariable("total", "int", "1"),
                edits.SetInput("s", "name", "total"), edits.SetInput("s", "value", '"7"'),
                edits.SetInput("s", "odd", "1"), edits.Settle("s", {"policy": {"retry": 2}}),
                edits.Connect(["a", "then"], ["s", "enter"])])  # fmt: skip
    form = bench.form("s")
    by_name = {each["name"]: each for each in form["inputs"]}
    assert by_name["name"]["text"] == "total" and by_name["name"]["choices"] == ["total"]
    assert by_name["value"]["text"] == '"7"' and by_name["odd"]["type"] == "any"
    assert form["settings"] == {"policy": {"retry": 2}}
    assert bench.terms(["a", "then"], ["s", "enter"]) == {}
    bench.edit([edits.Add("no.such", id="n")])
    assert bench.form("n")["inputs"] == []
    with pytest.raises(UnknownName):
        bench.form("x")


def test_a_graph_is_drawn_once_for_each_edit(monkeypatch):
    """As the page asks for it: to draw a large graph takes most of the time that an edit takes."""
    drawn = []

    def counting(function):
        def call(*arguments, **given):
            drawn.append(given.get("all_sockets"))
            return function(*arguments, **given)

        return call

    shown = Session(summing(), registry())
    shown.document(all_sockets=True)
    monkeypatch.setattr(session, "Scene", counting(session.Scene))
    monkeypatch.setattr(places, "Scene", counting(places.Scene))
    for number in range(3):  # the first one finds places for all, which are those that are seen
        drawn.clear()
        shown.bench.edit([SetInput("loop", "times", str(number))], seen=shown.places())
        shown.show_graph()
        shown.document(all_sockets=True)
        assert drawn == [True]
