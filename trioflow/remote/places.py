"""What a place is: where bodies can be sent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trioflow.model.policy import RunOnPolicy


class PlaceDied(Exception):
    """The process that had the call has died; `started` if any had answered before."""

    def __init__(self, why: str, *, started: bool) -> None:
        self.started = started
        super().__init__(why)


class Place(ABC):
    """Where bodies run that are sent there, such as `Processes`. Places may be given to several runs at once."""

    @abstractmethod
    async def call(self, call: bytes, asked: RunOnPolicy) -> bytes:
        """What `trioflow.remote.calling.answered(call)` gives in another process.

        A cancellation point: cancelling it ends the body there. Raises `PlaceDied`, `MissingExtra`.
        """
