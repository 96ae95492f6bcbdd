"""What elements of a running process tell each other: messages, which one receiver takes, and signals, which all get.

A message waits for its receiver. A signal reaches whoever waits for it and does not come after it: so a catch event
that is concurrent to a throw event gets the signal in every schedule, and one behind it never does. Values that an
element has set are told as signals are, to those who wait until a condition holds of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import trio

import trioflow as tf


@attrs.frozen
class Wait:
    """An event that somebody waits for: the element's id, the kind, and the name of the message, signal or error.

    Of a timer `name` is the text of the time, and `form` says which: `duration`, `date` or `cycle`. Of a condition it
    is its text.
    """

    element: str
    kind: str
    name: str = ""
    form: str = ""

    @classmethod
    def of(cls, tree: Mapping[str, Any]) -> Wait:
        """From a literal of a node."""
        return cls(*(str(tree.get(key, "")) for key in ("element", "kind", "name", "form")))


class Race:
    """Several events, of which the first decides."""

    def __init__(self, seen: Iterable[int] = (), holds: Callable[[Wait, Any], bool] | None = None) -> None:
        self.seen = frozenset(seen)
        self._holds = holds
        self.over = trio.Event()
        self.winner: Wait | None = None
        self.payload: Any = None
        self.serial = 0

    def win(self, wait: Wait, payload: Any = None) -> bool:
        """The event has happened; whether it was the first."""
        if self.over.is_set():
            return False
        self.winner, self.payload = wait, payload
        self.over.set()
        return True

    def waits_for(self, wait: Wait, kind: str, name: str, payload: Any) -> bool:
        """Whether a signal, or values that were set, are what is waited for."""
        if wait.kind != kind or kind == "signal":
            return wait.kind == kind and wait.name == name
        return self._holds is not None and self._holds(wait, payload)

    def close(self) -> None:
        """Nobody waits any more."""
        self.over.set()


class Bus:
    """The messages and signals of one run."""

    def __init__(self) -> None:
        self.users = 0
        self._messages: dict[str, deque[Any]] = {}
        self._signals: list[tuple[str, str, Any]] = []
        self._waiting: list[tuple[Wait, Race]] = []

    def listen(self, wait: Wait, race: Race) -> None:
        """Let a race be decided by this event, which may have happened before."""
        if wait.kind == "message" and self._messages.get(wait.name):
            if race.win(wait, self._messages[wait.name][0]):
                self._messages[wait.name].popleft()
            return
        if wait.kind in ("signal", "conditional"):
            for serial, (kind, name, payload) in enumerate(self._signals, 1):
                if serial not in race.seen and race.waits_for(wait, kind, name, payload):
                    self._signalled(wait, race, serial, payload)
                    return
        self._waiting.append((wait, race))

    def send(self, name: str, payload: Any = None) -> None:
        """A message: the first that waits for it takes it, or the first that will."""
        self._forget()
        for wait, race in self._waiting:
            if wait.kind == "message" and wait.name == name and race.win(wait, payload):
                return
        self._messages.setdefault(name, deque()).append(payload)

    def signal(self, name: str, payload: Any = None) -> int:
        """A signal: all get it that wait for it. Gives its serial."""
        return self._tell_all("signal", name, payload)

    def changed(self, values: Mapping[str, Any]) -> int:
        """Variables were set: all are told that wait for a condition. Gives the serial."""
        return self._tell_all("conditional", "", values)

    def _tell_all(self, kind: str, name: str, payload: Any) -> int:
        self._forget()
        self._signals.append((kind, name, payload))
        serial = len(self._signals)
        for wait, race in self._waiting:
            if serial not in race.seen and race.waits_for(wait, kind, name, payload):
                self._signalled(wait, race, serial, payload)
        return serial

    def _signalled(self, wait: Wait, race: Race, serial: int, payload: Any) -> None:
        if race.win(wait, payload):
            race.serial = serial

    def _forget(self) -> None:
        self._waiting = [each for each in self._waiting if not each[1].over.is_set()]


_BUSES: dict[int, Bus] = {}


def hold(services: tf.Services) -> Bus:
    """The bus of the run with these services, until `release`."""
    bus = _BUSES.setdefault(id(services), Bus())
    bus.users += 1
    return bus


def release(services: tf.Services) -> None:
    """One of those that held the bus is torn down."""
    bus = _BUSES[id(services)]
    bus.users -= 1
    if not bus.users:
        del _BUSES[id(services)]
