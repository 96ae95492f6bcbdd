"""A session over loopback, without a browser: what the page asks, and what it gets."""

from __future__ import annotations

import json
import struct
from unittest.mock import ANY

import httpx
import pytest
import trio

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.frames import fold
from trioflow.telemetry import Recorder

from .pages import LIMIT, Client, failing, holding, opened, registry, settled, summing

pytest.importorskip("starlette", reason="the page is served with starlette")


def session(graph=None, **given):
    return Session(summing() if graph is None else graph, registry(), **given)


async def test_a_run_from_start_to_end():
    """The graph, the run, and frames that lead from the state at first to the state at last."""
    shown = session()
    async with opened(shown) as client:
        graph = (await client.get("/api/graph")).json()
        assert [node["id"] for node in graph["nodes"]] == ["start", "loop", "square", "add"]
        state = {}

        def took(data):
            """Whether the page knows all that the session knows. A `hello` has the whole state, with its epoch."""
            nonlocal state
            state = data if "epoch" in data else fold(state, data)
            return state.get("status") == "completed" and state == shown.state

        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.frames, took)
            await client.ask("start", variables={"total": "100"})
        assert state["counts"] == {"0": 1, "1": 1, "2": 3, "3": 3}
        assert state["variables"] == {"total": "105"}
        assert (state["steps"], state["evaluations"], state["failure"]) == (5, 3, None)


@pytest.mark.usefixtures("patient")
async def test_stepping_and_looking():
    """Pause before the first node, into, over, out; what the strand sees there; a variable that is set."""
    shown = session()
    async with opened(shown) as client:
        await client.ask("start", paused=True)
        assert shown.state["parked"][0]["name"] == "start"
        await client.ask("step", how="into", strand=0)
        assert shown.state["parked"][0]["name"] == "loop"
        await client.ask("step", how="into", strand=0)
        await client.ask("step", how="over", strand=0)
        (at,) = shown.state["parked"]
        assert (at["name"], at["path"], at["wire"]) == ("add", "0.1.1", "loop.body -> add.enter")
        assert shown.state["reason"] == "stepped over 0.1.0"
        seen = await client.ask("peek", strand=0, node="add")
        assert seen["variables"] == [{"name": "total", "value": "0"}]
        beside = await client.ask("outputs", strand=0, nodes=["loop", "square", "nothing"])
        assert beside == {"values": {"loop": {"index": {"text": "1", "kind": "value"}}, "square": ANY}}
        assert seen["inputs"][1]["kind"] == "stale" or seen["inputs"][1]["kind"] == "not computed"
        assert await client.ask("evaluate", strand=0, node="square", output="result") == {"value": "1"}
        assert "whole number" in await client.refused("set", strand=0, name="total", value="many")
        await client.ask("set", strand=0, name="total", value="1000")
        assert shown.state["messages"][-1]["text"] == "total was set to 1000"
        await client.ask("step", how="out", strand=0)
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["variables"] == {"total": "1005"}


@pytest.mark.usefixtures("patient")
async def test_breakpoints_live_through_runs():
    """Set before a run, hit in it, kept for the next one; disabled, conditional, removed."""
    shown = session()
    async with opened(shown) as client:
        made = await client.ask("break", node="add", condition="value == 4")
        assert made == {"id": "b1"}
        await client.ask("start")
        await settled(shown, lambda it: it.state["parked"])
        assert shown.state["parked"][0]["path"] == "0.1.2"
        assert shown.state["reason"] == "breakpoint on 'add'"
        (stop,) = shown.state["breakpoints"]
        assert (stop["on"], stop["condition"], stop["hits"], stop["enabled"]) == ("add", "value == 4", 3, True)
        await client.ask("enable", id="b1", on=False)
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "completed")
        await client.ask("enable", id="b1", on=True)
        await client.ask("break", wire="start.then -> loop.enter")
        await client.ask("unbreak", id="b1")
        await client.ask("start")
        await settled(shown, lambda it: it.state["parked"])
        assert shown.state["parked"][0]["name"] == "loop"
        await client.ask("break", value="total")
        await client.ask("enable", id="b3", on=False)
        await client.ask("unbreak", id="b3")
        assert "no breakpoint 'b9'" in await client.refused("unbreak", id="b9")
        assert "There is no node 'nothing'" in await client.refused("break", node="nothing")
        await client.ask("cancel")
        await settled(shown, lambda it: it.state["status"] == "cancelled")


