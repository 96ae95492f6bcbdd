"""Policies of a node as data, as they stand in documents: what is done where it fails, takes long or is called often.

What they mean is said by rules P1 to P8. A field that is None is not said: `merged` takes it from further out.
"""

from __future__ import annotations

import builtins
import datetime
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import attrs

# Needed at runtime: the document format and its schema are made from the types of the fields.
from trioflow.model.duration import parse_duration, short_duration
from trioflow.model.form import Form, Minimum
from trioflow.model.values import NO_VALUES, frozen

Backoff = Literal["exponential", "linear", "fixed", "none"]
"""How the delay between attempts grows."""

Priority = Literal["low", "normal", "high", "critical"]
"""Who comes first where several wait (P7)."""

PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "critical")
"""From the lowest to the highest."""

# --- forms of values -------------------------------------------------------------------------------------------------


def _say(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _not_a_duration(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        try:
            seconds = parse_duration(value).total_seconds()
        except ValueError as error:
            yield "", str(error)
        else:
            if seconds < 0:
                yield "", f"expected a duration of 0 or more, got {value!r}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        cure = f". Write '{value!r}s' for seconds" if value >= 0 else ""
        yield "", f"expected a duration of 0 or more with its unit, got the number {value!r}{cure}"
    else:
        yield "", f"expected a duration such as '10ms', '30s', '5m', '24h' or 'PT1.5S', got {_say(value)}"


def seconds_of(value: Any) -> Any:
    """Seconds from a duration as a text, from a timedelta, or from a number of seconds. None stays None.

    Raises `ValueError` for what is no duration, or a negative one.
    """
    if value is None:
        return None
    if isinstance(value, str):
        for _, problem in _not_a_duration(value):
            raise ValueError(problem)
        return parse_duration(value).total_seconds()
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"expected a duration of 0 or more, in seconds or as a text such as '30s', got {_say(value)}")
    return float(value)


def _not_a_time(value: Any) -> Iterator[tuple[str, str]]:
    yield from _not_a_duration(value)
    if isinstance(value, str) and value and not [*_not_a_duration(value)] and not seconds_of(value):
        yield "", f"expected a duration of more than 0, got {value!r}"


def time_of(value: Any) -> Any:
    """The same as `seconds_of`, for more than 0 seconds."""
    seconds = seconds_of(value)
    if seconds == 0:
        raise ValueError(f"expected a duration of more than 0, got {value!r}")
    return seconds


_DURATION_SCHEMA = {
    "description": "A number and its unit, `10ms`, `30s`, `5m`, `24h`, `7d`, or ISO 8601, `PT1.5S`.",
    "type": "string",
    "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)|P.+)$",
}
DURATION = Form("Duration", _not_a_duration, _DURATION_SCHEMA, seconds_of, short_duration)
TIME = Form("Duration", _not_a_time, _DURATION_SCHEMA, time_of, short_duration)


def _number(name: str, least: float, most: float = math.inf, *, beyond: bool = False) -> Form:
    """A number from `least` to `most`, or beyond the least."""
    words = f"more than {least:g}" if beyond else f"of at least {least:g}"
    words += f" and at most {most:g}" if most < math.inf else ""

    def problems(value: Any) -> Iterator[tuple[str, str]]:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not (least < value if beyond else least <= value) or not value <= most or value == math.inf:
            yield "", f"expected a number {words}, got {_say(value)}"

    limits = {"exclusiveMinimum" if beyond else "minimum": least} | ({"maximum": most} if most < math.inf else {})
    return Form(name, problems, {"type": "number", **limits}, float)


SHARE = _number("Share", 0, 1)
PART = _number("Part", 0, 1, beyond=True)
FACTOR = _number("Factor", 1)
WEIGHT = _number("Weight", 0, beyond=True)
COUNT = _number("Count", 0, beyond=True)
AMOUNT = _number("Amount", 0)

_RATE = re.compile(r"(?P<count>[0-9]{1,9}(?:\.[0-9]{1,9})?)/(?P<unit>ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _not_a_rate(value: Any) -> Iterator[tuple[str, str]]:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        yield "", f"expected a rate such as '50/s', '300/m' or '10/h', got {_say(value)}"
    elif float(match["count"]) == 0:
        yield "", f"expected a rate of more than 0, got {value!r}: nothing would ever pass"


RATE = Form(
    "Rate",
    _not_a_rate,
    {"description": "How often in which time: `50/s`, `300/m`.", "type": "string", "pattern": f"^{_RATE.pattern}$"
        .replace("?P<count>", "").replace("?P<unit>", "")},
)  # fmt: skip


def _fits(form: Form) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """A validator: the value, if it is said, has this form. Raises `ValueError`."""

    def validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        for path, problem in form.problems(value) if value is not None else ():
            raise ValueError(f"{type(instance).__name__}.{attribute.name}{path}: {problem}.")

    return validate


def _whole(least: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and (type(value) is not int or value < least):
            where = f"{type(instance).__name__}.{attribute.name}"
            raise ValueError(f"{where}: expected a whole number of at least {least}, got {_say(value)}.")

    return validate


def _one_of(choices: Sequence[str]) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and value not in choices:
            where = f"{type(instance).__name__}.{attribute.name}"
            raise ValueError(f"{where}: expected {' or '.join(map(repr, choices))}, got {_say(value)}.")

    return validate


def error_names(errors: Any) -> tuple[str, ...]:
    """Names of errors as documents write them, from names and from classes; one alone will do."""
    each: Iterable[Any] = [errors] if isinstance(errors, str | type) else errors
    names: list[str] = []
    for error in each:
        if isinstance(error, type) and issubclass(error, BaseException):
            builtin = vars(builtins).get(error.__name__) is error
            names.append(error.__name__ if builtin else f"{error.__module__}.{error.__qualname__}")
        elif isinstance(error, str):
            names.append(error)
        else:
            raise ValueError(f"expected names or classes of errors, got {_say(error)}")
    return tuple(names)


# --- policies --------------------------------------------------------------------------------------------------------

Seconds = Annotated[float, DURATION]
Time = Annotated[float, TIME]
"""Seconds, more than 0."""


@attrs.frozen
class RetryPolicy:
    """Another attempt after one that failed (P1). The number of `attempts` alone is short for this.

    `attempts` in all. The delay before the next one is `delay` at first, and grows by `backoff`: times `factor`, by
    itself, not at all; `none` waits not at all. It is at most `max_delay`, and varies by `jitter`, a share of it.
    `on` and `not_on` are names of errors, and codes such as `http.5xx`. `budget`: retries in one run, of all nodes that
    have the policy from here. `clean`: a failed attempt leaves nothing that it wrote.
    """

    SHORT: ClassVar = "attempts"

    attempts: Annotated[int, Minimum(1)] = attrs.field(default=3, validator=_whole(1))
    backoff: Backoff = attrs.field(default="exponential", validator=_one_of(("exponential", "linear", "fixed", "none")))
    delay: Seconds = attrs.field(default=1.0, converter=seconds_of)
    max_delay: Seconds = attrs.field(default=60.0, converter=seconds_of)
    factor: Annotated[float, FACTOR] = attrs.field(default=2.0, validator=_fits(FACTOR))
    jitter: Annotated[float, SHARE] = attrs.field(default=0.25, validator=_fits(SHARE))
    on: tuple[str, ...] = attrs.field(default=(), converter=error_names)
    not_on: tuple[str, ...] = attrs.field(default=(), converter=error_names)
    budget: Annotated[int, Minimum(1)] | None = attrs.field(default=None, validator=_whole(1))
    clean: bool = False
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class BreakerPolicy:
    """Calls are refused for a while when too many have failed (P2).

    A share of `rate` of at least `calls` within `window` seconds opens the breaker for `open` seconds; then `probes`
    calls are let through, and if all go well it closes. Nodes with the same `key` share one; without, those of a type.
    """

    SHORT: ClassVar = "rate"

    key: str | None = None
    rate: Annotated[float, PART] = attrs.field(default=0.5, validator=_fits(PART))
    calls: Annotated[int, Minimum(1)] = attrs.field(default=10, validator=_whole(1))
    window: Time = attrs.field(default=60.0, converter=time_of)
    open: Seconds = attrs.field(default=30.0, converter=seconds_of)
    probes: Annotated[int, Minimum(1)] = attrs.field(default=3, validator=_whole(1))
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class RatePolicy:
    """At most so many calls in a time, the others wait (P3). The `limit` alone is short for this: `50/s`.

    `burst` calls may come at once, as many as the limit counts unless it says otherwise. A call costs `weight`, times
    a factor of its priority. `wait`: seconds after which a call gives up. Nodes with the same `key` share one bucket;
    without, those of a type.
    """

    SHORT: ClassVar = "limit"

    limit: Annotated[str, RATE] = attrs.field(validator=_fits(RATE))
    burst: Annotated[float, COUNT] | None = attrs.field(default=None, validator=_fits(COUNT))
    key: str | None = None
    weight: Annotated[float, WEIGHT] = attrs.field(default=1.0, validator=_fits(WEIGHT))
    wait: Seconds | None = attrs.field(default=None, converter=seconds_of)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)

    @property
    def count(self) -> float:
        """How many the limit counts: 300 of `300/m`."""
        return float(self.limit.partition("/")[0])

    @property
    def per_second(self) -> float:
        """The limit as calls per second."""
        return self.count / _UNITS[self.limit.partition("/")[2]]

    @property
    def capacity(self) -> float:
        """How much may come at once."""
        return max(1.0, self.count) if self.burst is None else self.burst


@attrs.frozen
class LimitPolicy:
    """At most so many at once, the others wait (P3). The number `at_once` alone is short for this.

    `wait`: seconds after which one that waits gives up. Nodes with the same `key` share the limit; without, those of a
    type. `adapt`: failures halve what may run at once, and as many that go well raise it by one again.
    """

    SHORT: ClassVar = "at_once"

    at_once: Annotated[int, Minimum(1)] = attrs.field(validator=_whole(1))
    wait: Seconds | None = attrs.field(default=None, converter=seconds_of)
    key: str | None = None
    adapt: bool = False
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class FallbackPolicy:
    """What takes the place of a node that has failed (P5). The id of a `node` alone is short for this.

    `node`: that node of the graph is fired instead. `value`: values of data outputs. `exit`: the exec output at which
    it goes on; it may be left out where the node that is fired goes on at one of the same name, or there is only one.
    """

    SHORT: ClassVar = "node"

    node: str | None = None
    value: Mapping[str, Any] | None = None
    exit: str | None = None
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class RunOnPolicy:
    """Where the body runs, if not here (A9). The name of the place, `on`, alone is short for this: `processes`.

    `processes` are of this host; other names are those of places that the host gives. `resources`: what the body needs
    of a place that counts them, such as `num_gpus`. `retry_on_death`: how often it is sent again where the process that
    has it dies: three times for data nodes, and never for exec nodes, if nothing is said. `kill_within`: seconds that a
    body has to end after it is cancelled. `batch`: at most so many bodies that wait for the place are sent to it in one
    message; they die together, and those that are cancelled end when the others do, or after `kill_within`. `keep`: an
    output of so many bytes or more stays there, if all that it is wired to runs on the same place.
    """

    SHORT: ClassVar = "on"

    on: str
    resources: Mapping[str, Annotated[float, AMOUNT]] = attrs.field(default=NO_VALUES, converter=frozen)
    retry_on_death: Annotated[int, Minimum(0)] | None = attrs.field(default=None, validator=_whole(0))
    kill_within: Seconds | None = attrs.field(default=None, converter=seconds_of)
    batch: Annotated[int, Minimum(1)] | None = attrs.field(default=None, validator=_whole(1))
    keep: Annotated[int, Minimum(0)] | None = attrs.field(default=None, validator=_whole(0))
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


def _from_short(kind: type[Any], value: Any, *shorts: type) -> Any:
    """The policy that a value of its short form stands for; others as they are."""
    return kind(**{kind.SHORT: value}) if isinstance(value, shorts) and not isinstance(value, bool) else value


def _as_retry(value: Any) -> Any:
    return _from_short(RetryPolicy, value, int)


def _as_breaker(value: Any) -> Any:
    return _from_short(BreakerPolicy, value, int, float)


def _as_rate(value: Any) -> Any:
    return _from_short(RatePolicy, value, str)


def _as_limit(value: Any) -> Any:
    return _from_short(LimitPolicy, value, int)


def _as_fallback(value: Any) -> Any:
    return _from_short(FallbackPolicy, value, str)


def _as_run_on(value: Any) -> Any:
    return _from_short(RunOnPolicy, value, str)


def _is(kind: type[Any]) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and not isinstance(value, kind):
            where = f"{type(instance).__name__}.{attribute.name}"
            raise ValueError(f"{where}: expected a {kind.__name__}, or its {kind.SHORT} alone, got {_say(value)}.")

    return validate


@attrs.frozen
class Policy:
    """All that may be said for a node (P1 to P8); what is None is not said.

    From outside to inside: quarantine, skip, fallback, timeout, retry, breaker, rate, limiter, quota, limit, attempt
    timeout, and the place of `run_on`, in place of the body. `timeout` is for all attempts together, `attempt_timeout`
    for each. `limiter` is one of the host's, by name, shared by its runs; `quota` are leases on the host's resources.
    `patience`: seconds of waiting after which observers are told. `priority`: who comes first where several wait.
    `skip`: a node that fails ends as skipped. `quarantine`: after so many failures in a run it is skipped at once.
    """

    timeout: Time | None = attrs.field(default=None, converter=time_of)
    attempt_timeout: Time | None = attrs.field(default=None, converter=time_of)
    retry: RetryPolicy | None = attrs.field(default=None, converter=_as_retry, validator=_is(RetryPolicy))
    breaker: BreakerPolicy | None = attrs.field(default=None, converter=_as_breaker, validator=_is(BreakerPolicy))
    rate: RatePolicy | None = attrs.field(default=None, converter=_as_rate, validator=_is(RatePolicy))
    limit: LimitPolicy | None = attrs.field(default=None, converter=_as_limit, validator=_is(LimitPolicy))
    limiter: str | None = None
    quota: Mapping[str, int] = attrs.field(default=NO_VALUES, converter=frozen)
    patience: Seconds | None = attrs.field(default=None, converter=seconds_of)
    priority: Priority | None = attrs.field(default=None, validator=_one_of(PRIORITIES))
    fallback: FallbackPolicy | None = attrs.field(default=None, converter=_as_fallback, validator=_is(FallbackPolicy))
    skip: bool | None = None
    quarantine: Annotated[int, Minimum(1)] | None = attrs.field(default=None, validator=_whole(1))
    run_on: RunOnPolicy | None = attrs.field(default=None, converter=_as_run_on, validator=_is(RunOnPolicy))
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)

    @property
    def said(self) -> tuple[str, ...]:
        """The names of the fields that say something."""
        return tuple(name for name in KEYS if getattr(self, name) is not None and getattr(self, name) != NO_VALUES)


KEYS = tuple(field.name for field in attrs.fields(Policy) if field.name != "extra")


@attrs.frozen
class Rung:
    """A policy, and where it was said: `node`, `type`, `graph` or `run`, and under which name there."""

    level: Literal["node", "type", "graph", "run"]
    name: str
    policy: Policy

    def __str__(self) -> str:
        return f"{self.level} {self.name}"


@attrs.frozen
class Laddered:
    """The policy of a node from all rungs, and the rung that each of its fields is from."""

    policy: Policy
    said_by: Mapping[str, Rung]


def merged(rungs: Iterable[Rung]) -> Laddered:
    """One policy of several, the innermost first: each field is that of the first that says it."""
    fields: dict[str, Any] = {}
    said_by: dict[str, Rung] = {}
    for rung in rungs:
        for name in rung.policy.said:
            if name not in fields:
                fields[name] = getattr(rung.policy, name)
                said_by[name] = rung
    return Laddered(Policy(**fields), said_by)


def fired_instead(policies: Iterable[Policy | None]) -> frozenset[str]:
    """The nodes that take the place of others, which never start by themselves (P5)."""
    fallbacks = [policy.fallback for policy in policies if policy is not None]
    return frozenset(each.node for each in fallbacks if each is not None and each.node is not None)


def as_policies(policies: Mapping[str, Any]) -> Mapping[str, Policy]:
    """Policies by names and patterns, as `RunOptions` takes them. Raises `ValueError`."""
    for name, policy in policies.items():
        if not isinstance(policy, Policy):
            raise ValueError(
                f"policies: expected a trioflow.Policy for {name!r}, got {type(policy).__name__}. Write "
                f"policies={{{name!r}: trioflow.Policy(retry=3)}}."
            )
    return frozen(policies)


def described(policy: Policy) -> list[str]:
    """What a policy says, for people, each in a few words: `retry 4 (on OSError)`, `timeout 30s`."""
    return [f"{name} {_words(policy, name)}".rstrip() for name in policy.said]


_DURATIONS = frozenset(
    {"timeout", "attempt_timeout", "patience", "delay", "max_delay", "window", "open", "wait", "kill_within"}
)


def _words(policy: Any, name: str) -> str:
    value = getattr(policy, name)
    short: str | None = getattr(value, "SHORT", None)
    if short is None:
        if name in _DURATIONS:
            return short_duration(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
        return "" if value is True else ", ".join(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
    more = [
        f"{field.name} {_words(value, field.name)}".rstrip()
        for field in attrs.fields(type(value))
        if field.name not in (short, "extra") and getattr(value, field.name) != field.default
    ]
    alone = "" if getattr(value, short) is None else _words(value, short)
    return " ".join(filter(None, [alone, f"({'; '.join(more)})" if more else ""]))


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else repr(value)
