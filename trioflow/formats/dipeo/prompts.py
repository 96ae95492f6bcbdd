"""Prompts: templates that are filled with what arrows bring, for persons, questions and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft
from trioflow.formats.dipeo.inputs import NAME, spread_inputs
from trioflow.formats.fields import Fields
from trioflow.model.graph import Connection, Endpoint

_BLOCK = re.compile(r"\{\{[#/]\w+")


def render_prompt(
    draft: Draft, node: Node, after: Endpoint | None, first: str, default: str, *, when: str | None = None
) -> Endpoint:
    """A node that puts the prompt together; gives its exec output."""
    label = node.label
    talk = talk_below(draft, node)
    prompts = [f"{text}{talk}" if text else "" for text in (first, default)]
    inputs: dict[str, Any] = {"strict": False}
    if prompts[0] and prompts[1] and after is not None:
        select = draft.helper(f"{label} which prompt", "logic.select", {"if_true": prompts[0], "if_false": prompts[1]})
        is_first = draft.helper(f"{label} is first", "logic.equal", {"b": 1})
        draft.connections.append(Connection(Endpoint(after.node, "count"), Endpoint(is_first, "a")))
        draft.wire(is_first, "result", select, "condition")
        draft.helper(f"{label} prompt", "template.render", inputs)
        draft.wire(select, "result", f"{label} prompt", "template")
    else:
        text = prompts[0] or prompts[1]
        if text or not has_prompt_file(draft, node):
            inputs["template"] = text or talk
        draft.helper(f"{label} prompt", "template.render", inputs)
    draft.connections.append(Connection(spread_inputs(draft, node), Endpoint(f"{label} prompt", "inputs")))
    if after is not None:
        draft.link(after, f"{label} prompt", when=when)
    return Endpoint(f"{label} prompt", "then")


def has_prompt_file(draft: Draft, node: Node) -> bool:
    """Whether the prompt of a node is in a file."""
    return any(isinstance(node.props.get(key), str) for key in ("prompt_file", "first_prompt_file"))


def talk_below(draft: Draft, node: Node) -> str:
    """What is put below a prompt: what came over arrows that its text does not name."""
    text = " ".join(str(node.props.get(key, "")) for key in ("default_prompt", "first_only_prompt"))
    arrows = [arrow for arrow in draft.incoming.get(node.label, ()) if not arrow.label]
    arrows = [arrow for arrow in arrows if draft.by_label[arrow.source].type != "start"]
    remembered = node.label in draft.remembering
    said = [arrow for arrow in arrows if not (remembered and arrow.content == "conversation_state")]
    if not said or "default" in NAME.findall(text):
        return ""
    draft.once("what comes over an arrow without a label is put below the prompt", node.path)
    return "{% if default is defined and default is string and default %}\n\n{{ default }}{% endif %}"


def refuse_blocks(draft: Draft, node: Node, fields: Fields, texts: Iterable[str]) -> None:
    """Refuse what only Handlebars understands."""
    if any(_BLOCK.search(text) for text in texts):
        cure = "Write it with {% for %} and {% if %}, as Jinja2 does."
        draft.notes.error("template", node.path, f"{node.label!r}: blocks of Handlebars are not understood.", cure)


def prompt_file(draft: Draft, said: str) -> str:
    """The path of a file with a prompt, from where the diagram is."""
    home = draft.document.path
    folders = [home.parent, home.parent / "prompts", home.parent.parent / "prompts"] if home is not None else []
    return next(((each / said).as_posix() for each in folders if (each / said).is_file()), said)