async def test_a_breakpoint_that_the_graph_does_not_know():
    """Set while nothing runs, it is told when a run would begin; that run does not."""
    shown = session()
    async with opened(shown) as client:
        await client.ask("break", node="nothing")
        assert "There is no node 'nothing'" in await client.refused("start")
        await client.ask("unbreak", id="b1")
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "completed")


async def test_a_failure_is_told_in_words():
    """The node, its type, the path, with which inputs; and it can be stopped at."""
    shown = session(failing())
    async with opened(shown) as client:
        await client.ask("break", failure=True)
        await client.ask("start")
        await settled(shown, lambda it: it.state["parked"])
        assert shown.state["parked"][0]["error"] == "ValueError: no 7"
        await client.ask("resume")
        await settled(shown, lambda it: it.state["failure"])
        failure = shown.state["failure"]
        assert failure["lines"] == ["ValueError: no 7"]
        assert (failure["name"], failure["type"], failure["path"], failure["inputs"]) == (
            "fail",
            "studio.fails",
            "0.1",
            "n = 7",
        )
        assert failure["node"] == 1 and shown.state["failed"] == {"1": 1}
        assert [each["kind"] for each in shown.state["messages"]] == ["BreakpointHit", "NodeFailed"]


async def test_what_is_refused():
    """Whatever is wrong with a command: it is told in words, and nothing happens."""
    shown = session(holding())
    async with opened(shown) as client:
        assert "There is: start, cancel, pause" in await client.refused("nothing")
        assert (await client.post(["do"])).status_code == 409
        assert "extra fields found (more)" in await client.refused("pause", more=1)
        assert "strand" in await client.refused("step", how="into")
        assert "expected int @ step.strand" in await client.refused("step", how="into", strand="0")
        assert "how" in await client.refused("step", how="sideways", strand=0)
        assert await client.refused("pause") == "Nothing is running. Start a run first."
        assert "no variable 'x'" in await client.refused("start", variables={"x": "1"})
        assert "Give one of" in await client.refused("break")
        await client.ask("start")
        await settled(shown, lambda it: it.state["counts"].get("1"))
        assert "A run is going on" in await client.refused("start")
        assert "does not wait at the gate" in await client.refused("step", how="into", strand=0)
        assert (await client.ask("outputs", strand=0, nodes=["x"]))["values"] == {}
        assert "There is no node 'x'" in (await client.ask("peek", strand=0, node="x"))["error"]
        assert json.loads((await client.ask("copy", nodes=["hold"]))["text"])["nodes"][0]["id"] == "hold"
        await client.ask("pause")
        assert shown.state["status"] == "paused"
        await client.ask("cancel")
        await settled(shown, lambda it: it.state["status"] == "cancelled")
        assert shown.state["strands"] == []


async def test_an_invalid_graph_is_shown_and_not_run():
    """Its problems are in what the page gets."""
    graph = tf.loads('{"trioflow": "1.0", "nodes": [{"id": "b", "type": "no.such"}]}')
    async with opened(session(graph)) as client:
        assert (await client.get("/api/graph")).json()["problems"]
        assert "no.such" in await client.refused("start")


@pytest.mark.parametrize("do", ["start", "cancel", "break", "unbreak", "enable", "evaluate", "set", "answer", "go on"])
async def test_read_only(do):
    """A page that was opened to watch only starts, changes and ends nothing."""
    needed = {"unbreak": {"id": "b1"}, "enable": {"id": "b1", "on": True}, "set": {"strand": 0, "name": "x", "value": ""},
              "evaluate": {"strand": 0, "node": "x", "output": "y"}, "answer": {"id": "q1", "text": "yes"}}  # fmt: skip
    async with opened(session(read_only=True)) as client:
        assert "to watch only" in await client.refused(do, **needed.get(do, {}))
        assert "to watch only" not in await client.refused("pause")


