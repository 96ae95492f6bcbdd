"""The exec nodes: control flow, events, variables, files, printing."""

from __future__ import annotations

import hashlib
import os

import pytest
import trio
from support import Fail, Note, Wait, chain

import trioflow as tf
from trioflow.nodes.guard import AssertionFailed, NodeRaised

N = tf.nodes


def flow(node_type, outputs, **inputs):
    """start -> node, with a note of its own name at each of the given exec outputs."""
    with tf.build() as g:
        start, node = g.add(N.Start), g.add(node_type, "node", **inputs)
        g.connect(start.then, node.enter)
        for output in outputs:
            g.connect(getattr(node, output), g.add(Note, output, value=output).enter)
    return g.graph


def test_sequence(bench):
    """A sequence runs its chains one after the other."""
    bench.run(flow(N.Sequence, ["fourth", "second", "first"]))
    assert bench.notes == ["first", "second", "fourth"]


@pytest.mark.parametrize("condition", [True, False])
def test_branch(bench, condition):
    """A branch goes one way."""
    bench.run(flow(N.Branch, ["true", "false"], condition=condition))
    assert bench.notes == ["true" if condition else "false"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("b", "is_2"), (1, "is_3"), (True, "default"), (1.0, "default"), (None, "default"), ("x", "default")],
)
def test_switch(bench, value, expected):
    """A switch compares value and type; cases that are not given never match."""
    graph = flow(N.Switch, ["is_1", "is_2", "is_3", "is_4", "default"], value=value, case_1="a", case_2="b", case_3=1)
    bench.run(graph)
    assert bench.notes == [expected]


@pytest.mark.parametrize(("inputs", "expected"), [
    ({"times": 3}, [0, 1, 2]), ({"times": 2, "start": 5, "step": -2}, [5, 3]), ({"times": 0}, []), ({"times": -1}, []),
])  # fmt: skip
def test_for(bench, inputs, expected):
    """A for loop counts from start in steps, also none at all, and then goes on."""
    with tf.build() as g:
        start, loop, done = g.add(N.Start), g.add(N.ForLoop, **inputs), g.add(Note, value="done")
        body = g.add(Note, value=loop.index)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
        g.connect(loop.done, done.enter)
    bench.run(g.graph)
    assert bench.notes == [*expected, "done"]


@pytest.mark.parametrize(("mode", "limit", "elapsed"), [
    ("sequential", None, 3.0), ("concurrent", None, 1.0), ("concurrent", 2, 2.0)
])  # fmt: skip
def test_for_each(bench, mode, limit, elapsed):
    """for_each sends each item with its index, one by one or concurrently, up to its limit."""
    with tf.build() as g:
        start, each = g.add(N.Start), g.add(N.ForEach, items=["a", "b", "c"])
        wait, item, index = g.add(Wait), g.add(Note, value=each.item), g.add(Note, value=each.index)
        g.connect(start.then, each.enter)
        g.connect(each.body, wait.enter)
        chain(g, wait, item, index)
        g.configure(each, mode=mode, limit=limit)
    result = bench.run(g.graph)
    assert result.statistics.elapsed == elapsed
    assert {note for note in bench.notes if note in ("a", "b", "c", 0, 1, 2)} == {"a", "b", "c", 0, 1, 2}
    if mode == "concurrent" and limit is None:
        with tf.build() as g:
            each = g.add(N.ForEach, items=[1, 2, 3], limit=1)
            g.connect(g.add(N.Start).then, each.enter)
            g.connect(each.body, g.add(Wait).enter)
            g.configure(each, mode="concurrent")
        assert bench.run(g.graph).statistics.elapsed == 3.0


