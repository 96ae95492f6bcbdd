"""Bodies on a Ray cluster of this host: the same as in this process, whatever becomes of its workers."""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import pytest
import remote_bodies as bodies
import trio
from remote_graphs import NOTES, graph, run

import trioflow as tf
from trioflow.remote import Placement, Ray, WorkerDied


async def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(tf.MissingExtra, match=r"trioflow\[ray\]"):
        await run(graph(bodies.square, x=1), services={Placement: Placement(processes=Ray())})
    assert (repr(Ray()), repr(Ray("auto"))) == ("Ray()", "Ray('auto')")


class Future:
    """What Ray's task gives: it ends when its event is set, from a thread."""

    def __init__(self, told, after, result):
        self.told, self.after, self._result = told, after, result

    def add_done_callback(self, tell):
        trio.lowlevel.spawn_system_task(self._wait, tell)

    async def _wait(self, tell):
        await trio.sleep(self.after)
        tell(self)

    def result(self):
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result


class Crashed(Exception):
    pass


def stand_in(after=0.0, failures=()):
    """As much of Ray as is used, and what it was told: with a cluster, `outside` tests say that it is so."""
    told = []
    failing = iter(failures)

    def remote(function):
        def options(**settings):
            def begin(call):
                told.append(settings)
                failure = next(failing, None)
                future = Future(told, after, failure or function(call))
                return SimpleNamespace(future=lambda: future)

            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=options)

    return told, SimpleNamespace(
        is_initialized=lambda: bool(told),
        init=lambda address, **options: told.append((address, options)),
        remote=remote,
        cancel=lambda task, force: told.append("force" if force else "cancel"),
        exceptions=SimpleNamespace(
            WorkerCrashedError=Crashed, NodeDiedError=Crashed, OutOfMemoryError=Crashed, ObjectLostError=Crashed
        ),
    )


async def test_what_ray_is_told(monkeypatch):
    """Its own retries are off; resources are those of the policy."""
    told, ray = stand_in()
    monkeypatch.setitem(sys.modules, "ray", ray)
    asked = tf.RunOnPolicy("processes", resources={"num_gpus": 1, "blue": 2})
    made = graph(bodies.square, bodies.square, x=3, policy=tf.Policy(run_on=asked))
    await run(made, services={Placement: Placement(processes=Ray("auto", namespace="n"))})
    assert told[0] == ("auto", {"namespace": "n"})
    assert told[1] == told[2] == {"max_retries": 0, "num_cpus": 1, "num_gpus": 1.0, "resources": {"blue": 2.0}}
    assert NOTES == [9, 9]


async def test_deaths(monkeypatch, autojump_clock):
    told, ray = stand_in(failures=[None, Crashed()])
    monkeypatch.setitem(sys.modules, "ray", ray)
    await run(graph(bodies.square, bodies.square, x=3), services={Placement: Placement(processes=Ray())})
    assert (NOTES, len(told)) == ([9, 9], 4)
    assert told[0] == (None, {"log_to_driver": False, "include_dashboard": False})
    _, ray = stand_in(failures=[Crashed()])
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(WorkerDied, match="No process could be started"):
        await run(graph(bodies.square, x=3), services={Placement: Placement(processes=Ray())})


@pytest.mark.parametrize(("after", "last"), [(10, "force"), (1.1, "cancel")])
async def test_cancelling(monkeypatch, autojump_clock, after, last):
    """Softly, then by force, if the body does not end in time."""
    told, ray = stand_in(after=after)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with trio.move_on_after(1):
        await run(graph(bodies.square, x=3), services={Placement: Placement(processes=Ray())})
    assert told[2:] == (["cancel", "force"] if last == "force" else ["cancel"])


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # its workers import the same
    yield Ray(num_cpus=2)
    ray.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.mark.outside
@pytest.mark.filterwarnings("ignore")
async def test_a_cluster(cluster, tmp_path):
    """Values, errors, a worker that dies, a body that is cancelled."""
    services = {Placement: Placement(processes=cluster)}
    with trio.fail_after(300):
        await run(graph(bodies.pid, bodies.square, x=5), services=services)
        assert NOTES[0] != os.getpid() and NOTES[1] == 25
        with pytest.raises(ValueError, match="no"):
            await run(graph(bodies.fails, message="no"), services=services)
        await run(graph(bodies.dies, file=str(tmp_path / "log"), times=1), services=services)
        assert NOTES == [2]
        with pytest.raises(WorkerDied, match="once"):
            await run(graph(bodies.dies_acting, file=str(tmp_path / "acts"), times=1), services=services)
        began = time.monotonic()
        with trio.move_on_after(1) as scope:
            await run(graph(bodies.slow, x=100.0), services=services)
        assert scope.cancelled_caught and time.monotonic() - began < 30
        await run(graph(bodies.square, x=6), services=services)
        assert NOTES == [36]
