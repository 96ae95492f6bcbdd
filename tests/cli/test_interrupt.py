"""Ctrl-C, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.conftest import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

ROOT = Path(__file__).parents[2]

NODES = """
import time, trio, trioflow as tf

class Wait(tf.Node, id="slow.wait"):
    enter = tf.ExecIn()
    item = tf.DataIn(object, default=0)

    async def execute(self, ctx):
        try:
            ctx.emit_feedback(f"waiting {await ctx.get_input(self.item)}")
            await trio.sleep_forever()
        finally:
            print("finally", flush=True)

    async def teardown(self):
        print("teardown", flush=True)

class Stubborn(tf.Node, id="slow.stubborn"):
    enter = tf.ExecIn()

    async def execute(self, ctx):
        ctx.emit_feedback("waiting")
        with trio.CancelScope(shield=True):
            await trio.sleep(60)

@tf.exec_node(id="slow.block")
def block(ctx: tf.Context) -> None:
    ctx.emit_feedback("waiting")
    time.sleep(60)

class Fails(tf.Node, id="slow.fails"):
    enter = tf.ExecIn()

    async def execute(self, ctx):
        ctx.emit_feedback("waiting")
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("cleaning up went wrong")
"""


@pytest.fixture
def start(tmp_path, graph):
    """Start a process that runs three concurrent activations of a node; returns it when all have begun."""
    (tmp_path / "slow_nodes.py").write_text(NODES)
    started = []

    def begin(type_, *options, items=(1, 2, 3), **more):
        each = {"items": list(items)}
        path = graph(
            ("start", "flow.start"),
            {"id": "each", "type": "flow.for_each", "inputs": each, "stream": {"mode": "concurrent"}},
            ("slow", type_),
            wires=["start.then -> each.enter", "each.body -> slow.enter"],
        )
        command = [*COMMAND, "run", str(path), "--nodes", "slow_nodes", *options]
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, **more
        )
        started.append(running)
        for _ in items:
            assert running.stderr.readline().startswith("info: slow: waiting")
        return running

    yield begin
    for running in started:
        running.kill()
        running.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_interrupt_cancels(start, sent):
    """Bodies' `finally` run, nodes are torn down, the summary names what was cancelled: exit code 130."""
    running = start("slow.wait")
    running.send_signal(sent)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == "finally\n" * 3 + "teardown\n"
    asked, summary = err.splitlines()
    assert asked == "interrupted: cancelling; once more kills at once"
    assert summary.startswith("interrupted after ")
    assert summary.endswith("; cancelled: each (1), slow (3)")


def test_an_interrupt_with_json(start):
    """With `--json` an interrupted run is an object too: status cancelled, no error."""
    running = start("slow.wait", "--json")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    report = json.loads(out)
    assert (running.returncode, report["status"], report["error"]) == (130, "cancelled", None)


def test_an_interrupted_trace_is_complete(start, tmp_path):
    """A trace of an interrupted run goes to its end: every activation that started is closed."""
    running = start("slow.wait", "--trace", "trace.jsonl")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    names = [json.loads(line)["event"] for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert names[-1] == "RunCancelled"
    closed = sum(names.count(name) for name in ("NodeCompleted", "NodeCancelled", "NodeFailed"))
    assert names.count("NodeStarted") == closed == 5


def test_a_failure_while_cancelling_is_told(start):
    """What goes wrong while bodies clean up is told; the exit code says that it was interrupted."""
    running = start("slow.fails", items=[1])
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    _, failure, summary = err.splitlines()
    assert failure == "error: node 'slow' (slow.fails), activation 0.1.0.0: ValueError: cleaning up went wrong"
    assert summary.startswith("interrupted after ")


@pytest.mark.slow
@pytest.mark.parametrize("type_", ["slow.stubborn", "slow.block"])
def test_the_second_interrupt_kills(start, type_):
    """A body that refuses to be cancelled, or holds up the loop, is killed by the second interrupt."""
    running = start(type_, items=[1])
    running.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=10)
    assert running.returncode == -signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(start, sent):
    """A process that was told to ignore SIGINT, as jobs in the background of scripts are, or SIGHUP (`nohup`), goes on."""
    before = signal.signal(sent, signal.SIG_IGN)
    try:
        running = start("slow.wait")
    finally:
        signal.signal(sent, before)
    running.send_signal(sent)
    time.sleep(0.3)
    assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert running.returncode == 130


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_commands_of_the_system_end_with_their_terminal(tmp_path, graph):
    """SIGHUP leaves no process behind that a graph has started."""
    script = "echo $$; sleep 98 & sleep 98 | sleep 98"
    path = graph(("start", "flow.start"), ("p", "process.stream", {"command": ["sh", "-c", script]}),
                 ("show", "debug.print"), wires=["start.then -> p.enter", "p.body -> show.enter", "p.line -> show.value"])  # fmt: skip
    running = subprocess.Popen(
        [*COMMAND, "run", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    group = int(running.stdout.readline())
    running.send_signal(signal.SIGHUP)
    running.communicate(timeout=30)
    assert running.returncode == 130
    assert group not in _groups_alive()


def _groups_alive():
    """The groups of all processes, without those that are dead and wait for somebody to ask after them."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has just ended
        if state != "Z":
            yield int(pgrp)


@pytest.mark.parametrize("module", ["trioflow", "trioflow.cli"])
def test_an_interrupt_while_it_is_imported(tmp_path, module):
    """Ctrl-C before the command line is there ends it at once: exit code 130, and nothing is said."""
    (tmp_path / "click.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", module, "nodes"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    )
    assert running.stdout.readline() == "importing\n"
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=10) == ("", "")
    assert running.returncode == 130


def test_other_programs_are_interrupted_as_ever():
    """Importing trioflow leaves Ctrl-C alone in a program that is not its command line."""
    code = "import signal, trioflow; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


@pytest.mark.slow
def test_these_tests_in_the_background():
    """They pass where the tests themselves were told to ignore SIGINT."""
    command = [sys.executable, "-m", "pytest", "-q", f"{__file__}::{test_an_interrupt_with_json.__name__}"]
    script = 'trap "" INT; unset PYTEST_ADDOPTS; exec "$@"'
    done = subprocess.run(["sh", "-c", script, "sh", *command], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
