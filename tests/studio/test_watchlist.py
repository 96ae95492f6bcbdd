"""The watch list: what is kept in view while a run is stepped through."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.watchlist import in_variables

from .pages import opened, registry, settled, summing

pytest.importorskip("starlette", reason="the page is served with starlette")


@tf.data_node(id="watchlist.broken")
def broken() -> int:
    raise ValueError("it is broken")


@tf.data_node(id="watchlist.slow")
async def slow() -> int:
    await trio.sleep_forever()


def known():
    made = registry()
    made.add(broken, slow)
    return made


async def watched(client, strand=0):
    return (await client.ask("watched", strand=strand))["values"]


async def add(client, text, **more):
    return (await client.ask("add watch", text=text, **more))["id"]


async def step_to_add(client):
    await client.ask("start", paused=True)
    for _ in range(2):
        await client.ask("step", how="into", strand=0)


@pytest.mark.usefixtures("patient")
async def test_what_is_kept_in_view():
    """Variables, sockets and expressions over both; what is not computed says so, and is computed for who asks."""
    shown = Session(summing(), registry())
    async with opened(shown) as client:
        texts = ["total", "loop.index", "square.result", "add.value", "total + loop.index > 0", "square.result * 2",
                 "add.name", " total "]  # fmt: skip
        ids = {text: await add(client, text) for text in texts}
        assert [each["text"] for each in shown.state["watches"]] == [each.strip() for each in texts]
        assert await watched(client) == {}  # nothing has run
        await step_to_add(client)
        await client.ask("step", how="over", strand=0)

        async def said(text):
            found = (await watched(client))[ids[text]]
            assert found["kind"] != "error", found["why"]
            return found["kind"], found["value"]

        assert await said("total") == await said(" total ") == ("value", "0")
        assert await said("loop.index") == ("value", "1")
        assert await said("total + loop.index > 0") == ("value", "True")
        assert await said("square.result") == await said("add.value") == ("stale", "0")
        assert await said("square.result * 2") == ("stale", "0")
        assert await said("add.name") == ("value", "'total'")
        for text in ("square.result", "add.value", "square.result * 2"):
            await client.ask("change watch", id=ids[text], evaluates=True)
        assert await said("square.result") == await said("add.value") == ("value", "1")
        assert await said("square.result * 2") == ("value", "2")
        await client.ask("remove watch", id=ids["add.name"])
        assert ids["add.name"] not in await watched(client)
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert await said("total") == ("value", "5") and await said("total + loop.index > 0") == ("not computed", None)
        assert await watched(client, strand=7) == await watched(client)


@pytest.mark.usefixtures("patient")
async def test_what_goes_wrong_is_told():
    """By each for itself: names that are not there, texts that are no expressions, what fails or takes too long."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start = g.add(tf.nodes.Start, "start")
        g.add(broken, "broken"), g.add(slow, "slow")
        g.connect(start.then, g.add(tf.nodes.Print, "print", value=1).enter)
    shown = Session(g.graph, known())
    async with opened(shown) as client:
        texts = {
            "totl": "Did you mean 'total'?",
            "total +": "line 1",
            "total > 'x'": "failed:",
            "1 / total": "failed:",
            "broken.result": "ValueError: it is broken",
            "slow.result": "takes longer than 0.05 s",
            "print.then": "no 'print.then' here",
        }
        ids = {text: await add(client, text, evaluates=True) for text in texts}
        await client.ask("start", paused=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("trioflow.studio.watchlist.LONGEST_EVALUATION", 0.05)
            found = await watched(client)
        for text, why in texts.items():
            assert found[ids[text]]["kind"] == "error" and why in found[ids[text]]["why"], found[ids[text]]
        assert await watched(client, strand=9) == {}
        assert "nothing 'w99' on the watch list" in await client.refused("remove watch", id="w99")
        assert "Say what to watch" in await client.refused("add watch", text=" ")
        await client.ask("cancel")


@pytest.mark.usefixtures("patient")
async def test_a_socket_that_nothing_gives():
    """It is told as missing, or as not computed, also in an expression."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=3)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, g.add(tf.nodes.Print, "print", value=loop.index).enter)
    shown = Session(g.graph, registry())
    async with opened(shown) as client:
        one, other = await add(client, "loop.index"), await add(client, "loop.index > 1")
        await client.ask("start", paused=True)
        found = await watched(client)
        assert found[one]["kind"] == found[other]["kind"] == "not computed"
        await client.ask("cancel")


@pytest.mark.usefixtures("patient")
async def test_names_of_who_calls_stay_in_view():
    """In a graph that is called its own names come first, and those of its callers after them; it is said whose they are."""
    inner = tf.loads(
        '{"trioflow": "1.2", "variables": [{"name": "mine", "type": "int", "default": 7}, {"name": "both", "type": "int", "default": 1}],'
        ' "interface": {"entries": [{"name": "enter"}], "exits": [{"name": "then"}]},'
        ' "nodes": [{"id": "in", "type": "graph.enter"}, {"id": "say", "type": "debug.print", "inputs": {"value": 1}}, {"id": "out", "type": "graph.leave"}],'
        ' "connections": [{"from": "in.enter", "to": "say.enter"}, {"from": "say.then", "to": "out.then"}]}'
    )
    graph = tf.loads(
        '{"trioflow": "1.2", "variables": [{"name": "total", "type": "int", "default": 3}, {"name": "both", "type": "int", "default": 2}],'
        ' "nodes": [{"id": "start", "type": "flow.start"}, {"id": "call", "type": "graph:inner"}],'
        ' "connections": [{"from": "start.then", "to": "call.enter"}], "graphs": {"inner": '
        + tf.dumps(inner).replace('"trioflow": "1.2",', "")
        + "}}"
    )
    shown = Session(graph, registry())
    async with opened(shown) as client:
        ids = {text: await add(client, text) for text in ("total", "mine", "both", "total + 1")}
        await client.ask("break", node="call/say")
        await client.ask("start")
        await settled(shown, lambda it: it.state["parked"])
        found = await watched(client)
        said = {text: (found[each]["value"], found[each]["where"]) for text, each in ids.items()}
        assert said == {"total": ("3", ""), "mine": ("7", None), "both": ("1", None), "total + 1": ("4", "")}
        await client.ask("cancel")


async def test_who_only_watches_computes_nothing():
    """A list of its own has a page that is read only, too."""
    shown = Session(summing(), registry(), read_only=True)
    async with opened(shown) as client:
        which = await add(client, "total")
        assert "it computes nothing" in await client.refused("add watch", text="x", evaluates=True)
        assert "it computes nothing" in await client.refused("change watch", id=which, evaluates=True)
        await client.ask("change watch", id=which, evaluates=False)


@pytest.mark.usefixtures("patient")
async def test_who_only_watches_reads_names_alone():
    """An expression may take as long as it likes, and the run would have to wait."""
    shown = Session(summing(), registry())
    async with opened(shown) as client:
        total, expression = await add(client, "total"), await add(client, "total + 1")
        await client.ask("start", paused=True)
        shown.read_only = True
        found = await watched(client)
        assert found[total]["value"] == "0" and "no more is looked at" in found[expression]["why"]
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        found = await watched(client)
        assert (found[total]["value"], found[expression]["kind"]) == ("5", "not computed")


def test_after_a_run_there_are_variables():
    """And what is made of them; sockets are none."""
    assert in_variables("a", {"a": 1}).value == 1 and in_variables("a + b", {"a": 1, "b": 2}).value == 3
    assert in_variables("x.y", {"a": 1}).kind == "not computed"
    assert in_variables("1 / a", {"a": 0}).kind == "error"
