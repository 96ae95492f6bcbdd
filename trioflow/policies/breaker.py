"""Breaker: calls are refused for a while when too many have failed (P2)."""

from __future__ import annotations

from collections.abc import Collection

import trio

from trioflow.errors import CircuitOpen
from trioflow.model.policy import BreakerPolicy
from trioflow.policies.events import BreakerAttempted, BreakerBlocked, BreakerChanged
from trioflow.policies.machines.circuit import Circuit, State
from trioflow.policies.state import PolicyState
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan, PlanNode


class Breaker(Middleware):
    """Refuses calls with `CircuitOpen` while it is open (P2).

    It opens when a share of `rate` of at least `calls` within `window` seconds has failed, stays open for `open`
    seconds, then lets exactly `probes` calls through; if all go well it closes, and if one fails it opens again.
    Cancelled calls have neither failed nor gone well. Nodes of one type share a breaker, or all with the same `key`.
    Tells `BreakerChanged`, `BreakerAttempted`, `BreakerBlocked`. `state` is where it remembers; several that get the
    same one share breakers by key.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        rate: float = 0.5,
        calls: int = 10,
        window: float | str = 60.0,
        open: float | str = 30.0,
        probes: int = 3,
        state: PolicyState | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        self._policy = BreakerPolicy(key, rate, calls, window, open, probes)
        self._state = state or PolicyState()
        self.nodes = nodes
        self._key = ""
        self._circuit: Circuit = Circuit(self._policy)

    @classmethod
    def by(cls, policy: BreakerPolicy, state: PolicyState, key: str) -> Breaker:
        """The one of a key, by a policy."""
        breaker = cls.__new__(cls)
        breaker._policy = policy
        breaker._state = state
        breaker._key = key
        breaker._circuit = state.circuit(key, policy)
        return breaker

    def around(self, plan: Plan, node: PlanNode, name: str) -> tuple[Middleware, ...]:
        return (Breaker.by(self._policy, self._state, self._policy.key or node.type.id),)

    async def __call__(self, invocation: Invocation) -> Outcome:
        if invocation.is_kept:
            refused = invocation.refusal("breaker")
            if refused is not None:
                raise self._refused(invocation, *refused)
            if invocation.known:
                return await invocation()
        circuit = self._circuit
        era = circuit.era if circuit.state == "closed" else self._admit(circuit, invocation)
        if invocation.wanted(BreakerAttempted):
            invocation.tell(BreakerAttempted(self._key, circuit.state))
        try:
            outcome = await invocation()
        except Exception:
            before = circuit.state
            circuit.failed(era, trio.current_time())
            if circuit.state != before:
                self._changed(invocation, before)
            raise
        except BaseException:
            circuit.dropped(era)
            raise
        before = circuit.state
        circuit.succeeded(era, trio.current_time())
        if circuit.state != before:
            self._changed(invocation, before)
        return outcome

    def _admit(self, circuit: Circuit, invocation: Invocation) -> int:
        """The era of a call that is let through while the breaker is not closed. Raises `CircuitOpen`."""
        before = circuit.state
        now = trio.current_time()
        era = circuit.admit(now)
        if circuit.state != before:
            self._changed(invocation, before)
        if era is None:
            wait = max(0.0, circuit.until - now)
            why = f"is open for another {wait:.3g} s, since {circuit.why}"
            if circuit.state == "half-open":
                why = f"lets {self._policy.probes} calls through first"
            invocation.refuse("breaker", [wait, why])
            raise self._refused(invocation, wait, why)
        return era

    def _refused(self, invocation: Invocation, retry_after: float, why: str) -> CircuitOpen:
        if invocation.wanted(BreakerBlocked):
            invocation.tell(BreakerBlocked(self._key, self._circuit.state, retry_after))
        name = invocation.address.name
        return CircuitOpen(
            f"Node {name!r} was not run: its breaker ({self._key}) {why}.", key=self._key, retry_after=retry_after
        )

    def _changed(self, invocation: Invocation, before: State) -> None:
        invocation.tell(BreakerChanged(self._key, before, self._circuit.state, self._circuit.why))

    def __repr__(self) -> str:
        return f"Breaker({self._key or self._policy.key or 'by type'})"
