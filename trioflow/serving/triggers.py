"""Triggers as they stand in a file: what is to happen, and which graph is run then. Pure data."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import attrs

from trioflow.errors import TrioflowError, did_you_mean
from trioflow.jobs.records import ATTEMPTS
from trioflow.model.document import read_file
from trioflow.model.graph import Graph
from trioflow.model.policy import PRIORITIES, Priority
from trioflow.serving.due import Missed, never_due

FILES = ("triggers.json", "triggers.yaml", "triggers.yml")

Kind = Literal["cron", "webhook", "event", "files", "queue"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MISSED = get_args(Missed)
_OWN: Mapping[Kind, tuple[str, ...]] = {
    "cron": ("zone", "missed"),
    "webhook": ("secret", "open", "id"),
    "event": ("id",),
    "files": (),
    "queue": (),
}
_COMMON = ("graph", "set", "value", "queue", "priority", "tenant", "attempts")


class TriggerError(TrioflowError):
    """Triggers that make no sense; `problems` has all of them, each with its place."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


@attrs.frozen(kw_only=True)
class Trigger:
    """One of them.

    `what`: the cron line, the path of the webhook, the name of the event or of the queue, or a pattern of files.
    `value`: the variable of the graph that gets what happened: when it was due, the body, the value, or the path.
    """

    name: str
    kind: Kind
    what: str
    graph: str
    set: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    value: str | None = None
    into: str = "default"
    """The queue of its jobs."""
    priority: Priority = "normal"
    tenant: str = ""
    attempts: int = ATTEMPTS
    zone: zoneinfo.ZoneInfo = attrs.field(factory=lambda: zoneinfo.ZoneInfo("UTC"))
    missed: Missed = "once"
    secret: str | None = None
    """The name of the secret that signs webhooks; None for one that anybody may call."""
    id: str | None = None
    """The key of a body that names what has happened, the same when it is sent again."""


def find_triggers(folder: Path) -> Path | None:
    """The file of triggers in a folder, if there is one."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def read_triggers(file: Path, graphs: Mapping[str, Graph]) -> list[Trigger]:
    """The triggers in a file, for graphs that are known by name. Blocks while it reads.

    Raises `TriggerError` with everything that is wrong, `DocumentError` for a file that can't be read.
    """
    tree = read_file(file)
    return triggers_in(tree, graphs, file.name)


def triggers_in(tree: Any, graphs: Mapping[str, Graph], source: str = "triggers") -> list[Trigger]:
    """The same, in a tree of dicts and lists."""
    if not isinstance(tree, dict) or not isinstance(tree.get("triggers"), dict):
        raise TriggerError(source, ['expected an object {"triggers": {NAME: {...}}}'])
    problems = [f"{name}: there is no such key here; there is only 'triggers'" for name in tree if name != "triggers"]
    found: list[Trigger] = []
    for name, said in tree["triggers"].items():
        wrong = [*_problems(said, graphs)]
        problems += [f"triggers.{name}{problem}" for problem in wrong]
        if not wrong:
            found.append(_made(name, said))
    paths = [each.what for each in found if each.kind == "webhook"]
    problems += [f"two webhooks have the path {path!r}" for path in sorted({p for p in paths if paths.count(p) > 1})]
    if problems:
        raise TriggerError(source, problems)
    return found


def _made(name: str, said: Mapping[str, Any]) -> Trigger:
    kind: Kind = next(each for each in KINDS if each in said)
    keys = ("graph", "set", "value", "priority", "tenant", "attempts", "missed", "id")
    given: dict[str, Any] = {key: said[key] for key in keys if key in said}
    if "zone" in said:
        given["zone"] = zoneinfo.ZoneInfo(said["zone"])
    if kind == "queue":
        return Trigger(name=name, kind=kind, what=said[kind], **given)
    return Trigger(
        name=name, kind=kind, what=said[kind], into=said.get("queue", "default"), secret=said.get("secret"), **given
    )


def _problems(said: Any, graphs: Mapping[str, Graph]) -> Iterator[str]:
    if not isinstance(said, dict):
        yield ": expected an object"
        return
    # `queue` names where jobs go, beside another kind; alone it is a kind itself.
    kinds = [each for each in KINDS if each in said]
    if len(kinds) > 1:
        kinds = [each for each in kinds if each != "queue"]
    if len(kinds) != 1:
        meant = (did_you_mean(key, KINDS) for key in said if key not in _COMMON and not kinds)
        got = " and ".join(kinds) or "none"
        yield f": expected one of {', '.join(KINDS)}, got {got}.{next(filter(None, meant), '')}"
        return
    kind: Any = kinds[0]
    for key in said:
        known = (kind, *_COMMON, *_OWN[kind])
        if key not in known:
            yield f".{key}: there is no such key for {kind}.{did_you_mean(key, known)}"
    if not isinstance(said[kind], str) or not said[kind]:
        yield f".{kind}: expected a text"
    elif "id" in said and not isinstance(said["id"], str):
        yield f".id: expected the name of a key of the body, got {said['id']!r}"
    elif kind == "cron":
        yield from _cron_problems(said)
    elif kind == "webhook":
        yield from _webhook_problems(said)
    yield from _common_problems(said, graphs)


def _cron_problems(said: Mapping[str, Any]) -> Iterator[str]:
    wrong = never_due(said["cron"])
    if wrong:
        yield f".cron: {wrong}"
    zone = said.get("zone", "UTC")
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, TypeError, OSError, zoneinfo.ZoneInfoNotFoundError):
        yield f".zone: there is no time zone {zone!r}; write one such as 'Europe/Berlin'"
    if said.get("missed", "once") not in _MISSED:
        yield f".missed: expected one of {', '.join(_MISSED)}, got {said['missed']!r}"


def _webhook_problems(said: Mapping[str, Any]) -> Iterator[str]:
    if not said["webhook"].startswith("/"):
        yield f".webhook: expected a path such as '/orders', got {said['webhook']!r}"
    if ("secret" in said) == bool(said.get("open")):
        yield ": say how it is signed, `secret: NAME`, or that anybody may call it, `open: true`"


def _common_problems(said: Mapping[str, Any], graphs: Mapping[str, Graph]) -> Iterator[str]:
    graph = graphs.get(said.get("graph", ""))
    if graph is None:
        asked = said.get("graph")
        there = did_you_mean(str(asked), graphs) or f" Those there are: {', '.join(graphs)}."
        yield f".graph: there is no graph {asked!r}.{there}"
        return
    variables = [each.name for each in graph.variables]
    settings = said.get("set", {})
    if not isinstance(settings, dict):
        yield ".set: expected an object of variables"
        settings = {}
    named = [(".set", each) for each in settings]
    if "value" in said:
        named.append((".value", said["value"]))
    for where, name in named:
        if name not in variables:
            yield f"{where}: the graph has no variable {name!r}.{did_you_mean(str(name), variables)}"
    if said.get("priority", "normal") not in PRIORITIES:
        yield f".priority: expected one of {', '.join(PRIORITIES)}, got {said['priority']!r}"
    attempts = said.get("attempts", 1)
    if not isinstance(attempts, int) or attempts < 1:
        yield f".attempts: expected a number of 1 or more, got {attempts!r}"
