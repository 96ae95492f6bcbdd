"""Waiting for one's turn: with patience, after which observers are told, and an end, after which it fails (P3, P4)."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence

import attrs
import trio

from trioflow.errors import BudgetExhausted
from trioflow.policies.events import ResourceExhausted, Starving
from trioflow.policies.machines.leases import Holder
from trioflow.runtime.wrapping.invocation import Invocation
from trioflow.semantics.address import show_path

PATIENCE = 30.0
"""Seconds of waiting after which observers are told, unless something else is said."""


@attrs.frozen
class Waiting:
    """How long one waits for something, and what it is."""

    resource: str
    patience: float = PATIENCE
    most: float = math.inf
    rank: int = 1

    async def wait(
        self,
        invocation: Invocation,
        until_turn: Callable[[], Awaitable[None]],
        holders: Callable[[], Sequence[Holder]] = tuple,
    ) -> None:
        """Wait until it is one's turn. `until_turn` may be cancelled, and is then called again.

        Raises `BudgetExhausted` after `most` seconds.
        """
        began = trio.current_time()
        if self.patience < self.most:
            with trio.move_on_after(self.patience):
                await until_turn()
                return
            waited = trio.current_time() - began
            invocation.tell(Starving(self.resource, waited, shown(holders())))
        with trio.CancelScope(deadline=began + self.most):
            await until_turn()
            return
        waited = trio.current_time() - began
        invocation.tell(ResourceExhausted(self.resource, waited))
        raise BudgetExhausted(
            f"Node {invocation.address.name!r} has waited {waited:g} s for {self.resource}, which is as long as it may."
            f"{_who(shown(holders()))} Raise `wait`, or allow more at once.",
            budget=self.resource,
        )


def shown(holders: Sequence[Holder]) -> tuple[str, ...]:
    """The paths of holders, for people; each once."""
    return tuple(dict.fromkeys(show_path([n for n in each[1:] if isinstance(n, int)]) for each in holders))


def _who(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return f" It is held by the activations {', '.join(paths[:5])}{more}."
