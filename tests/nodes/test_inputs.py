"""Whatever comes, data nodes give a value of the type that they declare or say what was wrong, and change no input."""

from __future__ import annotations

import copy

import pytest
from data_nodes import AREAS, TYPES, fitting, function_of, inputs_of, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXPECTED = (ValueError, TypeError, LookupError, ArithmeticError)
PLAIN = [
    pytest.param(each, id=each.id) for area in AREAS for each in TYPES[area] if function_of(each) and not each.volatile
]


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")  # of regular expressions
@pytest.mark.parametrize("node_type", PLAIN)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_any_inputs(node_type, data):
    """A value of the declared types, or an error that a person can read; the inputs stay as they were."""
    inputs = data.draw(st.fixed_dictionaries({socket.name: inputs_of(socket.type) for socket in node_type.inputs}))
    before = copy.deepcopy(inputs)
    try:
        result = function_of(node_type)(**inputs)
    except EXPECTED as error:
        message = str(error.args[0])
        assert message.startswith(f"{node_type.id}: ") or message == "division by zero", (type(error), message)
    else:
        names = [output.name for output in node_type.outputs]
        fitting(node_type, dict(zip(names, result if node_type.body.result == "fields" else (result,), strict=True)))
    assert written(inputs) == written(before)
