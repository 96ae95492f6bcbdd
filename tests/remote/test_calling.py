"""What is sent and what comes back, without another process."""

from __future__ import annotations

import pickle

import attrs
import pytest
import remote_bodies as bodies

import trioflow as tf
from trioflow.remote.calling import Answer, Call, answered, code_of, packed, unpacked
from trioflow.remote.errors import ElsewhereTraceback
from trioflow.runtime.wrapping.portable import CONTEXT, Portable


def call(node, *arguments, key=None):
    body = Portable(node.type.id, f"remote_bodies:{node.__name__}", arguments, "seed", (0, 1), CONTEXT in arguments)
    return Call(body, code_of(node.type), key)


def test_an_answer():
    assert unpacked(answered(packed(call(bodies.square, 3)))) == Answer(result=9)
    told = unpacked(answered(packed(call(bodies.both, CONTEXT, 4, 3, key="k" * 32))))
    assert (tuple(told.result), [name for name, _ in told.told]) == ((3, 4), ["report_progress", "emit_feedback"])
    assert told.told[1][1][0].endswith("(0, 1) 32")


def test_a_data_node_has_no_key():
    found = unpacked(answered(packed(call(bodies.both, CONTEXT, 4, 3))))
    assert "A data node has no key" in str(found.error) and isinstance(found.error.__cause__, ElsewhereTraceback)
    assert "remote_bodies.py" in str(found.error.__cause__)


def test_what_is_not_there():
    """Code that is gone, and what is no call at all, are answers too."""
    gone = attrs.evolve(
        call(bodies.square, 3), body=attrs.evolve(call(bodies.square, 3).body, function="remote_bodies:no")
    )
    assert "there is nothing there" in str(unpacked(answered(packed(gone))).error)
    assert isinstance(unpacked(answered(b"no")).error, pickle.UnpicklingError)


def test_digests_of_code():
    """The same for the same code, another for other code; what a type calls its version is its digest."""

    def like(x: int) -> int:
        return x * x

    def unlike(x: int) -> int:
        return x * x + 1

    def inner(x: int) -> int:
        return sum(each for each in (x, x) if each in {"a", "b"})

    codes = [code_of(tf.data_node(id="x")(each).type) for each in (like, unlike, inner)]
    assert len({*codes}) == 3 and codes[0] == code_of(bodies.square.type)
    assert code_of(tf.exec_node(id="y", version="7")(bodies.both.type.body.function).type) == "7"


def test_values_that_can_not_be_sent():
    with pytest.raises(tf.NodeError, match="An input of remote.square can't be sent"):
        packed(call(bodies.square, lambda: 1))


def test_long_functions():
    """What would be done in slices where the run is, is done at once where nobody waits."""
    assert unpacked(answered(packed(call(bodies.sliced, 20)))) == Answer(result=21)
