"""The token bucket and its line, against a naive model that counts tokens (P3, P7)."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trioflow.policies.machines.line import Line
from trioflow.policies.machines.turnstile import Ticket, Turnstile


class Naive:
    """Counts tokens, in fractions, and sorts who waits whenever it is asked."""

    def __init__(self, rate, capacity):
        self.rate, self.capacity = Fraction(rate), Fraction(capacity)
        self.tokens, self.at = Fraction(capacity), Fraction(0)
        self.waiting = []

    def come_together(self, now):
        self.tokens = min(self.capacity, self.tokens + (Fraction(now) - self.at) * self.rate)
        self.at = Fraction(now)

    def take(self, cost, now):
        self.come_together(now)
        if self.tokens < Fraction(cost):
            return False
        self.tokens -= Fraction(cost)
        return True


class TurnstileMachine(RuleBasedStateMachine):
    """Numbers are such that floats hold them exactly."""

    @initialize(rate=st.sampled_from([0.25, 1, 8]), capacity=st.sampled_from([1, 2, 4]))
    def begin(self, rate, capacity):
        self.turnstile, self.naive = Turnstile(rate, capacity), Naive(rate, capacity)
        self.now, self.numbers = 0.0, 0

    @rule(seconds=st.sampled_from([0.0, 0.125, 0.5, 2.0, 64.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(cost=st.sampled_from([0.5, 1.0]), rank=st.integers(0, 3))
    def arrives(self, cost, rank):
        ticket = self.turnstile.arrive(cost, rank, self.now)
        through = not self.naive.waiting and self.naive.take(cost, self.now)
        assert (ticket is None) == through
        if ticket is not None:
            self.naive.waiting.append((-rank, self.numbers, ticket))
            self.naive.waiting.sort(key=lambda each: each[:2])
        self.numbers += 1

    @precondition(lambda self: self.naive.waiting)
    @rule(which=st.integers(0))
    def tries_to_go(self, which):
        place = which % len(self.naive.waiting)
        ticket = self.naive.waiting[place][2]
        goes = place == 0 and self.naive.take(ticket.cost, self.now)
        assert self.turnstile.go(ticket, self.now) == goes
        if goes:
            del self.naive.waiting[0]

    @precondition(lambda self: self.naive.waiting)
    @rule(which=st.integers(0))
    def gives_up(self, which):
        _, _, ticket = self.naive.waiting.pop(which % len(self.naive.waiting))
        self.turnstile.leave(ticket)

    @rule(rate=st.sampled_from([0.25, 1, 8]))
    def another_rate(self, rate):
        self.naive.come_together(self.now)
        self.naive.rate = Fraction(rate)
        self.turnstile.change(rate, self.now)

    @invariant()
    def the_same(self):
        if hasattr(self, "naive"):
            waiting = [ticket for _, _, ticket in self.naive.waiting]
            assert self.turnstile.line.in_order() == waiting
            assert self.turnstile.line.first() is (waiting[0] if waiting else None)
            if waiting:
                self.naive.come_together(self.now)
                missing = max(Fraction(0), Fraction(waiting[0].cost) - self.naive.tokens)
                assert max(self.now, self.turnstile.ready_at(waiting[0])) == self.now + missing / self.naive.rate


TestTurnstile = TurnstileMachine.TestCase
TestTurnstile.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_closed_and_open_again():
    """At a rate of 0 nobody passes; what has come together before is there afterwards."""
    turnstile = Turnstile(2, 4)
    assert turnstile.arrive(3, 0, 10) is None
    turnstile.change(0, 10)
    ticket = turnstile.arrive(1, 0, 10)
    assert isinstance(ticket, Ticket)
    assert turnstile.ready_at(ticket) == math.inf
    assert not turnstile.go(ticket, 1000)
    turnstile.change(0, 1000)
    turnstile.change(2, 1000)
    assert turnstile.go(ticket, 1000)
    assert turnstile.ready_at(Ticket(1)) == 1000.5


class Counted(int):
    """A rank that counts how often it is compared."""

    compared = 0

    def __neg__(self):
        return Counted(-int(self))

    def __eq__(self, other):
        Counted.compared += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


def test_10_000_who_wait_cost_log_n():
    """Joining, leaving from anywhere and letting the first go compare no more than twice the logarithm."""
    many = 10_000
    line: Line[Ticket] = Line()
    tickets = [Ticket(1) for _ in range(many)]
    Counted.compared = 0
    for number, ticket in enumerate(tickets):
        line.join(ticket, Counted(number % 4))
    for ticket in tickets[::2]:
        line.leave(ticket)
    for _ in range(many // 2):
        first = line.first()
        assert first is not None
        line.leave(first)
    assert line.first() is None
    assert not line
    assert many < Counted.compared < 2 * many * math.log2(many)


@pytest.mark.parametrize("ranks", [(1, 1, 1), (0, 3, 1), (2, 2, 3)])
def test_order(ranks):
    """The highest first, then who came first."""
    line: Line[str] = Line()
    names = [f"{place} {rank}" for place, rank in enumerate(ranks)]
    for name, rank in zip(names, ranks, strict=True):
        line.join(name, rank)
    assert line.in_order() == sorted(names, key=lambda name: -int(name[-1]))
