"""Where nodes stand in the graph: those of a subflow as often as it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.errors import did_you_mean
from trioflow.formats.nodered.draft import Draft, Placed
from trioflow.formats.nodered.shape import BESIDE, TYPES, dicts, ways, whole

_DEEPEST = 20


def place_nodes(draft: Draft) -> None:
    """Find where all nodes of the document stand that are not switched off, and what they are called."""
    off = {
        id_
        for id_, (_, each) in draft.raw.items()
        if each.get("d") is True or (each.get("type") == "tab" and each.get("disabled") is True)
    }
    subflows = {id_ for id_, (_, each) in draft.raw.items() if each.get("type") == "subflow"}
    for id_, (path, each) in draft.raw.items():
        if id_ in off or str(each.get("z")) in off or str(each.get("z")) in subflows:
            continue
        place(draft, each, path, "", {}, ())
    names: dict[str, int] = {}
    for placed in draft.placed.values():
        name = str(placed.raw.get("name") or "").strip()
        names[name] = names.get(name, 0) + 1
    for placed in draft.placed.values():
        name = str(placed.raw.get("name") or "").strip()
        placed.id = name if name and names[name] == 1 and name not in draft.raw else placed.key


def place(
    draft: Draft, raw: dict[str, Any], path: str, prefix: str, env: Mapping[str, Any], around: tuple[str, ...]
) -> None:
    """Find where a node of the document stands in the graph: as often as its subflow is used."""
    kind = str(raw.get("type", ""))
    if kind in BESIDE or ("wires" not in raw and kind not in TYPES):
        return  # tabs, comments, and configurations that others refer to
    if not kind.startswith("subflow:"):
        placed = Placed(raw, path, prefix, env)
        draft.placed[placed.key] = placed
        return
    id_ = kind.removeprefix("subflow:")
    known = [key for key, (_, each) in draft.raw.items() if each.get("type") == "subflow"]
    if id_ not in known or id_ in around or len(around) > _DEEPEST:
        why = "contains itself" if id_ in around else "is not there"
        near = did_you_mean(id_, known) if id_ not in known else ""
        draft.notes.error("unknown-subflow", f"{path}.type", f"The subflow {id_!r} {why}.{near}", "Export it, too.")
        return
    said = draft.raw[id_][1]
    own = {str(each.get("name")): each.get("value") for each in (*dicts(said.get("env")), *dicts(raw.get("env")))}
    inner = f"{prefix}{raw['id']}/"
    for other, (at, each) in draft.raw.items():
        if each.get("z") == id_ and each.get("d") is not True and other != id_:
            place(draft, each, at, inner, {**env, **own}, (*around, id_))
    for ports, side in ((dicts(said.get("in")), "in"), (dicts(said.get("out")), "out")):
        for number, port in enumerate(ports):
            key = f"{inner}{side} {number + 1}"
            wires = (
                [[str(wire.get("id")) for wire in dicts(port.get("wires"))]]
                if side == "in"
                else ways(raw)[number : number + 1]
            )
            made = {"id": f"{side} {number + 1}", "type": "junction", "wires": wires, "name": ""}
            draft.placed[key] = Placed(made, path, inner, env)
            for wire in dicts(port.get("wires")) if side == "out" else []:
                source = f"{prefix}{raw['id']}/{wire.get('id')}"
                if wire.get("id") == id_:
                    source = f"{inner}in 1"
                draft.ports.setdefault((source, whole(wire.get("port"))), []).append(key)


def which_begin(draft: Draft) -> frozenset[str]:
    """The inject nodes that begin: those that do so by themselves, or if there are none, all."""
    injects = [each for each in draft.placed.values() if each.type == "inject"]
    alone = [each for each in injects if any(each.raw.get(name) for name in ("once", "repeat", "crontab"))]
    if injects and not alone:
        draft.notes.info(
            "pressed", injects[0].path, "No inject node begins by itself: each is pressed once when the run begins."
        )
    for each in injects:
        if alone and each not in alone:
            draft.notes.info("not-pressed", each.path, f"{each.id!r} waits to be pressed, which nobody does in a run.")
    return frozenset(each.key for each in alone or injects)
