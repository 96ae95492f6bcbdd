"""Runs that a journal keeps: looked back on, and gone back in."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.durable.memory import MemoryJournal
from trioflow.studio import Session
from trioflow.studio.keeping import Kept, fork, fresh_id, recording_of
from trioflow.studio.shelf import JournalShelf

from .pages import LIMIT, opened, registry, settled, summing

pytest.importorskip("starlette", reason="the page is served with starlette")

SENT = []


@tf.exec_node(id="keeping.send", durable="recorded")
async def send(n: int) -> int:
    if n == 2 and "closed" in SENT:
        raise ConnectionError("the bank is closed")
    SENT.append(n)
    return n * 10


def sending():
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=4)
        sent = g.add(send, "send", n=loop.index)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, sent.enter)
    return g.graph


def known():
    made = registry()
    made.add(send)
    return made


@pytest.fixture
def journal():
    SENT.clear()
    SENT.append("closed")
    made = MemoryJournal()
    with pytest.raises(ConnectionError):
        trio.run(lambda: tf.run(tf.make_plan(sending(), known()), journal=made, run_id="monday"))
    return made


def test_what_was_recorded_can_be_looked_back_on(journal):
    """Effects in the order of paths, with what they came to; values can be left out."""
    kept = Kept(journal, "monday")
    recording = recording_of(kept)
    assert [(row.kind, row.node, recording.path(row.path), row.note) for row in recording] == [
        ("NodeStarted", "send", (0, 1, 0), None),
        ("NodeCompleted", "send", (0, 1, 0), "outputs {'result': 0}"),
        ("NodeStarted", "send", (0, 1, 1), None),
        ("NodeCompleted", "send", (0, 1, 1), "outputs {'result': 10}"),
        ("NodeStarted", "send", (0, 1, 2), None),
        ("NodeFailed", "send", (0, 1, 2), "ConnectionError: the bank is closed"),
    ]
    assert recording_of(kept, values=False)[1].note is None
    assert recording.duration == 0


def test_another_run_goes_on_from_there(journal):
    """Under a name of its own; what was before is kept, what comes after is not."""
    kept = Kept(journal, "monday")
    forked, node, path = fork(kept, recording_of(kept), 3)
    assert (forked.run_id, node, path) == ("monday-1", "send", "0.1.1")
    assert len(recording_of(forked)) == 2
    assert fresh_id(journal, "monday") == "monday-2"
    with pytest.raises(tf.TrioflowError, match="none of the number 9"):
        fork(kept, recording_of(kept), 9)


def test_a_journal_is_a_shelf(journal):
    """Its runs, the last one first; each with its graph and what was recorded."""
    fork(Kept(journal, "monday"), recording_of(Kept(journal, "monday")), 3)
    shelf = JournalShelf(journal, known())
    assert {each["name"]: each["about"] for each in shelf.titles()} == {
        "monday": "failed, 3 records",
        "monday-1": "running, 1 records, from monday at 0.1.1",
    }
    opened_ = shelf.open("monday")
    assert opened_.graph.nodes[2].id == "send" and len(opened_.recording) == 6
    with pytest.raises(tf.RunNotFound):
        shelf.open("tuesday")


@pytest.mark.usefixtures("patient")
async def test_going_back_in_a_run_of_a_journal(journal):
    """The page stops where one went back to; what was before is not done again."""
    kept = Kept(journal, "monday")
    shown = Session(sending(), known(), recording=recording_of(kept), kept=kept)
    async with opened(shown) as client:
        head = await client.get("/api/recording")
        assert head.status_code == 200
        SENT.clear()
        assert await client.ask("go back", event=5) == {"run": "monday-1"}
        await settled(shown, lambda it: it.state["parked"])
        assert (shown.state["parked"][0]["name"], shown.state["parked"][0]["path"]) == ("send", "0.1.2")
        assert "going on" not in (await client.refused("go back", event=5)).replace("A run is going on", "")
        assert SENT == []
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert SENT == [2, 3]
        assert shown.state["counts"]["2"] == 4 and shown.state["kept"] == "monday-1"


@pytest.mark.usefixtures("patient")
async def test_a_run_of_the_page_is_kept_if_one_asks():
    """Also one in which nothing is recorded; and going back is told where it can't be."""
    shown = Session(summing(), registry())
    async with opened(shown) as client:
        assert "No journal keeps this run" in await client.refused("go back", event=1)
        await client.ask("start", keep=True)
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["kept"] == "run-1"
        assert shown.written["total"][1] == ["0", "1", "5"]
        recording = shown.recording()
        event = next(row.number for row in recording if row.kind == "EvaluationCompleted" and row.number > 10)
        assert "about no node" in await client.refused("go back", event=0)
        # The graph may have been mended since.
        await client.ask("edit", edits=[{"edit": "input", "node": "loop", "input": "times", "text": "4"}])
        await client.ask("go back", event=event)
        await settled(shown, lambda it: it.state["parked"])
        assert shown.state["parked"][0]["path"] == "0.1.1"
        await client.ask("set", strand=0, name="total", value="100")
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["variables"] == {"total": "114"}
        assert [each[1] for each in shown.written["total"]] and shown.written["total"][1][1] == "100"
        saved = await client.get("/api/recording/file")
        assert saved.content.startswith(b"trioflow recording 2\n")


