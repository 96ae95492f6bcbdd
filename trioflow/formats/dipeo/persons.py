"""Nodes that ask people and models: person_job and user_response, and what they remember."""

from __future__ import annotations

from typing import Any

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import CONVERSATION, Draft, Made
from trioflow.formats.dipeo.prompts import prompt_file, refuse_blocks, render_prompt
from trioflow.formats.dipeo.schemas import schema_in
from trioflow.formats.dipeo.turns import may_exceed
from trioflow.formats.fields import Fields, kind
from trioflow.model.graph import Endpoint, GraphNode, Variable


def person_job(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that asks a person, with as many turns as it has."""
    label = node.label
    person = fields.text("person")
    most = fields.whole("max_iteration", 1, least=1)
    first, default = fields.text("first_only_prompt"), fields.text("default_prompt")
    file = fields.text("prompt_file") or fields.text("first_prompt_file")
    memory = memory_of(draft, fields)
    if memory != "none":
        draft.remembering.add(label)
    inputs: dict[str, Any] = {"memory": memory, "conversation": CONVERSATION}
    draft.variables.setdefault(CONVERSATION, Variable(CONVERSATION, "list", []))
    if person:
        inputs["person"] = person
    system = draft.diagram.persons.get(person, {}).get("system_prompt")
    if system:
        inputs["system"] = system
    schema = schema_of(draft, fields)
    if schema is not None:
        inputs["schema"] = schema
    leave_out_tools(draft, fields)
    exceeds = may_exceed(draft, node, most)
    when = f"turn <= {most}" if exceeds else None
    turn: Endpoint | None = None
    if exceeds or (node.label in draft.circle and first and default):
        draft.helper(f"{label} turn", "flow.counter")
        turn = Endpoint(f"{label} turn", "then")
    enter = f"{label} turn" if turn is not None else f"{label} prompt"
    if file:
        read = f"{label} prompt file"
        draft.add(GraphNode(read, "file.read_text", {"path": prompt_file(draft, file)}))
        if turn is not None:
            draft.link(turn, read, when=when)
        enter = enter if turn is not None else read
        last = render_prompt(draft, node, Endpoint(read, "then"), "", "")
        draft.wire(read, "text", f"{label} prompt", "template")
    else:
        refuse_blocks(draft, node, fields, (first, default))
        last = render_prompt(draft, node, turn, first, default, when=when)
    draft.add(GraphNode(label, "person.ask", inputs))
    draft.link(last, label)
    draft.wire(f"{label} prompt", "result", label, "prompt")
    return Made(enter, Endpoint(label, "then"), Endpoint(label, "result"), turns=most if exceeds else 0)


def user_response(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that asks the user."""
    question, seconds = fields.text("prompt"), fields.number("timeout", 300)
    inputs: dict[str, Any] = {"question": question, "timeout": f"{seconds:g}s", "default": ""}
    if not question:
        draft.notes.error("bad-value", fields.at("prompt"), f"{node.label!r} asks nothing.")
    draft.once("who does not answer in time is taken to have answered with an empty text", node.path)
    if "{{" not in question:
        draft.add(GraphNode(node.label, "user.ask", inputs))
        return draft.plain(node.label)
    del inputs["question"]
    last = render_prompt(draft, node, None, question, "")
    draft.add(GraphNode(node.label, "user.ask", inputs))
    draft.link(last, node.label)
    draft.wire(f"{node.label} prompt", "result", node.label, "question")
    return Made(f"{node.label} prompt", Endpoint(node.label, "then"), Endpoint(node.label, "result"))


def memory_of(draft: Draft, fields: Fields) -> str:
    """What a person remembers, in our words."""
    said = fields.text("memorize_to")
    settings, config = fields.mapping("memory_settings"), fields.mapping("memory_config")
    at_most = settings.get("max_messages", fields.take("at_most"))
    fields.take("ignore_person")
    known = {
        "": "all", "all_messages": "all", "full": "all", "goldfish": "none", "none": "none",
        "conversation_pairs": "about me", "focused": "about me", "only_me": "about me", "only_i_sent": "about me",
        "minimal": "last 5",
    }  # fmt: skip
    found = known.get(said.lower())
    if found is None:
        message = f"What is remembered is not chosen by {said!r}: everything is."
        draft.notes.info("differs", fields.at("memorize_to"), message)
        found = "all"
    if config.get("forget_mode") in ("on_every_turn", "upon_request"):
        found = "none"
    if isinstance(at_most, int) and not isinstance(at_most, bool) and at_most > 0:
        found = f"last {at_most}"
    elif at_most is not None:
        at = "memory_settings" if "max_messages" in settings else "at_most"
        draft.notes.error("bad-value", fields.at(at), f"Expected a number, got {kind(at_most)}.")
    return found


def schema_of(draft: Draft, fields: Fields) -> Any:
    """The schema that a reply has to have, if one is said."""
    text, file = fields.text("text_format"), fields.text("text_format_file")
    if file:
        cure = "Give the reply a schema here: the input `schema` of person.ask."
        draft.notes.warning("no-counterpart", fields.at("text_format_file"), "Classes in files are not read.", cure)
    if not text:
        return None
    try:
        return schema_in(text)
    except ValueError as error:
        draft.notes.error("no-counterpart", fields.at("text_format"), f"The format can't be read: {error}.")
        return None


def leave_out_tools(draft: Draft, fields: Fields) -> None:
    """Say that tools are left out."""
    tools = fields.take("tools")
    if isinstance(tools, str):
        tools = [] if tools.lower() == "none" else [tools]
    if not isinstance(tools, list | None):
        draft.notes.error("bad-value", fields.at("tools"), f"Expected a list, got {kind(tools)}.")
        return
    used = [each for each in tools or [] if not (isinstance(each, dict) and each.get("type") == "none")]
    if used:
        cure = "A tool is a graph here: config: {tools: [graph:NAME]} at the node."
        draft.notes.warning("no-counterpart", fields.at("tools"), "Its tools are left out.", cure)


def check_persons(draft: Draft) -> None:
    """Say which persons the host has to know."""
    for node in draft.diagram.nodes:
        person = node.props.get("person")
        if isinstance(person, str) and person and person not in draft.diagram.persons:
            message = f"{person!r} is not one of the persons of the diagram."
            draft.notes.info("person", f"{node.path}.person", message, "The host may know it.")
    if draft.diagram.persons:
        names = ", ".join(map(repr, draft.diagram.persons))
        message = f"Persons are the host's, by their names: {names}."
        cure = "services={tf.Persons: tf.Persons({NAME: person})}. Keys and models are not read from documents."
        draft.notes.info("person", "persons", message, cure)
