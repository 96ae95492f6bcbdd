"""What a person remembers: which of the things that were said it is told again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trioflow.persons.port import Message

Said = dict[str, Any]
"""Something that was said, as data: `from`, `to` and `text`."""

_LAST = re.compile(r"last\s+([0-9]{1,9})")


def check_rule(rule: str) -> None:
    """Raise `ValueError` for a rule that is none."""
    if rule not in ("all", "none", "about me") and not _LAST.fullmatch(rule):
        raise ValueError(f"expected the memory to be 'all', 'none', 'last 5' or 'about me', got {rule!r}")


def remembered(rule: str, conversation: Sequence[Said], person: str) -> list[Message]:
    """What a person is told of a conversation: all, nothing, the last things said, or what concerns it.

    That is what it has said or was told, and what names it. What it has said itself is its own; what another person
    has said has the name in front.
    """
    check_rule(rule)
    if rule == "none":
        return []
    told: Sequence[Said] = conversation
    if rule == "about me":
        named = re.compile(rf"\b{re.escape(person)}\b", re.IGNORECASE)
        told = [each for each in told if person in (each["from"], each["to"]) or named.search(each["text"])]
    elif rule != "all":
        match = _LAST.fullmatch(rule)
        assert match is not None
        told = told[-int(match[1]) :] if int(match[1]) else []
    return [_as_message(each, person) for each in told]


def _as_message(said: Said, person: str) -> Message:
    if said["from"] == person:
        return Message("assistant", said["text"])
    return Message("user", said["text"] if said["from"] == "user" else f"{said['from']}: {said['text']}")