async def test_without_values():
    """No value of a variable, input or output is sent; their types are."""
    shown = session(values=False)
    async with opened(shown) as client:
        await client.ask("break", node="add")
        await client.ask("start", variables={"total": "4711"})
        await settled(shown, lambda it: it.state["parked"])
        seen = await client.ask("peek", strand=0, node="add")
        assert seen["variables"] == [{"name": "total", "value": "(int)"}]
        await client.ask("unbreak", id="b1")
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["variables"] == {}


def unpacked(data):
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    columns, at = {}, 4 + length
    assert at % 8 == 0
    for name, code, size in (
        ("time", "d", 8),
        ("strand", "I", 4),
        ("path", "I", 4),
        ("node", "H", 2),
        ("kind", "B", 1),
    ):
        columns[name] = struct.unpack_from(f"<{head['events']}{code}", data, at)
        at += size * head["events"]
    assert at == len(data)
    return head, columns


async def test_looking_back():
    """What a run recorded comes as columns, with the places of nodes and where the time went."""
    shown = session()
    async with opened(shown) as client:
        for what in ("recording", "recording/profile", "recording/file"):
            assert (await client.get(f"/api/{what}")).status_code == 404
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "completed")
        head, columns = unpacked((await client.get("/api/recording")).content)
        assert (head["first"], head["total"], head["before"]) == (0, head["events"], [])
        started = [
            head["places"][node]
            for node, kind in zip(columns["node"], columns["kind"], strict=True)
            if head["kinds"][kind] == "NodeStarted"
        ]
        assert started == [0, 1, 3, 3, 3]
        assert head["events"] == shown.state["recorded"]
        profile = (await client.get("/api/recording/profile")).json()
        assert {each["node"] for each in profile} == {0, 1, 2, 3}
        await client.ask("start", record=False)
        await settled(shown, lambda it: it.state["status"] == "completed" and it.state["epoch"] == 2)
        assert (await client.get("/api/recording")).status_code == 404


async def test_a_stretch_of_a_recording(monkeypatch):
    """Some events come with what was before them; more than can be had at a time is cut off, and so is what is not there."""
    monkeypatch.setattr("trioflow.studio.serving._MOST_EVENTS", 10)
    recorder = Recorder(values=True)
    await tf.run(summing(), observers=[recorder])
    whole = recorder.recording()
    async with opened(session(recording=whole)) as client:

        async def asked(query):
            head, columns = unpacked((await client.get(f"/api/recording{query}")).content)
            assert columns["kind"] == (*whole.column("kind")[head["first"] : head["first"] + head["events"]],)
            assert {(kind, node): count for kind, node, count in head["before"]} == whole.tally(head["first"])
            assert {*map(int, head["notes"])} <= {*range(head["first"], head["first"] + head["events"])}
            return head["first"], head["events"]

        assert await asked("") == (len(whole) - 10, 10)
        assert await asked("?from=3&to=8") == (3, 5)
        assert await asked("?from=3&to=800") == (3, 10)
        assert await asked("?from=800&to=3") == (3, 0)
        assert (await client.get("/api/recording?from=-1&to=x")).status_code == 400


async def test_what_variables_were_before_a_stretch():
    """The value written last before it is there, and those written in it."""
    shown = session()
    async with opened(shown) as client:
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "completed")
        head, _ = unpacked((await client.get("/api/recording")).content)
        numbers, texts = head["written"]["total"]
        assert len(numbers) > 2
        part, _ = unpacked((await client.get(f"/api/recording?from={numbers[1] + 1}&to={numbers[2]}")).content)
        assert part["written"]["total"] == [numbers[1:2], texts[1:2]]
        assert (await client.get("/api/recording/profile")).status_code == 200


async def test_a_recording_that_is_given():
    """It is there before anything has run."""
    recorder = Recorder()
    await tf.run(summing(), observers=[recorder])
    async with opened(session(recording=recorder.recording())) as client:
        assert (await client.get("/api/graph")).json()["hasRecording"] is True
        assert unpacked((await client.get("/api/recording")).content)[0]["events"] == len(recorder.recording())