def test_repeat_until(bench):
    """repeat_until runs at least once, and asks afresh after each round."""
    with tf.build() as g:
        g.variable("n", "int", 10)
        start, repeat, n = g.add(N.Start), g.add(N.RepeatUntil), g.add("variable.get", name="n")
        g.connect(g.add("logic.greater", a=n.result, b=5).result, repeat.condition)
        step, done = g.add(N.UpdateVariable, name="n", value=1), g.add(Note, value="done")
        g.connect(start.then, repeat.enter)
        g.connect(repeat.body, step.enter)
        g.connect(repeat.done, done.enter)
    assert (bench.run(g.graph).variables, bench.notes) == ({"n": 11}, ["done"])


def tried(body, *, catch=True):
    with tf.build() as g:
        start, try_ = g.add(N.Start), g.add(N.Try, "try")
        g.connect(start.then, try_.enter)
        g.connect(try_.body, body(g).enter)
        if catch:
            message = g.add(Note, "message", value=try_.message)
            g.connect(try_.catch, message.enter)
        for output in ("cleanup", "done"):
            g.connect(getattr(try_, output), g.add(Note, output, value=output).enter)
    return g.graph


def test_try(bench):
    """A failure goes to catch, cleanup runs in any case, and then it goes on."""
    bench.run(tried(lambda g: g.add(Fail)))
    assert bench.notes == ["boom", "cleanup", "done"]
    bench.run(tried(lambda g: g.add(Note, value="fine")))
    assert bench.notes == ["fine", "cleanup", "done"]


def test_try_without_catch(bench):
    """Without catch the failure goes on, after cleanup."""
    bench.fails(ValueError, tried(lambda g: g.add(Fail), catch=False))
    assert bench.notes == ["cleanup"]


def test_try_does_not_catch_cancellation(bench):
    """Cancellation is no failure, and is never caught."""
    bench.fails(tf.LimitExceeded, tried(lambda g: g.add(Wait, "w", seconds=9.0)), options=tf.RunOptions(timeout=1))
    assert bench.notes == ["end of w"]


def test_raise_and_assert(bench):
    """raise fails with its message; assert only if the condition does not hold."""
    assert str(bench.fails(NodeRaised, flow(N.Raise, [], message="no"))) == "no"
    assert str(bench.fails(AssertionFailed, flow(N.Assert, ["then"], condition=False))) == "assertion failed"
    bench.run(flow(N.Assert, ["then"], condition=True))
    assert bench.notes == ["then"]


def test_delay(bench):
    """A delay waits; a negative one is an error."""
    assert bench.run(flow(N.Delay, ["then"], seconds=2.5)).statistics.elapsed == 2.5
    assert str(bench.fails(ValueError, flow(N.Delay, [], seconds=-1.0))) == (
        "flow.delay needs 0 seconds or more, got -1.0."
    )


def test_race_without_branches(bench):
    """A race that nobody enters is over at once, without a winner."""
    result = bench.run(flow(N.Race, ["done"]))
    assert (bench.notes, result.outputs) == (["done"], {})


