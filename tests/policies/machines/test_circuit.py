"""The breaker as a machine, against a naive model that keeps every call (P2)."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import trioflow as tf
from trioflow.policies.machines.circuit import SLICES, TABLE, Circuit


class Naive:
    """Keeps all calls with their times, and counts them anew each time."""

    def __init__(self, policy):
        self.policy = policy
        self.state = "closed"
        self.opened = 0.0
        self.ended = []
        self.era = 0
        self.probes = {}

    def _slice(self, time):
        return int(time * SLICES // self.policy.window)

    def _become(self, state):
        self.state, self.era, self.ended, self.probes = state, self.era + 1, [], {}

    def admit(self, number, now):
        if self.state == "open" and now >= self.opened + self.policy.open:
            self._become("half-open")
        if self.state == "open":
            return False
        if self.state == "half-open":
            if sum(1 for how in self.probes.values() if how != "dropped") >= self.policy.probes:
                return False
            self.probes[number] = "on its way"
        return True

    def end(self, number, era, how, now):
        if era != self.era:
            return
        if self.state == "half-open":
            self.probes[number] = how
            if how == "failed":
                self._become("open")
                self.opened = now
            elif [*self.probes.values()].count("well") == self.policy.probes:
                self._become("closed")
        elif self.state == "closed" and how != "dropped":
            self.ended.append((now, how))
            recent = [each for time, each in self.ended if self._slice(time) > self._slice(now) - SLICES]
            failed = recent.count("failed")
            if how == "failed" and len(recent) >= self.policy.calls and failed >= self.policy.rate * len(recent):
                self._become("open")
                self.opened = now


class BreakerMachine(RuleBasedStateMachine):
    @initialize(
        policy=st.builds(
            tf.BreakerPolicy,
            rate=st.sampled_from([0.2, 0.5, 1.0]), calls=st.integers(1, 4), window=st.sampled_from([1.0, 10.0]),
            open=st.sampled_from([0.0, 1.0, 5.0]), probes=st.integers(1, 3),
        )
    )  # fmt: skip
    def begin(self, policy):
        self.circuit, self.naive = Circuit(policy), Naive(policy)
        self.now, self.numbers, self.running = 0.0, 0, {}

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 10.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def call(self):
        era = self.circuit.admit(self.now)
        assert (era is not None) == self.naive.admit(self.numbers, self.now)
        if era is not None:
            self.running[self.numbers] = (era, self.naive.era)
        self.numbers += 1

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0), how=st.sampled_from(["well", "failed", "dropped"]))
    def ends(self, which, how):
        number = [*self.running][which % len(self.running)]
        era, naive = self.running.pop(number)
        if how == "dropped":
            self.circuit.dropped(era)
        else:
            (self.circuit.succeeded if how == "well" else self.circuit.failed)(era, self.now)
        self.naive.end(number, naive, how, self.now)

    @rule(forward=st.sampled_from([-100.0, 0.0, 1000.0]))
    def kept_and_gone_on_with(self, forward):
        """As data it remembers the same on another clock; probes on their way are dropped."""
        circuit = self.circuit
        data = circuit.as_data(self.now)
        again = Circuit.of_data(circuit.policy, data, self.now + forward)
        assert again.until - forward == pytest.approx(circuit.until)
        assert (again.state, again.calls, again.failures) == (circuit.state, circuit.calls, circuit.failures)

    @invariant()
    def the_same(self):
        if hasattr(self, "circuit"):
            assert self.circuit.state == self.naive.state
            assert self.circuit.probing >= 0
            assert self.circuit.probing + self.circuit.passed <= self.circuit.policy.probes


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_the_table_has_every_change():
    """From each state there is a way on, and every state is reached."""
    assert {state for state, _ in TABLE} == {*TABLE.values()} == {"closed", "open", "half-open"}


def test_by_hand():
    """Opens at half of four, waits, tries two, closes; counts what is in the window only."""
    circuit = Circuit(tf.BreakerPolicy(calls=4, window=10, open=5, probes=2))
    for time in (0, 1, 2):
        circuit.failed(circuit.admit(time), time)
    assert circuit.state == "closed"
    circuit.succeeded(0, 11)  # the failures at 0 and 1 are forgotten
    assert (circuit.calls, circuit.failures) == (2, 1)
    circuit.failed(0, 11)
    circuit.failed(0, 11)
    assert (circuit.state, circuit.until) == ("open", 16)
    assert circuit.admit(15.9) is None
    assert [circuit.admit(16) for _ in range(3)] == [2, 2, None]
    circuit.failed(0, 16)  # from an earlier era
    circuit.dropped(2)
    assert circuit.admit(16) == 2
    circuit.succeeded(2, 17)
    circuit.succeeded(2, 17)
    assert (circuit.state, circuit.era) == ("closed", 3)
