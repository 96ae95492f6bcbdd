"""What libraries are asked that wrap functions, and have nothing that runs graphs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[[], Awaitable[Any]]


async def works() -> None:
    """Does nothing, and succeeds."""


def calling(size: int, make: Callable[[], Call]) -> Call:
    """So many calls, one after the other, of what is made in the event loop."""

    async def run() -> None:
        call = make()
        for _ in range(size):
            await call()

    return run
