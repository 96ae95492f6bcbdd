"""Leases of several things by several holders, against a naive model; who is stuck (P3, P4)."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trioflow.policies.machines.leases import Leases

NAMES = "abc"


class LeasesMachine(RuleBasedStateMachine):
    """The naive model looks through all who wait, in order, until nobody can be granted anything."""

    @initialize(capacities=st.fixed_dictionaries({name: st.integers(1, 3) for name in NAMES}))
    def begin(self, capacities):
        self.leases = Leases(capacities)
        self.capacities = dict(capacities)
        self.waiting, self.granted, self.numbers = [], [], 0

    def free(self, name):
        return self.capacities[name] - sum(each.amounts.get(name, 0) for each in self.granted)

    def settle(self):
        """Grant by hand; a request waits for whoever is before it in any of its lines."""
        now = []
        changed = True
        while changed:
            changed = False
            ahead: set[str] = set()
            for place, (_, _, each) in enumerate(self.waiting):
                if ahead.isdisjoint(each.amounts) and all(self.free(n) >= a for n, a in each.amounts.items()):
                    del self.waiting[place]
                    self.granted.append(each)
                    now.append(each)
                    changed = True
                    break
                ahead |= {*each.amounts}
        return now

    @rule(
        amounts=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), min_size=1),
        rank=st.integers(0, 3),
        path=st.lists(st.integers(0, 1), max_size=3),
    )
    def asks(self, amounts, rank, path):
        holder = ("run", *path)
        holds = any(holder[: len(each.holder)] == each.holder for each in self.granted)
        request = self.leases.ask(holder, amounts, rank)
        self.waiting.append((-rank - (10 if holds else 0), self.numbers, request))
        self.waiting.sort(key=lambda each: each[:2])
        self.numbers += 1
        granted = self.settle()
        assert request.granted == (request in granted)

    @precondition(lambda self: self.waiting or self.granted)
    @rule(which=st.integers(0))
    def ends(self, which):
        every = [*self.granted, *(each for _, _, each in self.waiting)]
        request = every[which % len(every)]
        if request in self.granted:
            self.granted.remove(request)
        self.waiting = [each for each in self.waiting if each[2] is not request]
        granted = self.leases.end(request)
        assert {id(each) for each in granted} == {id(each) for each in self.settle()}

    @rule(name=st.sampled_from(NAMES), capacity=st.integers(1, 4))
    def there_are_others(self, name, capacity):
        self.capacities[name] = capacity
        assert {id(each) for each in self.leases.offer(name, capacity)} == {id(each) for each in self.settle()}

    @invariant()
    def the_same(self):
        if hasattr(self, "leases"):
            assert all(each.granted for each in self.granted)
            assert not any(each.granted for _, _, each in self.waiting)
            assert self.leases.free == {name: self.free(name) for name in NAMES}


TestLeases = LeasesMachine.TestCase
TestLeases.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_nothing_is_left_behind():
    """When all has ended, nobody holds anything, and nobody is remembered."""
    leases = Leases({"a": 1, "b": 2})
    requests = [leases.ask(("run", place), {"a": 1, "b": 1}, 0) for place in range(3)]
    assert [each.granted for each in requests] == [True, False, False]
    assert leases.holders(["a", "b"]) == [("run", 0), ("run", 0)]
    for each in requests:
        leases.end(each)
    assert (leases.free, leases._holders, [*leases._held.values()]) == ({"a": 1, "b": 2}, {}, [{}, {}])
    assert not any(leases._lines.values())


def test_who_is_above():
    """What an activation has is for all below it."""
    leases = Leases({"a": 1})
    leases.ask(("run", 0, 1), {"a": 1}, 0)
    assert leases.above("a", ("run", 0, 1, 5))
    assert not leases.above("a", ("run", 0, 2))
    assert not leases.above("a", ("other run", 0, 1, 5))
    assert not leases.above("b", ("run", 0, 1, 5))


def test_two_that_wait_for_each_other():
    """The second of them is stuck: the first waits for what it holds. Who holds nothing is not."""
    leases = Leases({"a": 1, "b": 1})
    leases.ask(("run", 0), {"a": 1}, 0)
    leases.ask(("run", 1), {"b": 1}, 0)
    first = leases.ask(("run", 0, 0), {"b": 1}, 0)
    assert not leases.stuck(first)
    other = leases.ask(("run", 2), {"a": 1}, 0)
    assert not leases.stuck(other)
    second = leases.ask(("run", 1, 0), {"a": 1}, 0)
    assert leases.stuck(second)
    leases.end(second)
    assert not leases.stuck(first)


def test_one_that_waits_for_itself():
    """More of something than there is beside what it has itself."""
    leases = Leases({"a": 3})
    leases.ask(("run", 0), {"a": 2}, 0)
    assert leases.stuck(leases.ask(("run", 0, 7), {"a": 2}, 0))


def test_not_stuck_while_somebody_can_make_room():
    """One holder that does not wait is enough, where one place is enough."""
    leases = Leases({"a": 2, "b": 1})
    leases.ask(("run", 0), {"a": 1}, 0)
    busy = leases.ask(("run", 1), {"a": 1}, 0)
    leases.ask(("run", 2), {"b": 1}, 0)
    assert not leases.stuck(leases.ask(("run", 0, 0), {"b": 1}, 0))
    waits = leases.ask(("run", 2, 0), {"a": 1}, 0)
    assert not leases.stuck(waits)
    leases.end(busy)
    assert waits.granted


def test_who_holds_something_comes_first():
    """Otherwise one that needs a little more could wait for one that needs much."""
    leases = Leases({"a": 2})
    leases.ask(("run", 0), {"a": 1}, 0)
    leases.ask(("run", 1), {"a": 2}, 3)
    more = leases.ask(("run", 0, 0), {"a": 1}, 0)
    assert more.granted


def test_waiting_behind_somebody_who_is_stuck():
    """Whoever is behind one in line that is stuck, is stuck too."""
    leases = Leases({"a": 2, "b": 1})
    leases.ask(("run", 0), {"a": 1}, 0)
    leases.ask(("run", 1), {"b": 1}, 0)
    leases.ask(("run", 1, 0), {"a": 2}, 0)
    behind = leases.ask(("run", 0, 0), {"a": 1, "b": 1}, 0)
    assert leases.stuck(behind)
