"""When a cron line is due, in its time zone. Pure: what time it is, is given."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any, Literal

from trioflow.errors import MissingExtra

Missed = Literal["skip", "once", "all"]
"""What becomes of times at which no server ran: nothing, one run for all of them, or a run for each."""
LATE = datetime.timedelta(seconds=60)
"""What is later than this was missed."""
MOST = 1000
"""Times that are made up for, of one trigger."""
_BACK = (datetime.timedelta(hours=1), datetime.timedelta(days=1), datetime.timedelta(days=31))
"""What was missed before the last of these is not made up for."""


def _times(line: str, after: datetime.datetime) -> Any:
    try:
        from cronsim import CronSim, CronSimError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("A trigger by time", "serve") from error
    try:
        return CronSim(line, after)
    except CronSimError as error:
        raise ValueError(str(error)) from error


def never_due(line: str) -> str:
    """What is wrong with a cron line; the empty text if nothing is."""
    try:
        next(_times(line, datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)))
    except StopIteration:
        return f"{line!r} is never due: there is no such day"
    except ValueError as error:
        return f"{line!r} is not a cron line ({error}); expected five fields: minute, hour, day, month, weekday"
    return ""


def next_due(line: str, zone: zoneinfo.ZoneInfo, after: datetime.datetime) -> datetime.datetime:
    """The first time after that one, in UTC."""
    found: datetime.datetime = next(_times(line, after.astimezone(zone)))
    return found.astimezone(datetime.UTC)


def due_between(
    line: str, zone: zoneinfo.ZoneInfo, last: datetime.datetime, now: datetime.datetime, missed: Missed
) -> list[datetime.datetime]:
    """The times after `last` and up to `now` for which something is to be done, by that policy."""
    found: list[datetime.datetime] = []
    for back in _BACK:  # no further than need be: some lines are due each minute
        found = _all_between(line, zone, max(last, now - back), now)
        if now - back <= last or len(found) >= MOST or (found and missed != "all"):
            break
    late = [each for each in found if now - each > LATE]
    in_time = found[len(late) :]
    if missed == "all":
        return found[-MOST:]
    return [*late[-1:], *in_time] if missed == "once" and not in_time else in_time


def _all_between(
    line: str, zone: zoneinfo.ZoneInfo, last: datetime.datetime, now: datetime.datetime
) -> list[datetime.datetime]:
    found: list[datetime.datetime] = []
    while (last := next_due(line, zone, last)) <= now:
        found.append(last)
    return found
