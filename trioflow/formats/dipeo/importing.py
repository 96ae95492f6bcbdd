"""From a diagram of DiPeO to a workflow of ours.

Each node becomes one node of its label, and where it needs more, nodes beside it whose ids begin with its label. What
arrows bring a node is put together by their labels (`value.collect`): as names for scripts, templates and prompts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from trioflow.formats.called import add_interface
from trioflow.formats.dipeo.diagram import Arrow, Diagram, Node
from trioflow.formats.dipeo.expressions import Code, Untranslatable, names_in, translate
from trioflow.formats.dipeo.forms import read_diagram
from trioflow.formats.dipeo.schemas import schema_in
from trioflow.formats.fields import Fields, kind
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Document, Imported, ImportOptions, Notes
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, StreamSettings, Variable
from trioflow.model.registry import Registry

KEY = "dipeo"
"""The key in metadata of what an import keeps for an export."""

_MADE = {KEY: {"made": True}}
_NAME = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")
_BRACE = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
_BLOCK = re.compile(r"\{\{[#/]\w+")
_ENDINGS = ("", ".light.yaml", ".light.yml", ".native.json", ".readable.yaml", ".yaml", ".yml", ".json")
_UP = 4
_BY_TURNS = "detect_max_iterations"
_MOST_TURNS = 1000
CONVERSATION = "conversation"
"""The variable that holds what persons have said."""


def import_diagram(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    """The workflow that a diagram says. Raises `DocumentError` for what is none."""
    notes = Notes()
    diagram = read_diagram(document, notes)
    said = tuple(notes)
    importer = _Importer(document, diagram, notes)
    graph = importer.graph(called=options.called)
    while importer.clashes:
        # A label that a node beside another one has to have gives way, and all is made again.
        notes = Notes(said)
        labels = {node.label for node in diagram.nodes}
        names: dict[str, str] = {}
        for label in importer.clashes:
            name = f"{label}~"
            while name in labels:
                name += "~"
            labels.add(name)
            names[label] = name
            notes.info("renamed", "nodes", f"{label!r} is called {name!r}: the import needs that name itself.")
        said = tuple(notes)
        diagram = diagram.renamed(names)
        importer = _Importer(document, diagram, notes)
        graph = importer.graph(called=options.called)
    return Imported(graph, tuple(notes))


@attrs.define
class _Made:
    """What has become of a node: where it is entered and left, and where what it gives is found."""

    enter: str
    exit: Endpoint
    value: Endpoint | None
    turns: int = 0
    """How many turns it has in a circle: after them what comes passes by it. 0 for any number."""
    when: dict[str, str] = attrs.Factory(dict[str, str])


class _Importer:
    def __init__(self, document: Document, diagram: Diagram, notes: Notes) -> None:
        self._document, self._diagram, self._notes = document, diagram, notes
        self._nodes: list[GraphNode] = []
        self._place: dict[str, int] = {}
        self._connections: list[Connection] = []
        self._variables: dict[str, Variable] = {}
        self._made: dict[str, _Made] = {}
        self._by_label = {node.label: node for node in diagram.nodes}
        self._incoming: dict[str, list[Arrow]] = {}
        for arrow in diagram.arrows:
            self._incoming.setdefault(arrow.target, []).append(arrow)
        self._circle = _circles(diagram)
        self._code = {node.label: _code_of(node) for node in diagram.nodes if node.type == "code_job"}
        self._said: dict[str, list[str]] = {}
        self._executed: dict[str, str] = {}
        self._called = False
        self._remembering: set[str] = set()
        self._making = ""
        self.clashes: dict[str, None] = {}
        self._find_variables()

    def graph(self, *, called: bool) -> Graph:
        self._called = called
        for node in self._diagram.nodes:
            self._make(node)
        for arrow in self._diagram.arrows:
            self._connect(arrow)
        self._bound_circles()
        for message, places in self._said.items():
            more = f" (so for {len(places):,})" if len(places) > 1 else ""
            self._notes.info("differs", places[0], message + more + ".")
        interface = None
        if called:
            starts = [node.label for node in self._diagram.nodes if node.type == "start"] or [
                node.label for node in self._diagram.nodes if not self._incoming.get(node.label)
            ]
            ends = [node.label for node in self._diagram.nodes if node.type == "endpoint"] or [*self._made]
            interface = add_interface(
                self._nodes, self._connections,
                starts=[(self._made[label].enter, f"{label} inputs") for label in starts],
                results=[(label, value) for label in ends if (value := self._made[label].value) is not None],
                ends=[made.exit for made in self._made.values()],
                single=True,
            )  # fmt: skip
        self._resolve()
        about = {**self._diagram.about, "persons": {name: dict(said) for name, said in self._diagram.persons.items()},
                 "arrows": [arrow.as_data() for arrow in self._diagram.arrows]}  # fmt: skip
        self._check_persons()
        return Graph(
            kind="workflow",
            interface=interface,
            nodes=self._nodes,
            connections=self._connections,
            variables=self._variables.values(),
            metadata={KEY: about},
        )

    # --- before all ---

    def _find_variables(self) -> None:
        """Names that one node sets and another reads without getting them over an arrow are variables of the graph."""
        assigned: dict[str, str] = {}
        for label, code in self._code.items():
            for name in code.values:
                assigned.setdefault(name, label)
        given = {
            key: value
            for node in self._diagram.nodes
            if node.type == "start" and isinstance(node.props.get("custom_data"), dict)
            for key, value in node.props["custom_data"].items()
        }
        for node in self._diagram.nodes:
            for name in self._asked(node) - self._labels(node):
                if name in assigned and name not in self._variables:
                    self._variables[name] = Variable(name, "any", given.get(name))
                    message = (
                        f"{name!r} is a variable of the graph: {assigned[name]!r} sets it, and {node.label!r} reads it "
                        "without an arrow that brings it."
                    )
                    self._notes.info("variable", self._by_label[assigned[name]].path, message)

    def _asked(self, node: Node) -> set[str]:
        """The names that a node asks for."""
        found: set[str] = set(self._code[node.label].asked) if node.label in self._code else set()
        if node.type == "condition":
            text = node.props.get("expression")
            found |= names_in(text) if isinstance(text, str) else frozenset()
        for key in ("default_prompt", "first_only_prompt", "template_content", "prompt"):
            text = node.props.get(key)
            found |= {*_NAME.findall(text)} if isinstance(text, str) else set()
        return found

    def _labels(self, node: Node) -> set[str]:
        return {arrow.label or "default" for arrow in self._incoming.get(node.label, ())}

    def _objects(self, node: Node) -> set[str]:
        """The labels of arrows whose objects a node finds the entries of, too, and not only under the label."""
        arrows = self._incoming.get(node.label, ())
        return {
            arrow.label or "default"
            for arrow in arrows
            if arrow.content == "object" or not (arrow.label or self._gives_text(self._by_label[arrow.source]))
        }

    @staticmethod
    def _gives_text(node: Node) -> bool:
        """Whether what a node gives has no entries: the answer of a person to whom no format is said."""
        return node.type == "person_job" and not (node.props.get("text_format") or node.props.get("text_format_file"))

    # --- nodes ---

    def _make(self, node: Node) -> None:
        fields = Fields(dict(node.props), node.path, self._notes, names=node.names)
        for name in ("flipped", "skippable", "color", "notes", "description"):
            fields.take(name)
        self._making = node.label
        make = _MAKERS.get(node.type, _Importer._unknown)
        made = make(self, node, fields)
        self._made[node.label] = made
        fields.tell_left()
        kept = {"type": node.type, "props": dict(node.props)}
        if node.position is not None:
            kept["position"] = dict(node.position)
        self._evolve(node.label, metadata={**self._at(node.label).metadata, KEY: kept})
        self._join(node, fields, made)

    def _join(self, node: Node, fields: Fields, made: _Made) -> None:
        said = node.props.get("join_policy")
        policy: Any = said.get("policy_type", said.get("type")) if isinstance(said, Mapping) else said
        if said is None:
            return
        settings: dict[str, dict[str, Any]] = {
            "all": {}, "any": {"join": "each"}, "first": {"join": "first"}, "k_of_n": {"join": "first"},
        }  # fmt: skip
        if not isinstance(policy, str) or policy not in settings:
            message = f"Expected one of {', '.join(settings)}, got {kind(policy)}."
            self._notes.error("bad-value", f"{node.path}.join_policy", message)
            return
        found = settings[policy]
        if policy == "k_of_n":
            least = said.get("k") if isinstance(said, Mapping) else None
            if not isinstance(least, int) or isinstance(least, bool) or least < 1:
                self._notes.error("bad-value", f"{node.path}.join_policy", f"Expected a number k, got {kind(least)}.")
                least = 1
            found = {**found, "min": least}
        self._evolve(made.enter, **found)

    def _start(self, node: Node, fields: Fields) -> _Made:
        fields.choice("trigger_mode", ("none", "manual", "hook"), "none")
        if fields.text("trigger_mode").lower() == "hook":
            self._notes.info("differs", fields.at("trigger_mode"), "What starts a run is whoever runs it.")
        for name in ("hook_event", "hook_filters", "output_data_structure"):
            fields.take(name)
        data = fields.mapping("custom_data")
        names = ["data", "input"] if self._called else ["data"]
        inputs = self._helper(f"{node.label} inputs", "value.join", {"data": data}, config={"inputs": names})
        self._add(GraphNode(node.label, "state.keep"))
        self._wire(inputs, "result", node.label, "value")
        return self._plain(node.label, "kept")

    def _endpoint(self, node: Node, fields: Fields) -> _Made:
        source = self._default(node)
        written = fields.flag("save_to_file", False)
        path, form = fields.text("file_path"), fields.choice("file_format", ("txt", "json", "yaml", "md", "csv"), "txt")
        fields.text("output_variable")
        self._add(GraphNode(node.label, "state.keep", {"value": None}))
        if source is not None:
            self._connections.append(Connection(source, Endpoint(node.label, "value")))
        made = self._plain(node.label, "kept")
        if not written:
            return made
        if not path:
            self._notes.error("bad-value", fields.at("file_path"), f"{node.label!r} saves to a file and names none.")
            return made
        return self._write(node, made, path, form, Endpoint(node.label, "kept"))

    def _write(self, node: Node, made: _Made, path: str, form: str, value: Endpoint, *, append: bool = False) -> _Made:
        """Let what a node gives be written to a file, when it has completed."""
        text = self._as_text(node, form, value)
        label = node.label
        folder = Path(path).parent
        last = made.exit
        if str(folder) not in {".", ""} and not _BRACE.search(path):
            last = self._then(last, GraphNode(f"{label} folder", "file.make_folder", {"path": str(folder)}))
        kind_ = "file.append_text" if append else "file.write_text"
        end = self._then(last, GraphNode(f"{label} file", kind_, {} if _BRACE.search(path) else {"path": path}))
        self._connections.append(Connection(text, Endpoint(f"{label} file", "text")))
        if _BRACE.search(path):
            self._fill_path(node, path, Endpoint(f"{label} file", "path"))
        return attrs.evolve(made, exit=end)

    def _as_text(self, node: Node, form: str, value: Endpoint) -> Endpoint:
        kind_, inputs = ("json.write", {"indent": 2}) if form == "json" else ("text.to_text", {})
        helper = self._helper(f"{node.label} text", kind_, inputs)
        self._connections.append(Connection(value, Endpoint(helper, "value")))
        return Endpoint(helper, "result")

    def _fill_path(self, node: Node, path: str, target: Endpoint) -> None:
        filled = self._helper(f"{node.label} path", "text.fill", {"template": path})
        self._connections.append(Connection(self._spread(node), Endpoint(filled, "values")))
        whole = self._helper(f"{node.label} as path", "convert.to_path")
        self._wire(filled, "result", whole, "text")
        self._connections.append(Connection(Endpoint(whole, "result"), target))

    # --- people and models ---

    def _person_job(self, node: Node, fields: Fields) -> _Made:
        label = node.label
        person = fields.text("person")
        most = fields.whole("max_iteration", 1, least=1)
        first, default = fields.text("first_only_prompt"), fields.text("default_prompt")
        file = fields.text("prompt_file") or fields.text("first_prompt_file")
        memory = self._memory(fields)
        if memory != "none":
            self._remembering.add(label)
        inputs: dict[str, Any] = {"memory": memory, "conversation": CONVERSATION}
        self._variables.setdefault(CONVERSATION, Variable(CONVERSATION, "list", []))
        if person:
            inputs["person"] = person
        system = self._diagram.persons.get(person, {}).get("system_prompt")
        if system:
            inputs["system"] = system
        schema = self._schema(fields)
        if schema is not None:
            inputs["schema"] = schema
        self._tools(fields)
        exceeds = self._may_exceed(node, most)
        when = f"turn <= {most}" if exceeds else None
        turn: Endpoint | None = None
        if exceeds or (node.label in self._circle and first and default):
            self._helper(f"{label} turn", "flow.counter")
            turn = Endpoint(f"{label} turn", "then")
        enter = f"{label} turn" if turn is not None else f"{label} prompt"
        if file:
            read = f"{label} prompt file"
            self._add(GraphNode(read, "file.read_text", {"path": self._prompt_file(file)}))
            if turn is not None:
                self._link(turn, read, when=when)
            enter = enter if turn is not None else read
            last = self._render(node, Endpoint(read, "then"), "", "")
            self._wire(read, "text", f"{label} prompt", "template")
        else:
            self._blocks(node, fields, (first, default))
            last = self._render(node, turn, first, default, when=when)
        self._add(GraphNode(label, "person.ask", inputs))
        self._link(last, label)
        self._wire(f"{label} prompt", "result", label, "prompt")
        return _Made(enter, Endpoint(label, "then"), Endpoint(label, "result"), turns=most if exceeds else 0)

    def _may_exceed(self, node: Node, most: int) -> bool:
        """Whether a person may be reached more often than it has turns: unless its circle ends when it has had them."""
        circle = self._circle.get(node.label)
        if circle is None:
            return False
        waits = [self._by_label[each] for each in circle if self._by_label[each].type == "condition"]
        ends = [self._most_turns(each) for each in waits if each.props.get("condition_type") == _BY_TURNS]
        return not ends or most < min(ends)

    def _render(
        self, node: Node, after: Endpoint | None, first: str, default: str, *, when: str | None = None
    ) -> Endpoint:
        """A node that puts the prompt together; gives its exec output."""
        label = node.label
        talk = self._talk(node)
        prompts = [f"{text}{talk}" if text else "" for text in (first, default)]
        inputs: dict[str, Any] = {"strict": False}
        if prompts[0] and prompts[1] and after is not None:
            select = self._helper(
                f"{label} which prompt", "logic.select", {"if_true": prompts[0], "if_false": prompts[1]}
            )
            is_first = self._helper(f"{label} is first", "logic.equal", {"b": 1})
            self._connections.append(Connection(Endpoint(after.node, "count"), Endpoint(is_first, "a")))
            self._wire(is_first, "result", select, "condition")
            self._helper(f"{label} prompt", "template.render", inputs)
            self._wire(select, "result", f"{label} prompt", "template")
        else:
            text = prompts[0] or prompts[1]
            if text or not self._is_file(node):
                inputs["template"] = text or talk
            self._helper(f"{label} prompt", "template.render", inputs)
        self._connections.append(Connection(self._spread(node), Endpoint(f"{label} prompt", "inputs")))
        if after is not None:
            self._link(after, f"{label} prompt", when=when)
        return Endpoint(f"{label} prompt", "then")

    def _is_file(self, node: Node) -> bool:
        return any(isinstance(node.props.get(key), str) for key in ("prompt_file", "first_prompt_file"))

    def _talk(self, node: Node) -> str:
        """What is put below a prompt: what came over arrows that its text does not name."""
        text = " ".join(str(node.props.get(key, "")) for key in ("default_prompt", "first_only_prompt"))
        arrows = [arrow for arrow in self._incoming.get(node.label, ()) if not arrow.label]
        arrows = [arrow for arrow in arrows if self._by_label[arrow.source].type != "start"]
        remembered = node.label in self._remembering
        said = [arrow for arrow in arrows if not (remembered and arrow.content == "conversation_state")]
        if not said or "default" in _NAME.findall(text):
            return ""
        self._once("what comes over an arrow without a label is put below the prompt", node.path)
        return "{% if default is defined and default is string and default %}\n\n{{ default }}{% endif %}"

    def _blocks(self, node: Node, fields: Fields, texts: Iterable[str]) -> None:
        if any(_BLOCK.search(text) for text in texts):
            cure = "Write it with {% for %} and {% if %}, as Jinja2 does."
            self._notes.error("template", node.path, f"{node.label!r}: blocks of Handlebars are not understood.", cure)

    def _prompt_file(self, said: str) -> str:
        home = self._document.path
        folders = [home.parent, home.parent / "prompts", home.parent.parent / "prompts"] if home is not None else []
        return next(((each / said).as_posix() for each in folders if (each / said).is_file()), said)

    def _memory(self, fields: Fields) -> str:
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
            self._notes.info("differs", fields.at("memorize_to"), message)
            found = "all"
        if config.get("forget_mode") in ("on_every_turn", "upon_request"):
            found = "none"
        if isinstance(at_most, int) and not isinstance(at_most, bool) and at_most > 0:
            found = f"last {at_most}"
        elif at_most is not None:
            at = "memory_settings" if "max_messages" in settings else "at_most"
            self._notes.error("bad-value", fields.at(at), f"Expected a number, got {kind(at_most)}.")
        return found

    def _schema(self, fields: Fields) -> Any:
        text, file = fields.text("text_format"), fields.text("text_format_file")
        if file:
            cure = "Give the reply a schema here: the input `schema` of person.ask."
            self._notes.warning("no-counterpart", fields.at("text_format_file"), "Classes in files are not read.", cure)
        if not text:
            return None
        try:
            return schema_in(text)
        except ValueError as error:
            self._notes.error("no-counterpart", fields.at("text_format"), f"The format can't be read: {error}.")
            return None

    def _tools(self, fields: Fields) -> None:
        tools = fields.take("tools")
        if isinstance(tools, str):
            tools = [] if tools.lower() == "none" else [tools]
        if not isinstance(tools, list | None):
            self._notes.error("bad-value", fields.at("tools"), f"Expected a list, got {kind(tools)}.")
            return
        used = [each for each in tools or [] if not (isinstance(each, dict) and each.get("type") == "none")]
        if used:
            cure = "A tool is a graph here: config: {tools: [graph:NAME]} at the node."
            self._notes.warning("no-counterpart", fields.at("tools"), "Its tools are left out.", cure)

    def _user_response(self, node: Node, fields: Fields) -> _Made:
        question, seconds = fields.text("prompt"), fields.number("timeout", 300)
        inputs: dict[str, Any] = {"question": question, "timeout": f"{seconds:g}s", "default": ""}
        if not question:
            self._notes.error("bad-value", fields.at("prompt"), f"{node.label!r} asks nothing.")
        self._once("who does not answer in time is taken to have answered with an empty text", node.path)
        if "{{" not in question:
            self._add(GraphNode(node.label, "user.ask", inputs))
            return self._plain(node.label)
        del inputs["question"]
        last = self._render(node, None, question, "")
        self._add(GraphNode(node.label, "user.ask", inputs))
        self._link(last, node.label)
        self._wire(f"{node.label} prompt", "result", node.label, "question")
        return _Made(f"{node.label} prompt", Endpoint(node.label, "then"), Endpoint(node.label, "result"))

    # --- conditions ---

    def _condition(self, node: Node, fields: Fields) -> _Made:
        types = ("custom", _BY_TURNS, "check_nodes_executed", "llm_decision")
        said = fields.choice("condition_type", types, "custom")
        if "condition_type" not in fields:
            self._notes.error(
                "bad-value", fields.at("condition_type"), f"{node.label!r} does not say what it decides by."
            )
        if said == "llm_decision":
            return self._decision(node, fields)
        condition: str | None
        if said == _BY_TURNS:
            condition = f"turn >= {self._most_turns(node)}"
        elif said == "check_nodes_executed":
            condition = self._executed_condition(node, fields)
        else:
            condition = self._custom(node, fields)
        inputs = self._collected(node)
        self._add(GraphNode(node.label, "state.keep", {"value": {}}))
        self._connections.append(Connection(inputs, Endpoint(node.label, "value")))
        made = self._plain(node.label, "kept")
        made.value = self._default(node)
        self._ways(made, condition)
        return made

    def _ways(self, made: _Made, condition: str | None) -> None:
        if condition is not None:
            made.when = {"condtrue": condition, "condfalse": f"!({condition})"}

    def _most_turns(self, node: Node) -> int:
        """The most turns of the persons that it looks at: those in its circle, or else those before it."""
        circle = self._circle.get(node.label)
        labels = circle if circle is not None else self._before(node.label)
        persons = [self._by_label[each] for each in labels if self._by_label[each].type == "person_job"]
        found = [each.props.get("max_iteration", 1) for each in persons]
        whole = [each for each in found if isinstance(each, int) and not isinstance(each, bool)]
        if not persons:
            message = f"{node.label!r} waits for persons to have had their turns, and there are none."
            self._notes.error("condition", node.path, message)
        return max(whole, default=1)

    def _before(self, label: str) -> set[str]:
        found: set[str] = set()
        todo = [label]
        while todo:
            for arrow in self._incoming.get(todo.pop(), ()):
                if arrow.source not in found:
                    found.add(arrow.source)
                    todo.append(arrow.source)
        return found

    def _executed_condition(self, node: Node, fields: Fields) -> str | None:
        said = fields.items("node_indices") or fields.items("target_nodes")
        names: list[str] = []
        for each in said:
            if not isinstance(each, str) or each not in self._by_label:
                self._notes.error("unknown-node", fields.at("target_nodes"), f"There is no node {kind(each)}.")
                continue
            if each not in self._executed:
                name = self._executed[each] = f"executed_{len(self._executed) + 1}"
                self._variables[name] = Variable(name, "bool", default=False, doc=f"whether {each!r} has run")
                if each in self._place:
                    self._mark_executed(each)
            names.append(f"vars.{self._executed[each]}")
        if not names:
            self._notes.error("condition", node.path, f"{node.label!r} names no nodes to look at.")
            return None
        return " && ".join(names)

    def _mark_executed(self, label: str) -> None:
        self._evolve(label, set={**self._at(label).set, self._executed[label]: "true"})

    def _custom(self, node: Node, fields: Fields) -> str | None:
        text = fields.text("expression")
        labels = self._labels(node)

        def resolve(name: str) -> str | None:
            if name in labels:
                return f'out.kept["{name}"]'
            if name in self._variables:
                return f"vars.{name}"
            if "default" in labels:
                self._once(
                    "names in conditions that no arrow brings are taken from what came without a label", node.path
                )
                return f'out.kept["default"].{name}'
            return None

        try:
            if not text:
                raise Untranslatable("it is missing")
            return translate(text, resolve)
        except Untranslatable as error:
            cure = "It may compare, and have and, or, not, arithmetic, len() and what arrows bring."
            self._notes.error("condition", fields.at("expression"), f"{text!r} can't be translated: {error}.", cure)
            return None

    def _decision(self, node: Node, fields: Fields) -> _Made:
        prompt, file = fields.text("judge_by"), fields.text("judge_by_file")
        schema = {
            "type": "object", "properties": {"decision": {"type": "boolean"}}, "required": ["decision"],
        }  # fmt: skip
        inputs: dict[str, Any] = {"schema": schema, "memory": self._memory(fields), "conversation": CONVERSATION}
        self._variables.setdefault(CONVERSATION, Variable(CONVERSATION, "list", []))
        person = fields.text("person")
        if person:
            inputs["person"] = person
        if file or not prompt:
            self._notes.error("bad-value", fields.at("judge_by"), f"{node.label!r} does not say what it decides by.")
        last = self._render(node, None, prompt or "Yes or no?", "")
        self._add(GraphNode(node.label, "person.ask", inputs))
        self._link(last, node.label)
        self._wire(f"{node.label} prompt", "result", node.label, "prompt")
        made = _Made(f"{node.label} prompt", Endpoint(node.label, "then"), self._default(node))
        self._ways(made, "out.result.decision")
        return made

    # --- code, templates, services ---

    def _code_job(self, node: Node, fields: Fields) -> _Made:
        language = fields.choice("language", ("python", "bash", "shell", "typescript", "javascript"), "python")
        text, file = fields.text("code"), fields.text("file_path")
        function = fields.text("function_name")
        seconds = fields.number("timeout", 0)
        inputs: dict[str, Any] = {"timeout": seconds} if seconds > 0 else {}
        if file or not text or language in {"typescript", "javascript"}:
            what = f"its code is in the file {file!r}" if file else f"{language} is not run here"
            if not text and not file:
                what = "it has no code"
            return self._placeholder(node, what)
        if language in {"bash", "shell"}:
            self._add(GraphNode(node.label, "script.shell", {"code": text, **inputs}))
            self._connections.append(Connection(self._collected(node), Endpoint(node.label, "inputs")))
            return self._plain(node.label)
        code = self._code[node.label]
        if code.problem:
            self._notes.error("code", fields.at("code"), f"The code of {node.label!r} is not Python: {code.problem}.")
        self._add(GraphNode(node.label, "script.python", {"code": self._wrapped(node, code, text, function), **inputs}))
        collected = self._collected(node)
        names = {
            f"in_{number}": name for number, name in enumerate(sorted(self._labels(node)), 1) if name.isidentifier()
        }
        both = self._helper(f"{node.label} names", "value.collect", config={"inputs": {**names, "all": "inputs"}})
        self._connections.append(Connection(collected, Endpoint(both, "all")))
        for name, label in names.items():
            source = self._source(node, label)
            assert source is not None
            self._connections.append(Connection(source, Endpoint(both, name)))
        self._wire(both, "result", node.label, "inputs")
        return self._plain(node.label)

    def _wrapped(self, node: Node, code: Code, text: str, function: str) -> str:
        """The code as it is run here: with the names that it needs, and with what others need of it."""
        spread = tuple(sorted(self._objects(node)))
        lines = [_PRINT] if code.prints and "print" not in code.assigned else []
        if spread:
            given = f"for n in {spread!r} if isinstance(inputs.get(n), dict) for k, v in inputs[n].items()"
            lines.append(f"inputs = {{k: v {given}}} | inputs")
        if code.asked:
            lines.append("globals().update((name, value) for name, value in inputs.items() if name not in globals())")
        lines += [f"{name} = state.get({name!r})" for name in code.asked if name in self._variables]
        after = [f"state.set({name!r}, {name})" for name in code.values if name in self._variables]
        if after and code.returns:
            message = "What is set before a return is not kept for other nodes: set `result` instead."
            self._notes.warning("code", node.path, message)
        called = function or ("main" if "main" in code.functions else "")
        if called in code.functions and "result" not in code.assigned and not code.returns:
            names = code.functions[called]
            known = "inputs" if names is None else f"{{n: v for n, v in inputs.items() if n in {names!r}}}"
            after.append(f"result = {called}(**{known})")
        elif function and called not in code.functions:
            self._notes.error("code", f"{node.path}.function_name", f"There is no function {function!r} in the code.")
        return "\n".join([*(["; ".join(lines)] if lines else []), text.rstrip("\n"), *after]) + "\n"

    def _template_job(self, node: Node, fields: Fields) -> _Made:
        engine = fields.choice("engine", ("jinja2", "internal", "handlebars"), "jinja2")
        text, file = fields.text("template_content"), fields.text("template_path")
        given, output = fields.mapping("variables"), fields.text("output_path")
        if engine != "jinja2" or text:
            self._blocks(node, fields, [text])
        if not text and not file:
            self._notes.error("bad-value", node.path, f"{node.label!r} has no template.")
        enter = node.label
        main = GraphNode(node.label, "template.render", {"template": text} if text else {})
        self._add(main)
        made = self._plain(node.label)
        if file and not text:
            enter = f"{node.label} template"
            self._add(GraphNode(enter, "file.read_text", {"path": file}))
            self._link(Endpoint(enter, "then"), node.label)
            self._wire(enter, "text", node.label, "template")
        inputs = self._spread(node)
        if given:
            both = self._helper(
                f"{node.label} values", "value.join", {"own": given}, config={"inputs": ["own", "more"]}
            )
            self._connections.append(Connection(inputs, Endpoint(both, "more")))
            inputs = Endpoint(both, "result")
        self._connections.append(Connection(inputs, Endpoint(node.label, "inputs")))
        made = attrs.evolve(made, enter=enter)
        return self._write(node, made, output, "txt", Endpoint(node.label, "result")) if output else made

    def _api_job(self, node: Node, fields: Fields) -> _Made:
        inputs: dict[str, Any] = {
            "url": fields.text("url"), "method": fields.choice("method", _METHODS, "GET"),
        }  # fmt: skip
        if not inputs["url"]:
            self._notes.error("bad-value", fields.at("url"), f"{node.label!r} has no url.")
        for theirs, ours in (("headers", "headers"), ("params", "query")):
            found = self._object(fields, theirs)
            if found:
                inputs[ours] = found
        body = fields.take("body")
        if body is not None:
            inputs["body"] = body
        seconds = fields.number("timeout", 0)
        if seconds > 0:
            inputs["timeout"] = seconds
        auth = fields.choice("auth_type", ("none", "bearer", "basic", "api_key"), "none")
        config = self._object(fields, "auth_config")
        if auth != "none":
            inputs["auth"] = "header" if auth == "api_key" else auth
            inputs["secret"] = (
                config.get("token") or config.get("password") or config.get("key") or config.get("api_key", "")
            )
            inputs |= {"user": config["username"]} if "username" in config else {}
            inputs |= {"header": config["header"]} if "header" in config else {}
            cure = '"secret": {"secret": "NAME"}, and `trioflow run --secret NAME`.'
            self._notes.info(
                "secret", fields.at("auth_config"), "What is secret is better kept out of documents:", cure
            )
        retries = fields.whole("max_retries", 0)
        self._add(GraphNode(node.label, "api.call", inputs))
        if retries:
            from trioflow.model.policy import Policy, RetryPolicy  # noqa: PLC0415 - few nodes have one

            self._evolve(node.label, policy=Policy(retry=RetryPolicy(retries + 1)))
        if "{{" in inputs["url"]:
            last = self._render(node, None, inputs["url"], "")
            self._evolve(node.label, inputs={key: value for key, value in inputs.items() if key != "url"})
            self._link(last, node.label)
            self._wire(f"{node.label} prompt", "result", node.label, "url")
            return attrs.evolve(self._plain(node.label), enter=f"{node.label} prompt")
        return self._plain(node.label)

    def _object(self, fields: Fields, name: str) -> dict[str, Any]:
        """An object, which may be written as a text of JSON."""
        found = fields.take(name)
        if isinstance(found, str) and found.strip():
            try:
                found = json.loads(found)
            except ValueError as error:
                self._notes.error("bad-value", fields.at(name), f"It is not JSON: {error}.")
                return {}
        if not isinstance(found, dict | None) and found != "":
            self._notes.error("bad-value", fields.at(name), f"Expected an object, got {kind(found)}.")
        return found if isinstance(found, dict) else {}

    def _hook(self, node: Node, fields: Fields) -> _Made:  # noqa: C901 - one kind after the other
        said = fields.choice("hook_type", ("shell", "webhook", "python", "file"), "shell")
        inner = fields.mapping("config")
        config = Fields(inner, fields.at("config"), self._notes) if inner else fields
        source = self._default(node)
        if said == "shell":
            command = config.text("command")
            inputs: dict[str, Any] = {"command": [command, *map(str, config.items("args"))]}
            if config.mapping("env"):
                inputs["environment"] = config.mapping("env")
            if config.text("cwd"):
                inputs["folder"] = config.text("cwd")
            if not command:
                self._notes.error("bad-value", config.at("command"), f"{node.label!r} has no command.")
        elif said == "webhook":
            inputs = {"url": config.text("url")}
            if config.mapping("headers"):
                inputs["headers"] = config.mapping("headers")
            config.text("method")
            if not inputs["url"]:
                self._notes.error("bad-value", config.at("url"), f"{node.label!r} has no url.")
        else:
            for name, _ in [*fields.left()]:
                fields.take(name)
            return self._placeholder(node, f"hooks of type {said} are not known here")
        seconds = config.number("timeout", 0)
        if seconds > 0:
            inputs["timeout"] = seconds
        if config is not fields:
            config.tell_left()
        self._add(GraphNode(node.label, "hook.shell" if said == "shell" else "hook.http", {"event": None, **inputs}))
        if source is not None:
            self._connections.append(Connection(source, Endpoint(node.label, "event")))
        return self._plain(node.label)

    def _validator(self, node: Node, fields: Fields) -> _Made:
        schema: Any = fields.take("json_schema")
        file = fields.text("schema_path")
        strict = fields.flag("strict_mode", True)
        fields.flag("error_on_extra", False)
        data = fields.text("data_path")
        if isinstance(schema, str):
            schema = self._object(fields, "json_schema")
        self._add(
            GraphNode(node.label, "json.validate_schema", {"strict": strict} | ({"schema": schema} if schema else {}))
        )
        made = self._plain(node.label)
        if not schema and not file:
            self._notes.error("bad-value", node.path, f"{node.label!r} has no schema.")
        for path, socket in ((file if not schema else "", "schema"), (data, "value")):
            if path:
                read = f"{node.label} {socket}"
                self._add(GraphNode(read, "file.read_text", {"path": path}))
                parsed = self._helper(f"{read} parsed", "json.parse")
                self._wire(read, "text", parsed, "text")
                self._wire(parsed, "result", node.label, socket)
                self._link(Endpoint(read, "then"), made.enter)
                made = attrs.evolve(made, enter=read)
        source = self._default(node)
        if source is not None and not data:
            self._connections.append(Connection(source, Endpoint(node.label, "value")))
        return made

    def _db(self, node: Node, fields: Fields) -> _Made:
        operation = fields.choice("operation", ("read", "write", "append", "update", "prompt", "query"), "read")
        sub_type = fields.choice("sub_type", ("file", "fixed_prompt", "code", "api_tool", "database"), "file")
        file, form = fields.take("file"), fields.choice("format", ("text", "json", "yaml", "csv", "txt", "xml"), "text")
        several = fields.flag("glob", False) or isinstance(file, list)
        keys = fields.take("keys")
        for name in ("lines", "query", "data", "serialize_json", "collection"):
            fields.take(name)
        if sub_type != "file" or operation not in {"read", "write", "append"} or several or form in {"yaml", "xml"}:
            what = f"{operation} of {'several files' if several else form if sub_type == 'file' else sub_type}"
            return self._placeholder(node, f"{what} is not known here")
        if not isinstance(file, str) or not file:
            self._notes.error("bad-value", fields.at("file"), f"Expected the path of a file, got {kind(file)}.")
            file = "missing"
        if operation == "read":
            return self._read(node, file, form, keys, fields)
        source = self._default(node)
        self._add(GraphNode(node.label, "state.keep", {"value": None}))
        if source is not None:
            self._connections.append(Connection(source, Endpoint(node.label, "value")))
        made, value = self._plain(node.label, "kept"), Endpoint(node.label, "kept")
        if form == "csv":
            self._once("what is written as csv is written as the text that it is", node.path)
        return self._write(node, made, file, form, value, append=operation == "append")

    def _read(self, node: Node, file: str, form: str, keys: Any, fields: Fields) -> _Made:
        filled = bool(_BRACE.search(file))
        self._add(GraphNode(node.label, "file.read_text", {} if filled else {"path": file}))
        if filled:
            self._fill_path(node, file, Endpoint(node.label, "path"))
        value = Endpoint(node.label, "text")
        if form == "json":
            parsed = self._helper(f"{node.label} parsed", "json.parse")
            self._connections.append(Connection(value, Endpoint(parsed, "text")))
            value = Endpoint(parsed, "result")
            if not isinstance(keys, list | None):
                self._notes.error("bad-value", fields.at("keys"), f"Expected a list, got {kind(keys)}.")
            elif keys:
                picked = self._helper(f"{node.label} keys", "dict.pick", {"keys": keys})
                self._connections.append(Connection(value, Endpoint(picked, "entries")))
                value = Endpoint(picked, "result")
        elif keys:
            self._notes.error("bad-value", fields.at("keys"), f"A file of the format {form} has no keys.")
        return _Made(node.label, Endpoint(node.label, "then"), value)

    # --- diagrams in diagrams ---

    def _sub_diagram(self, node: Node, fields: Fields) -> _Made:
        name, form = fields.text("diagram_name"), fields.text("diagram_format", "light")
        batch, key = fields.flag("batch", False), fields.text("batch_input_key", "items")
        parallel = fields.flag("batch_parallel", False)
        passes = not fields.flag("ignore_input", False) and fields.flag("pass_input_data", True)
        for each in ("wait_for_completion", "isolate_conversation", "use_standard_mode"):
            fields.take(each)
        if "diagram_data" in fields:
            self._notes.error(
                "no-counterpart", fields.at("diagram_data"), "A diagram in a diagram has to be in a file."
            )
        if not name:
            self._notes.error("bad-value", fields.at("diagram_name"), f"{node.label!r} names no diagram.")
        path = self._file(name, form)
        call = f"{node.label} each" if batch else node.label
        if path is None:
            self._notes.error(
                "missing-file", fields.at("diagram_name"), f"There is no diagram {name!r}.",
                f"Put it there, or give the node a body: --body {call!r}=MODULE.NAME.", node=call,
            )  # fmt: skip
            sockets = Sockets(inputs={"input": "any"}, outputs={"result": "any"})
            made = placeholder(call, f"file:{name}.light.yaml", sockets=sockets)
        else:
            made = GraphNode(call, f"file:{path}")
        if batch:
            return self._batch(node, made, key, parallel=parallel)
        self._add(made)
        if passes:
            self._connections.append(Connection(self._collected(node), Endpoint(call, "input")))
        return self._plain(call)

    def _batch(self, node: Node, call: GraphNode, key: str, *, parallel: bool) -> _Made:
        """A call for each item; what they give is collected in a variable of the graph."""
        label, name = node.label, f"results of {node.label}"
        self._variables[name] = Variable(name, "list", [], "append")
        stream = StreamSettings(mode="concurrent") if parallel else None
        items = self._helper(f"{label} items", "dict.get", {"key": key})
        self._connections.append(Connection(self._spread(node), Endpoint(items, "entries")))
        self._add(GraphNode(label, "flow.for_each", stream=stream))
        self._wire(items, "result", label, "items")
        given = self._helper(f"{label} item", "value.collect", config={"inputs": {"item": "default"}})
        self._wire(label, "item", given, "item")
        self._add(call)
        self._wire(given, "result", call.id, "input")
        self._link(Endpoint(label, "body"), call.id)
        self._add(GraphNode(f"{label} result", "variable.append", {"name": name}))
        self._wire(call.id, "result", f"{label} result", "value")
        self._link(Endpoint(call.id, "then"), f"{label} result")
        results = self._helper(f"{label} results", "variable.get", {"name": name})
        return _Made(label, Endpoint(label, "done"), Endpoint(results, "result"))

    def _file(self, name: str, form: str) -> str | None:
        """The path of a diagram, from where this one is: as it is named, or beside it."""
        home = self._document.path
        if home is None or not name:
            return None
        folders = [home.parent, *[*home.parent.resolve().parents][:_UP]]
        for said in (name, Path(name).name):
            for folder in folders if said == name else folders[:1]:
                for ending in (f".{form}.yaml", *_ENDINGS):
                    place = folder / f"{said}{ending}"
                    if place.is_file():
                        return f"{said}{ending}" if folder == home.parent else place.as_posix()
        return None

    # --- what there is nothing for ---

    def _unknown(self, node: Node, fields: Fields) -> _Made:
        for name, _ in [*fields.left()]:
            fields.take(name)
        return self._placeholder(node, f"nodes of type {node.type or '(none)'} are not known here")

    def _placeholder(self, node: Node, what: str) -> _Made:
        cure = f"Give it a body: --body {node.label!r}=MODULE.NAME, or registry.body({node.label!r}, function)."
        self._notes.error("no-counterpart", node.path, f"{node.label!r}: {what}.", cure, node=node.label)
        own = {
            key: value for key, value in node.props.items() if key.isidentifier() and key not in {"inputs", "flipped"}
        }
        inputs = dict.fromkeys(own, "any") | {"inputs": "any"}
        sockets = Sockets(inputs=inputs, outputs={"result": "any"})
        self._add(placeholder(node.label, f"dipeo.{node.type or 'unknown'}", own, sockets=sockets))
        self._connections.append(Connection(self._spread(node), Endpoint(node.label, "inputs")))
        return self._plain(node.label)

    # --- data ---

    def _source(self, node: Node, label: str) -> Endpoint | None:
        """Where the value of a name is found: of several arrows, that which came over one from its own circle first."""
        circle = self._circle.get(node.label, frozenset[str]())
        arrows = [arrow for arrow in self._incoming.get(node.label, ()) if (arrow.label or "default") == label]
        arrows.sort(key=lambda arrow: arrow.source not in circle)
        found = [*dict.fromkeys(self._value_at(arrow.source) for arrow in arrows)]
        if len(found) < 2:
            return found[0] if found else None
        helper = f"{node.label} {label}"
        if helper not in self._place:
            names = [f"in_{number}" for number in range(1, len(found) + 1)]
            self._helper(helper, "value.first", config={"inputs": names})
            for name, each in zip(names, found, strict=True):
                self._connections.append(Connection(each, Endpoint(helper, name)))
        return Endpoint(helper, "result")

    def _value_at(self, label: str) -> Endpoint:
        """Where what a node gives is found, which may not be made yet: then it is filled in at the end."""
        made = self._made.get(label)
        if made is not None and made.value is not None:
            return made.value
        return Endpoint(f"\0{label}", "value")

    def _bound_circles(self) -> None:
        """Let each circle end: a diagram that goes round for ever there fails here after many turns."""
        entered = Counter(wire.target.node for wire in self._connections if wire.target.socket == "enter")
        for circle in dict.fromkeys(self._circle.values()):
            labels = [node.label for node in self._diagram.nodes if node.label in circle]
            self._evolve(self._made[labels[0]].enter, most=_MOST_TURNS)
            waiting = [label for label in labels if entered[self._made[label].enter] > 1 and self._waits(label)]
            if len(waiting) > 1:
                names = ", ".join(map(repr, waiting[:-1]))
                message = (
                    f"{names} and {waiting[-1]!r} are in one circle, and each waits for what may still come over its "
                    f"other arrows. When all of them wait, the first one of the diagram goes on: {waiting[0]!r} begins."
                )
                cure = "If another one is to begin, put it before the others."
                self._notes.info("joins-in-a-circle", self._by_label[waiting[0]].path, message, cure)

    def _waits(self, label: str) -> bool:
        """Whether a node waits for all that can still come."""
        return self._at(self._made[label].enter).join == "all"

    def _resolve(self) -> None:
        """Fill in where values are found of nodes that were made later."""

        def value_of(end: Endpoint) -> Endpoint | None:
            seen: set[str] = set()
            found: Endpoint | None = end
            while found is not None and found.node.startswith("\0"):
                label = found.node[1:]
                if label in seen:
                    return None
                seen.add(label)
                found = self._made[label].value
            return found

        wires: list[Connection] = []
        for wire in self._connections:
            source = value_of(wire.source)
            if source is not None:
                wires.append(wire if source is wire.source else attrs.evolve(wire, source=source))
        self._connections = wires

    def _default(self, node: Node) -> Endpoint | None:
        """Where what came is found: over an arrow without a label, or else over the only one."""
        labels = self._labels(node)
        if "default" in labels or not labels:
            return self._source(node, "default")
        return self._source(node, next(iter(labels))) if len(labels) == 1 else self._collected(node)

    def _collected(self, node: Node) -> Endpoint:
        """Where a dictionary of all that came is found, by labels."""
        helper = f"{node.label} inputs"
        if helper not in self._place:
            names = {f"in_{number}": label for number, label in enumerate(sorted(self._labels(node)), 1)}
            self._helper(helper, "value.collect", config={"inputs": names})
            for name, label in names.items():
                source = self._source(node, label)
                assert source is not None
                self._connections.append(Connection(source, Endpoint(helper, name)))
        return Endpoint(helper, "result")

    def _spread(self, node: Node) -> Endpoint:
        """The same with the entries of objects, and with the variables that it asks for."""
        variables = [name for name in self._variables if name in self._asked(node) - self._labels(node)]
        objects = sorted(self._objects(node))
        if not objects and not variables:
            return self._collected(node)
        helper = f"{node.label} all inputs"
        if helper not in self._place:
            names = [f"var_{number}" for number in range(1, len(variables) + 1)]
            parts = {f"in_{number}": label for number, label in enumerate(objects, 1)}
            config = {**dict(zip(names, variables, strict=True)), **parts, "named": "named"}
            self._helper(helper, "value.join", config={"inputs": config})
            for name, variable in zip(names, variables, strict=True):
                get = f"variable {variable}"
                if get not in self._place:
                    self._helper(get, "variable.get", {"name": variable})
                self._wire(get, "result", helper, name)
            for name, label in parts.items():
                source = self._source(node, label)
                assert source is not None
                self._connections.append(Connection(source, Endpoint(helper, name)))
            self._connections.append(Connection(self._collected(node), Endpoint(helper, "named")))
        return Endpoint(helper, "result")

    # --- wires ---

    def _connect(self, arrow: Arrow) -> None:
        source, target = self._made[arrow.source], self._made[arrow.target]
        when = None
        if arrow.output in {"condtrue", "condfalse"} or source.when:
            if self._by_label[arrow.source].type != "condition":
                message = f"{arrow.source!r} has no handle {arrow.output!r}: only conditions have it."
                self._notes.error("unknown-handle", arrow.path, message, "The connection is left out.")
                return
            when = source.when.get(arrow.output)
            if when is None and arrow.output in {"condtrue", "condfalse"}:
                return  # its condition was refused
            if when is None:
                message = "An arrow that leaves a condition and names no handle is always followed."
                self._notes.info("differs", arrow.path, message)
        elif arrow.output != "default":
            message = f"{arrow.source!r} has no handle {arrow.output!r}."
            self._notes.error("unknown-handle", arrow.path, message, "The connection is left out.")
            return
        if arrow.input not in {"default", "first"}:
            self._notes.error("unknown-handle", arrow.path, f"{arrow.target!r} has no handle {arrow.input!r}.")
            return
        self._connections.append(Connection(source.exit, Endpoint(target.enter, "enter"), when=when))
        if source.turns:
            over = f"turn > {source.turns}"
            turn = Endpoint(f"{arrow.source} turn", "then")
            self._connections.append(Connection(turn, Endpoint(target.enter, "enter"), when=over))

    def _plain(self, label: str, value: str = "result") -> _Made:
        return _Made(label, Endpoint(label, "then"), Endpoint(label, value))

    def _link(self, source: Endpoint, target: str, *, when: str | None = None) -> None:
        self._connections.append(Connection(source, Endpoint(target, "enter"), when=when))

    def _then(self, after: Endpoint, node: GraphNode) -> Endpoint:
        self._add(node)
        self._link(after, node.id)
        return Endpoint(node.id, "then")

    def _wire(self, source: str, output: str, target: str, input_: str) -> None:
        self._connections.append(Connection(Endpoint(source, output), Endpoint(target, input_)))

    def _helper(self, node_id: str, type_id: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> str:
        self._add(GraphNode(node_id, type_id, inputs or {}, metadata=_MADE, **more))
        return node_id

    def _add(self, node: GraphNode) -> None:
        """Add a node; one beside another, which is made by the import, says so."""
        if node.id not in self._by_label and KEY not in node.metadata:
            node = attrs.evolve(node, metadata={**node.metadata, **_MADE})
        elif node.id in self._by_label and node.id != self._making:
            self.clashes[node.id] = None
        self._place[node.id] = len(self._nodes)
        self._nodes.append(node)
        if node.id in self._executed:
            self._mark_executed(node.id)

    def _at(self, node_id: str) -> GraphNode:
        return self._nodes[self._place[node_id]]

    def _evolve(self, node_id: str, **changes: Any) -> None:
        self._nodes[self._place[node_id]] = attrs.evolve(self._at(node_id), **changes)

    def _once(self, message: str, path: str) -> None:
        self._said.setdefault(f"{message[:1].upper()}{message[1:]}", []).append(path)

    def _check_persons(self) -> None:
        for node in self._diagram.nodes:
            person = node.props.get("person")
            if isinstance(person, str) and person and person not in self._diagram.persons:
                message = f"{person!r} is not one of the persons of the diagram."
                self._notes.info("person", f"{node.path}.person", message, "The host may know it.")
        if self._diagram.persons:
            names = ", ".join(map(repr, self._diagram.persons))
            message = f"Persons are the host's, by their names: {names}."
            cure = "services={tf.Persons: tf.Persons({NAME: person})}. Keys and models are not read from documents."
            self._notes.info("person", "persons", message, cure)


_PRINT = (
    "print = lambda *v, sep=' ', **k: __import__('builtins').print(*v, sep=sep, **k) if k.get('file') "
    "else [state.log(l) for l in sep.join(map(str, v)).split('\\n')]"
)
"""Lets the host see at once what code prints, as feedback of its node."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_MAKERS: Mapping[str, Callable[[_Importer, Node, Fields], _Made]] = {
    "start": _Importer._start,
    "endpoint": _Importer._endpoint,
    "person_job": _Importer._person_job,
    "user_response": _Importer._user_response,
    "condition": _Importer._condition,
    "code_job": _Importer._code_job,
    "template_job": _Importer._template_job,
    "api_job": _Importer._api_job,
    "hook": _Importer._hook,
    "json_schema_validator": _Importer._validator,
    "db": _Importer._db,
    "sub_diagram": _Importer._sub_diagram,
}


def _code_of(node: Node) -> Code:
    text = node.props.get("code")
    return Code(text if isinstance(text, str) and node.props.get("language", "python") in ("python", None) else "")


def _circles(diagram: Diagram) -> dict[str, frozenset[str]]:  # noqa: C901 - one algorithm
    """The nodes that are in circles, each with all of its circle (Tarjan, without recursion)."""
    after: dict[str, list[str]] = {node.label: [] for node in diagram.nodes}
    for arrow in diagram.arrows:
        after[arrow.source].append(arrow.target)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: dict[str, frozenset[str]] = {}
    for root, targets in after.items():
        if root in index:
            continue
        work = [(root, iter(targets))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(after[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle: list[str] = []
                    while not circle or circle[-1] != node:
                        circle.append(stack.pop())
                        on_stack.discard(circle[-1])
                    if len(circle) > 1 or node in after[node]:
                        found |= dict.fromkeys(circle, frozenset(circle))
    return found
