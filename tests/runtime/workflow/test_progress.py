"""Wires that are taken whenever a body reports how far it is (W23)."""

from __future__ import annotations

import attrs
import pytest
import trio

import trioflow as tf


@tf.exec_node
async def copy(ctx: tf.Context, files: int = 3, fails: bool = False) -> int:
    """Copy files, a second each, and say so."""
    for number in range(files):
        await trio.sleep(1)
        ctx.report_progress(number + 1, files, f"file {number}")
    if fails:
        raise OSError("the disk is full")
    return files


@tf.exec_node
async def say(text: str, log: tf.FromServices[list], seconds: float = 0.0) -> None:
    """Note when, and what."""
    await trio.sleep(seconds)
    log.append((trio.current_time(), text))


async def run(graph, **more):
    log: list = []
    return log, await tf.run(graph, services={list: log}, **more)


async def test_each_report_is_a_scope(autojump_clock):
    """The body goes on meanwhile; what comes after it waits for all of them (W23)."""
    with tf.workflow() as w:
        work = w.add(copy, "copy")
        told = w.add(say, "told", seconds=1.5)
        w.connect(work, told, on="progress", data={"text": "progress.message"})
        w.connect(work, w.add(say, "end", text="end"))
    told_events: list[str] = []
    log, result = await run(w.graph, observers=[tf.observe(lambda e: told_events.append(e.entered), kinds=["NodeStarted"], nodes=["<scope>"])])  # fmt: skip
    assert log == [(2.5, "file 0"), (3.5, "file 1"), (4.5, "file 2"), (4.5, "end")]
    assert result.outputs["copy"] == {"result": 3}
    assert told_events == [None, "copy!progress", "copy!progress", "copy!progress"]


async def test_conditions(autojump_clock):
    """They may ask what was reported; else is taken where none held (W23, W3)."""
    with tf.workflow() as w:
        work = w.add(copy, "copy", files=4)
        w.connect(work, w.add(say, "half", text="half"), on="progress", when="progress.done / progress.total == 0.5")
        w.connect(work, w.add(say, "other", text="other"), on="progress", otherwise=True)
    log, _ = await run(w.graph)
    assert [text for _, text in log] == ["other", "half", "other", "other"]


async def test_what_was_reported_is_an_output(autojump_clock):
    """What a node has reported last is its output `!progress`, also for what comes after it (W23)."""
    with tf.workflow() as w:
        work = w.add(copy, "copy", files=2)
        shown = w.add(lambda report: f"{report['done']:g} of {report['total']:g}", "shown")
        w.connect(work, w.add(say, "told", text=shown.result), on=["progress", "completed"])
    wire = tf.Connection(tf.Endpoint("copy", "!progress"), tf.Endpoint("shown", "report"))
    log, _ = await run(attrs.evolve(w.graph, connections=[*w.graph.connections, wire]))
    assert log == [(1, "1 of 2"), (2, "2 of 2"), (2, "2 of 2")]


async def test_what_they_write_is_merged_in_order(autojump_clock):
    """As the items of a stream: in the order of the reports, when the body has ended (W23, F3)."""
    with tf.workflow() as w:
        w.variable("log", "list", [], merge="append")
        work = w.add(copy, "copy")
        note = w.add(tf.nodes.SetVariable, "note", name="log")
        w.connect(work, note, on="progress", data={"value": "[progress.done]"})
        w.connect(work, w.add(say, "end", text="end"))
    _, result = await run(w.graph)
    assert result.variables == {"log": [1, 2, 3]}


async def test_a_failure(autojump_clock):
    """One that fails cancels the body, and is its failure (W23, F2)."""
    with tf.workflow() as w:
        work = w.add(copy, "copy")
        bad = w.add(tf.nodes.Raise, "bad", message="enough")
        w.connect(work, bad, on="progress")
        w.connect(work, w.add(say, "sorry", text="sorry"), on="failed")
    log, _ = await run(w.graph)
    assert log == [(1, "sorry")]


async def test_in_a_graph_that_calls(autojump_clock):
    """There a wire on progress means nothing, and reports are told as ever (W1)."""
    with tf.build() as g:
        work = g.add(copy, "copy")
        g.connect(g.add(tf.nodes.Start, "start").then, work.enter)
    done: list = []
    await tf.run(g.graph, observers=[tf.observe(lambda e: done.append(e.done), kinds=["Progress"])])
    assert done == [1, 2, 3]


async def test_beside_a_stream(autojump_clock):
    """A body may emit items and report: both fork the same strand (W23, S2)."""

    class Both(tf.Node):
        enter = tf.ExecIn()
        item = tf.DataOut(int)
        body = tf.ExecOut()
        done = tf.ExecOut()
        items = tf.Stream(item, fires=body, done=done)

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(2):
                ctx.report_progress(number)
                await ctx.emit(self.item, number)

    with tf.workflow() as w:
        both = w.add(Both, "both")
        w.connect(both, w.add(say, "told", text="told"), on="progress")
        w.connect(both, w.add(say, "each", text="each"), on="next")
        w.connect(both.done, w.add(say, "done", text="done"))
    log, _ = await run(w.graph)
    assert sorted(text for _, text in log) == ["done", "each", "each", "told", "told"]
    assert log[-1] == (0, "done")


async def test_a_graph_reports_nothing():
    """`check` warns of a wire that is never taken (W23)."""
    enter, leave = tf.GraphNode("in", "graph.enter"), tf.GraphNode("out", "graph.leave")
    interface = tf.Interface(entries=[tf.Entry("enter")], exits=[tf.Exit("then")])
    through = tf.Connection(tf.Endpoint("in", "enter"), tf.Endpoint("out", "then"))
    inner = tf.Graph(interface=interface, nodes=[enter, leave], connections=[through])
    wire = tf.Connection(tf.Endpoint("call"), tf.Endpoint("p", "enter"), on="progress")
    graph = tf.Graph(
        kind="workflow",
        nodes=[tf.GraphNode("call", "graph:inner"), tf.GraphNode("p", "debug.print", {"value": 1})],
        connections=[wire],
        graphs={"inner": inner},
    )
    (found,) = tf.validate(graph, tf.Registry.standard(plugins=False)).problems
    assert (found.code, found.path, found.rule) == ("no-meaning", "connections[0].on", "W23")


@pytest.mark.parametrize("on", ["completed", "failed"])
async def test_a_name_of_other_wires(on):
    """Other wires know no `progress` (W23)."""
    with tf.workflow() as w:
        w.connect(w.add(copy, "copy"), w.add(say, "told", text="told"), on=on, when="progress.done > 1")
    with pytest.raises(tf.InvalidGraph, match="progress"):
        await tf.run(w.graph)


async def test_it_lets_go_of_nothing_that_is_needed(autojump_clock):
    """What the node behind a report does not read, what comes after the body may (W20, W23)."""
    with tf.workflow(keep_outputs="needed") as w:
        before = w.add(copy, "before", files=1)
        work = w.add(copy, "copy", files=2)
        w.after(before, work)
        w.connect(work, w.add(say, "told", text="told"), on="progress")
        text = w.add(lambda n: f"{n}", "text", n=before.result)
        w.connect(work, w.add(say, "end", text=text.result))
    log, _ = await run(w.graph)
    assert [text for _, text in log] == ["told", "told", "1"]