@pytest.mark.usefixtures("patient")
async def test_a_run_of_ones_own():
    """It is watched, paused and stepped; when the block is left it goes on."""
    with trio.fail_after(LIMIT):
        async with tf.open_run(summing(2000)) as run:
            run.gate.pause()
            async with tf.studio.serve(run, name="mine") as page, httpx.AsyncClient(timeout=LIMIT) as http:
                client = Client(page, http)
                graph = (await client.get("/api/graph")).json()
                assert (graph["name"], graph["attached"]) == ("mine", True)
                await run.gate.wait_parked()
                await client.ask("step", how="into", strand=0)
                assert run.gate.parked_at()[0].node == "loop"
                assert "A run is going on" in await client.refused("start")
                await client.ask("resume")
            assert (await run.result()).variables == {"total": sum(n * n for n in range(2000))}


@pytest.mark.parametrize("planned", [False, True])
async def test_a_graph_of_ones_own(planned):
    """It is edited and run in the page, with the node types that it is given."""
    graph = tf.make_plan(summing(), registry()) if planned else summing()
    with trio.fail_after(LIMIT):
        async with (
            tf.studio.serve(graph, name="mine", registry=None if planned else registry()) as page,
            httpx.AsyncClient(timeout=LIMIT) as http,
        ):
            client = Client(page, http)
            told = (await client.get("/api/graph")).json()
            assert (told["name"], told["attached"], told["problems"]) == ("mine", False, [])
            await client.ask("edit", edits=[{"edit": "input", "node": "loop", "input": "times", "text": "4"}])
            await client.ask("start")
            found = await client.frames(lambda data: data.get("status") == "completed")
            assert found


async def test_glancing():
    """A run that is looked at from time to time ends with the same, and says what was looked at."""
    with trio.fail_after(LIMIT):
        async with tf.open_run(summing(3000)) as run, tf.studio.serve(run, glance=True) as page:
            async with httpx.AsyncClient(timeout=LIMIT) as http:
                client = Client(page, http)
                found = await client.frames(lambda data: data.get("steps", 0) > 100)
                assert found[-1][2]["steps"] > 100
                await client.ask("watch", how="follow")
                await client.ask("watch", how="glance")
            assert (await run.result()).variables == {"total": sum(n * n for n in range(3000))}


async def test_readers_that_never_read():
    """Five of them hold up neither the run nor each other, nor the end of the server."""
    shown = session(summing(500))
    async with opened(shown) as client:
        streams = []
        for _ in range(5):
            stream = await trio.open_tcp_stream("127.0.0.1", client.page.port)
            await stream.send_all(
                f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.page.token}\r\n\r\n".encode()
            )
            streams.append(stream)
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["counts"]["3"] == 500
    for stream in streams:
        await stream.aclose()


async def test_a_dropped_stream_goes_on():
    """With the id of the last frame that came, without a gap."""
    shown = session(holding())
    async with opened(shown) as client:
        await client.ask("start")
        await client.ask("pause")
        first = await client.frames(lambda data: True)
        assert first[0][1] == "hello"
        await client.ask("break", node="hold")
        await client.ask("resume")
        more = await client.frames(lambda data: "status" in data, first[-1][0])
        numbers = [int(each[0].rpartition("-")[2]) for each in more]
        assert {each[1] for each in more} == {"frame"}
        assert numbers == [*range(int(first[-1][0].rpartition("-")[2]) + 1, numbers[-1] + 1)]
        await client.ask("cancel")


async def test_a_port_that_is_taken():
    """It is an OSError, before anything is served."""
    async with opened(session()) as client:
        with pytest.raises(OSError, match=r".") as caught:
            async with tf.studio.serve_session(session(), port=client.page.port):
                pass
        assert caught.value.errno


