"""Leases on things of which there are so many of each name: places of a limit, shares of a quota (P3, P4).

A request is for some of one thing or of several, and gets all or nothing: when it is the first in the lines of all of
them, and there are enough. So no two wait for what the other has got half of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from trioflow.policies.machines.line import Line

Holder = tuple[object, ...]
"""Whose it is: the run, then the numbers of the activation's path. What is below has the same beginning."""


class Request:
    """Some of each of these things, for a holder. `wake` is called when it is granted after a wait."""

    __slots__ = ("_holder", "amounts", "granted", "known", "wake")

    def __init__(self, holder: Holder | Callable[[], Holder], amounts: Mapping[str, int]) -> None:
        self._holder = holder
        self.amounts = amounts
        self.granted = False
        self.known = False
        """Whether it is among those that are found by their holders."""
        self.wake: Callable[[], None] | None = None

    @property
    def holder(self) -> Holder:
        """Whose it is; found out when that first matters, which it does not as long as nobody waits."""
        if not isinstance(self._holder, tuple):
            self._holder = self._holder()
        return self._holder


class Leases:
    """How many there are of each thing, who has them, and who waits for them."""

    def __init__(self, capacities: Mapping[str, int] | None = None) -> None:
        self.capacities: dict[str, int] = dict(capacities or {})
        self.free: dict[str, int] = dict(self.capacities)
        self._lines: dict[str, Line[Request]] = {}
        self._held: dict[str, dict[Request, None]] = {}
        # How many leases each holder has, by what they are of; but for those that nobody has asked for yet.
        self._holders: dict[Holder, Counter[str]] = {}
        self._unknown: dict[Request, None] = {}

    def offer(self, name: str, capacity: int) -> list[Request]:
        """There are so many of a thing from now on. Returns the requests that are granted by that."""
        self.free[name] = self.free.get(name, 0) + capacity - self.capacities.get(name, 0)
        self.capacities[name] = capacity
        return self._advance([name])

    def above(self, name: str, holder: Holder) -> bool:
        """Whether somebody has one of these of whom this holder is a part: then that is for it, too (P3)."""
        if not self._held.get(name):
            return False
        self._get_to_know()
        return any(name in self._holders.get(holder[:end], ()) for end in range(1, len(holder) + 1))

    def is_held(self, name: str) -> bool:
        """Whether anybody has one of these."""
        return bool(self._held.get(name))

    def ask(self, holder: Holder | Callable[[], Holder], amounts: Mapping[str, int], rank: int) -> Request:
        """A request, which is granted, or waits in line. Who holds something already comes before who does not."""
        request = Request(holder, amounts)
        lines = self._lines
        for name, amount in amounts.items():
            if self.free[name] < amount or lines.get(name):
                break
        else:
            self._grant(request)
            return request
        rank += 10 if self._holds(request.holder) else 0
        for name in sorted(amounts):
            lines.setdefault(name, Line()).join(request, rank)
        self._advance(amounts)
        return request

    def end(self, request: Request) -> list[Request]:
        """Give back what it has got, or wait no more. Returns the requests that are granted by that."""
        if not request.granted:
            for name in request.amounts:
                self._lines[name].leave(request)
            return self._advance(request.amounts)
        request.granted = False
        for name, amount in request.amounts.items():
            self.free[name] += amount
            del self._held[name][request]
        if request.known:
            leases = self._holders[request.holder]
            leases.subtract(request.amounts)
            if not any(leases.values()):
                del self._holders[request.holder]
        else:
            del self._unknown[request]
        return self._advance(request.amounts) if self._lines else []

    def holders(self, names: Iterable[str]) -> list[Holder]:
        """Who has some of these, in the order in which they got them."""
        return [each.holder for name in names for each in self._held.get(name, ())]

    def stuck(self, request: Request) -> bool:
        """Whether it would wait for ever: all that could make room wait themselves, or for each other (P3).

        A holder is stuck if one below it is, for it ends only when that has ended. One that waits is stuck if what
        holders who are not stuck could give back is not enough, or one before it in a line is stuck.
        """
        if not self._holds(request.holder):
            return False  # nobody waits for it
        waiting = dict.fromkeys(each for line in self._lines.values() for each in line.in_order())
        orders = {name: line.in_order() for name, line in self._lines.items()}
        left = True
        while left:
            left = False
            for each in [*waiting]:
                if not self._waits_in_vain(each, waiting, orders):
                    del waiting[each]
                    left = True
        return request in waiting

    def _waits_in_vain(
        self, request: Request, stuck: Mapping[Request, None], orders: Mapping[str, list[Request]]
    ) -> bool:
        for name, amount in request.amounts.items():
            order = orders[name]
            if any(each in stuck for each in order[: order.index(request)]):
                return True
            kept = sum(
                held.amounts[name]
                for held in self._held.get(name, ())
                if any(each.holder[: len(held.holder)] == held.holder for each in stuck)
            )
            if self.capacities[name] - kept < amount:
                return True
        return False

    def _holds(self, holder: Holder) -> bool:
        self._get_to_know()
        return any(holder[:end] in self._holders for end in range(1, len(holder) + 1))

    def _get_to_know(self) -> None:
        for request in self._unknown:
            request.known = True
            self._holders.setdefault(request.holder, Counter()).update(request.amounts)
        self._unknown.clear()

    def _grant(self, request: Request) -> None:
        request.granted = True
        for name, amount in request.amounts.items():
            self.free[name] -= amount
            held = self._held.get(name)
            if held is None:
                held = self._held[name] = {}
            held[request] = None
        request.known = False
        self._unknown[request] = None

    def _advance(self, names: Iterable[str]) -> list[Request]:
        """Grant what can be granted now, the first in their lines first."""
        granted: list[Request] = []
        waiting = [*names]
        for name in waiting:
            line = self._lines.get(name)
            first = line.first() if line else None
            if first is None or first.granted or not self._can_have(first):
                continue
            for each in first.amounts:
                self._lines[each].leave(first)
            self._grant(first)
            granted.append(first)
            waiting += first.amounts
        return granted

    def _can_have(self, request: Request) -> bool:
        return all(
            self.free[name] >= amount and self._lines[name].first() is request
            for name, amount in request.amounts.items()
        )
