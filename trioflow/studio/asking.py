"""Questions of nodes to people, and signals that a kept run waits for: told in the page, and answered there."""

from __future__ import annotations

import itertools
import json
from typing import Any

import attrs
import trio

from trioflow.durable.executing import JournalledRun
from trioflow.errors import UnknownName
from trioflow.nodes._askers import Question
from trioflow.runtime.host.run import Run
from trioflow.studio.shown import shown

_YES_OR_NO = frozenset({"flow.approve"})
"""Types of nodes that wait for a signal which says yes or no."""
_LONGEST = 500
_COMMENTED = {"ok": True, "comment": ""}


@attrs.frozen
class Ask:
    """Something that waits for an answer: `text` is what is asked, if that was told, `name` the signal it is for.

    With `comments` an answer may be an object, too: `ok`, whether it is yes, and a `comment`.
    """

    id: str
    node: str | None
    text: str
    name: str
    choices: tuple[str, ...] = ()
    comments: bool = False


@attrs.define(eq=False)
class _Open:
    question: Question
    answered: trio.Event = attrs.field(factory=trio.Event)
    answer: Any = None


class PageAsker:
    """Puts the questions of a run into the page: the service `Asker` of runs that no journal keeps."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._numbers = itertools.count(1)

    async def ask(self, question: Question) -> Any:
        """The answer that somebody gives in the page. Cancelled at any time."""
        key = f"q{next(self._numbers)}"
        self._open[key] = asked = _Open(question)
        try:
            await asked.answered.wait()
            return asked.answer
        finally:
            del self._open[key]

    def asks(self) -> list[Ask]:
        """What waits for an answer."""
        return [
            Ask(key, each.question.node, each.question.text, each.question.name,
                tuple(shown(choice) if not isinstance(choice, str) else choice for choice in each.question.choices),
                bool(each.question.choices) and each.question.problem(_COMMENTED) is None)
            for key, each in self._open.items()
            if not each.answered.is_set()
        ]  # fmt: skip

    def answer(self, key: str, text: str) -> None:
        """Take an answer. Raises `UnknownName` if nobody asks that any more, `ValueError` if it does not count."""
        asked = self._open.get(key)
        if asked is None or asked.answered.is_set():
            raise UnknownName("This question is not open any more.")
        answer = _object(text) or asked.question.read(text)
        problem = asked.question.problem(answer)
        if problem is not None:
            raise ValueError(f"{problem[0].upper()}{problem[1:]}.")
        asked.answer = answer
        asked.answered.set()


class Signals:
    """What a run that a journal keeps waits for, by strand; of another run nothing."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waits: list[tuple[int | None, str]] = []
        self._asks: list[Ask] = []

    def asks(self, questions: dict[str, str]) -> list[Ask]:
        """What waits for a signal. `questions` are what nodes have asked last, by name."""
        run = self._run
        waits = run.recorder.waits.signals if isinstance(run, JournalledRun) else []
        if waits != self._waits:
            self._waits = waits
            at = {each.number: each.node for each in run.strands()} if waits else {}
            self._asks = [self._ask(None if number is None else at.get(number), name) for number, name in waits]
        return [attrs.evolve(each, text=questions.get(each.node or "", "")) for each in self._asks]

    def _ask(self, node: str | None, name: str) -> Ask:
        planned = None if node is None else self._run.plan.node(node)
        approves = planned is not None and planned.type.id in _YES_OR_NO
        return Ask(f"signal {name}", node, "", name, ("yes", "no") if approves else (), approves)

    async def send(self, name: str, text: str) -> None:
        """Send the signal; what is not JSON is a text. Raises `UnknownName` for one that nobody waits for."""
        run = self._run
        if not isinstance(run, JournalledRun) or name not in {each for _, each in run.recorder.waits.signals}:
            raise UnknownName(f"Nobody waits for the signal {name!r} now.")
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError):
            payload = text
        await run.signal(name, payload, by="studio")


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None if it is none."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def told(ask: Ask, node: int | None) -> dict[str, Any]:
    """What the page has to know of it; `node` is where it is drawn."""
    return {"id": ask.id, "node": node, "at": ask.node, "text": ask.text[:_LONGEST], "name": ask.name,
            "choices": list(ask.choices), "comments": ask.comments}  # fmt: skip
