"""Every node type's docstring ends in an example, and what it shows is true, down to the types on its sockets."""

from __future__ import annotations

import doctest
import importlib

import pytest
from data_nodes import AREAS, TYPES, fits, value_of

import trioflow as tf
from trioflow.model.node_type import FunctionBody
from trioflow.testing import fire


@pytest.fixture
def typed(monkeypatch):
    """Checks what node functions that are called directly take and give against the sockets that they declare."""
    call = tf.FunctionNode.__call__

    def checked(self, *args, **kwargs):
        result = call(self, *args, **kwargs)
        for socket, value in zip(self.type.inputs, args, strict=False):
            assert fits(value, socket.type), f"{self.type.id}: {socket.name} is {value!r}"
        given = result if self.type.body.result == "fields" else (result,)
        for socket, value in zip(self.type.outputs, given, strict=True):
            assert fits(value, socket.type), f"{self.type.id}: {socket.name} is {value!r}"
        return result

    monkeypatch.setattr(tf.FunctionNode, "__call__", checked)


@pytest.mark.parametrize("area", AREAS)
def test_examples(area, typed):
    """Each type of the area has an example at the end of its docstring, and the example is true."""
    assert TYPES[area]
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    for node_type in TYPES[area]:
        body = node_type.body.function if isinstance(node_type.body, FunctionBody) else node_type.body
        names = {**vars(importlib.import_module(body.__module__)), "evaluate": value_of, "fire": fire}
        test = doctest.DocTestParser().get_doctest(node_type.doc, names, node_type.id, None, None)
        if not test.examples or node_type.doc.rpartition("\n\n")[2].lstrip()[:3] != ">>>":
            said.append(f"{node_type.id}: the docstring does not end in an example.")
        runner.run(test, out=said.append)
    assert said == []
