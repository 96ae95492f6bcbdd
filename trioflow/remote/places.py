"""What a place is: where bodies can be sent."""

from __future__ import annotations

import importlib.util
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from trioflow.errors import MissingExtra

if TYPE_CHECKING:
    from trioflow.model.policy import RunOnPolicy
    from trioflow.remote.keeping import Keeper


class PlaceDied(Exception):
    """The process that had the call has died; `started` if any had answered before."""

    def __init__(self, why: str, *, started: bool) -> None:
        self.started = started
        super().__init__(why)


class Place(ABC):
    """Where bodies run that are sent there, such as `Processes`. Places may be given to several runs at once."""

    workers: int = 4
    """How many bodies, or batches of them, run there at the same time, about."""

    def prepare(self) -> None:  # noqa: B027 - most have nothing to say
        """Asked before a run that needs it begins. Raises what would keep it from running anything: `MissingExtra`."""

    @abstractmethod
    async def call(self, call: bytes, asked: RunOnPolicy) -> bytes:
        """What `trioflow.remote.calling.answered(call)` gives in another process.

        A cancellation point: cancelling it ends the body there. Raises `PlaceDied`.
        """

    def keeper(self) -> Keeper | None:
        """What keeps values there for other bodies at this place; None if they all come back."""
        return None


def require(module: str, what: str, extra: str) -> None:
    """Raise `MissingExtra` if a package is not installed, without importing it."""
    if (sys.modules[module] if module in sys.modules else importlib.util.find_spec(module)) is None:
        raise MissingExtra(what, extra)


HERE = "_here"
"""The service of a run that is a part of another one, which was sent to this process: nothing of it is sent on."""
