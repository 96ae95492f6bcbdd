"""How what a run did is written down (E1, E5): events, the canonical trace, results, names of evaluations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FIELDS = {
    "started": ("node", "entered"), "completed": ("node", "handed"), "failed": ("node", "origin"),
    "cancelled": ("node",), "evaluating": ("node",), "evaluated": ("node", "key"), "unevaluated": ("node",),
    "forked": (), "joined": (), "conflict": ("variable",), "feedback": ("value",),
}  # fmt: skip
ENDS = frozenset({"completed", "failed", "cancelled"})

Trace = Sequence[Mapping[str, Any]]


def dotted(path: Iterable[int]) -> str:
    """A path as a text."""
    return ".".join(map(str, path)) or "root"


def event(kind: str, path: Iterable[int], *details: Any) -> dict[str, Any]:
    """An event of a trace (spec/INTERPRETING.md, 6)."""
    return {"event": kind, "path": list(path), **dict(zip(_FIELDS[kind], details, strict=True))}


def as_text(told: Mapping[str, Any]) -> str:
    """An event as it stands in a step (spec/INTERPRETING.md, 8)."""
    words = [told["event"], dotted(told["path"])]
    for name in _FIELDS[told["event"]]:
        value = told[name]
        if name == "value":
            words.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        else:
            words.append("-" if value is None else dotted(value) if name == "origin" else value)
    return " ".join(words)


def _path_of(row: Sequence[Any]) -> Any:
    return row[0]


def canonical(trace: Trace) -> dict[str, Any]:
    """The canonical trace of a trace (E5)."""

    def told(*events: str) -> list[Mapping[str, Any]]:
        return [each for each in trace if each["event"] in events]

    entered = {tuple(each["path"]): each["entered"] for each in told("started")}
    activations = [
        [each["path"], each["node"], entered[tuple(each["path"])], each["event"], each.get("handed")]
        for each in told(*ENDS)
    ]
    return {
        "activations": sorted(activations, key=_path_of),
        "feedback": sorted(([each["path"], each["value"]] for each in told("feedback")), key=_path_of),
        "strands": sorted([each["path"], each["event"]] for each in told("forked", "joined")),
        "conflicts": sorted([each["path"], each["variable"]] for each in told("conflict")),
        "evaluations": sorted({each["key"] for each in told("evaluated")}),
    }


def result(status: str, trace: Trace = (), **fields: Any) -> dict[str, Any]:
    """A result (spec/INTERPRETING.md, 6); fields that are not given are empty."""
    summary = canonical(trace)
    return {
        "status": status, "errors": [], "problems": [], "variables": {}, "outputs": {}, "feedback": summary["feedback"],
        "life": [], "trace": trace, "canonical": summary, "steps": [], **fields,
    }  # fmt: skip


def digest(origins: Iterable[str]) -> str:
    """Several origins in one (spec/INTERPRETING.md, 7)."""
    return hashlib.sha256("\n".join(origins).encode()).hexdigest()[:16]