@pytest.mark.parametrize(("operation", "default", "value", "expected"), [
    ("add", 1, 2, 3), ("append", [1], 2, [1, 2]), ("union", {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
    ("union", [1], [1, 2], [1, 2]), ("min", 3, 2, 2), ("max", 3, 2, 3),
])  # fmt: skip
def test_update_variable(bench, operation, default, value, expected):
    """update changes a variable by what it was, and gives the new value."""
    with tf.build() as g:
        g.variable("v", default=default)
        chain(g, g.add(N.Start), g.add(N.UpdateVariable, "update", name="v", value=value, operation=operation))
    result = bench.run(g.graph)
    assert (result.variables, result.output("update")) == ({"v": expected}, expected)


def test_print_and_feedback(bench, capsys):
    """print writes a line; feedback is an event."""
    with tf.build() as g:
        chain(
            g, g.add(N.Start), g.add(N.Print, value=1), g.add(N.Print, label="x", value=None),
            g.add(N.Feedback, message=5, level="warning"),
        )  # fmt: skip
    bench.run(g.graph)
    assert capsys.readouterr().out == "1\nx: None\n"
    assert [(e.message, e.level) for e in bench.log if isinstance(e, tf.events.Feedback)] == [("5", "warning")]


def run_real(graph):
    """Files need real threads, which a jumping clock does not wait for."""
    notes, feedback = [], []

    def watch(event):
        if isinstance(event, tf.events.Feedback):
            feedback.append(event.message)

    result = trio.run(lambda: tf.run(graph, services={"notes": notes}, observers=[watch]))
    return result, notes, feedback


def walking(root, **settings):
    with tf.build() as g:
        g.variable("seen", "list", [], merge="append")
        start, walk = g.add(N.Start), g.add(N.Walk, "walk", root=str(root))
        entry = g.add(lambda relative, size, count: (relative, size, count), relative=walk.relative, size=walk.size)
        g.connect(walk.count, entry.count)
        keep = g.add(N.UpdateVariable, name="seen", value=entry.result, operation="append")
        g.connect(start.then, walk.enter)
        g.connect(walk.body, keep.enter)
        g.configure(walk, **settings)
    return g.graph


@pytest.mark.parametrize("settings", [{}, {"mode": "concurrent"}, {"mode": "concurrent", "limit": 1}])
def test_walk(tmp_path, settings):
    """walk sends every regular file, sorted, whatever its name; links are neither followed nor sent."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a folder").mkdir()
    (tmp_path / "b" / "x.txt").write_text("12345")
    (tmp_path / "a folder" / "é\n.py").write_text("")
    (tmp_path / "z").write_text("1")
    os.symlink(tmp_path, tmp_path / "b" / "loop")
    os.symlink(tmp_path / "z", tmp_path / "link")
    result, _, _ = run_real(walking(tmp_path, **settings))
    assert result.variables["seen"] == [("z", 1, 1), ("a folder/é\n.py", 0, 2), ("b/x.txt", 5, 3)]


def test_walk_edges(tmp_path, monkeypatch):
    """An empty folder is fine, a root that is no folder an error, a folder that can't be read is reported."""
    result, _, _ = run_real(walking(tmp_path))
    assert (result.variables["seen"], result.output("walk", "unreadable")) == ([], [])
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        run_real(walking(tmp_path / "nothing"))
    (tmp_path / "secret").mkdir()
    real = os.scandir

    def scandir(folder):  # the tests may run as root, whom no permission stops
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied", folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    result, _, feedback = run_real(walking(tmp_path))
    assert result.output("walk", "unreadable") == [str(tmp_path / "secret")]
    assert feedback == [f"can't read folder {tmp_path / 'secret'}: Permission denied"]


def test_read_write_hash(tmp_path):
    """Text is written atomically and read back; the hash counts bytes and line feeds in the same reading."""
    path = tmp_path / "file"
    with tf.build() as g:
        write = g.add(N.WriteText, path=str(path), text="ä\nb")
        read, hash_ = g.add(N.ReadText, "read", path=str(path)), g.add("file.hash", "hash", path=str(path))
        chain(g, g.add(N.Start), write, read, hash_)
    result, _, _ = run_real(g.graph)
    assert result.outputs == {
        "read": {"text": "ä\nb"},
        "hash": {"digest": hashlib.sha256("ä\nb".encode()).hexdigest(), "size": 4, "lines": 1},
    }
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_file_edges(tmp_path):
    """What can't be read, decoded or written is an error, and nothing is left half written."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for node_type, inputs, error in (
        (N.ReadText, {"path": str(tmp_path / "none")}, FileNotFoundError),
        (N.ReadText, {"path": str(tmp_path / "binary")}, ValueError),
        (N.WriteText, {"path": str(tmp_path / "no" / "x"), "text": ""}, FileNotFoundError),
        (N.WriteText, {"path": str(tmp_path), "text": "x"}, OSError),
    ):
        with tf.build() as g:
            chain(g, g.add(N.Start), g.add(node_type, **inputs))
        with pytest.raises(error):
            run_real(g.graph)
    assert [each.name for each in tmp_path.iterdir()] == ["binary"]
    assert not [each for each in tmp_path.parent.iterdir() if each.name.startswith(f".{tmp_path.name}")]
