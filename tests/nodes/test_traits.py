"""Every standard node stands every kind of nasty input: it gives a value, or an error in its own words, and soon."""

from __future__ import annotations

import random
import time
import warnings
from typing import Literal, get_origin

import node_traits as traits
import pytest
from data_nodes import AREAS, REGISTRY, TYPES, drawn, function_of
from hosts.held import without_collector

from trioflow.testing import fire

EXPECTED = (ValueError, TypeError, LookupError, ArithmeticError)


def test_every_socket_has_a_trait():
    """A new socket says what kind of input it takes, so that it is tried with what goes wrong there."""
    without = [
        f"{node_type.id}.{socket.name}: {socket.type}"
        for node_type in REGISTRY
        for socket in node_type.inputs
        if traits.trait(socket.name, socket.type) is None
    ]
    assert without == [], "Give these a trait in tests/node_traits.py."


def fitting(value, type_):
    """Whether the engine lets a value through to an input of this type."""
    return type_ not in (int, bool) and get_origin(type_) is not Literal or type(value) is type_


def steps_of(node_type):
    """The node's function, as a generator function if it works in slices."""
    function = node_type.body.function
    return function.__wrapped__.__wrapped__ if node_type.body.in_slices else function


PATTERNS = ("matches", "search", "search_all", "search_names", "substitute")
"""Jobs that are never done here: it may be that only killing them ends them."""


def driven(node_type, inputs):
    """The longest time that one slice took, of processor time; raises what the node raises."""
    function, longest = steps_of(node_type), 0.0
    began = time.thread_time()
    asked = function(**inputs)
    if not node_type.body.in_slices:
        return time.thread_time() - began
    steps, answer, failure = asked, None, None
    while True:
        began = time.thread_time()
        try:
            job = steps.throw(failure) if failure is not None else steps.send(answer)
        except StopIteration:
            return max(longest, time.thread_time() - began)
        longest = max(longest, time.thread_time() - began)
        answer = failure = None
        if job is not None and job.name not in PATTERNS:
            try:
                answer = job.here()
            except Exception as error:
                failure = error
        elif job is not None:
            steps.close()
            return longest


@pytest.mark.parametrize("area", AREAS)
def test_nasty_inputs(area):
    """Whatever comes to one socket, the others being what is usual: a value, or an error that names the node."""
    # Python's collector may have much to go through when its turn comes: that is no matter of a node.
    with without_collector():
        _with_nasty_inputs(area)


def _with_nasty_inputs(area):
    for node_type in TYPES[area]:
        if node_type.volatile or function_of(node_type) is None:
            continue
        draw = random.Random(node_type.id)
        for socket in node_type.inputs:
            for nasty in traits.NASTY[traits.trait(socket.name, socket.type)]:
                if not fitting(nasty, socket.type):
                    continue
                inputs = {each.name: drawn(each.type, draw) for each in node_type.inputs} | {socket.name: nasty}
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        took = driven(node_type, inputs)
                except EXPECTED as error:
                    message = str(error.args[0])
                    assert message.startswith(f"{node_type.id}: "), (node_type.id, socket.name, repr(error)[:500])
                    assert len(message) < 1500, (node_type.id, socket.name, message[:200])
                    assert "sys.set_int_max" not in message
                else:
                    # The promise is 5 ms; more is left for a busy machine, and for what coverage costs.
                    assert took < 0.1, (node_type.id, socket.name, took)


ENCODERS = {
    "file.append_text": {"path": "f", "text": "a"},
    "file.lines": {"path": "f"},
    "file.read_text": {"path": "f"},
    "file.write_text": {"path": "f", "text": "a"},
    "process.run": {"command": ["cat"], "input": "a"},
    "process.stream": {"command": ["cat"], "input": "a"},
    "tcp.ask": {"host": "localhost", "port": 1, "text": "a"},
    "tcp.listen": {"port": 0, "times": 1},
}


def test_encodings_that_are_none(tmp_path, monkeypatch):
    """Every node that takes an encoding refuses what is none, in the same words, and before it does anything."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text("a")
    takers = [each for each in REGISTRY if "encoding" in each.input_index]
    assert {each.id for each in takers if each.is_exec} == {*ENCODERS}
    for node_type in takers:
        inputs = ENCODERS.get(node_type.id)
        for encoding in ("hex", "nonsense", "bz2"):
            with pytest.raises(ValueError, match=f"{node_type.id}.*there is no text encoding '{encoding}'"):
                if inputs is not None:
                    fire(node_type.id, encoding=encoding, **inputs)
                else:
                    function_of(node_type)(
                        **{node_type.inputs[0].name: b"" if "to" in node_type.id else ""}, encoding=encoding
                    )
    assert (tmp_path / "f").read_text() == "a"
