"""Bodies in other processes: what a run comes to is the same, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import remote_bodies as bodies
import trio
from remote_graphs import NOTES, graph, note, run
from remote_places import Near, near

import trioflow as tf
from trioflow.remote import Placement, Processes, VersionSkew, WorkerDied
from trioflow.remote import placement as placement_module
from trioflow.remote import processes as processes_module

pytest.importorskip("trio_parallel", reason="needs the extra processes")


async def traced(made, **settings):
    told = []
    with trio.fail_after(60):
        await run(made, observers=[told.append], **settings)
    return [(type(each).__name__, each.as_dict().get("node"), str(each.as_dict().get("message", ""))) for each in told]


@pytest.mark.parametrize("place", [Near(), Processes(1)], ids=["near", "processes"])
async def test_the_same_as_here(place, monkeypatch):
    """Values, random numbers, path, key's length, and what is told, in order."""
    made = graph(bodies.both, bodies.square, a=4, b=3, x=5)
    there = await traced(made, services={Placement: Placement(processes=place)})
    assert NOTES == [25]
    monkeypatch.setattr(placement_module.Placed, "around", lambda *_: ())
    assert there == await traced(made)
    assert NOTES == [25]
    assert [kind for kind, node, _ in there if node == "n0"] == ["NodeStarted", "Progress", "Feedback", "NodeCompleted"]


async def test_another_process():
    """One word is enough; its process is kept for the next body."""
    with trio.fail_after(60):
        await run(graph(bodies.pid, bodies.pid))
    assert len({*NOTES}) == 1 and NOTES[0] != os.getpid()


async def test_a_body_that_chooses():
    """It goes on where the function there says, with its result."""
    _, services = near()
    with tf.build() as g:
        start, chosen = g.add("flow.start"), g.add(bodies.chooses, "chosen", size=3)
        g.connect(start.then, chosen.enter)
        for name in ("small", "then"):
            g.connect(chosen[name], g.add("flow.marker", name).enter)
    log = []
    with trio.fail_after(60):
        result = await tf.run(g.graph, services=services, observers=[tf.observe(log.append, kinds=["NodeStarted"])])
    assert [each.node for each in log] == ["start", "chosen", "small"]
    assert result.output("chosen") == bytes(3)


async def test_what_a_body_raises():
    """As itself, with where it was raised as its cause; and what it had told before."""
    _, services = near()
    told = []
    with pytest.raises(ValueError, match="no") as raised:
        await run(graph(bodies.fails, message="no"), services=services, observers=[told.append])
    assert "remote_bodies.py" in str(raised.value.__cause__) and "in another process" in str(raised.value.__cause__)
    assert "Feedback" in [type(each).__name__ for each in told]
    with pytest.raises(tf.NodeError, match=r"^remote_bodies.Odd: 1 and 1 \(it can't be sent\)"):
        await run(graph(bodies.odd, x=1), services=services)
    with pytest.raises(SystemExit):
        await run(graph(bodies.leaves), services=services)


async def test_what_can_not_be_asked_there():
    _, services = near()
    with pytest.raises(tf.NodeError, match=r"^ctx.get_variable is of the run, which is in another process"):
        await run(graph(bodies.asks), services=services)


async def test_a_value_that_can_not_be_sent():
    with tf.build() as g:
        g.variable("x", "any")
        value, made = g.add("variable.get", name="x"), g.add(note, "n")
        g.configure(made, policy=tf.Policy(run_on="processes"))
        g.connect(value.result, made.value)
        g.connect(g.add("flow.start").then, made.enter)
    with pytest.raises(tf.NodeError, match=r"^An input of remote.note can't be sent to another process: .*run_on"):
        await run(g.graph, variables={"x": lambda: 1}, services=near()[1])


def death(started=True):
    return placement_module.PlaceDied("a process has died", started=started)


