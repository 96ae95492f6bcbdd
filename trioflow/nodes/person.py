"""Talking to persons, most often models: asking for texts and values, with tools, and listening while they speak.

Who they are, the host says: `services={trioflow.Persons: trioflow.Persons({"alice": alice})}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import trio

import trioflow as tf
from trioflow.model.jsonable import jsonable
from trioflow.model.node_type import Configured
from trioflow.nodes import _expect as expect
from trioflow.nodes._names import Find, Named, check_keys, further_inputs
from trioflow.nodes._slices import in_turns
from trioflow.nodes._tools import described, tools_of, use
from trioflow.nodes.json_schema import checker
from trioflow.nodes.loop import Loop
from trioflow.nodes.template import _filled
from trioflow.persons.memory import Said, check_rule, remembered
from trioflow.persons.port import (
    Message,
    Person,
    PersonFailed,
    Persons,
    PersonUnreachable,
    Reply,
    Speaking,
    Tool,
    ToolCall,
)

_SAID = "said"


class NoReply(PersonFailed):
    """A person gave no reply that counts: it used tools without end, said what does not fit, or gave no `Reply`."""


class _Talking(Named, abstract=True):
    person = tf.DataIn(str, default="", doc="who is asked; may be left out where the host knows only one")
    prompt = tf.DataIn(object, doc="what is said: a text; all else as JSON")
    system = tf.DataIn(str, default="", doc="who the person is, and how it is to answer")
    memory = tf.DataIn(str, default="all", doc="what it remembers: all, none, last 5, about me")
    conversation = tf.DataIn(
        str,
        default="",
        doc="a variable that holds what several nodes have said; else each node's own",
    )
    timeout = tf.DataIn(float | None, default=120.0, doc="seconds that a reply may take; none for any time")
    result = tf.DataOut(object, doc="the reply: a text, or a value that fits the schema")
    tokens_in = tf.DataOut(int, doc="tokens that it was told")
    tokens_out = tf.DataOut(int, doc="tokens that it has said")
    cost = tf.DataOut(float, doc="what that costs, in the currency of the prices")

    async def _begin(self, ctx: tf.Context) -> _Talk:
        node = type(self).type.id
        name = await ctx.get_input(self.person)
        try:
            persons = ctx.services.get(Persons)
        except tf.UnknownName:
            given = f"Persons({{{name or 'alice'!r}: ...}})"
            cure = f"Give it some: services={{Persons: {given}}}."
            raise tf.UnknownName(f"{node}: this host knows nobody. {cure}") from None
        name, person = persons.find(name)
        memory, variable = await ctx.get_input(self.memory), await ctx.get_input(self.conversation)
        try:
            check_rule(memory)
        except ValueError as error:
            raise ValueError(f"{node}: {error}.") from None
        seconds = await ctx.get_input(self.timeout)
        seconds = math.inf if seconds is None else expect.at_least_zero(node, "seconds", seconds)
        names = await self._names(ctx)
        prompt, system = await ctx.get_input(self.prompt), await ctx.get_input(self.system)
        text = prompt if isinstance(prompt, str) else json.dumps(jsonable(prompt), ensure_ascii=False)
        if names:
            text = await in_turns(_filled(node, text, names)) if isinstance(prompt, str) else text
            system = await in_turns(_filled(node, system, names))
        past: list[Said] = [*(ctx.get_variable(variable) if variable else ctx.state.get(_SAID, ()))]
        messages = [Message("system", system)] if system else []
        messages += [*remembered(memory, past, name), Message("user", text)]
        return _Talk(self, ctx, name, person, messages, past, text, variable, seconds)


class _Talk:
    """What is said in one activation, and what it takes."""

    def __init__(
        self,
        node: _Talking,
        ctx: tf.Context,
        name: str,
        person: Person,
        messages: list[Message],
        past: list[Said],
        prompt: str,
        variable: str,
        seconds: float,
    ) -> None:
        self.messages = messages
        self.person = person
        self._node, self._ctx, self._name = node, ctx, name
        self._past, self._prompt, self._variable = past, prompt, variable
        self.seconds = seconds
        self.tokens_in = self.tokens_out = 0
        self.cost = 0.0

    async def reply(self, tools: list[Tool], schema: Any) -> Reply:
        """Ask the person, which a run that is kept does once. Raises `TimeoutError`, and what the person raises."""
        reply = _reply_of(await self._ctx.once(self._ask, tools, schema))
        self.count(reply)
        return reply

    async def _ask(self, tools: list[Tool], schema: Any) -> dict[str, Any]:
        with trio.move_on_after(self.seconds):
            return _data_of(self.checked(await self.person.complete(self.messages, tools, schema)))
        raise self.late()

    def checked(self, reply: object) -> Reply:
        """The reply, if it is one: persons are the host's own code. Raises `NoReply`."""
        if isinstance(reply, Reply):
            return reply
        got = f"a value of the type {type(reply).__qualname__}"
        raise NoReply(f"{self._ctx.node.type}: {self._name} gave {got}, where a Reply was expected.")

    def late(self) -> TimeoutError:
        node = self._ctx.node.type
        return TimeoutError(f"{node}: {self._name} did not answer within {self.seconds:g} s.")

    def count(self, reply: Reply) -> None:
        """Count what a reply has taken, and tell whoever watches."""
        self.tokens_in += reply.tokens_in
        self.tokens_out += reply.tokens_out
        self.cost += reply.cost
        used = {
            "person": self._name, "model": reply.model, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out,
            "cost": reply.cost, "tools": [call.name for call in reply.calls],
        }  # fmt: skip
        said = f"{self._name}: {reply.tokens_in} tokens in, {reply.tokens_out} out"
        self._ctx.emit_feedback(said, "debug", tag=used)

    def end(self, text: str) -> None:
        """Remember what was said, and write what it took."""
        ctx, node = self._ctx, self._node
        added = [
            {"from": "user", "to": self._name, "text": self._prompt},
            {"from": self._name, "to": "user", "text": text},
        ]
        if self._variable:
            ctx.set_variable(self._variable, [*self._past, *added])
        else:
            ctx.state[_SAID] = [*self._past, *added]
        ctx.set_output(node.tokens_in, self.tokens_in)
        ctx.set_output(node.tokens_out, self.tokens_out)
        ctx.set_output(node.cost, self.cost)


