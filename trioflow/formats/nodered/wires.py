"""Wires, links with their ways back, and what hears of other nodes."""

from __future__ import annotations

import json
from typing import Any

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.nodered.draft import Draft, Placed
from trioflow.formats.nodered.shape import ways
from trioflow.model.graph import Connection, Endpoint

_HEARING = frozenset({"catch", "complete", "status"})


def leave(draft: Draft, each: Placed) -> None:
    """Make the wires that leave a node."""
    begin = attrs.evolve(each, id=f"{each.id} (back)") if each.id in draft.calls else each
    for number, targets in enumerate(ways(each.raw)):
        for index, target in enumerate(targets if isinstance(targets, list) else [targets]):
            wire(draft, begin, number, target, f"{each.path}.wires[{number}][{index}]")
    for (source, port), keys in draft.ports.items():
        if source == each.key:
            for key in keys:
                connect(draft, each, port, draft.placed[key])
    if each.id in draft.calls or (each.type == "link out" and each.raw.get("mode") != "return"):
        link(draft, each)
    if each.type in ("catch", "complete"):
        on: Any = "failed" if each.type == "catch" else "ended"
        into = Endpoint(each.id, "enter")
        draft.wires += (Connection(Endpoint(other.id), into, on=on) for other in watched_by(draft, each))


def link(draft: Draft, each: Placed) -> None:
    """Make the wires of a link."""
    links = each.raw.get("links")
    for index, target in enumerate(links if isinstance(links, list) else []):
        wire(draft, each, 0, target, f"{each.path}.links[{index}]")


def wire(draft: Draft, each: Placed, number: int, target: Any, path: str) -> None:
    """Make a wire to a node that the document names."""
    found = target_of(draft, each, target)
    if found is not None:
        connect(draft, each, number, found)
    elif str(target) not in draft.raw:
        near = did_you_mean(str(target), draft.raw)
        draft.notes.error(
            "unknown-node", path, f"There is no node {target!r}.{near}", "Lead the wire to a node that is there."
        )


def target_of(draft: Draft, each: Placed, target: Any) -> Placed | None:
    """The node that a wire leads to: in a subflow one of the same instance, or the way into one."""
    prefixes = [each.prefix, ""] if each.type == "link out" else [each.prefix]
    if each.raw.get("id", "").startswith("out ") and each.prefix:
        prefixes = [each.prefix[: each.prefix[:-1].rfind("/") + 1]]
    for prefix in prefixes:
        for key in (f"{prefix}{target}", f"{prefix}{target}/in 1"):
            if key in draft.placed:
                return draft.placed[key]
    return None


def connect(draft: Draft, source: Placed, number: int, target: Placed) -> None:
    """Make a wire."""
    draft.wires.append(Connection(Endpoint(source.id, f"out{number + 1}"), Endpoint(target.id, "enter")))


def lead_back(draft: Draft) -> None:
    """The ways back: from each link that returns to what stands behind each node that calls."""
    returns = [each for each in draft.placed.values() if each.type == "link out" and each.raw.get("mode") == "return"]
    for each in draft.placed.values():
        if each.id in draft.calls:
            back, taken = Endpoint(f"{each.id} (back)", "enter"), f"out.caller == {json.dumps(each.id)}"
            draft.wires += (Connection(Endpoint(other.id, "out1"), back, when=taken) for other in returns)


def watched_by(draft: Draft, each: Placed) -> list[Placed]:
    """The nodes of whose messages a node hears: those that it names, or all of its flow."""
    scope = each.raw.get("scope") or ([] if each.type == "complete" else None)
    return [
        other
        for other in draft.placed.values()
        if other.prefix == each.prefix
        and other.type not in _HEARING
        and (other.raw["id"] in scope if isinstance(scope, list) else other.raw.get("z") == each.raw.get("z"))
    ]
