"""No standard node holds the host's loop: while it works others have their turns, and a time limit ends it."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import re
import signal
import time
import zlib
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.nodes import _worker
from trioflow.nodes._elsewhere import WorkerEnded, _idle, _taken, work
from trioflow.nodes._patterns import is_quick
from trioflow.nodes._slices import TURN, Steps, in_turns, sliced
from trioflow.testing import EventLog, evaluate, run_virtual

pytestmark = pytest.mark.unmeasured

MANY = list(range(200_000))
ROWS = [{"id": number, "name": f"n{number}", "tags": ["a"]} for number in range(20_000)]
CASES = {
    "list.unique": {"items": [[number] for number in range(6000)]},
    "list.sort": {"items": MANY[::-1]},
    "list.range": {"stop": 500_000},
    "list.contains": {"items": MANY, "item": -1},
    "list.intersect": {"a": MANY, "b": MANY},
    "list.combine": {"a": MANY[:300], "b": MANY[:300]},
    "logic.equal": {"a": ROWS, "b": [dict(row) for row in ROWS]},
    "table.join": {"a": ROWS, "b": ROWS, "key": "id"},
    "table.group": {"rows": ROWS, "key": "name"},
    "statistics.deviation": {"items": MANY[:5000]},
    "statistics.sum": {"items": [float(number) for number in MANY]},
    "json.parse": {"text": json.dumps(ROWS)},
    "json.write": {"value": ROWS},
    "csv.parse": {"text": "a,b\n" + "1,2\n" * 100_000},
    "csv.write": {"records": ROWS},
    "bytes.decompress": {"data": zlib.compress(b"\0" * 9_000_000)},
    "bytes.to_text": {"data": "é".encode() * 2_000_000},
    "regex.contains": {"value": "a" * 25 + "!", "pattern": "(a+)+$"},
    "regex.find_all": {"value": "ab " * 200_000, "pattern": r"\w+"},
    "text.upper": {"value": "ß" * 1_000_000},
    "text.replace": {"value": "a" * 1_000_000, "old": "a", "new": "bb"},
    "integer.factorial": {"value": 30_000},
    "math.multiply": {"a": 3**100_000, "b": 3**100_000},
    "text.to_text": {"value": 3**50_000},
}


def held(type_id, inputs):
    """The longest time that the loop was held while a graph of this node ran, of processor time of the loop's thread."""

    def giving(value):
        return lambda: value  # and not a literal, which the engine would copy first

    with tf.build() as g:
        wires = {name: g.add(giving(value)).result for name, value in inputs.items()}
        start, asked = g.add(tf.nodes.Start), g.add(type_id, "asked", **wires)
        end = g.add(tf.nodes.Consume, value=asked.result)
        g.connect(start.then, end.enter)
    gaps = []
    limit = PATIENCE.get(type_id)

    async def beat():
        before = time.thread_time()
        while True:
            await trio.lowlevel.checkpoint()
            now = time.thread_time()
            gaps.append(now - before)
            before = now

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(beat)
            with trio.fail_after(20), pytest.raises(tf.LimitExceeded) if limit else contextlib.nullcontext():
                await tf.run(g.graph, options=tf.RunOptions(timeout=limit))
            nursery.cancel_scope.cancel()

    gc.collect()
    gc.disable()
    try:
        trio.run(main)
    finally:
        gc.enable()
    return max(gaps)


PATIENCE = {"regex.contains": 0.5}
"""What would not end within years is ended by a time limit."""

MOST = 0.02
"""Seconds: 5 ms are promised, and measured on a quiet machine; the rest is for one that is busy, and slow."""


@pytest.mark.timed
@pytest.mark.parametrize("type_id", CASES)
def test_others_have_their_turn(type_id):
    """While a node works on much, or on something that takes for ever, the loop goes round and round."""
    assert min(held(type_id, CASES[type_id]) for _ in range(1 if type_id in PATIENCE else 2)) < MOST