async def test_there_is_nothing_to_save_before_a_run():
    """It is told."""
    async with opened(Session(summing(), registry())) as client:
        assert (await client.get("/api/recording/file")).status_code == 404


def test_classes_that_are_not_here_are_shown_as_they_are_written(journal, monkeypatch):
    """Of another program, whose journal it is."""

    def refuse(*_):
        raise LookupError("no such class")

    monkeypatch.setattr("trioflow.studio.keeping.decode", refuse)
    monkeypatch.setattr("trioflow.studio.keeping.decode_failure", refuse)
    notes = recording_of(Kept(journal, "monday")).notes
    assert notes[1] == "outputs {'result': 0}" and "ConnectionError" in notes[5]


def test_a_run_whose_graph_only_its_program_has(journal):
    """It is told."""
    made = MemoryJournal()
    trio.run(lambda: tf.run(sending_by_lambda(), journal=made, run_id="x"))
    with pytest.raises(tf.JournalError, match="only its program has it"):
        JournalShelf(made, known()).open("x")


def sending_by_lambda():
    with tf.build() as g:
        start = g.add(tf.nodes.Start, "start")
        g.connect(start.then, g.add(tf.nodes.Print, "print", value=g.add(lambda: 7).result).enter)
    return g.graph


async def test_what_has_failed_is_tried_again(journal):
    """The run goes on under its name; what was done before is not done again. One that has ended is not resumed."""
    shown = Session(sending(), known(), recording=recording_of(Kept(journal, "monday")), kept=Kept(journal, "monday"))
    async with opened(shown) as client:
        SENT.clear()
        assert await client.ask("go on") == {"run": "monday"}
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert SENT == [2, 3] and shown.state["counts"]["2"] == 4
        assert "is completed: there is nothing" in await client.refused("go on")
    assert journal.show("monday").status == "completed"


async def test_an_approval_that_was_put_away_is_answered():
    """The page goes on with it, is asked, and answers."""
    with tf.build() as g:
        start, ask = g.add(tf.nodes.Start, "start"), g.add("flow.approve", "ask", text="May we?")
        g.connect(start.then, ask.enter)
    made = MemoryJournal()
    with trio.fail_after(LIMIT):
        with pytest.raises(tf.RunSuspended):
            await tf.run(g.graph, journal=made, run_id="order", suspend_after=0)
        shown = Session(g.graph, registry(), kept=Kept(made, "order"))
        async with opened(shown) as client:
            await client.ask("go on")
            await settled(shown, lambda it: it.state["asks"])
            assert shown.state["asks"][0]["id"] == "signal approve"
            await client.ask("answer", id="signal approve", text="yes")
            await settled(shown, lambda it: it.state["status"] == "completed")
    assert made.show("order").status == "completed"


async def test_a_run_that_nobody_keeps_is_not_gone_on_with():
    """It is told."""
    async with opened(Session(summing(), registry())) as client:
        assert "No journal keeps this run" in await client.refused("go on")
