"""Running a behaviour graph here, and reading the verdicts of its tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
from outside.khr.agenda import Agenda
from outside.khr.document import Behaviour, value_of
from outside.khr.importing import MODEL, agenda_of, graph_of, variables_of

import trioflow as tf
from trioflow.testing import run_virtual


@attrs.frozen
class Ended:
    """What a behaviour has left: its variables in order, the object model, and what was said."""

    variables: list[Any]
    model: Any
    agenda: Agenda


def run(behaviour: Behaviour) -> Ended:
    """Run it on a virtual clock, until its tests are over."""
    agenda = agenda_of(behaviour)
    result = run_virtual(graph_of(behaviour), services={Agenda: agenda}, options=tf.RunOptions(max_depth=10_000))
    left = [result.variables[name] for name in variables_of(behaviour)]
    return Ended(left, result.variables[MODEL], agenda)


def failed(document: Mapping[str, Any], ended: Ended) -> list[str]:
    """The subtests that have failed."""
    found: list[str] = []
    for test in document["subtests"]:
        name = f"{document['name']}: {test['name']}"
        has = ended.variables[test["result"]]
        if test["passed"] >= 0:
            if ended.variables[test["passed"]] is not True:
                found.append(f"{name}: got {has}, expected {test['expected']}")
        elif not close(has, value_of(test["type"], test["expected"])):
            found.append(f"{name}: got {has}, expected {test['expected']}")
    return found


def close(value: Any, expected: Any) -> bool:
    """Whether two values are the same but for what floats of 32 bits lose."""
    if isinstance(expected, tuple):
        return isinstance(value, tuple) and len(value) == len(expected) and all(map(close, value, expected))
    if isinstance(expected, float) and isinstance(value, float):
        if math.isnan(expected) or math.isnan(value):
            return math.isnan(expected) and math.isnan(value)
        return math.isclose(value, expected, rel_tol=1e-4, abs_tol=1e-4)
    return type(value) is type(expected) and value == expected
