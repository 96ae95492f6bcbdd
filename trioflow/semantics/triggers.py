"""Triggers of a graph: what is wrong with them, and the start values that they give a run. A host has the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from trioflow.errors import ExpressionFailed, MissingExtra, did_you_mean
from trioflow.expressions import BadExpression, compile_expression
from trioflow.model.graph import Graph
from trioflow.model.trigger import TRIGGER_KINDS, Trigger, TriggerKind
from trioflow.semantics.report import Problem, error, warning

NAMES: Mapping[str, type | None] = {
    "trigger.kind": str,
    "trigger.time": None,
    "trigger.due": None,
    "trigger.payload": None,
    "trigger.headers": None,
}
"""What an expression of a trigger may name, and its type; None for any."""

_BELONGS: Mapping[str, TriggerKind] = {"zone": "cron", "missed": "cron", "at_start": "cron", "secret": "webhook"}
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - from which on a line is looked at: one day is as good as another


@attrs.frozen(kw_only=True)
class TriggerFacts:
    """What a host knows of one start: `time` is now, `due` when it should have been."""

    kind: TriggerKind
    time: datetime | None = None
    due: datetime | None = None
    payload: Any = None
    headers: Mapping[str, str] | None = None


def trigger_variables(trigger: Trigger, facts: TriggerFacts) -> dict[str, Any]:
    """The start values that a trigger gives a run, by variable. Raises `ExpressionFailed`, and `MissingExtra`."""
    values = {f"trigger.{name}": value for name, value in attrs.asdict(facts, recurse=False).items()}
    found: dict[str, Any] = {}
    for name, text in trigger.set.items():
        try:
            found[name] = compile_expression(text, NAMES).value(values)
        except BadExpression as problem:
            raise ExpressionFailed(f"The start value of {name!r} is not an expression: {problem}.") from None
    return found


def check_triggers(graph: Graph) -> Iterator[Problem]:
    """Each is of one kind, says what that kind knows, and names what there is."""
    for place, trigger in enumerate(graph.triggers):
        path = f"triggers[{place}]"
        kinds = trigger.kinds
        if len(kinds) != 1:
            what = f"says {' and '.join(kinds)}" if kinds else "says nothing that could start a run"
            cure = f"Let it be one of {', '.join(TRIGGER_KINDS)}; write another trigger for another one."
            yield error("bad-trigger", path, f"This trigger {what}.", cure)
            continue
        yield from _check_settings(trigger, path, kinds[0])
        yield from _CHECKS[kinds[0]](graph, trigger, path)
        yield from _check_set(graph, trigger, path)


def _check_settings(trigger: Trigger, path: str, kind: TriggerKind) -> Iterator[Problem]:
    fields = attrs.fields_dict(Trigger)
    for name, needs in _BELONGS.items():
        if needs != kind and getattr(trigger, name) != fields[name].default:
            message = f"`{name}` belongs to `{needs}`, and this trigger is of the kind {kind}."
            yield error("bad-trigger", f"{path}.{name}", message, "Remove it.")


def _check_cron(_graph: Graph, trigger: Trigger, path: str) -> Iterator[Problem]:
    if trigger.zone is not None:
        try:
            ZoneInfo(trigger.zone)
        except (ValueError, OSError, LookupError):
            cure = "Write one such as Europe/Berlin. Where a system has no time zones, install tzdata."
            yield error("bad-trigger", f"{path}.zone", f"There is no time zone {trigger.zone!r}.", cure)
    try:
        from cronsim import CronSim, CronSimError  # noqa: PLC0415 - optional
    except ImportError:
        message = f"{trigger.cron!r} was not checked, as this trioflow can't read lines of cron."
        cure = str(MissingExtra("A time that comes again", "triggers"))
        yield warning("bad-trigger", f"{path}.cron", message, cure)
        return
    assert trigger.cron is not None
    try:
        CronSim(trigger.cron, _SOME_DAY)
    except CronSimError as problem:
        message = f"{trigger.cron!r} is not a line of cron: {problem}."
        yield error("bad-trigger", f"{path}.cron", message, "Write minute, hour, day, month and weekday: 0 3 * * 1-5.")


def _check_webhook(_graph: Graph, trigger: Trigger, path: str) -> Iterator[Problem]:
    given = trigger.webhook or ""
    if not given.startswith("/") or "?" in given or "#" in given:
        message = f"{given!r} is not a path of a request."
        yield error("bad-trigger", f"{path}.webhook", message, "Write it from the first slash on: /orders.")


def _check_event(graph: Graph, trigger: Trigger, path: str) -> Iterator[Problem]:
    declared = [each.name for each in graph.events]
    if trigger.event not in declared:
        near = did_you_mean(str(trigger.event), declared)
        cure = f"Declare it in the graph, or name one of: {', '.join(declared) or 'none'}.{near}"
        yield error("undeclared-event", f"{path}.event", f"There is no event {trigger.event!r}.", cure)


def _check_text(_graph: Graph, trigger: Trigger, path: str) -> Iterator[Problem]:
    for name in ("file", "queue"):
        if getattr(trigger, name) is not None and not str(getattr(trigger, name)).strip():
            yield error("bad-trigger", f"{path}.{name}", f"`{name}` is empty.", "Name what it is about: in/*.csv.")


def _check_set(graph: Graph, trigger: Trigger, path: str) -> Iterator[Problem]:
    declared = [variable.name for variable in graph.variables]
    for name, text in trigger.set.items():
        where = f"{path}.set.{name}"
        if name not in declared:
            near = did_you_mean(name, declared)
            cure = f"Declare it in the graph, or name one of: {', '.join(declared) or 'none'}.{near}"
            yield error("undeclared-variable", where, f"There is no variable {name!r}.", cure)
        try:
            compile_expression(text, NAMES)
        except BadExpression as problem:
            cure = f"Write it in CEL, over {', '.join(NAMES)}."
            yield error("bad-expression", where, f"{text!r}, {problem}.", cure)
        except MissingExtra as missing:
            yield error("no-expressions", where, "This trioflow can't evaluate expressions.", str(missing))


_CHECKS = {
    "cron": _check_cron,
    "webhook": _check_webhook,
    "event": _check_event,
    "file": _check_text,
    "queue": _check_text,
    "manual": _check_text,
}
