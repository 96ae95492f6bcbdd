"""The governor: intake by the load of the host, read once in a while (P4)."""

from __future__ import annotations

import builtins
import math

import pytest
import trio
from policies.flaky import log
from policies.test_limit import at_once

import trioflow as tf
from trioflow.policies.load import HostLoad

IDLE, BUSY, HALF = tf.Load(10, math.inf), tf.Load(90, math.inf), tf.Load(77.5, math.inf)


def governor(*loads, **options):
    """One that reads these loads, and then the last again and again; counts how often it reads."""
    script = [*loads]
    counted = []

    def load():
        counted.append(script[0])
        return script.pop(0) if len(script) > 1 else script[0]

    made = tf.Governor(load=load, nodes=["limit.*"], **{"rate": "2/s", "burst": 1, **options})
    made.counted = counted
    return made


def starts(bench):
    """When nodes passed the governor: a second before they ended."""
    return [(round(row[0] - 1, 2), row[2]) for row in log(bench.log, digits=2) if row[1] == "NodeCompleted"]


def test_closed_and_opened_again(bench):
    """Nothing starts while the host is busy, what runs goes on, and what waits starts when it is idle."""
    made = governor(IDLE, BUSY, BUSY, HALF, IDLE, every=0.9)
    bench.run(at_once(*[1.0] * 6), middleware=[made])
    assert starts(bench) == [(0, "n0"), (0.5, "n1"), (3.7, "n2"), (4.2, "n3"), (4.7, "n4"), (5.2, "n5")]
    assert len(made.counted) == 7


def test_slower(bench):
    """Between the marks nodes start at a part of the rate; the next node tells of it."""
    bench.run(at_once(*[1.0] * 3), middleware=[governor(HALF)])
    assert starts(bench) == [(0, "n0"), (1.0, "n1"), (2.0, "n2")]
    (told,) = [row for row in log(bench.log, digits=2) if row[1] == "Governed"]
    assert told[4:] == (1.0, 77.5, math.inf)


def test_priorities_and_patience(bench):
    """A call costs by its priority; whoever waits long is told."""
    bench.run(at_once(1, 1), middleware=[governor(BUSY, BUSY, BUSY, IDLE, patience=2, priority="critical")])
    assert sorted(starts(bench)) == [(3.0, "n0"), (3.0, "n1")]
    assert [(row[0], row[2], row[4]) for row in log(bench.log, digits=2) if row[1] == "Starving"] == [
        (2.0, "n0", "the governor"), (2.0, "n1", "the governor"),
    ]  # fmt: skip


async def test_one_for_many_runs(autojump_clock):
    """It reads once a second, however many runs there are, and stops with the last."""
    made = governor(IDLE, rate="100/s", burst=100)
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(lambda: tf.run(at_once(3), middleware=[made]))
    assert len(made.counted) == 4
    await trio.sleep(10)
    assert len(made.counted) == 4
    assert repr(made) == "Governor(70, 85)"


def test_marks_that_make_no_sense():
    """The soft mark is below the hard one."""
    with pytest.raises(ValueError, match="a soft mark below the hard one, got 90 and 80"):
        tf.Governor(soft=90, hard=80, load=lambda: IDLE)


def test_the_load_of_this_host():
    """Percents of the processors, and bytes that are left; what it is made with by default."""
    pytest.importorskip("psutil")
    load = HostLoad()()
    assert 0 <= load.cpu <= 100
    assert load.memory > 2**20
    assert tf.Governor()._flow.memory == 512 * 2**20


def test_in_a_container(tmp_path):
    """What a control group may use is what counts: half a processor, 100 MB of which 20 are in use and 5 can be freed."""
    pytest.importorskip("psutil")
    for name, text in {
        "cpu.max": "50000 100000\n", "cpu.stat": "usage_usec 1000000\nuser_usec 5\n", "memory.max": "100000000\n",
        "memory.current": "20000000\n", "memory.stat": "anon 1\ninactive_file 5000000\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    reading = HostLoad(tmp_path)
    reading._before = (reading._before[0] - 1.0, 0.9)  # a second ago, a tenth of a second less
    (tmp_path / "cpu.stat").write_text("usage_usec 1100000\n")
    load = reading()
    assert (load.cpu, load.memory) == (pytest.approx(40, rel=0.2), 85_000_000)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    free = HostLoad(tmp_path)
    assert free._cores is None
    assert free().memory > load.memory / 100


def test_without_psutil(monkeypatch):
    """It says what is to be installed."""
    importing = builtins.__import__

    def without(name, *rest):
        if name == "psutil":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(tf.MissingExtra, match=r"pip install 'trioflow\[governor\]'"):
        tf.Governor()
