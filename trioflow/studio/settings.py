"""What a document can say of a node beyond its inputs, as fields of a form: in words, with kinds and defaults. Pure.

Keys, kinds, choices and defaults are those of the document's own classes; the words are here. Each key has some.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs

from trioflow.model.form import Form
from trioflow.model.graph import GraphNode
from trioflow.model.schema import fields_by_key, short_of
from trioflow.model.sockets import UNSET

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "policy": ("policy",),
    "workflow": (
        "join", "min", "unmet", "rest", "choose", "most", "priority", "limit", "group", "queue", "undo", "undo_from",
        "set",
    ),
    "streams": ("stream",),
}  # fmt: skip
"""Which keys of a node stand together. The rest is nothing that a person fills in here, or has fields of its own."""

WORDS: Mapping[str, str] = {
    "policy": "Where it fails, takes long, or is called often",
    "policy.timeout": "Time for all attempts together",
    "policy.attempt_timeout": "Time for each attempt",
    "policy.retry": "Try again where it fails",
    "policy.retry.attempts": "Attempts in all",
    "policy.retry.backoff": "How the wait between them grows",
    "policy.retry.delay": "First wait",
    "policy.retry.max_delay": "Longest wait",
    "policy.retry.factor": "So many times as long each time",
    "policy.retry.jitter": "Share of the wait that varies",
    "policy.retry.on": "Only for these errors",
    "policy.retry.not_on": "Not for these errors",
    "policy.retry.budget": "Retries in a whole run at most",
    "policy.retry.clean": "A failed attempt leaves nothing that it wrote",
    "policy.breaker": "Refuse calls for a while where many fail",
    "policy.breaker.key": "Shared by all nodes with this name",
    "policy.breaker.rate": "Share of calls that fail",
    "policy.breaker.calls": "Of at least so many calls",
    "policy.breaker.window": "Within",
    "policy.breaker.open": "Refuse for",
    "policy.breaker.probes": "Then let so many through to see",
    "policy.rate": "At most so often",
    "policy.rate.limit": "How often, such as 50/s",
    "policy.rate.burst": "So many may come at once",
    "policy.rate.key": "Shared by all nodes with this name",
    "policy.rate.weight": "A call counts as",
    "policy.rate.wait": "Give up waiting after",
    "policy.limit": "At most so many at once",
    "policy.limit.at_once": "How many at once",
    "policy.limit.wait": "Give up waiting after",
    "policy.limit.key": "Shared by all nodes with this name",
    "policy.limit.adapt": "Halve it where calls fail, raise it again where they do not",
    "policy.limiter": "Limiter of the host, by name",
    "policy.quota": "Leases on resources of the host",
    "policy.patience": "Tell that it waits after",
    "policy.priority": "How early its turn comes where several wait",
    "policy.fallback": "What takes its place where it fails",
    "policy.fallback.node": "This node",
    "policy.fallback.value": "These values of its outputs",
    "policy.fallback.exit": "It goes on at this output",
    "policy.skip": "Where it fails it counts as skipped",
    "policy.quarantine": "Skip it after so many failures in a run",
    "policy.run_on": "Where its body runs, if not here",
    "policy.run_on.on": "The name of the place, such as processes",
    "policy.run_on.resources": "What it needs of the place",
    "policy.run_on.retry_on_death": "Send it again where its process dies, so often",
    "policy.run_on.kill_within": "Time to end after it is cancelled",
    "policy.run_on.batch": "So many are sent in one message",
    "policy.run_on.keep": "Outputs of so many bytes stay there",
    "join": "Where several wires meet it fires",
    "min": "At least so many wires, or every",
    "unmet": "Where too few come it is",
    "rest": "What it did not wait for it will",
    "choose": "Of the wires that could be taken it takes",
    "most": "Turns in a circle at most",
    "priority": "How early its turn comes",
    "limit": "So many turns at once",
    "group": "Shares that limit with all of this name",
    "queue": "So many wait for a turn at most",
    "undo": "It is undone by this node",
    "undo_from": "It is undone if it has",
    "set": "Variables that it sets, and expressions for them",
    "stream": "How its streams run",
    "stream.mode": "Items one after the other, or at once",
    "stream.limit": "So many items at once, 0 for any number",
    "stream.on_error": "Where an item fails",
}


_NODES = frozenset({"policy.fallback.node", "undo"})
"""What names a node of the graph."""


@attrs.frozen
class Field:
    """A field of the form.

    Its kind says how it is filled in: `group` has `fields` of its own, of which `short` may stand alone for all;
    `choice` has `choices`; `flag` is a tick, `maybe` yes, no or nothing; `names` are a list of words, `values` an
    object; `number` is one, or a word; `duration` such as 30s; `node` the id of one; `text` anything. `default` is what
    is meant if nothing is said.
    """

    path: str
    words: str
    kind: Literal["group", "choice", "flag", "maybe", "names", "values", "number", "duration", "node", "text"]
    default: str = ""
    needed: bool = False
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    short: str | None = None


@cache
def settings_form() -> dict[str, list[dict[str, Any]]]:
    """By section the fields of a node, as JSON."""
    known = fields_by_key(GraphNode)
    return {
        section: [attrs.asdict(_field(key, known[key])) for key in keys] for section, keys in SECTIONS.items()
    }  # fmt: skip


def _field(path: str, field: attrs.Attribute[Any]) -> Field:
    hint, optional = _without_none(field.type)
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    needed = field.default is attrs.NOTHING
    default = "" if needed or field.default in (None, UNSET) else _written(hint, field.default)
    words = WORDS[path]
    if isinstance(bare, type) and attrs.has(bare):
        inside = tuple(_field(f"{path}.{key}", each) for key, each in fields_by_key(bare).items())
        short = short_of(bare)
        return Field(path, words, "group", fields=inside, short=None if short is None else short.name)
    if bare is bool:
        return Field(path, words, "maybe" if optional else "flag")
    if get_origin(bare) is Literal:
        return Field(path, words, "choice", default, needed, choices=tuple(map(str, get_args(bare))))
    if get_origin(bare) is tuple:
        return Field(path, words, "names", default, needed)
    origin: Any = get_origin(bare)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Field(path, words, "values", default, needed)
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    forms = [each for each in notes if isinstance(each, Form)]
    if any(each.name == "Duration" for each in forms):
        return Field(path, words, "duration", default, needed)
    if bare is str or any(each.schema.get("type") == "string" for each in forms):
        return Field(path, words, "node" if path in _NODES else "text", default, needed)
    return Field(path, words, "number", default, needed)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """The type without None, and whether that was in it."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    rest = [each for each in get_args(hint) if each is not types.NoneType]
    return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), len(rest) < len(get_args(hint))  # noqa: UP007 - made


def _written(hint: Any, value: Any) -> str:
    """A default as a document has it."""
    for note in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(note, Form):
            value = note.write(value)
    if isinstance(value, Mapping | tuple):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
