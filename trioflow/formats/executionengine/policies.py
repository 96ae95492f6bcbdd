"""Policies of ExecutionEngine in ours: retries, breakers, fallbacks, limits of time and rate."""

from __future__ import annotations

import re
from typing import Any

from trioflow.formats.fields import Fields, kind
from trioflow.formats.port import Notes
from trioflow.model.policy import BreakerPolicy, FallbackPolicy, Policy, RatePolicy, RetryPolicy

_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_STRATEGIES = ("None", "Fixed", "Exponential", "Linear")
_ERRORS = {
    "TimeoutException": "TimeoutError",
    "IOException": "OSError",
    "HttpRequestException": "OSError",
    "SocketException": "OSError",
    "ArgumentException": "ValueError",
    "InvalidOperationException": "RuntimeError",
    "Exception": "Exception",
}


def seconds_in(said: Any) -> float | None:
    """The seconds of a .NET time span (`00:01:30`, `1.00:00:00`) or a number of seconds; None if it is neither."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said) if said >= 0 else None
    match = _SPAN.fullmatch(said.strip()) if isinstance(said, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def policy_of(fields: Fields, notes: Notes, *, fallback: str) -> Policy | None:
    """The policy of a node; None if it says nothing."""
    given: dict[str, Any] = {}
    timeout = _seconds(fields, notes, "timeout", None)
    if timeout:
        given["timeout"] = timeout
    retry = _retry(fields, notes) if "retryPolicy" in fields else None
    if retry is not None:
        given["retry"] = retry
    if "circuitBreakerPolicy" in fields:
        given["breaker"] = _breaker(fields, notes)
    rate = fields.number("rateLimit", 0)
    if rate > 0:
        given["rate"] = RatePolicy(f"{rate:g}/s")
    elif rate:
        notes.error("bad-value", fields.at("rateLimit"), f"Expected more than 0, got {rate:g}.")
    if fallback:
        given["fallback"] = FallbackPolicy(fallback)
    if fields.mapping("resourceRequirements"):
        message = "What a node needs of the machine is a quota of the host here, and left out."
        notes.warning("no-counterpart", fields.at("resourceRequirements"), message, "policy: {quota: {NAME: N}}.")
    return Policy(**given) if given else None


def _retry(fields: Fields, notes: Notes) -> RetryPolicy | None:
    inner = Fields(fields.take("retryPolicy"), fields.at("retryPolicy"), notes, lenient=True)
    strategy = inner.choice("strategy", _STRATEGIES, "Exponential").lower()
    attempts = inner.whole("maxAttempts", 3, least=1)
    delay = _seconds(inner, notes, "initialDelay", 1.0)
    most = _seconds(inner, notes, "maxDelay", 60.0)
    factor = inner.number("multiplier", 2.0)
    if factor < 1:
        notes.error("bad-value", inner.at("multiplier"), f"Expected 1 or more, got {factor:g}.")
        factor = 2.0
    jitter: Any = inner.take("jitter")
    if not isinstance(jitter, bool | None):
        notes.error("bad-value", inner.at("jitter"), f"Expected true or false, got {kind(jitter)}.")
    errors: list[str] = []
    for name in inner.items("retryOn"):
        short = name.rpartition(".")[2] if isinstance(name, str) else ""
        if short in _ERRORS:
            errors.append(_ERRORS[short])
        else:
            notes.error("no-counterpart", inner.at("retryOn"), f"Nothing is known here of the error {kind(name)}.")
    inner.tell_left()
    if strategy == "none":
        return None
    return RetryPolicy(
        attempts,
        strategy,  # type: ignore[arg-type]  # one of the words above
        delay or 0.0,
        max(most or 0.0, delay or 0.0),
        factor,
        0.0 if jitter is False else 0.25,
        tuple(dict.fromkeys(errors)),
    )


def _breaker(fields: Fields, notes: Notes) -> BreakerPolicy:
    inner = Fields(fields.take("circuitBreakerPolicy"), fields.at("circuitBreakerPolicy"), notes, lenient=True)
    share = inner.number("failureThreshold", 50)
    if not 0 < share <= 100:
        notes.error("bad-value", inner.at("failureThreshold"), f"Expected per cent, above 0, got {share:g}.")
        share = 50
    opened = _seconds(inner, notes, "openDuration", 30.0)
    probes = inner.whole("halfOpenSuccesses", 3, least=1)
    calls = inner.whole("minimumThroughput", 10, least=1)
    inner.tell_left()
    return BreakerPolicy(rate=share / 100 if share > 1 else share, calls=calls, open=opened or 0.0, probes=probes)


def _seconds(fields: Fields, notes: Notes, name: str, default: float | None) -> float | None:
    said = fields.take(name)
    if said is None:
        return default
    found = seconds_in(said)
    if found is None:
        notes.error("bad-value", fields.at(name), f"Expected a time such as 00:00:30, or seconds, got {kind(said)}.")
        return default
    return found
