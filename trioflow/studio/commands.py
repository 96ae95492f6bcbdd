"""What the page can ask for: a class for each command, made of what came as JSON; `do` does it and answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Protocol

import attrs
import cattrs
import trio
from cattrs import transform_error

from trioflow.errors import RunFinished, TrioflowError, UnknownName, did_you_mean
from trioflow.model.typed_text import read_value
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.host.inspect import Seen
from trioflow.studio.edits import EDITS, Edit, EditError
from trioflow.studio.session import Session
from trioflow.studio.shown import shown

_MOST_NODES = 200
_LONGEST = 40
"""Characters of a value that stands beside a socket."""
_SETTLES = 0.2
"""Seconds that strands get to come to the gate before an answer is given; a body may sleep for hours."""


class CommandError(TrioflowError):
    """What was asked for can't be read, is not known, or not allowed. `problems` as of an `EditError`."""

    def __init__(self, message: str, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class Command(Protocol):
    """Something that the page asks for."""

    watches: ClassVar[bool]
    """Whether it may be asked of a session that is read only: it neither starts, changes nor ends anything."""

    async def do(self, session: Session) -> Any:
        """Do it. What it raises is told to who asked."""
        ...


@attrs.frozen
class Start:
    """Run the graph. `variables` are texts, read by the types of the variables."""

    watches: ClassVar = False
    variables: dict[str, str] = attrs.field(factory=dict[str, str])
    paused: bool = False
    record: bool = True
    keep: bool = False

    async def do(self, session: Session) -> Any:
        types = {each.name: each.type for each in session.scene.graph.variables}
        values: dict[str, Any] = {}
        for name, text in self.variables.items():
            if name not in types:
                raise UnknownName(f"The graph has no variable {name!r}.{did_you_mean(name, types)}")
            values[name] = read_value(name, types[name], text)
        await session.start(values, paused=self.paused, record=self.record, keep=self.keep)
        if self.paused:
            await _settle(session)


@attrs.frozen
class GoBack:
    """Begin another run that goes on from an event of the recording, by its number; it stops there."""

    watches: ClassVar = False
    event: int

    async def do(self, session: Session) -> Any:
        kept = await session.go_back(self.event)
        await _settle(session)
        return {"run": kept.run_id}


@attrs.frozen
class GoOn:
    """Go on with the run that a journal keeps, where it was put away, or try again what has failed."""

    watches: ClassVar = False

    async def do(self, session: Session) -> Any:
        kept = await session.go_on()
        return {"run": kept.run_id}


@attrs.frozen
class Cancel:
    """Cancel the run; its nodes clean up."""

    watches: ClassVar = False

    async def do(self, session: Session) -> Any:
        session.live().cancel()


@attrs.frozen
class Pause:
    """Let every strand stop at its next dispatch."""

    watches: ClassVar = True

    async def do(self, session: Session) -> Any:
        session.live().gate.pause("paused by the page")
        await _settle(session)


@attrs.frozen
class Resume:
    """Let all go on."""

    watches: ClassVar = True

    async def do(self, session: Session) -> Any:
        session.live().gate.resume("the page")


@attrs.frozen
class Step:
    """Let one strand go on: into what it waits for, over all that this does, or out of what it is in."""

    watches: ClassVar = True
    how: Literal["into", "over", "out"]
    strand: int

    async def do(self, session: Session) -> Any:
        gate = session.live().gate
        here = next((each for each in gate.parked_at() if each.strand == self.strand), None)
        if here is None:
            raise UnknownName(f"Strand {self.strand} does not wait at the gate. Pause the run, or choose another one.")
        {"into": gate.step_into, "over": gate.step_over, "out": gate.step_out}[self.how](here.path)
        await _settle(session)


@attrs.frozen
class Watch:
    """Follow each event, or look from time to time."""

    watches: ClassVar = True
    how: Literal["follow", "glance"]

    async def do(self, session: Session) -> Any:
        session.watch(self.how)


@attrs.frozen
class AddBreakpoint:
    """Stop at a node, a wire, a value or failures; `condition` is a text as for `gate.add_breakpoint`."""

    watches: ClassVar = False
    node: str | None = None
    wire: str | None = None
    value: str | None = None
    failure: bool = False
    condition: str | None = None
    log: bool = False

    async def do(self, session: Session) -> Any:
        places = {"node": self.node, "wire": self.wire, "value": self.value}
        given: dict[str, Any] = {name: place for name, place in places.items() if place is not None}
        if self.failure:
            given["failure"] = True
        if len(given) != 1:
            raise ValueError("Give one of node, wire, value and failure.")
        return {"id": session.add_breakpoint(condition=self.condition or None, log=self.log, **given)}


@attrs.frozen
class RemoveBreakpoint:
    """Take a breakpoint away, by its id."""

    watches: ClassVar = False
    id: str

    async def do(self, session: Session) -> Any:
        session.remove_breakpoint(self.id)


@attrs.frozen
class EnableBreakpoint:
    """Let a breakpoint count, or rest."""

    watches: ClassVar = False
    id: str
    on: bool

    async def do(self, session: Session) -> Any:
        session.enable_breakpoint(self.id, on=self.on)


@attrs.frozen
class Peek:
    """What a strand sees at a node; nothing is run for it.

    The page looks again and again: that a strand has gone meanwhile is no fault, and told as `error`.
    """

    watches: ClassVar = True
    strand: int
    node: str

    async def do(self, session: Session) -> Any:
        try:
            peek = session.live().peek(self.strand, self.node)
        except (RunFinished, UnknownName) as error:
            return {"error": str(error)}
        return {
            "node": peek.node,
            "inputs": [_seen(session, name, seen) for name, seen in peek.inputs.items()],
            "outputs": [_seen(session, name, seen) for name, seen in peek.outputs.items()],
            "variables": [{"name": name, "value": _value(session, value)} for name, value in peek.variables.items()],
            "state": [{"name": name, "value": _value(session, value)} for name, value in peek.state.items()],
        }


@attrs.frozen
class Outputs:
    """What a strand sees at the outputs of some nodes, as far as it is computed, in short; nothing is run for it."""

    watches: ClassVar = True
    strand: int
    nodes: list[str]

    async def do(self, session: Session) -> Any:
        found: dict[str, dict[str, Any]] = {}
        for node in self.nodes[:_MOST_NODES]:
            try:
                outputs = session.live().peek(self.strand, node).outputs
            except (RunFinished, UnknownName):
                continue
            seen = [_seen(session, name, each) for name, each in outputs.items()]
            found[node] = {
                each["name"]: {"text": _cut(each["value"]), "kind": each["kind"]}
                for each in seen
                if each["value"] is not None
            }
        return {"values": found}


@attrs.frozen
class Evaluate:
    """Compute an output as the strand would get it now, in a store that is dropped."""

    watches: ClassVar = False
    strand: int
    node: str
    output: str

    async def do(self, session: Session) -> Any:
        value = await session.live().evaluate(self.strand, self.node, self.output)
        return {"value": _value(session, value)}


@attrs.frozen
class Answer:
    """Answer a question of a node, or send the signal that it waits for, by its id; `text` is JSON, or a text."""

    watches: ClassVar = False
    id: str
    text: str

    async def do(self, session: Session) -> Any:
        await session.answer(self.id, self.text)
        await trio.lowlevel.checkpoint()


@attrs.frozen
class AddWatch:
    """Keep a variable, a socket or an expression in view; `evaluates` as for `Watched`."""

    watches: ClassVar = True
    text: str
    evaluates: bool = False

    async def do(self, session: Session) -> Any:
        text = self.text.strip()
        if not text:
            raise CommandError("Say what to watch: total, loop.index, or an expression such as total > 3.")
        _may_evaluate(session, self.evaluates)
        return {"id": session.add_watch(text, evaluates=self.evaluates)}


@attrs.frozen
class ChangeWatch:
    """Let what is on the watch list be computed where a strand stands, or not."""

    watches: ClassVar = True
    id: str
    evaluates: bool

    async def do(self, session: Session) -> Any:
        _may_evaluate(session, self.evaluates)
        session.change_watch(self.id, evaluates=self.evaluates)


@attrs.frozen
class RemoveWatch:
    """Take something from the watch list, by its id."""

    watches: ClassVar = True
    id: str

    async def do(self, session: Session) -> Any:
        session.remove_watch(self.id)


@attrs.frozen
class Watched:
    """By id, what all on the watch list is for a strand: its kind, value, why there is none, and in which graph."""

    watches: ClassVar = True
    strand: int

    async def do(self, session: Session) -> Any:
        found = await session.look_at_watches(self.strand)
        return {
            "values": {
                which: {"kind": each.kind, "why": each.why, "where": each.where,
                        "value": _value(session, each.value) if each.kind in ("value", "stale") else None}
                for which, each in found.items()
            }
        }  # fmt: skip


def _may_evaluate(session: Session, evaluates: bool) -> None:
    if evaluates and session.read_only:
        raise CommandError("This page was opened to watch only: it computes nothing.")


@attrs.frozen
class SetVariable:
    """Write a variable of a strand that is parked. `value` is a text, read by the type of the variable."""

    watches: ClassVar = False
    strand: int
    name: str
    value: str

    async def do(self, session: Session) -> Any:
        run = session.live()
        prefix, _, inner = self.name.rpartition("/")
        call = run.plan.node(prefix) if prefix else None
        plan = run.plan if call is None or call.graph is None else call.graph
        kinds = {each.name: each.type for each in plan.graph.variables}
        run.set_variable(self.strand, self.name, read_value(self.name, kinds.get(inner, "any"), self.value))


@attrs.frozen
class DoEdits:
    """Change the graph: one step of several edits, which are all made or none. Gives the nodes that were added."""

    watches: ClassVar = False
    edits: list[dict[str, Any]]
    typing: str | None = None

    async def do(self, session: Session) -> Any:
        session.may_edit()
        added = session.bench.edit([_read_edit(each) for each in self.edits], self.typing, session.places())
        session.show_graph()
        return {"added": added, "revision": session.bench.revision}


@attrs.frozen
class Undo:
    """Take back what was done last, by whichever page."""

    watches: ClassVar = False

    async def do(self, session: Session) -> Any:
        session.may_edit()
        label = session.bench.undo()
        session.show_graph()
        return {"label": label}


@attrs.frozen
class Redo:
    """Do again what was taken back last."""

    watches: ClassVar = False

    async def do(self, session: Session) -> Any:
        session.may_edit()
        label = session.bench.redo()
        session.show_graph()
        return {"label": label}


@attrs.frozen
class Save:
    """Write the graph to its file, or to a new one of this name in the folder that the page was opened in."""

    watches: ClassVar = False
    name: str | None = None
    anyway: bool = False

    async def do(self, session: Session) -> Any:
        if session.is_attached:
            session.may_edit()
        bench = session.bench
        await trio.to_thread.run_sync(partial(bench.save, session.folder, self.name, anyway=self.anyway))
        assert bench.file is not None
        if self.name is not None:
            session.name = bench.file.name
        return {"file": bench.file.name}


@attrs.frozen
class TakeFile:
    """Go on with what the file holds now; undo leads back."""

    watches: ClassVar = False

    async def do(self, session: Session) -> Any:
        session.may_edit()
        await trio.to_thread.run_sync(session.bench.take_file)
        session.show_graph()


@attrs.frozen
class Form:
    """What can be filled in at a node: its inputs with their literals, and all else that a document says of it."""

    watches: ClassVar = True
    node: str
    graph: str = ""

    async def do(self, session: Session) -> Any:
        return session.bench.form(self.node, self.graph)


@attrs.frozen
class Copy:
    """Some nodes with the wires among them, as the text of a document, for the edit `paste`."""

    watches: ClassVar = True
    nodes: list[str]
    graph: str = ""

    async def do(self, session: Session) -> Any:
        return {"text": session.bench.copy(self.nodes, self.graph)}


@attrs.frozen
class Terms:
    """What a document says of a wire beyond its ends."""

    watches: ClassVar = True
    source: list[str]
    target: list[str]
    graph: str = ""

    async def do(self, session: Session) -> Any:
        return session.bench.terms(self.source, self.target, self.graph)


@attrs.frozen
class Open:
    """Show something else of the folder or journal that the page was opened on."""

    watches: ClassVar = True
    name: str

    async def do(self, session: Session) -> Any:
        if session.shelf is None:
            raise CommandError("This page was opened on one graph, and there is nothing else to open.")
        session.open(await trio.to_thread.run_sync(session.shelf.open, self.name))


COMMANDS: dict[str, type[Command]] = {
    "start": Start,
    "cancel": Cancel,
    "pause": Pause,
    "resume": Resume,
    "step": Step,
    "watch": Watch,
    "break": AddBreakpoint,
    "unbreak": RemoveBreakpoint,
    "enable": EnableBreakpoint,
    "peek": Peek,
    "outputs": Outputs,
    "evaluate": Evaluate,
    "answer": Answer,
    "add watch": AddWatch,
    "change watch": ChangeWatch,
    "remove watch": RemoveWatch,
    "watched": Watched,
    "set": SetVariable,
    "go back": GoBack,
    "go on": GoOn,
    "edit": DoEdits,
    "undo": Undo,
    "redo": Redo,
    "save": Save,
    "take file": TakeFile,
    "copy": Copy,
    "form": Form,
    "terms": Terms,
    "open": Open,
}

_CONVERTER = cattrs.Converter(forbid_extra_keys=True)


def _exactly(kind: type) -> Any:
    def read(value: Any, _kind: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{value!r} is not of the type {kind.__name__}")
        return value

    return read


for _kind in (str, int, bool):
    _CONVERTER.register_structure_hook(_kind, _exactly(_kind))


def read_command(asked: Any) -> Command:
    """The command in what came as JSON: `{"do": NAME, ...}`. Raises `CommandError`, with all that is wrong."""
    name = asked.get("do") if isinstance(asked, dict) else None
    kind = COMMANDS.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or kind is None:
        raise CommandError(f'Expected {{"do": NAME, ...}}. There is: {", ".join(COMMANDS)}.')
    try:
        return _CONVERTER.structure({key: value for key, value in asked.items() if key != "do"}, kind)
    except Exception as error:
        raise CommandError(f"{name}: {'; '.join(transform_error(error, path=name))}.") from error


def _read_edit(asked: dict[str, Any]) -> Edit:
    name = asked.get("edit")
    kind = EDITS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise CommandError(f'Expected {{"edit": NAME, ...}}. There is: {", ".join(EDITS)}.')
    try:
        edit: Edit = _CONVERTER.structure({key: value for key, value in asked.items() if key != "edit"}, kind)
    except Exception as error:
        raise CommandError(f"{name}: {'; '.join(transform_error(error, path=str(name)))}.") from error
    return edit


async def obey(session: Session, asked: Any) -> Any:
    """Do what was asked for, and make a frame of it at once. Raises `CommandError`, and what the command raises."""
    command = read_command(asked)
    if session.read_only and not command.watches:
        raise CommandError("This page was opened to watch only: it can pause, step and look, and nothing else.")
    try:
        return await command.do(session)
    except CommandError:
        raise
    except Exception as error:
        told = "; ".join(
            str(each)
            if isinstance(each, TrioflowError | RuntimeError | ValueError)
            else f"{type(each).__name__}: {each}"
            for each in leaves(error)
        )
        raise CommandError(told, error.problems if isinstance(error, EditError) else ()) from error
    finally:
        session.tick(look=session.is_running)


async def _settle(session: Session) -> None:
    with trio.move_on_after(_SETTLES):
        await session.live().gate.wait_parked()
    await trio.lowlevel.checkpoint()  # what has ended is told first


def _seen(session: Session, name: str, seen: Seen) -> dict[str, Any]:
    has_value = seen.kind not in ("not computed", "missing")
    return {"name": name, "kind": seen.kind, "wire": seen.wire,
            "value": _value(session, seen.value) if has_value else None}  # fmt: skip


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _value(session: Session, value: object) -> str:
    return shown(value) if session.values else f"({type(value).__name__})"
