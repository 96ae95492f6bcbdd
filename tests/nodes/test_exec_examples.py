"""The docstring of every exec node, and of the data nodes beside them, ends in an example, and what it shows is true."""

from __future__ import annotations

import doctest
import importlib

import pytest
import trio

import trioflow as tf
from trioflow.model.node_type import FunctionBody
from trioflow.testing import fire

AREAS = (
    "api", "db", "debug", "event", "file", "flow", "hook", "http", "person", "process", "queue", "script", "state", "tcp", "template",
    "user", "variable",
)  # fmt: skip
REGISTRY = tf.Registry.standard(plugins=False, allow=["scripts"])
IMPORTED = ("actions", "bpmn", "n8n", "nodered", "serverless")
TYPES = {area: [each for each in REGISTRY if each.id.startswith(f"{area}.")] for area in AREAS}


@pytest.mark.parametrize("area", AREAS)
def test_examples(area, tmp_path, monkeypatch):
    """Each type of the area has an example at the end of its docstring, and the example is true, in an empty folder."""
    assert TYPES[area]
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    for node_type in TYPES[area]:
        (tmp_path / node_type.id).mkdir()
        monkeypatch.chdir(tmp_path / node_type.id)
        body = node_type.body.function if isinstance(node_type.body, FunctionBody) else node_type.body
        names = {**vars(importlib.import_module(body.__module__)), "fire": fire, "trio": trio, "tf": tf}
        test = doctest.DocTestParser().get_doctest(node_type.doc, names, node_type.id, None, None)
        if not test.examples or node_type.doc.rpartition("\n\n")[2].lstrip()[:3] != ">>>":
            said.append(f"{node_type.id}: the docstring does not end in an example.")
        runner.run(test, out=said.append)
    assert said == []


def test_every_exec_node_is_in_one_of_the_areas():
    """A type in a new area is looked at too. Those that importers put in place of others' have no use without them."""
    areas = (*AREAS, "json", *IMPORTED)
    assert [each.id for each in REGISTRY if each.is_exec and each.id.partition(".")[0] not in areas] == []
