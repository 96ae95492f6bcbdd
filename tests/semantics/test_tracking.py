"""What a run has done, node by node: counts, times, the way it took, and what is left."""

from __future__ import annotations

import json

import pytest
import trio
from support import Wait, chain

import trioflow as tf
from trioflow.semantics import events
from trioflow.semantics.tracking import LONGEST_WAY, Tracker, part_done, time_left
from trioflow.testing import run_virtual


def told(*rows):
    """A tracker that was told of these: time, kind, node, and what the kind says."""
    tracker = Tracker()
    for number, (time, kind, node, *own) in enumerate(rows):
        tracker(kind(*own).at("run", number, time, (0,), node))
    return tracker


def test_counts_and_times():
    """Each state is counted; times are of what has completed; the last error stays."""
    tracker = told(
        (0.0, events.NodeStarted, "a", None),
        (1.0, events.NodeCompleted, "a", "then", 0.0),
        (1.0, events.NodeStarted, "a", None),
        (1.0, tf.RetryScheduled, "a", 1, 0.5, OSError("x")),
        (4.0, events.NodeFailed, "a", OSError("no"), events.ROOT, 3.0),
        (4.0, events.NodeStarted, "call/b", None),
        (5.0, events.NodeSkipped, "call/b", ValueError("skip"), events.ROOT),
        (5.0, events.NodeStarted, "c", None),
        (6.0, events.NodeCancelled, "c"),
        (6.0, events.NodeStarted, "d", None),
        (7.0, events.EvaluationCompleted, "e", None, 6.5),
        (7.0, events.EvaluationFailed, "e", KeyError("k")),
    )
    report = tracker.report()
    a = report.nodes["a"]
    assert (a.started, a.completed, a.failed, a.seconds, a.mean, a.longest, a.state, a.since) == (
        2,
        1,
        1,
        1.0,
        1.0,
        1.0,
        "failed",
        4.0,
    )
    assert (a.success_rate, a.last_error, dict(a.decisions)) == (0.5, "OSError: no", {"RetryScheduled": 1})
    assert {name: node.state for name, node in report.nodes.items()} == {
        "a": "failed", "call/b": "skipped", "c": "cancelled", "d": "running", "e": "failed",
    }  # fmt: skip
    assert [*tracker.running()] == ["d"]
    assert (report.nodes["d"].success_rate, report.nodes["e"].success_rate) == (None, 0.5)
    assert (report.way, report.elapsed, report.seconds) == (("a", "a", "call/b", "c", "d"), 7.0, 1.5)
    assert json.loads(json.dumps(report.as_dict()))["nodes"]["a"]["success_rate"] == 0.5
    assert str(report) == (
        "node    started  completed  failed  skipped  mean s  all s  policies, last error\n"
        "a             2          1       1        0       1      1  RetryScheduled 1; OSError: no\n"
        "e             2          1       1        0     0.5    0.5  KeyError: 'k'\n"
        "c             1          0       0        0       0      0\n"
        "call/b        1          0       0        1       0      0  ValueError: skip\n"
        "d             1          0       0        0       0      0\n"
        "7 s in all"
    )
    with pytest.raises(tf.UnknownName, match="Node 'f' has not started yet.* Known are: a, call/b, c, d, e"):
        tracker.node("f")
    assert tracker.node("d").running == 1


def test_what_began_before():
    """What had started before anybody counted is not counted as running less than nothing."""
    assert told((1.0, events.NodeCompleted, "a", None)).node("a").running == 0


def test_the_way_is_not_kept_for_ever():
    """Of a long run the last steps are kept."""
    tracker = told(*((0.0, events.NodeStarted, str(number), None) for number in range(LONGEST_WAY + 5)))
    assert (len(tracker.report().way), tracker.report().way[0]) == (LONGEST_WAY, "5")


def test_what_is_left():
    """By an earlier run: how much of its time is done, and how fast this one is; too little tells nothing."""
    before = told(*(row for place in range(4) for row in (
        (place * 10.0, events.NodeStarted, f"n{place}", None),
        (place * 10.0 + 10, events.NodeCompleted, f"n{place}", None, place * 10.0),
    ))).report()  # fmt: skip
    now = told((0.0, events.NodeStarted, "n0", None))
    assert (part_done(now.report(3.0), before), time_left(now.report(3.0), before)) == (0.0, None)
    now(events.NodeCompleted(None, 0.0).at("run", 1, 5.0, (0,), "n0"))
    assert (part_done(now.report(5.0), before), time_left(now.report(5.0), before)) == (0.25, 15.0)
    assert part_done(now.report(), Tracker().report()) == 0.0