@pytest.mark.usefixtures("patient")
async def test_strands_apart():
    """Concurrent items are strands of their own: one is stepped, the others stay where they are."""
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForEach, "each", items=[1, 2, 3])
        g.configure(each, mode="concurrent")
        show = g.add("debug.inspect", "show", value=each.item)
        after = g.add("debug.inspect", "after", value=each.item)
        g.connect(start.then, each.enter)
        g.connect(each.body, show.enter)
        g.connect(show.then, after.enter)
    shown = session(g.graph)
    async with opened(shown) as client:
        await client.ask("break", node="show")
        await client.ask("start")
        await settled(shown, lambda it: len(it.state["parked"]) == 3)
        first, second, third = sorted(each["strand"] for each in shown.state["parked"])
        await client.ask("unbreak", id="b1")
        await client.ask("step", how="into", strand=second)
        at = {each["number"]: (each["name"], each["state"]) for each in shown.state["strands"]}
        assert (at[first], at[second], at[third]) == (("show", "parked"), ("after", "parked"), ("show", "parked"))
        assert (await client.ask("peek", strand=third, node="show"))["inputs"][0]["value"] == "3"
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["forks"] == 3


async def test_a_workflow():
    """It is shown, run and stopped as any graph: two branches that join."""
    with tf.workflow() as g:
        start = g.add(tf.nodes.Start, "start")
        left, right, join = (g.add("debug.inspect", name, value=name) for name in ("left", "right", "join"))
        for branch in (left, right):
            g.connect(start.then, branch.enter)
            g.connect(branch.then, join.enter)
    shown = session(g.graph)
    async with opened(shown) as client:
        assert (await client.get("/api/graph")).json()["kind"] == "workflow"
        await client.ask("break", node="join")
        await client.ask("start")
        await settled(shown, lambda it: it.state["parked"])
        assert [each["name"] for each in shown.state["parked"]] == ["join"]
        await client.ask("resume")
        await settled(shown, lambda it: it.state["status"] == "completed")
        assert shown.state["counts"] == {"0": 1, "1": 1, "2": 1, "3": 1}


@pytest.mark.usefixtures("patient")
async def test_the_page_changes_nothing():
    """A run that is watched, paused, stepped and looked into leaves, and tells, what it does otherwise."""

    def told(event):
        return (type(event).__name__, str(event.path), event.node)

    alone, watched = [], []
    kinds = ["steps", "data", "strands"]
    plan = tf.make_plan(summing(), registry())
    left = await tf.run(plan, observers=[tf.observe(lambda event: alone.append(told(event)), kinds=kinds)])
    seen = tf.observe(lambda event: watched.append(told(event)), kinds=kinds)
    async with tf.open_run(plan, observers=[seen]) as run:
        run.gate.pause()
        async with tf.studio.serve(run) as page, httpx.AsyncClient(timeout=LIMIT) as http:
            client = Client(page, http)
            await run.gate.wait_parked()
            await client.ask("break", node="add")
            for _ in range(3):
                await client.ask("peek", strand=0, node="start")
                await client.ask("step", how="into", strand=0)
            await client.ask("unbreak", id="b1")
            await client.ask("resume")
            result = await run.result()
    assert result.variables == left.variables
    assert watched == alone


async def test_strands_of_a_workflow():
    """Each is where its node is, until that has ended, though no step follows; and can be looked into there."""
    go_on = trio.Event()

    @tf.exec_node(id="serving.waits")
    async def waits() -> None:
        await go_on.wait()

    with tf.workflow() as w:
        held, waiting = w.add("flow.sleep", "held", duration="9h"), w.add(waits, "waits")
        both = w.add(tf.nodes.Print, "both")
        w.connect(held, both)
        w.connect(waiting, both)
    known = registry()
    known.add(waits)
    shown = Session(w.graph, known)

    def nodes(it):
        return {each["name"] for each in it.state["strands"]}

    async with opened(shown) as client:
        await client.ask("start")
        await settled(shown, lambda it: nodes(it) == {"<scope>", "held", "waits"})
        number = next(each["number"] for each in shown.state["strands"] if each["name"] == "held")
        seen = await client.ask("peek", strand=number, node="held")
        assert seen["inputs"][0]["value"] == "'9h'"
        go_on.set()
        await settled(shown, lambda it: nodes(it) == {"<scope>", "held"})
        await client.ask("cancel")
        await settled(shown, lambda it: it.state["status"] == "cancelled")
