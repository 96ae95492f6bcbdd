"""Durations of Serverless Workflow: `{minutes: 5}`, ISO 8601, or an expression that gives one of these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

_UNITS: Mapping[str, float] = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1, "milliseconds": 0.001}
_NUMBER = r"(\d+(?:\.\d+)?)"
_ISO = re.compile(
    rf"P(?!$)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_SIZES = (31_536_000, 2_592_000, 604_800, 86_400, 3_600, 60, 1)


def seconds(value: Any) -> float:
    """How long it is; a year has 365 days, a month 30. Raises `ValueError` that says what was expected."""
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Any]", value)
        unknown = sorted(str(key) for key in parts if key not in _UNITS)
        if unknown:
            raise ValueError(f"a duration has {', '.join(_UNITS)}, got {unknown[0]!r}")
        if not parts:
            raise ValueError(f"a duration has one of {', '.join(_UNITS)}, got nothing")
        for key, each in parts.items():
            if isinstance(each, bool) or not isinstance(each, int | float) or not each >= 0:
                raise ValueError(f"{key} of a duration are a number of 0 or more, got {each!r}")
        return float(sum(_UNITS[key] * each for key, each in parts.items()))
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a duration such as PT30S or {{seconds: 30}}, got {value!r}")
    return sum(size * float(number) for size, number in zip(_SIZES, found.groups(), strict=True) if number)


def as_cron(value: Any) -> str:
    """The line of cron that comes again after a duration; empty if none does, or if it is no duration."""
    try:
        minutes, rest = divmod(seconds(value), 60)
    except ValueError:
        return ""
    if rest or not minutes:
        return ""
    for step, steps, line in ((1, 60, "*/{} * * * *"), (60, 24, "0 */{} * * *"), (1440, 1, "0 0 * * *")):
        number, rest = divmod(int(minutes), step)
        if not rest and number <= steps and steps % number == 0:
            return line.format(number) if number < steps or steps == 1 else ("0 * * * *" if step == 1 else "0 0 * * *")
    return ""
