"""Time limits: of one attempt, or of all together (P5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from trioflow.errors import NodeTimeout
from trioflow.model.policy import time_of
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware


class TimeLimit(Middleware):
    """Cancels an activation or evaluation, with all below it, after `seconds`, and raises `NodeTimeout` instead (P5).

    `seconds` may also be a text such as `"30s"`. What it is around counts: outside a retry it is for all attempts
    together, inside it is for each, which `limit="attempt"` says in the error. `nodes`: names and patterns of the
    nodes that it is for; None for every node.
    """

    def __init__(
        self,
        seconds: float | str,
        *,
        limit: Literal["attempt", "total"] = "total",
        nodes: Collection[str] | None = None,
    ) -> None:
        self._seconds: float = time_of(seconds)
        self._limit: Literal["attempt", "total"] = limit
        self.nodes = nodes

    async def __call__(self, invocation: Invocation) -> Outcome:
        with invocation.time_limit(self._seconds, self._limit):
            return await invocation()
        name = invocation.address.name
        what = f"An attempt of node {name!r}" if self._limit == "attempt" else f"Node {name!r}"
        raise NodeTimeout(
            f"{what} took longer than its time limit of {self._seconds:g} s.", limit=self._limit, seconds=self._seconds
        )

    def __repr__(self) -> str:
        return f"TimeLimit({self._seconds:g})"
