"""Whatever comes, data nodes give a value of the type that they declare or say what was wrong, and change no input."""

from __future__ import annotations

import copy
import random

import pytest
from data_nodes import AREAS, TYPES, drawn, fitting, function_of, written

pytestmark = pytest.mark.unmeasured

EXPECTED = (ValueError, TypeError, LookupError, ArithmeticError)


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")  # of regular expressions
@pytest.mark.parametrize("area", AREAS)
def test_any_inputs(area):
    """A value of the declared types, or an error that names the node; the inputs stay as they were."""
    for node_type in TYPES[area]:
        function = None if node_type.volatile else function_of(node_type)
        draw = random.Random(node_type.id)
        for _ in range(150 if function else 0):
            inputs = {socket.name: drawn(socket.type, draw) for socket in node_type.inputs}
            before = copy.deepcopy(inputs)
            told = f"{node_type.id}({inputs})"
            try:
                result = function(**inputs)
            except EXPECTED as error:
                message = str(error.args[0])
                python = isinstance(error, OverflowError) or message == "division by zero"  # says enough by itself
                assert message.startswith(f"{node_type.id}: ") or python, (told, error)
            else:
                names = [output.name for output in node_type.outputs]
                values = result if node_type.body.result == "fields" else (result,)
                assert fitting(node_type, dict(zip(names, values, strict=True))), told
            assert written(inputs) == written(before), told
