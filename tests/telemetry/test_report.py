"""Reports: what happened at each node, and why not."""

from __future__ import annotations

import json

import pytest
import trio

import trioflow as tf
from trioflow.telemetry import Report
from trioflow.testing import run_virtual


@tf.exec_node
async def work(seconds: float = 1, fail: bool = False) -> int:
    """Take some time."""
    await trio.sleep(seconds)
    if fail:
        raise ValueError("no")
    return 3


def graph(*, fail=False):
    with tf.workflow() as w:
        a, b, c = w.add(work, "a"), w.add(work, "b", seconds=2.0, fail=fail), w.add(work, "c")
        d, e = w.add(work, "d", min="every"), w.add(work, "e")
        w.after(a, b)
        w.connect(a, c, when="out.result > 5")
        w.connect(a, e, otherwise=True)
        w.after(b, d)
        w.after(c, d)
    return w.graph


def test_what_happened_and_why_not():
    """Counts, times, and for what did not fire the wire that was not taken or brought nothing."""
    report = Report(graph())
    run_virtual(graph(), observers=[report])
    assert str(report).splitlines() == [
        "a: 1 completed in 1.000 s",
        "b: 1 completed in 2.000 s",
        "c: did nothing; a.then -> c.enter was not taken",
        "d: 1 skipped; no token came over c.then -> d.enter",
        "e: 1 completed in 1.000 s",
    ]
    assert sorted(report.path) == ["a", "b", "e"]
    assert (report.nodes["b"].success_rate, report.nodes["b"].mean, report.nodes["c"].mean) == (1.0, 2.0, None)
    found = json.loads(json.dumps(report.as_dict()))
    assert (found["status"], found["seconds"], found["nodes"]["b"]["longest"]) == ("completed", 3.0, 2.0)
    assert repr(report) == "<report of 5 nodes, completed>"


def test_failures():
    """What failed, with what; a run that failed says so."""
    report = Report()
    with pytest.raises(ValueError, match="no"):
        run_virtual(graph(fail=True), observers=[report])
    assert report.nodes["b"].last_error == "ValueError: no"
    assert (report.nodes["b"].success_rate, report.status) == (0.0, "failed")
    assert "b: 1 failed in 2.000 s; ValueError: no" in str(report)