def test_slices_and_jobs():
    """A body in slices gives the same in one go, in turns and as a function; what a job raises it may catch."""

    @sliced(id="testing.halves")
    def halves(value: int) -> Steps[int]:
        """Halves."""
        yield TURN
        try:
            found: int = yield work("floor_divide", value, 0)
        except ZeroDivisionError:
            found = yield work("floor_divide", value, 2)
        return found

    assert (halves(7), evaluate(halves, value=7)) == (3, 3)
    assert trio.run(in_turns, halves.__wrapped__.__wrapped__(7)) == 3
    with pytest.raises(tf.NodeDefinitionError, match="not a generator function"):
        sliced(id="testing.none")(lambda value: value)


def test_observed_in_turns():
    """Observers are told once that an evaluation begins, and once that it ends, however many slices it has."""
    log = EventLog()
    with tf.build() as g:
        numbers = g.add("list.range", "numbers", stop=50_000)
        end = g.add(tf.nodes.Consume, value=g.add("list.length", "length", items=numbers.result).result)
        g.connect(g.add(tf.nodes.Start).then, end.enter)
    run_virtual(g.graph, observers=[log])
    assert [row[:2] for row in log.rows("evaluating", "evaluated")] == [
        ("evaluating", "numbers"), ("evaluated", "numbers"), ("evaluating", "length"), ("evaluated", "length")
    ]  # fmt: skip


async def test_a_process_that_is_killed():
    """A process that has ended while it was idle is replaced; one that ends at work is an error in our words."""
    assert await work("digits", 12).away() == "12"
    worker, _ = await _taken()
    worker._process.kill()
    worker._process.wait()
    await worker.end()
    assert await work("whole", "12").away() == 12

    async def kill():
        await trio.sleep(0.3)
        for process in _workers():
            os.kill(process, signal.SIGKILL)

    while _idle:  # what was kept would be replaced without a word
        await _idle.pop().end()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill)
            with pytest.raises(WorkerEnded, match="has ended before it was done"):
                await work("search", "(a+)+$", 0, "a" * 40 + "!").away()


def _workers():
    """The processes of this one that work for nodes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
            if parent == os.getpid() and b"_worker.py" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.mark.parametrize(
    ("pattern", "length", "quick"),
    [
        ("abc", 1000, True),
        (r"\d{4}-\d{2}", 200, True),
        (r"(\w+) *= *(\w+)", 8, True),
        (r"[^,]*,[^;]*;", 50, True),
        ("a?b|c", 300, True),
        ("(a+)+$", 5, False),
        ("(a|bc)*d", 5, False),
        ("(a*)*", 5, False),
        (r"(\w+)\1", 5, False),
        ("a*b*c*d*e*f*", 100, False),
        ("abc", 1_000_000, False),
        ("x" * 400, 1, False),
    ],
)
def test_which_patterns_are_quick(pattern, length, quick):
    """What is sure to be quick is matched at once; all else elsewhere."""
    assert is_quick(pattern, 0, length) is quick


@pytest.mark.timed
def test_quick_patterns_are_quick():
    """Patterns that are taken for quick are, for the worst of texts."""
    draw = random.Random(7)
    parts = ["a", "b", "a+", "a*", "[ab]*", "a?", "(a|b)", "(?:ab)*", "b{2,3}", r"\w+", "c", ".*", "[^b]+", r"\s", "$"]
    tried = 0
    while tried < 150:
        pattern = "".join(draw.choices(parts, k=draw.randrange(1, 7)))
        length = draw.choice([5, 20, 60, 200, 1000])
        if not is_quick(pattern, 0, length):
            continue
        tried += 1
        for value in ("a" * (length - 1) + "!", "ab" * (length // 2), "b" * length):
            began = time.thread_time()
            re.search(pattern, value)
            assert time.thread_time() - began < 0.02, (pattern, length)


def test_numbers_of_any_length():
    """Digits are written and read whatever the host's limit for them is."""
    for value in (0, -1, 10**4300, -(10**9999) + 7, 3**40_000):
        assert _worker.whole(_worker.digits(value)) == value
    for base in (2, 3, 10, 16, 1000):
        found = _worker.in_base(7**3000, base)
        assert found[0] > 0
        assert sum(digit * base**place for place, digit in enumerate(reversed(found))) == 7**3000
