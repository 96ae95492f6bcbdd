"""Where an answer differs from what must come (spec/INTERPRETING.md, 10), in words, and which rules that points to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import attrs

from trioflow.formats import visible

_LONGEST_VALUE = 200
_MISSING = object()

OUTCOME = ("status", "errors", "problems", "variables", "outputs", "feedback", "life")
"""The fields of a result that every level has. Those that say why come first."""

_RULES_OF_FIELD: Mapping[str, tuple[str, ...]] = {
    "status": ("R3",),
    "errors": ("R4",),
    "problems": ("M5",),
    "variables": ("F3", "D8"),
    "outputs": ("D9",),
    "feedback": ("T8",),
    "life": ("R1",),
    "trace": ("E1",),
    "canonical.activations": ("T8", "E5"),
    "canonical.feedback": ("T8", "E5"),
    "canonical.strands": ("F1", "F2"),
    "canonical.conflicts": ("F4",),
    "canonical.evaluations": ("D4", "D6"),
    "steps": ("T2",),
}
_RULES_OF_EVENT: Mapping[str, tuple[str, ...]] = {
    "started": ("T2", "T3"),
    "completed": ("E1", "T6"),
    "failed": ("E1", "E2"),
    "cancelled": ("R5", "E1"),
    "evaluating": ("D4", "D5"),
    "evaluated": ("D4", "D5"),
    "unevaluated": ("D5",),
    "forked": ("F1",),
    "joined": ("F3", "F5"),
    "conflict": ("F4",),
    "feedback": ("T8",),
}
_RULES_OF_ACTION: Mapping[str, tuple[str, ...]] = {
    "pause": ("G2",),
    "resume": ("G2",),
    "step": ("G2",),
    "step-into": ("G5",),
    "step-over": ("G6",),
    "step-out": ("G7",),
    "breakpoint": ("G3",),
    "wire-breakpoint": ("G8",),
    "cancel": ("R5",),
    "publish": ("B1",),
}


@attrs.frozen
class Difference:
    """The first thing in which an answer is not what it must be.

    `field` is a field of the result, `rules` those that it points to, `place` where in the field.
    """

    field: str
    place: str
    expected: str
    came: str
    rules: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, got {self.came}"


def difference(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> Difference | None:
    """The first difference between the fields that are expected and an answer; other fields may be anything.

    Tuples count as lists. Fields of the outcome come first, then the steps, then the canonical trace: with the same
    steps that differs only in what the steps don't say.
    """
    for field in (*OUTCOME, "steps", "canonical", "trace"):
        if field not in expected:
            continue
        wanted, came = expected[field], answer.get(field, _MISSING)
        found = (
            _first_step(wanted, came)
            if field == "steps" and came is not _MISSING
            else _first(wanted, came, field, partly=field == "canonical")
        )
        if found is not None:
            return found
    return None


def _first(wanted: Any, came: Any, place: str, *, partly: bool = False) -> Difference | None:
    """The first difference of two values. `partly`: keys that are not wanted may be there."""
    if isinstance(wanted, Mapping) and isinstance(came, Mapping):
        keys = [*wanted, *(() if partly else (key for key in came if key not in wanted))]
        pairs = ((f"{place}.{key}", wanted.get(key, _MISSING), came.get(key, _MISSING)) for key in keys)
    elif _is_list(wanted) and _is_list(came):
        length = max(len(wanted), len(came))
        pairs = ((f"{place}[{index}]", _item(wanted, index), _item(came, index)) for index in range(length))
    elif type(wanted) is type(came) and wanted == came:
        return None
    else:
        return _difference(place, _shown(wanted), _shown(came))
    for inner, left, right in pairs:
        found = _first(left, right, inner)
        if found is not None:
            return found
    return None


def _first_step(wanted: Sequence[Any], came: Sequence[Any]) -> Difference | None:
    """The first step that differs: what was done if that differs, otherwise the first event."""
    for index in range(max(len(wanted), len(came))):
        left, right = _item(wanted, index), _item(came, index)
        found = _first(left, right, f"steps[{index}]")
        if found is None:
            continue
        place = f"step {index}"
        if left is _MISSING or right is _MISSING:
            return Difference("steps", place, _shown(left), _shown(right), ("R3", "T2"))
        done, did = ({**step, "events": None} for step in (left, right))
        if _first(done, did, place) is not None:
            return Difference("steps", place, _done(left), _done(right), _rules_of_step(left))
        lacking = [event for event in left["events"] if event not in right["events"]]
        surplus = [event for event in right["events"] if event not in left["events"]]
        said = lacking or surplus or left["events"]
        return Difference(
            "steps",
            f"step {index} ({_done(left)})",
            f"the events {_shown(lacking or left['events'])}",
            _shown(surplus or right["events"]),
            tuple(dict.fromkeys(rule for event in said for rule in _RULES_OF_EVENT.get(event.partition(" ")[0], ()))),
        )
    return None


def _done(step: Mapping[str, Any]) -> str:
    """What a step did, in words."""
    match step["do"]:
        case "release":
            return f"release of {_shown(step['chosen'])} out of {_shown(step['enabled'])}"
        case "time":
            return f"time {step['now']}"
        case "action":
            return f"action {_shown(step['action'])}"
        case _:
            return str(step["do"])


def _rules_of_step(step: Mapping[str, Any]) -> tuple[str, ...]:
    match step["do"]:
        case "release":
            return _of_labels(step["enabled"])
        case "time":
            return ("R8", "R5")
        case "action":
            return _RULES_OF_ACTION.get(step["action"]["do"], ())
        case _:
            return ("T2",)


def _of_labels(labels: Iterable[str]) -> tuple[str, ...]:
    rules = {"d": "T2", "g": "G1", "e": "D5", "w": "R5", "m": "R5"}
    return tuple(dict.fromkeys(rules.get(label[:1], "T2") for label in labels))


def _difference(place: str, expected: str, came: str) -> Difference:
    field = place.partition("[")[0]
    if field not in _RULES_OF_FIELD:
        field = field.partition(".")[0]
    return Difference(field, place, expected, came, _RULES_OF_FIELD.get(field, ()))


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _item(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = visible(json.dumps(value, ensure_ascii=False, default=repr))
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