async def test_progress_of_a_run(autojump_clock):
    """At once, every so many seconds, and at the end; nodes, counts, what runs now."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), *(g.add(Wait, f"w{place}", seconds=2) for place in range(3)))
    services = {"notes": []}
    expected = (await tf.run(g.graph, services=services, observers=[tf.Tracker()])).report()
    assert {name: node.completed for name, node in expected.nodes.items()} == {"start": 1, "w0": 1, "w1": 1, "w2": 1}
    seen = []
    async with tf.open_run(g.graph, services=services) as run:
        async for progress in run.progress(1.4, expected):
            seen.append(
                (
                    round(progress.statistics.elapsed, 6),
                    progress.status.value,
                    progress.current,
                    progress.percent,
                    progress.seconds_left,
                )
            )
        assert run.track() is run.track()
    assert seen[0][:1] + seen[0][2:] == (0.0, (), 0.0, None)  # whether it has started by then, trio says
    assert seen[1:] == [
        (1.4, "running", ("w0",), 0.0, None),
        (2.8, "running", ("w1",), pytest.approx(100 / 3), pytest.approx(5.6)),
        (4.2, "running", ("w2",), pytest.approx(200 / 3), pytest.approx(2.1)),
        (5.6, "running", ("w2",), pytest.approx(200 / 3), pytest.approx(2.8)),
        (6.0, "completed", (), 100.0, 0.0),
    ]
    assert progress.counts == {"running": 0, "completed": 4, "failed": 0, "skipped": 0, "cancelled": 0}
    assert (await run.result()).report().nodes["w1"].seconds == 2.0
    assert run.node("w1").mean == 2.0
    assert run.snapshot().percent == 100.0


async def test_who_stops_listening_leaves_nothing(autojump_clock):
    """A stream of progress keeps no task and no buffer; the tracker goes with the run."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wait, "wait", seconds=9))
    async with tf.open_run(g.graph, services={"notes": []}) as run:
        async with run.progress() as stream:
            async for progress in stream:
                assert progress.percent is None
                break
        assert [each async for each in stream] == []
        assert (progress.seconds_left, run.snapshot().percent) == (None, None)
        with trio.move_on_after(0.1):
            async for _ in run.progress(5):
                pass
        with pytest.raises(ValueError, match=r"progress\(every=...\) must be more than 0, got 0"):
            run.progress(0)
        run.cancel()
    assert run.snapshot().percent is None
    assert run.node("wait").state == "cancelled"


async def test_a_run_that_nobody_tracks():
    """It says what to do."""
    with tf.build() as g:
        g.add(tf.nodes.Start)
    result = await tf.run(g.graph)
    with pytest.raises(tf.UnknownName, match=r"Give it a tracker: observers=\[trioflow.Tracker\(\)\]"):
        result.report()


@tf.exec_node(id="tracking.work")
async def work(seconds: float = 1, fail: bool = False) -> int:
    """Take some time."""
    await trio.sleep(seconds)
    if fail:
        raise ValueError("no")
    return 3


def workflow(*, fail=False):
    with tf.workflow() as w:
        a, b, c = w.add(work, "a"), w.add(work, "b", seconds=2.0, fail=fail), w.add(work, "c")
        d, e = w.add(work, "d", min="every"), w.add(work, "e")
        w.after(a, b)
        w.connect(a, c, when="out.result > 5")
        w.connect(a, e, otherwise=True)
        w.after(b, d)
        w.after(c, d)
    return w.graph


def test_why_nothing_happened():
    """With the graph, nodes that did nothing are there too; in a workflow each says why (W7)."""
    tracker = tf.Tracker(workflow())
    run_virtual(workflow(), observers=[tracker])
    report = tracker.report()
    assert {name: (node.state, node.why_not) for name, node in report.nodes.items()} == {
        "a": ("completed", ()),
        "b": ("completed", ()),
        "c": ("not started", ("a.then -> c.enter was not taken",)),
        "d": ("skipped", ("no token came over c.then -> d.enter",)),
        "e": ("completed", ()),
    }
    assert (report.status, sorted(report.way)) == ("completed", ["a", "b", "e"])
    assert "a.then -> c.enter was not taken" in str(report)


def test_a_run_that_failed():
    """The report says that it has failed, and where with what."""
    tracker = tf.Tracker()
    with pytest.raises(ValueError, match="no"):
        run_virtual(workflow(fail=True), observers=[tracker])
    report = tracker.report()
    assert (report.status, report.nodes["b"].last_error) == ("failed", "ValueError: no")