def _data_of(reply: Reply) -> dict[str, Any]:
    """A reply as data, to be recorded."""
    calls = [[each.id, each.name, dict(each.arguments)] for each in reply.calls]
    return {
        "text": reply.text, "calls": calls, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out,
        "cost": reply.cost, "model": reply.model,
    }  # fmt: skip


def _reply_of(data: Mapping[str, Any]) -> Reply:
    given: dict[str, Any] = {**data, "calls": tuple(ToolCall(*each) for each in data["calls"])}
    return Reply(**given)


class AskPerson(_Talking, id="person.ask", durable="replayed", remembers=True):
    """Asks a person, most often a model, and gives its reply: a text, or with `schema` a value that fits it.

    Names in braces, `{name}`, in the prompt and in `system` are the inputs that `config` names. What a person
    remembers, `memory` says: `all` that was said, `none`, the `last 5` things, or what is `about me`, which is what it
    has said, was told, or what names it. Each node remembers for itself, unless they name one variable as
    `conversation`.

    `tools` in `config` are graphs, `graph:NAME` or `file:PATH`: a person may ask for one to be run, and gets what came
    of it, or what went wrong. Their inputs and outputs are told as JSON Schema, `description` in a graph's metadata as
    what it is for. Each call is an activation below this one. After `rounds` of tools it is `NoReply`, and also if it
    says something that does not fit the schema once more than `retries` times. A schema needs the extra `schema`.

    What each reply takes is told as feedback whose `tag` holds tokens and costs. In a run that is kept replies and
    calls are kept: nobody is asked twice. A policy tries again: `retry: {on: [http.429, http.5xx, PersonUnreachable]}`.

    >>> alice = tf.ScriptedPerson(["Hello."])
    >>> fire("person.ask", prompt="Say hello.", services={tf.Persons: tf.Persons({"alice": alice})})[0][1]["result"]
    'Hello.'
    """

    schema = tf.DataIn(object, default=None, doc="a JSON Schema that the reply has to fit; none for a text")
    rounds = tf.DataIn(int, default=10, doc="how often tools may be used before the reply")
    retries = tf.DataIn(int, default=2, doc="how often it is asked again for a reply that fits the schema")
    text = tf.DataOut(str, doc="the reply as it was said")
    rounds_used = tf.DataOut(int, doc="how often tools were used")
    then = tf.ExecOut()

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Find) -> Configured:
        check_keys(config, "inputs", "tools")
        tools = tools_of(config, find)
        return Configured({**further_inputs(config), **tools.sockets}, tools.beside)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        schema, rounds = await ctx.get_input(self.schema), await ctx.get_input(self.rounds)
        retries = await ctx.get_input(self.retries)
        for name, number in (("rounds", rounds), ("retries", retries)):
            if number < 0:
                raise ValueError(f"person.ask needs 0 {name} or more, got {expect.short(number)}.")
        check = None if schema is None else checker("person.ask", schema)
        tools = described(ctx.type)
        talk = await self._begin(ctx)
        used = 0
        while True:
            reply = await talk.reply(tools, schema)
            talk.messages.append(Message("assistant", reply.text, reply.calls))
            if reply.calls:
                if used >= rounds:
                    wanted = ", ".join(call.name for call in reply.calls)
                    raise NoReply(f"person.ask: after {used} rounds of tools it wants another one: {wanted}.")
                used += 1
                for call in reply.calls:
                    talk.messages.append(Message("tool", await use(ctx, call), call_id=call.id))
                continue
            result, problem = _value_of(reply.text, check)
            if problem is None:
                break
            if retries <= 0:
                raise NoReply(f"person.ask: the reply does not fit the schema: {problem}.")
            retries -= 1
            ctx.emit_feedback(f"a reply does not fit the schema: {problem}", "warning")
            talk.messages.append(
                Message("user", f"That does not fit: {problem}. Answer with JSON that does, and no more.")
            )
        talk.end(reply.text)
        ctx.set_output(self.result, result)
        ctx.set_output(self.text, reply.text)
        ctx.set_output(self.rounds_used, used)
        return self.then


