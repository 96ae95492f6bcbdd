"""What the page knows of a run, and the deltas that keep it so: `fold` makes one state of another and a delta. Pure.

A state and a delta have the same keys. Those in `BY_PLACE` are by node, and `flow` by wire: of them a delta has what
has changed. `messages` are added at the end; all others are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BY_PLACE = ("counts", "failed", "flow", "heat", "outcomes", "policies", "progress")
MOST_MESSAGES = 200

State = dict[str, Any]


def first_state(epoch: int) -> State:
    """The state before anything has run. Each run that a session shows has an epoch of its own."""
    return {
        "epoch": epoch, "status": None, "reason": None, "steps": 0, "evaluations": 0, "looked": 0, "elapsed": 0.0,
        "forks": 0, "alive": 0, "watching": None, "recorded": 0, "counts": {}, "failed": {}, "heat": {}, "strands": [],
        "parked": [], "breakpoints": [], "failure": None, "variables": None, "messages": [], "document": None,
        "kept": None, "outcomes": {}, "policies": {}, "progress": {}, "dead": [],
        "watches": [], "flow": {}, "asks": [],
    }  # fmt: skip


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> State:
    """The delta from one state to a later one of the same epoch."""
    delta: State = {}
    for key, value in new.items():
        if key in BY_PLACE:
            before = old[key]
            changed = {node: number for node, number in value.items() if before.get(node) != number}
            if changed:
                delta[key] = changed
        elif key == "messages":
            more = [each for each in value if each["n"] > (old[key][-1]["n"] if old[key] else 0)]
            if more:
                delta[key] = more
        elif old[key] != value:
            delta[key] = value
    return delta


def fold(state: Mapping[str, Any], delta: Mapping[str, Any]) -> State:
    """The state after a delta, as the page makes it."""
    found = dict(state)
    for key, value in delta.items():
        if key in BY_PLACE:
            found[key] = {**found[key], **value}
        elif key == "messages":
            found[key] = [*found[key], *value][-MOST_MESSAGES:]
        else:
            found[key] = value
    return found
