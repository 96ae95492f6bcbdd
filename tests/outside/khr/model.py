"""The object model: what JSON pointers read and write. A value: writing gives another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from outside.khr.document import Behaviour, zero
from outside.khr.operations import compose, multiply

_DEFAULTS: Mapping[str, Any] = {
    "translation": [0.0, 0.0, 0.0],
    "rotation": [0.0, 0.0, 0.0, 1.0],
    "scale": [1.0, 1.0, 1.0],
}


def steps_of(pointer: str, indices: Mapping[str, int]) -> list[str]:
    """The steps of a pointer, with numbers in the place of its parameters: `{name}`, in newer documents `[name]`."""
    return re.sub(r"[{[](\w+)[}\]]", lambda found: str(indices[found[1]]), pointer).split("/")[1:]


def parameters_of(pointer: str) -> list[str]:
    """The names of the parameters of a pointer."""
    return re.findall(r"[{[](\w+)[}\]]", pointer)


def read(model: Any, steps: list[str], kind: str) -> tuple[Any, bool]:
    """What is there, as a value of the type, and whether there is such a thing."""
    if steps[0] == "nodes" and len(steps) == 3 and steps[2] in {"matrix", "globalMatrix"}:
        if not _is_index(model.get("nodes", []), steps[1]):
            return zero(kind), False
        index = int(steps[1])
        return (local(model["nodes"][index]) if steps[2] == "matrix" else world(model, index)), True
    found = model
    for step in steps:
        name, dot, _ = step.partition(".length")
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, Mapping) and dot and isinstance(found.get(name, []), list):
            found = len(found.get(name, []))
        elif isinstance(found, list) and _is_index(found, step):
            found = found[int(step)]
        elif steps[0] == "nodes" and len(steps) == 3 and step in _DEFAULTS and isinstance(found, Mapping):
            found = _DEFAULTS[step]
        else:
            return zero(kind), False
    return as_value(found, kind), True


def write(model: Any, steps: list[str], value: Any) -> tuple[Any, bool]:
    """The model with another value there, and whether there may be one: a list has the items that it has."""
    written = list(value) if isinstance(value, tuple) else value
    return _written(model, steps, written)


def _written(model: Any, steps: list[str], value: Any) -> tuple[Any, bool]:
    if not steps:
        return value, True
    step, *others = steps
    if isinstance(model, list):
        if not _is_index(model, step):
            return model, False
        inner, is_valid = _written(model[int(step)], others, value)
        return [*model[: int(step)], inner, *model[int(step) + 1 :]], is_valid
    if not isinstance(model, Mapping) or (step not in model and step in {"nodes", "materials"}):
        return model, False
    inner, is_valid = _written(model.get(step, {}), others, value)
    return {**model, step: inner}, is_valid


def local(node: Mapping[str, Any]) -> tuple[float, ...]:
    if "matrix" in node:
        return tuple(map(float, node["matrix"]))
    parts = [tuple(map(float, node.get(name, default))) for name, default in _DEFAULTS.items()]
    return compose(*parts)


def world(model: Any, index: int) -> tuple[float, ...]:
    made = local(model["nodes"][index])
    for parent, node in enumerate(model["nodes"]):
        if index in node.get("children", []):
            return multiply(world(model, parent), made)
    return made


def as_value(found: Any, kind: str) -> Any:
    if isinstance(found, list):
        return tuple(map(float, found))
    if kind == "float":
        return float(found)
    return found


def model_of(behaviour: Behaviour) -> Any:
    """The object model as the document begins."""
    return behaviour.document


def _is_index(items: list[Any], step: str) -> bool:
    return step.isdigit() and int(step) < len(items)
