"""The standard nodes, one module per area; `trioflow nodes` lists them with their sockets.

Modules are imported when one of their nodes is asked for, here by Python name (`nodes.ForLoop`) or in a registry by id
(`flow.for`).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow.nodes.debug import Feedback, Print
    from trioflow.nodes.event import Listen, Publish
    from trioflow.nodes.file import ReadText, Walk, WriteText
    from trioflow.nodes.flow import (
        Assert,
        Branch,
        Delay,
        ForEach,
        ForLoop,
        Parallel,
        Race,
        Raise,
        RepeatUntil,
        Sequence,
        Start,
        Switch,
        Try,
        While,
    )
    from trioflow.nodes.variable import SetVariable, UpdateVariable

_AREAS = {
    "flow": (
        "Assert", "Branch", "Delay", "ForEach", "ForLoop", "Parallel", "Race", "Raise", "RepeatUntil", "Sequence",
        "Start", "Switch", "Try", "While",
    ),
    "event": ("Listen", "Publish"),
    "variable": ("SetVariable", "UpdateVariable"),
    "debug": ("Feedback", "Print"),
    "file": ("ReadText", "Walk", "WriteText"),
}  # fmt: skip
_AREA_OF = {name: area for area, names in _AREAS.items() for name in names}

__all__ = [
    "Assert",
    "Branch",
    "Delay",
    "Feedback",
    "ForEach",
    "ForLoop",
    "Listen",
    "Parallel",
    "Print",
    "Publish",
    "Race",
    "Raise",
    "ReadText",
    "RepeatUntil",
    "Sequence",
    "SetVariable",
    "Start",
    "Switch",
    "Try",
    "UpdateVariable",
    "Walk",
    "While",
    "WriteText",
]


def __getattr__(name: str) -> Any:
    if name in _AREA_OF:
        return getattr(importlib.import_module(f"trioflow.nodes.{_AREA_OF[name]}"), name)
    raise AttributeError(f"module 'trioflow.nodes' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
