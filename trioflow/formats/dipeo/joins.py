"""How nodes wait for their arrows, and how long circles go round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft, Made
from trioflow.formats.fields import Fields, kind

_MOST_TURNS = 1000


def set_join(draft: Draft, node: Node, fields: Fields, made: Made) -> None:
    """Say how a node waits for its arrows."""
    said = node.props.get("join_policy")
    policy: Any = said.get("policy_type", said.get("type")) if isinstance(said, Mapping) else said
    if said is None:
        return
    settings: dict[str, dict[str, Any]] = {
        "all": {}, "any": {"join": "each"}, "first": {"join": "first"}, "k_of_n": {"join": "first"},
    }  # fmt: skip
    if not isinstance(policy, str) or policy not in settings:
        message = f"Expected one of {', '.join(settings)}, got {kind(policy)}."
        draft.notes.error("bad-value", f"{node.path}.join_policy", message)
        return
    found = settings[policy]
    if policy == "k_of_n":
        least = said.get("k") if isinstance(said, Mapping) else None
        if not isinstance(least, int) or isinstance(least, bool) or least < 1:
            draft.notes.error("bad-value", f"{node.path}.join_policy", f"Expected a number k, got {kind(least)}.")
            least = 1
        found = {**found, "min": least}
    draft.evolve(made.enter, **found)


def bound_circles(draft: Draft) -> None:
    """Let each circle end: a diagram that goes round for ever there fails here after many turns."""
    entered = Counter(wire.target.node for wire in draft.connections if wire.target.socket == "enter")
    for circle in dict.fromkeys(draft.circle.values()):
        labels = [node.label for node in draft.diagram.nodes if node.label in circle]
        draft.evolve(draft.made[labels[0]].enter, most=_MOST_TURNS)
        waiting = [label for label in labels if entered[draft.made[label].enter] > 1 and waits_for_all(draft, label)]
        if len(waiting) > 1:
            names = ", ".join(map(repr, waiting[:-1]))
            message = (
                f"{names} and {waiting[-1]!r} are in one circle, and each waits for what may still come over its "
                f"other arrows. When all of them wait, the first one of the diagram goes on: {waiting[0]!r} begins."
            )
            cure = "If another one is to begin, put it before the others."
            draft.notes.info("joins-in-a-circle", draft.by_label[waiting[0]].path, message, cure)


def waits_for_all(draft: Draft, label: str) -> bool:
    """Whether a node waits for all that can still come."""
    return draft.at(draft.made[label].enter).join == "all"
