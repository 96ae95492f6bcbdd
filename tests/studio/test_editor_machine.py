"""The editor as a machine: whatever a page asks for, in whatever order, does as much as a list of versions says."""

from __future__ import annotations

import json

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.commands import CommandError, obey
from trioflow.studio.files import GraphFile

from .pages import registry, summing

NODES = st.sampled_from(["start", "loop", "square", "add", "for", "square2", "nothing"])
SOCKETS = st.sampled_from(["then", "enter", "body", "index", "n", "value", "result"])
END = st.tuples(NODES, SOCKETS).map(list)
PLACE = st.tuples(st.integers(-99, 99), st.integers(-99, 99)).map(list)


def edit(what, /, **fields):
    return st.fixed_dictionaries({"edit": st.just(what), **fields})


EDITS = st.one_of(
    edit("add", type=st.sampled_from(["flow.for", "studio.square", "no.such"])),
    edit("remove", nodes=st.lists(NODES, min_size=1, max_size=2)),
    edit("duplicate", nodes=st.lists(NODES, min_size=1, max_size=2)),
    edit("paste", document=st.just(tf.dumps(summing()))),
    edit("rename", node=NODES, id=NODES),
    edit("input", node=NODES, input=SOCKETS, text=st.none() | st.sampled_from(["1", "x", "[1]"])),
    edit("move", places=st.dictionaries(NODES, PLACE, min_size=1, max_size=2)),
    edit("connect", source=END, target=END),
    edit("disconnect", source=END, target=END),
    edit("variable", name=st.sampled_from(["total", "x"]), type=st.sampled_from(["int", "str"])),
    edit("drop variable", name=st.sampled_from(["total", "x"])),
    edit("arrange"),
)


class Editor(RuleBasedStateMachine):
    """A session, and the versions that there should be."""

    def __init__(self):
        super().__init__()
        self.session = Session(summing(), registry())
        self.versions = [self.session.bench.graph]
        self.at = 0
        self.typing = None

    def ask(self, **asked):
        return trio.run(obey, self.session, asked)

    @rule(edits=st.lists(EDITS, min_size=1, max_size=3), typing=st.none() | st.just("a field"))
    def change(self, edits, typing):
        """All edits of a step are made, or none; what is typed in one field goes into one step."""
        before, revision = self.session.bench.graph, self.session.bench.revision
        asked = {"edits": edits} if typing is None else {"edits": edits, "typing": typing}
        try:
            answer = self.ask(do="edit", **asked)
        except CommandError as error:
            assert str(error)
            assert (self.session.bench.graph, self.session.bench.revision) == (before, revision)
            return
        assert answer["revision"] == revision + 1
        if typing is not None and self.typing == typing:
            self.versions = self.versions[: self.at]
            self.at -= 1
        self.versions = [*self.versions[: self.at + 1], self.session.bench.graph]
        self.at += 1
        self.typing = typing

    @rule()
    def undo(self):
        label = self.ask(do="undo")["label"]
        assert (label is None) is (self.at == 0)
        self.at = max(0, self.at - 1)
        self.typing = self.session.bench.history.now.typing

    @rule()
    def redo(self):
        label = self.ask(do="redo")["label"]
        assert (label is None) is (self.at == len(self.versions) - 1)
        self.at = min(len(self.versions) - 1, self.at + 1)
        self.typing = self.session.bench.history.now.typing

    @invariant()
    def shows_the_version(self):
        """The graph is that of the list, and the page gets it, with nothing else to undo or do again than there is."""
        graph = self.session.bench.graph
        assert graph is self.versions[self.at]
        shown = json.loads(self.session.document())
        assert [each["id"] for each in shown["nodes"]] == [each.id for each in graph.nodes]
        assert len([each for each in shown["wires"] if not each["undo"]]) <= len(graph.connections)
        assert tf.loads(tf.dumps(graph)).nodes == graph.nodes

    @invariant()
    def tells_the_page(self):
        """What can be undone, done again and saved."""
        told = self.session.state["document"]
        if told is None:  # nothing was asked for yet
            return
        assert (told["undo"] is None, told["redo"] is None) == (self.at == 0, self.at == len(self.versions) - 1)
        assert told["unsaved"] is (self.at > 0)


TestEditor = pytest.mark.unmeasured(Editor.TestCase)
TestEditor.settings = settings(max_examples=15, stateful_step_count=12)


def test_saving_is_a_version_too(tmp_path):
    """Undoing what was saved leaves something to save; doing it again does not."""
    path = tmp_path / "graph.json"
    tf.save(summing(), path)
    session = Session(tf.load(path), registry(), file=GraphFile(path))

    def ask(**asked):
        return trio.run(obey, session, asked)

    ask(do="edit", edits=[{"edit": "remove", "nodes": ["square"]}])
    ask(do="save")
    assert session.state["document"]["unsaved"] is False
    ask(do="undo")
    assert session.state["document"]["unsaved"] is True
    ask(do="redo")
    assert session.state["document"]["unsaved"] is False
    assert [each.id for each in tf.load(path).nodes] == ["start", "loop", "add"]
