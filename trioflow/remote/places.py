"""What a place is: where bodies can be sent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

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

    @abstractmethod
    async def call(self, call: bytes, asked: RunOnPolicy) -> bytes:
        """What `trioflow.remote.calling.answered(call)` gives in another process.

        A cancellation point: cancelling it ends the body there. Raises `PlaceDied`, `MissingExtra`.
        """

    def keeper(self) -> Keeper | None:
        """What keeps values there for other bodies at this place; None if they all come back."""
        return None


HERE = "_here"
"""The service of a run that is a part of another one, which was sent to this process: nothing of it is sent on."""
