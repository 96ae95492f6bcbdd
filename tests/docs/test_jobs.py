"""The recipes for other dispatchers on the page about jobs: what stands there is what is run."""

from __future__ import annotations

import configparser
import re
import shlex
import threading
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.cli.worker import worker
from trioflow.jobs import Queue, run_once

PAGE = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def options(words):
    """What the command line makes of a worker's words."""
    words = [str(each) for each in words]
    assert words[1] == "worker" and words[0].endswith("trioflow")
    return worker.make_context("worker", words[2:]).params


def test_systemd():
    """The unit is one, its command is one of ours, and it gives a worker the time that it asks for."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(blocks("ini")[0])
    service = unit["Service"]
    asked = options(shlex.split(service["ExecStart"]))
    assert asked["drain"] < int(service["TimeoutStopSec"])
    assert (service["Restart"], service["KillSignal"]) == ("always", "SIGTERM")


def test_kubernetes():
    yaml = pytest.importorskip("yaml", reason="reads the manifest")
    manifest = yaml.safe_load(blocks("yaml")[0])
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert options(container["args"])["drain"] < pod["terminationGracePeriodSeconds"]
    assert container["args"][container["args"].index("--journal") + 1] == f"$({container['env'][0]['name']})"
    assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]


RUNS = []


@tf.exec_node(id="recipes.note")
async def note() -> None:
    RUNS.append(1)


def recipe(word):
    return next(each for each in blocks("py") if word in each)


@pytest.fixture
def shop(tmp_path):
    """A journal with a job in it, what the recipes need, and the name of the job."""
    RUNS.clear()
    registry = tf.Registry.standard()
    registry.add(note)
    with tf.build() as g:
        g.connect(g.add("flow.start").then, g.add(note).enter)
    journal = tf.SqliteJournal(tmp_path / "jobs.db")

    async def put():
        return (await Queue(journal).put(g.graph)).id

    found = []
    thread = threading.Thread(target=lambda: found.append(trio.run(put)))
    thread.start()
    thread.join()
    return {"journal": journal, "registry": registry, "trio": trio, "tf": tf, "run_once": run_once}, found[0]


def status(names, job):
    return names["journal"].show(job).status


@pytest.mark.outside
@pytest.mark.filterwarnings("ignore")
def test_celery(shop):
    """A real task, done at once in place of a broker's worker; the second time nothing is left to do."""
    celery = pytest.importorskip("celery", reason="Celery is not installed")
    names, job = shop
    app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
    app.conf.task_always_eager = True
    exec(recipe("acks_late"), {**names, "app": app})
    task = next(each for name, each in app.tasks.items() if name.endswith("run_job"))
    for _ in range(2):
        assert task.delay(job).successful()
    assert (RUNS, status(names, job)) == ([1], "completed")


@pytest.mark.outside
@pytest.mark.filterwarnings("ignore")
def test_procrastinate(shop):
    """A worker of procrastinate's, on its own memory in place of its database."""
    procrastinate = pytest.importorskip("procrastinate", reason="procrastinate is not installed")
    testing = pytest.importorskip("procrastinate.testing")
    names, job = shop
    app = procrastinate.App(connector=testing.InMemoryConnector())
    names = {**names, "app": app, "procrastinate": procrastinate}
    exec(recipe("RetryStrategy"), names)
    with app.open():
        for _ in range(2):
            names["run_job"].defer(job_id=job)
        app.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert (RUNS, status(names, job)) == ([1], "completed")
