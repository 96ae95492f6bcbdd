"""Questions of nodes, and signals that a run waits for: told in the page, and answered there."""

from __future__ import annotations

import attrs
import pytest

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.asking import Signals, told

from .pages import opened, registry, settled, summing

pytest.importorskip("starlette", reason="the page is served with starlette")


def approving(**inputs):
    """`ask` asks whether `ship` may."""
    with tf.build() as g:
        start, ask = g.add(tf.nodes.Start, "start"), g.add("flow.approve", "ask", text="May we ship?", **inputs)
        g.connect(start.then, ask.enter)
        g.connect(ask.approved, g.add(tf.nodes.Print, "ship", value="shipped").enter)
        g.connect(ask.rejected, g.add(tf.nodes.Print, "keep", value="kept").enter)
    return g.graph


def asking(type_id, **inputs):
    with tf.build() as g:
        start, ask = g.add(tf.nodes.Start, "start"), g.add(type_id, "ask", **inputs)
        g.connect(start.then, ask.enter)
    return g.graph


async def asked(session):
    await settled(session, lambda it: it.state["asks"])
    (one,) = session.state["asks"]
    return one


async def completed(session):
    await settled(session, lambda it: it.state["status"] == "completed")
    assert session.state["asks"] == []


@pytest.mark.parametrize(("answer", "then"), [("yes", "2"), ("no", "3")])
@pytest.mark.parametrize("keep", [False, True])
async def test_an_approval(keep, answer, then):
    """Of a run of the page, whether a journal in memory keeps it or none does."""
    session = Session(approving(), registry())
    async with opened(session) as client:
        await client.ask("start", keep=keep)
        one = await asked(session)
        assert one == {"id": "signal approve" if keep else "q1", "node": 1, "at": "ask", "text": "May we ship?",
                       "name": "approve", "choices": ["yes", "no"], "comments": True}  # fmt: skip
        await client.ask("answer", id=one["id"], text=answer)
        await completed(session)
        assert session.state["counts"][then] == 1
        assert "Nothing is running" in await client.refused("answer", id=one["id"], text="yes")


@pytest.mark.parametrize("keep", [False, True])
async def test_a_comment(keep):
    """It is an output of the node."""
    session = Session(approving(), registry())
    async with opened(session) as client:
        await client.ask("start", keep=keep)
        one = await asked(session)
        await client.ask("break", node="keep")
        await client.ask("answer", id=one["id"], text='{"ok": false, "comment": "too dear"}')
        await settled(session, lambda it: it.state["parked"])
        seen = await client.ask("peek", strand=0, node="ask")
        assert seen["outputs"][0]["value"] == "'too dear'"
        await client.ask("resume")
        await completed(session)


async def test_an_answer_that_does_not_count():
    """It is told, and the question stays; an answer comes too late for what is not asked any more."""
    session = Session(approving(), registry())
    async with opened(session) as client:
        await client.ask("start")
        one = await asked(session)
        assert "Expected yes or no, got 'perhaps'." in await client.refused("answer", id=one["id"], text="perhaps")
        assert "not open any more" in await client.refused("answer", id="q7", text="yes")
        assert "Nobody waits for the signal 'x'" in await client.refused("answer", id="signal x", text="yes")
        await client.ask("answer", id=one["id"], text="1")
        await completed(session)


async def test_a_question_and_choices():
    """What is not a text is shown as it is written."""
    session = Session(asking("user.ask", question="How many?", choices=[1, "two"]), registry())
    async with opened(session) as client:
        await client.ask("start")
        one = await asked(session)
        assert (one["text"], one["choices"], one["comments"]) == ("How many?", ["1", "two"], False)
        await client.ask("answer", id=one["id"], text="1")
        await completed(session)


@pytest.mark.parametrize("text", ['{"sum": 3}', "fine"])
async def test_any_signal(text):
    """JSON, or a text; it is sent to the run that waits for it."""
    session = Session(asking("flow.wait_signal", name="paid"), registry())
    async with opened(session) as client:
        await client.ask("start", keep=True)
        one = await asked(session)
        assert (one["id"], one["at"], one["text"], one["choices"]) == ("signal paid", "ask", "", [])
        await client.ask("answer", id="signal paid", text=text)
        await completed(session)
        (sent,) = session.kept.journal.signals("run-1")
        assert (sent.name, sent.by) == ("paid", "studio")


async def test_a_question_that_is_given_up():
    """It is not open any more when its run has been cancelled; who only watches can't answer."""
    session = Session(approving(), registry())
    async with opened(session) as client:
        await client.ask("start")
        await asked(session)
        session.read_only = True
        assert "to watch only" in await client.refused("answer", id="q1", text="yes")
        session.read_only = False
        await client.ask("cancel")
        await settled(session, lambda it: it.state["status"] == "cancelled")
        assert session.state["asks"] == [] and session._asker.asks() == []


async def test_a_run_that_nobody_keeps_waits_for_no_signals():
    """And what is asked at great length is cut."""
    async with tf.open_run(tf.make_plan(summing(), registry())) as run:
        assert Signals(run).asks({}) == []
        run.cancel()
    session = Session(approving(), registry())
    async with opened(session) as client:
        await client.ask("start")
        await asked(session)
        (one,) = session._asker.asks()
        assert len(told(attrs.evolve(one, text="x" * 9000), None)["text"]) == 500
        await client.ask("cancel")