def _value_of(text: str, check: Any) -> tuple[Any, str | None]:
    """What a reply stands for, and what is wrong with it."""
    if check is None:
        return text, None
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError) as error:
        return None, f"it is not JSON ({error})"
    problems = check(value)
    return value, "; ".join(problems[:3]) if problems else None


class ListenToPerson(_Talking, id="person.stream", durable="source", remembers=True):
    """Asks a person, and sends each piece of its reply down `body` while it speaks; goes on at `done` at the end.

    A stream with back-pressure; `flow.break` ends it. Otherwise as `person.ask`, without tools and schemas. A person
    that can't be heard while it speaks gives all in one piece. In a run that is kept the pieces are kept: after a
    resume the person is asked to go on after what it has said.

    >>> alice = tf.ScriptedPerson(["Good morning"])
    >>> for fired in fire("person.stream", prompt="?", services={tf.Persons: tf.Persons({"alice": alice})}):
    ...     print(fired)
    ('body', {'piece': 'Good '})
    ('body', {'piece': 'morning '})
    ('done', {'result': 'Good morning ', 'tokens_in': 1, 'tokens_out': 2, 'cost': 0.0})
    """

    piece = tf.DataOut(str, doc="a piece of the reply")
    body = tf.ExecOut(doc="one piece")
    done = tf.ExecOut(doc="at the end, or after `flow.break`")
    pieces = tf.Stream(piece, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        talk = await self._begin(ctx)
        said: list[str] = []
        left = True
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            left = False
        if left:
            return
        said = [*ctx.resumed([])]
        if said:
            talk.messages += [Message("assistant", "".join(said)), Message("user", "Go on exactly where you stopped.")]
        with Loop(ctx) as loop:
            await self._listen(ctx, talk, loop, said)
        talk.end("".join(said))
        ctx.set_output(self.result, "".join(said))

    async def _listen(self, ctx: tf.Context, talk: _Talk, loop: Loop, said: list[str]) -> None:
        patience = trio.CancelScope(deadline=trio.current_time() + talk.seconds)

        async def hear(piece: str) -> None:
            patience.deadline = math.inf  # what comes of a piece takes as long as it takes
            said.append(piece)
            ctx.mark([*said])
            with loop.round:
                await ctx.emit(self.piece, piece)
            patience.deadline = trio.current_time() + talk.seconds

        with patience:
            if isinstance(talk.person, Speaking):
                talk.count(talk.checked(await talk.person.speak(talk.messages, hear)))
            else:
                reply = talk.checked(await talk.person.complete(talk.messages, (), None))
                talk.count(reply)
                await hear(reply.text)
        if patience.cancelled_caught:
            raise talk.late()


__all__ = ["NoReply", "PersonFailed", "PersonUnreachable"]