async def test_processes_that_die(autojump_clock):
    """A data node is sent again, three times; an exec node is not, unless its policy says so."""
    place, services = near(death(), death(), death())
    await run(graph(bodies.square, x=2), services=services)
    assert (NOTES, place.calls) == ([4], 4)
    place, services = near(*[death() for _ in range(4)])
    with pytest.raises(WorkerDied, match=r"node 'n0' on .* has died, 4 times: a process has died\."):
        await run(graph(bodies.square, x=2), services=services)
    place, services = near(death())
    with pytest.raises(WorkerDied, match=r"has died, once: .* It was not tried again, because it may have done"):
        await run(graph(bodies.both, a=1, b=2), services=services)
    place, services = near(death())
    again = graph(bodies.both, a=1, b=2, policy=tf.Policy(run_on=tf.RunOnPolicy("processes", retry_on_death=1)))
    await run(again, services=services)
    assert place.calls == 2


async def test_processes_that_can_not_be_started(autojump_clock):
    """It is no use to try that again."""
    place, services = near(death(started=False))
    with pytest.raises(WorkerDied, match=r"No process could be started to run node 'n0' .*__main__"):
        await run(graph(bodies.square, x=2), services=services)
    assert place.calls == 1


@pytest.mark.slow
async def test_a_process_that_really_dies(tmp_path):
    """Of three calls two kill their processes, and the others' are not touched."""
    with trio.fail_after(60):
        await run(graph(bodies.square, bodies.dies, x=1, file=str(tmp_path / "log"), times=1))
        assert NOTES == [1, 2]
        with pytest.raises(WorkerDied, match="once"):
            await run(graph(bodies.square, bodies.dies_acting, x=1, file=str(tmp_path / "acts"), times=1))


async def test_cancelling_kills():
    """Also a body that never looks up."""
    with trio.fail_after(60):
        await run(graph(bodies.square, x=1))
        began = time.monotonic()
        with trio.move_on_after(0.2) as scope:
            await run(graph(bodies.slow, x=50.0))
    assert scope.cancelled_caught and time.monotonic() - began < 10


async def test_at_once(autojump_clock):
    """Data nodes that need none of each other are sent at the same time (D12)."""

    class Slow(Near):
        async def call(self, call, asked):
            await trio.sleep(1)
            return await super().call(call, asked)

    with tf.build() as g:
        squares = [g.add(bodies.square, f"square{x}", x=x) for x in range(8)]
        made = g.add(bodies.total, "total", **{f"x{place}": each.result for place, each in enumerate(squares)})
        last = g.add(note, "note", value=made.result)
        g.connect(g.add("flow.start").then, last.enter)
    began = trio.current_time()
    await run(g.graph, services={Placement: Placement(processes=Slow())})
    assert (NOTES, trio.current_time() - began) == ([140], 1)


async def test_in_a_journal():
    """What was done elsewhere is recorded, and not done again; its key is that of the run."""
    place, services = near()
    journal = tf.MemoryJournal()
    for _ in range(2):
        await run(graph(bodies.both, bodies.square, a=4, b=3, x=5), services=services, journal=journal, run_id="r")
    assert place.calls == 2
    assert journal.show("r").status == "completed"


async def test_other_code(monkeypatch):
    """It is refused before anything is run."""
    monkeypatch.setattr(placement_module, "code_of", lambda _: "other")
    with pytest.raises(VersionSkew, match="'remote.square' has other code in the process"):
        await run(graph(bodies.square, x=2), services=near()[1])


async def test_places_that_are_not_there():
    made = graph(bodies.square, x=1)
    options = tf.RunOptions(policies={"remote.sq*": tf.Policy(run_on="procesess")})
    with pytest.raises(tf.MiddlewareError, match="Node 'n0' is to run on 'farm', which the host does not have"):
        await run(tf.loads(tf.dumps(made).replace('"n0"', '"n0", "policy": {"run_on": "farm"}', 1)), registry=REGISTRY)
    await run(made, options=options, services=near()[1])  # the type comes before the run
    with pytest.raises(TypeError, match="processes= must be a place"):
        Placement(processes=4)


