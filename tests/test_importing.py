"""Importing trioflow takes little more than importing what it is made with, and nothing before it is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.timed, pytest.mark.unmeasured]


def seconds(code, folder):
    """Processor time of a process of its own, the least of several: neither others nor the measuring of coverage count."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_"))}
    environment |= {"PYTHONPYCACHEPREFIX": str(folder), "PYTHONDONTWRITEBYTECODE": ""}
    measure = f"import time; began = time.process_time(); {code}; print(time.process_time() - began)"
    command = [sys.executable, "-c", measure]
    return min(
        float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        for _ in range(4)
    )


def test_as_quick_as_what_it_is_made_with(tmp_path):
    """`import trioflow` takes a fraction of importing trio and attrs; with what runs a graph less than twice as much."""
    base = seconds("import trio, attrs", tmp_path)
    assert seconds("import trioflow", tmp_path) < 0.5 * base  # 0.1
    runs = seconds("import trioflow as tf; tf.build; tf.run", tmp_path)
    assert runs < 2.0 * base  # 1.4 to 1.5


def test_what_is_not_used_is_not_imported():
    """Documents, nodes and the engine are imported when they are first asked for."""
    code = "import sys, trioflow; print([name for name in sys.modules if name.startswith(('trio', 'attr', 'cattrs'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['trioflow']"


PLAIN = """
import sys
import trio
import trioflow as tf

with tf.build() as g:
    show = g.add(tf.nodes.Print, value=g.add(lambda n: n * n, n=3).result)
    g.connect(g.add("flow.start").then, show.enter)
trio.run(tf.run, g.graph)
print(*sys.modules)
"""


def test_a_plain_run_imports_only_what_runs_it():
    """Nothing that reads documents, knows packages, plans workflows or starts processes."""
    done = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, check=True)
    printed, modules = done.stdout.splitlines()
    assert printed == "9"
    others = ("cattrs", "importlib.metadata", "email", "pickle", "decimal", "zipfile", "multiprocessing")
    ours = (
        "model.document",
        "model.structure",
        "semantics.workflow.net",
        "runtime.workflow",
        "nodes._worker",
        "durable",
        "policies",
    )
    loaded = set(modules.split())
    assert loaded.isdisjoint(others)
    assert loaded.isdisjoint(f"trioflow.{name}" for name in ours)
