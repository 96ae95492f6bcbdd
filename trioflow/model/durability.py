"""What node types say of themselves for runs that are kept in a journal (J1, J4, J5), and how long things take."""

from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, get_args

from trioflow.model.duration import parse_duration

Durability = Literal["replayed", "recorded", "source", "transaction", "auto"]
"""What a journalled run keeps of the bodies of a type (J1).

`replayed`: nothing. The body is a function of what its context tells it, and is run again. `recorded`: it acts on the
world, dispatches nothing, and its end is kept. `source`: it reads the world and emits items, each of which is kept.
`transaction`: it writes into the journal's database alone. `auto`: recorded at its end if it has dispatched nothing,
and replayed otherwise. """

Doubt = Literal["again", "fail"]
"""What becomes of a recorded body that may or may not have come to its end: it is run again, or the host is asked."""

KINDS: tuple[str, ...] = get_args(Durability)
DOUBT: tuple[str, ...] = get_args(Doubt)

Duration = float | str | datetime.timedelta
"""Seconds, a `timedelta`, or a text: `2d`, `1h 30m`, `0.5s`, or ISO 8601 such as `PT90S`."""

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)")


def seconds_of(duration: Duration) -> float:
    """A duration in seconds. Raises `ValueError` for what is none, and for a negative one."""
    if isinstance(duration, datetime.timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, str):
        text = duration.strip()
        if text.startswith(("P", "-P", "+P")):
            seconds = parse_duration(text).total_seconds()
        else:
            parts = _SHORT.findall(text)
            if not parts or _SHORT.sub("", text).strip():
                raise ValueError(f"expected a duration such as '2d', '1h 30m', '0.5s' or 'PT90S', got {duration!r}")
            seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    else:
        seconds = float(duration)
    if not seconds >= 0:  # also false for what is not a number
        raise ValueError(f"a duration must be 0 or more, got {duration!r}")
    return seconds


class Transaction(ABC):
    """What a node with `durable="transaction"` gets: the journal's database, inside of the transaction of its record.

    What it writes and the record that it was written are committed together, or neither is (J5). The functions of a
    transaction are short: nothing else of the program runs meanwhile.
    """

    __slots__ = ()

    @abstractmethod
    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        """Run one SQL statement and return its rows. Tables whose names begin with `trioflow_` are the journal's own.

        Raises what the database raises, which fails the activation and undoes all that it has written.
        """
