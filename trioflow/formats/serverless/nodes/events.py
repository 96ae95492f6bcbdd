"""Tasks about events: emit and listen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import trioflow as tf
from trioflow.formats.serverless.cloudevents import SIGNAL, Event, Events, fits_filter, is_event
from trioflow.formats.serverless.expressions import is_expression
from trioflow.formats.serverless.problem import standard
from trioflow.formats.serverless.schemas import check_schema
from trioflow.formats.serverless.session import session_of
from trioflow.formats.serverless.task import CONTEXT, DATA, NAMES, Composite, Doing, Task, part


class Emit(Task, id="serverless.emit", durable="replayed"):
    """Makes a CloudEvent, gives it to whoever listens in the workflow and to the host, and has it as its output."""

    async def perform(self, doing: Doing) -> Any:
        ctx = doing.ctx
        given = doing.fill(part(part(doing.definition, "emit"), "event").get("with", {}))
        time = ctx.now().isoformat().replace("+00:00", "Z")
        event = {"specversion": "1.0", "id": ctx.key, "time": time, **given}
        async with session_of(ctx) as session:
            if session.events.publish is not None:
                await ctx.once(session.events.publish, event)
            session.events.send(event)
        ctx.emit_feedback(f"event {event.get('type')}", tag="cloudevent")
        return event


class Listening:
    """What a listener has consumed, and whether that is all it wants."""

    def __init__(self, doing: Doing, strategy: Mapping[str, Any]) -> None:
        self._doing = doing
        self._all = strategy.get("all")
        one = strategy.get("one")
        self._filters: list[Mapping[str, Any]] = [one] if one is not None else self._all or strategy.get("any") or []
        self._open = list(range(len(self._filters)))
        self._until = strategy.get("until")
        stopping = self._until if isinstance(self._until, Mapping) else None
        self._stop = Listening(doing, cast("Mapping[str, Any]", stopping)) if stopping is not None else None
        self._correlated: dict[str, Any] = {}
        self._count = 0

    def takes(self, event: Event) -> bool:
        """Whether it waits for such an event."""
        return (self._stop is not None and self._stop.takes(event)) or self._place(event) is not None

    def consume(self, event: Event) -> bool:
        """Take an event; gives whether it is one of those that were wanted, and not one that ends the listening."""
        if self._stop is not None and self._stop.takes(event):
            self._stop.consume(event)
            return False
        place = self._place(event)
        self._count += 1
        if place is not None and self._filters:
            self._correlated.update(self._correlation(event, self._filters[place]))
            if self._all is not None:
                self._open.remove(place)
        return True

    def is_done(self, consumed: list[Any]) -> bool:
        """Whether it has all that it wants; `consumed` is what it has taken."""
        if self._stop is not None:
            return self._stop.is_done(consumed)
        if self._all is not None:
            return not self._open
        if isinstance(self._until, str):
            return bool(consumed) and self._doing.holds(self._until, consumed)
        return self._count > 0

    def _place(self, event: Event) -> int | None:
        if not self._filters:
            return 0
        for place in self._open:
            wanted = self._filters[place]
            if fits_filter(event, part(wanted, "with"), self._doing.variables()) and self._correlates(event, wanted):
                return place
        return None

    def _correlation(self, event: Event, wanted: Mapping[str, Any]) -> dict[str, Any]:
        rules = part(wanted, "correlate")
        return {name: self._doing.ask(rule["from"], event) for name, rule in rules.items()}

    def _correlates(self, event: Event, wanted: Mapping[str, Any]) -> bool:
        for name, value in self._correlation(event, wanted).items():
            expected = part(part(wanted, "correlate"), name).get("expect")
            if expected is not None:
                expected = self._doing.fill(expected) if is_expression(expected) else expected
                if value != expected:
                    return False
            elif value is None or self._correlated.get(name, value) != value:
                return False
        return True


async def next_event(doing: Doing, takes: Callable[[Event], bool], events: Events, *, emits: bool) -> Event:
    """The next event that a listener takes: one that is there already, else one that comes.

    `emits` says whether the workflow itself sends events. In a run that is kept in a journal events come as signals.
    A cancellation point.
    """
    while True:
        event = events.take(takes)
        if event is not None:
            return event
        try:
            sent = await doing.ctx.signal(SIGNAL)
        except tf.NodeError:
            if not events.from_outside and not emits:
                raise standard(
                    "runtime",
                    "No event can come: nobody sends any to this run. Give it the service "
                    "trioflow.formats.serverless.Events, or a journal: then they come as signals named 'cloudevents'.",
                ) from None
            await events.changed()
        else:
            if is_event(sent):
                events.send(sent)
            else:
                doing.ctx.emit_feedback(f"the signal {SIGNAL!r} brought no CloudEvent: {sent!r}", "warning")


async def events_for(doing: Doing, strategy: Mapping[str, Any], events: Events) -> list[Event]:
    """The events that start a workflow by its schedule."""
    listening, seen = Listening(doing, strategy), list[Event]()
    while not listening.is_done(seen):
        event = await next_event(doing, listening.takes, events, emits=False)
        if listening.consume(event):
            seen.append(event)
    return seen


class Listen(Composite, id="serverless.listen", durable="replayed"):
    """Waits for events, and gives a list of them, or of their data; `foreach` does tasks for each when it has come."""

    emits = tf.DataIn(bool, default=False, doc="whether the workflow itself sends events")
    tasks = tf.ExecOut(doc="what is done for each event")

    async def perform(self, doing: Doing) -> Any:
        definition = doing.definition
        listen, each = part(definition, "listen"), definition.get("foreach")
        listening = Listening(doing, part(listen, "to"))
        emits = await doing.ctx.get_input(self.emits)
        seen: list[Any] = []
        results: list[Any] = []
        async with session_of(doing.ctx) as session:
            while not listening.is_done(seen):
                event = await next_event(doing, listening.takes, session.events, emits=emits)
                if not listening.consume(event):
                    continue
                seen.append(event.get("data") if listen.get("read", "data") == "data" else dict(event))
                results.append(seen[-1] if each is None else await self._each(doing, each, seen[-1], len(results)))
        return results

    async def _each(self, doing: Doing, each: Mapping[str, Any], item: Any, index: int) -> Any:
        ctx = doing.ctx
        names = ctx.get_variable(NAMES)
        ctx.set_variable(NAMES, {**names, each.get("item", "item"): item, each.get("at", "index"): index})
        result = await self.run(doing, self.tasks, item) if ctx.is_connected(self.tasks) else item
        taken, exported = part(each, "output"), part(each, "export")
        if "as" in taken:
            result = doing.shape(taken["as"], result, output=result)
        check_schema(taken.get("schema"), result, "output")
        if "as" in exported:
            ctx.set_variable(CONTEXT, doing.shape(exported["as"], result, output=result))
        ctx.set_variable(NAMES, names)
        ctx.set_variable(DATA, doing.input)
        return result
