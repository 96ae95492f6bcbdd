"""What the nodes of processes have in common: the variables that they see, and how they wait for events."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.bpmn import evaluation
from trioflow.formats.bpmn.bus import Bus, Race, Wait, hold, release
from trioflow.formats.bpmn.evaluation import ScriptFailed, own
from trioflow.formats.bpmn.scripting import expression_of

SEEN = "bpmn_signals"
"""The variable that holds which signals are in the past of a strand."""
DONE = "bpmn_done"
"""The variable that holds which activities have completed that can be compensated, the last at the end."""

REPEATED = re.compile(r"^R(\d*)/(.*)$")
"""A time that comes again: how often, and the time."""


def values_of(ctx: tf.Context, names: Iterable[str]) -> dict[str, Any]:
    """The values of these variables."""
    return {name: ctx.get_variable(name) for name in names}


def set_known(ctx: tf.Context, values: Mapping[str, Any]) -> list[str]:
    """Set the variables that the graph has; the names of others."""
    unknown: list[str] = []
    for name, value in values.items():
        try:
            ctx.set_variable(name, value)
        except tf.UnknownName:
            unknown.append(name)
    return unknown


def variables_of(ctx: tf.Context, names: Iterable[str]) -> dict[str, Any]:
    """The values of those of these names that are variables, such that they may be changed."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = own(ctx.get_variable(name))
        except tf.UnknownName:
            continue
    return found


def asked(ctx: tf.Context, text: str, more: Mapping[str, Any] | None = None) -> Any:
    """What an expression is now."""
    value, names = expression_of(text)
    return evaluation.value(value, {**variables_of(ctx, names), **(more or {})}, text.strip())


class OnBus(tf.Node, abstract=True):
    """A node that hears of messages and signals, or sends them."""

    bus: Bus

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self.bus = hold(ctx.services)

    async def teardown(self) -> None:
        release(self._services)


def race_of(ctx: tf.Context) -> Race:
    """A race of what happens from now on, or concurrently."""
    return Race(seen(ctx), lambda wait, values: _holds(ctx, wait, values))


async def first(
    bus: Bus, ctx: tf.Context, waits: Iterable[Wait], race: Race | None = None, *, again: bool = False
) -> Race:
    """Wait for the first of some events, or until the race is closed. The events of the outside count, too.

    A condition that holds already has happened, unless it is waited for `again`.
    """
    race = race or race_of(ctx)
    waits = [*waits]
    timed: list[tuple[float, Wait]] = []
    for wait in waits:
        if wait.kind == "timer":
            timed.append((_seconds(ctx, wait), wait))
        elif wait.kind == "conditional" and not again and _holds(ctx, wait):
            race.win(wait)
        else:
            bus.listen(wait, race)
    try:
        async with trio.open_nursery() as nursery:
            for wait in waits:
                if wait.kind in ("message", "signal") and not race.over.is_set():
                    await nursery.start(_hear_outside, ctx, wait, race)
            if timed and not race.over.is_set():
                seconds, wait = min(timed, key=lambda each: each[0])
                await nursery.start(_sleep, ctx, seconds, wait, race)
            await race.over.wait()
            nursery.cancel_scope.cancel()
    finally:
        race.close()  # whoever is cancelled takes no message any more
    if race.serial:
        see(ctx, race.serial)
    return race


async def _hear_outside(ctx: tf.Context, wait: Wait, race: Race, task_status: trio.TaskStatus[None]) -> None:
    """In a run that is kept, signals of the journal are messages and signals of the process."""
    task_status.started()
    try:
        payload = await ctx.signal(wait.name)
    except NodeError:  # nobody can send it one
        return
    race.win(wait, payload)


async def _sleep(ctx: tf.Context, seconds: float, wait: Wait, race: Race, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await ctx.sleep(seconds)
    race.win(wait)


def _holds(ctx: tf.Context, wait: Wait, values: Mapping[str, Any] | None = None) -> bool:
    """Whether the condition of an event holds, with these values in place of those that its strand sees.

    One that can't be told, because variables in it are not set yet, does not hold.
    """
    try:
        return bool(asked(ctx, wait.name, values))
    except ScriptFailed:
        return False


def seen(ctx: tf.Context) -> frozenset[int]:
    """The signals in the past of this strand."""
    try:
        return frozenset(ctx.get_variable(SEEN) or ())
    except tf.UnknownName:
        return frozenset()


def see(ctx: tf.Context, serial: int) -> None:
    """From here on this signal is in the past."""
    set_known(ctx, {SEEN: sorted({*seen(ctx), serial})})


def _seconds(ctx: tf.Context, wait: Wait) -> float:
    """How long a timer takes from now on. Raises `NodeError` for what is no time."""
    text: Any = wait.name
    if text.strip().startswith(("$", "#", "=")):
        text = asked(ctx, text)
    match = REPEATED.match(str(text))
    text = match[2] if match is not None else text
    try:
        if isinstance(text, int | float):
            return float(text)
        if wait.form == "date" and not str(text).startswith("P"):
            due = datetime.datetime.fromisoformat(str(text))
            due = due if due.tzinfo is not None else due.replace(tzinfo=datetime.UTC)
            return max(0.0, (due - ctx.now()).total_seconds())
        return tf.parse_duration(str(text)).total_seconds()
    except ValueError as error:
        raise NodeError(f"The timer {wait.element!r} has {text!r}, which is not a time: {error}") from None


def receive(ctx: tf.Context, race: Race) -> None:
    """What was sent along: the entries of a mapping are variables."""
    payload = race.payload
    if isinstance(payload, Mapping):
        unknown = set_known(ctx, cast("Mapping[str, Any]", payload))
        if unknown:
            ctx.emit_feedback(f"the process has no variables {', '.join(map(str, unknown))}", "warning")