REGISTRY = tf.Registry.standard()
for each in (bodies.square, bodies.given, note):
    REGISTRY.add(each)


async def test_what_must_stay():
    """What a node or its type says is refused, also by `check`; a pattern is for what can be moved."""
    made = graph(bodies.given)
    report = tf.validate(made, REGISTRY)
    assert [(each.code, each.path) for each in report.errors] == [("cant-move", "nodes[1].policy.run_on")]
    assert "parameter 'x' is a service of the host, which is here" in report.errors[0].message
    with pytest.raises(tf.InvalidGraph, match="cant-move"):
        await run(made, services={dict: {}})
    plain = graph(note, value=1)
    place, services = near()
    await run(plain, options=tf.RunOptions(policies={"*": tf.Policy(run_on="processes")}), services=services)
    assert place.calls == 1  # flow.start is no function, and stays
    with pytest.raises(tf.MiddlewareError, match=r"Node '.*' can't run on 'processes' \(run "):
        start = plain.nodes[0].id
        await run(plain, options=tf.RunOptions(policies={start: tf.Policy(run_on="processes")}), services=services)


async def test_without_the_extra(monkeypatch):
    """It is told before any node has run."""
    monkeypatch.setitem(sys.modules, "trio_parallel", None)
    told = []
    with pytest.raises(tf.MissingExtra, match=r"trioflow\[processes\]"):
        await run(
            graph(bodies.square, x=1), services={Placement: Placement(processes=Processes(1))}, observers=[told.append]
        )
    assert [type(each).__name__ for each in told] == ["RunStarted", "RunFailed"]


def test_processes():
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        Processes(0)
    assert repr(Processes(3)) == "Processes(3)"
    assert Processes().workers >= 1


def test_a_process_that_is_being_started(monkeypatch):
    """There a main script without a guard runs once more: it refuses, before anything is run."""
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(
        tf.MiddlewareError, match='main script runs a graph while it is imported.*__name__ == "__main__"'
    ):
        Processes()


def test_the_other_process_ends_with_this_one(monkeypatch):
    """It waits for that in a thread, of which there is one."""
    ended = []
    monkeypatch.setattr(processes_module, "_watched", False)
    monkeypatch.setattr(processes_module, "_GRACE", 0)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(join=lambda: ended.append("parent")))
    monkeypatch.setattr(os, "_exit", ended.append)
    for _ in range(2):
        processes_module.work(b"no call")
    deadline = time.monotonic() + 10
    while len(ended) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended == ["parent", 1]
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: None)
    processes_module._end_with_parent()
    assert len(ended) == 2


SCRIPT = """
import sys, time
import trio, trioflow as tf, remote_bodies as bodies
print("begins", flush=True)
with tf.build() as g:
    node = g.add(bodies.{node}, "n", x={x})
    shown = g.add("debug.print", value=node.{out})
    g.connect(g.add("flow.start").then, shown.enter)
trio.run(tf.run, g.graph)
"""


def script(tmp_path, text):
    (tmp_path / "main.py").write_text(text)
    path = os.pathsep.join([os.path.dirname(bodies.__file__), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py")],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_script_without_a_guard(tmp_path):
    """The child that runs it again refuses, before it does anything, with the cure."""
    with script(tmp_path, SCRIPT.format(node="square", x=2, out="result")) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "__name__" in err and "WorkerDied" in err
    assert out.count("begins") == 2 and "4" not in out


@pytest.mark.slow
def test_no_orphans(tmp_path):
    """Soon after the main process was killed the process of its body is gone, whatever that does."""
    file = tmp_path / "pid"
    guarded = SCRIPT.format(node="holds", x=repr(str(file)), out="result").replace(
        "trio.run(", 'if __name__ == "__main__":\n    trio.run('
    )
    with script(tmp_path, guarded) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not file.exists():
            time.sleep(0.05)
        child = int(file.read_text())
        assert alive(child)
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 5  # a second, where nothing else is going on
        while time.monotonic() < deadline and alive(child):
            time.sleep(0.05)
        assert not alive(child)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False
