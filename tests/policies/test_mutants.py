"""Each rule of policies, broken in a small way, is noticed by what a graph then does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import trio
from policies.flaky import calling, log
from policies.test_breaker import QUICK, calls
from policies.test_limit import at_once, nested
from policies.test_rate import many
from policies.test_saga import Fails, book, cancel, no_money, step, trip

import trioflow as tf
from trioflow.conformance.mutants import Mutant
from trioflow.policies.breaker import Breaker
from trioflow.policies.fallback import Fallback
from trioflow.policies.limit import Limit
from trioflow.policies.machines import backoff
from trioflow.policies.machines.circuit import Circuit
from trioflow.policies.machines.leases import Leases
from trioflow.policies.machines.line import Line
from trioflow.policies.machines.throttle import Throttle
from trioflow.policies.machines.turnstile import Turnstile
from trioflow.policies.quarantine import Quarantine
from trioflow.policies.retry import Retry
from trioflow.policies.saga import Saga, Sagas, Step
from trioflow.policies.state import PolicyState
from trioflow.policies.timeout import TimeLimit
from trioflow.policies.waiting import Waiting
from trioflow.runtime.host.given import given
from trioflow.semantics.policies import check, ladder
from trioflow.testing import EventLog, run_virtual

Probe = Callable[[], Any]


def seen(graph, script=(), **arguments):
    """All that can be seen of a run: what is told, how it ends, and what is left."""
    told = EventLog()
    state = tf.PolicyState(quota={"gpu": 2, "disk": 1})
    services = {"script": [*script], tf.PolicyState: state}
    try:
        result = run_virtual(
            graph, observers=[told], services=services, options=tf.RunOptions(timeout=1000), **arguments
        )
        ended: Any = dict(result.variables)
    except Exception as error:
        ended = f"{type(error).__name__}: {error}"
    rows = sorted(log(told, digits=2), key=str)  # what happens at the same moment has no order
    return [*rows, ended, state.as_data(0.0), state.leases.free]


def retried():
    on = tf.RetryPolicy(3, on=[OSError], not_on=["ConnectionError"], max_delay=1.5)
    few = tf.RetryPolicy(9, budget=2)
    return [*(seen(calling(retry=on), script) for script in SCRIPTS), seen(calling(retry=few), SCRIPTS[0])]


SCRIPTS = (
    [OSError("a"), OSError("b"), OSError("c"), OSError("d")],
    [ExceptionGroup("g", [OSError("a"), ValueError("b")])],
    [ExceptionGroup("g", [OSError("a"), ConnectionError("b")])],
    [OSError("a"), ConnectionError("b")],
)


class Late(OSError):
    retry_after = 2.5


def asked():
    policy = tf.RetryPolicy(3, max_delay=3, jitter=0)
    never = Late("b")
    never.retry_after = 9
    return [seen(calling(retry=policy), [Late("a")]), seen(calling(retry=policy), [never])]


def broken():
    return seen(calls(14, breaker=QUICK), [None, OSError("a"), OSError("b")])


def probing():
    """Many at once come to a breaker that is half-open; some are cancelled."""
    circuit = Circuit(tf.BreakerPolicy(calls=1, open=0, probes=3))
    circuit.failed(0, 0.0)
    eras = [circuit.admit(1.0) for _ in range(9)]
    circuit.dropped(2)
    circuit.failed(0, 1.0)
    again = [circuit.admit(1.0) for _ in range(3)]
    circuit.failed(2, 1.0)
    return eras, again, circuit.state


def windowed():
    """Two failures that are further apart than the window."""
    circuit = Circuit(tf.BreakerPolicy(calls=2, window=10))
    circuit.failed(0, 0.0)
    circuit.failed(0, 20.0)
    return circuit.state, circuit.calls


def held():
    """One that holds something asks for more, behind one that needs all."""
    leases = Leases({"a": 2})
    leases.ask(("run", 0), {"a": 1}, 0)
    leases.ask(("run", 1), {"a": 2}, 3)
    return leases.ask(("run", 0, 0), {"a": 1}, 0).granted


def sees_attempts():
    """What a middleware of the host sees of a node that is tried again."""
    addresses = []

    class Sees(tf.Middleware):
        nodes = ("call",)

        async def __call__(self, invocation):
            addresses.append(str(invocation.address))
            return await invocation()

    seen(calling(retry=tf.RetryPolicy(2, jitter=0)), [OSError("a")], middleware=[Sees()])
    return addresses


def cancelled_probe():
    """A call that is cancelled from outside while a breaker is closed, and one while it probes."""
    state = tf.PolicyState()

    async def main():
        breaker = tf.Breaker(calls=1, open=1, probes=1, key="k", state=state, nodes=["call"])
        for seconds in (0.5, 0.5):
            with trio.move_on_after(seconds), contextlib.suppress(tf.CircuitOpen):
                await tf.run(calling(), services={"script": [5]}, middleware=[breaker])

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return state.as_data(0.0)


def limited():
    one, two = {"limit": tf.LimitPolicy(1, key="one")}, {"limit": tf.LimitPolicy(1, key="two")}
    return [
        seen(at_once(3, 1, 1, 1, limit=2)),
        seen(at_once({}, {"priority": "low"}, {"priority": "critical"}, limit=1)),
        seen(nested([one, two], [two, one])),
        seen(nested([{"limit": 1}] * 2, [{"limit": 1}] * 2)),
        seen(at_once(9, 1, limit=tf.LimitPolicy(1, wait=5), patience=2, skip=True)),
    ]


def leased():
    both, gpu = {"quota": {"gpu": 2, "disk": 1}}, {"quota": {"gpu": 1}}
    return [seen(at_once(gpu, both, gpu, gpu)), seen(nested([gpu] * 2, [gpu] * 2))]


def rated():
    rate = tf.RatePolicy("1/s", burst=1.5, wait=9)
    return seen(many("normal", "low", "normal", "high", "critical", rate=rate, patience=1))


def throttled():
    throttle = Throttle(8)
    return [
        throttle.failed(0),
        throttle.failed(0),
        throttle.limit,
        [throttle.succeeded() for _ in range(5)],
        throttle.limit,
    ]


def replaced():
    return [
        seen(calling(fallback="stored", retry=tf.RetryPolicy(2, jitter=0)), [OSError("a"), OSError("b")]),
        seen(calling(timeout=4, attempt_timeout=2, retry=tf.RetryPolicy(9, jitter=0), fallback="stored"), [5, 5, 5]),
        seen(calls(4, quarantine=2, skip=None, fallback=tf.FallbackPolicy(exit="then")), [OSError("a")] * 2),
        seen(calling(quarantine=1, skip=True), [OSError("a")]),
    ]


def quarantined():
    quarantine = tf.Quarantine(2, nodes=["call"])
    return [seen(calling(), [OSError("a")], middleware=[quarantine]) for _ in range(4)]


def laddered():
    graph = calling(retry=tf.RetryPolicy(2, jitter=0))
    run = tf.RunOptions(policies={"*": tf.Policy(retry=1, skip=True), "call": tf.Policy(skip=False)})
    told = EventLog()
    try:
        run_virtual(graph, observers=[told], services={"script": [OSError("a"), OSError("b")]}, options=run)
    except OSError as error:
        return [*log(told), str(error)]
    return log(told)


def remembered():
    state = tf.PolicyState()
    state.restore(
        {"circuits": {}, "full_at": {"k": 5.0}, "throttles": {"k": 2}, "budgets": {"k": 3}, "failures": {}}, 1.0
    )
    rate, retry = tf.RatePolicy("1/s"), tf.RetryPolicy(budget=3)
    return state.turnstile("k", rate).full_at, state.throttle("k", 4).limit, state.budget("k", retry).take()


def in_sagas(*, fork=False, two=False):
    """A saga with another in its body, or with two at once, whose body fails in the end."""
    with tf.build() as g:
        start, outer, inner = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "outer"), g.add(tf.nodes.Saga, "inner")
        g.connect(start.then, outer.enter)
        before = outer.body
        if fork:
            parallel = g.add("flow.parallel")
            g.connect(before, parallel.enter)
            step(g, parallel.a, "slow", seconds=0.3)
            step(g, parallel.b, "fast")
            before = parallel.done
        g.connect(step(g, before, "train"), inner.enter)
        step(g, inner.body, "hotel")
        g.connect(inner.then, g.add(Fails, "pay").enter)
        if two:
            g.connect(outer.then, g.add(Fails, "later").enter)
        g.connect(outer.failed, g.add(tf.nodes.Marker).enter)
    return g.graph


def undone(graph, until=1000.0, **services):
    """What was done and undone, what was told, and with what it ended."""
    told, journal = EventLog(), []

    async def main():
        with trio.move_on_after(until):
            await tf.run(graph, services={list: journal, **no_money(), **services}, observers=[told])

    ended = ""
    try:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    except Exception as error:
        ended = f"{error!r} {getattr(error, '__notes__', '')}"
    return [journal, ended, [(e.undone, e.where, e.by, repr(e.error)) for e in told if isinstance(e, tf.Undone)]]


def rounds():
    """Rounds of a loop, and then a saga that fails by itself, before which all went well."""
    with tf.build() as g:
        start, saga, each = g.add(tf.nodes.Start), g.add(tf.nodes.Saga), g.add("flow.for_each", items=["a", "b"])
        inner = g.add(tf.nodes.Saga, "inner")
        g.connect(start.then, saga.enter)
        g.connect(saga.body, each.enter)
        node = g.add(book, "it", what=each.item)
        g.add(cancel, "not it", what=node.result)
        g.configure(node, undo="not it")
        g.connect(each.body, node.enter)
        g.connect(node.then, inner.enter)
        g.connect(step(g, inner.body, "hotel"), g.add(Fails, "pay").enter)
        g.connect(inner.failed, g.add(tf.nodes.Marker).enter)
        g.connect(each.done, g.add(Fails, "later").enter)
        g.connect(saga.failed, g.add(tf.nodes.Marker).enter)
    return g.graph


def saved():
    return [
        undone(trip("train", "boat", wired=False)), undone(trip("train"), failures=[]),
        undone(in_sagas()), undone(in_sagas(fork=True)), undone(in_sagas(two=True), failures=[OSError("later")]),
        undone(rounds(), failures=[OSError("c"), OSError("b"), OSError("a")]), undone(rounds(), failures=[OSError("a")]),
        undone(trip("train", "hotel"), 0.2), undone(trip("train", "hotel"), 1.7),
        undone(trip("train", retry=tf.RetryPolicy(2, jitter=0)), failures=[OSError("a")]),
    ]  # fmt: skip


MUTANTS: list[tuple[Mutant, Probe]] = [
    (Mutant("p1_one_attempt_more", "P1", "", ((Retry._delay, "attempt >= policy.attempts", "attempt > policy.attempts"),)), retried),
    (Mutant("p1_any_of_a_group", "P1", "", ((Retry._applies, "return all(", "return any("),)), retried),
    (Mutant("p1_not_on_is_ignored", "P1", "", ((Retry._applies, "any(map(self._not_on, found))", "False"),)), retried),
    (Mutant("p1_grows_at_once", "P1", "", ((backoff.delay_after, "(attempt - 1)", "attempt"),)), retried),
    (Mutant("p1_one_sided", "P1", "", ((backoff.delay_after, "(2 * chance - 1)", "chance"),)), retried),
    (Mutant("p1_no_limit", "P1", "", ((backoff.delay_after, "min(policy.max_delay, grown)", "grown"),)), retried),
    (Mutant("p1_chance_forgets_the_attempt", "P1", "", ((Retry._delay, "/retry {attempt}", "/retry"),)), retried),
    (Mutant("p1_budget_is_endless", "P1", "", ((backoff.RetryBudget.take, "self.used += 1", "self.used += 0"),)), retried),
    (Mutant("p1_earlier_than_asked", "P1", "", ((Retry._delay, "max(delay, asked)", "delay"),)), asked),
    (Mutant("p1_waits_for_too_long", "P1", "", ((Retry._delay, "asked > policy.max_delay", "False"),)), asked),
    (Mutant("p2_one_failure_more", "P2", "", ((Circuit.failed, ">= policy.rate", "> policy.rate"),)), broken),
    (Mutant("p2_one_call_more", "P2", "", ((Circuit.failed, "self.calls >= policy.calls", "self.calls > policy.calls"),)), broken),
    (Mutant("p2_one_probe_more", "P2", "", ((Circuit.admit, ">= self.policy.probes", "> self.policy.probes"),)), probing),
    (Mutant("p2_a_dropped_probe_is_gone", "P2", "", ((Circuit.dropped, "self.probing -= 1", "pass"),)), probing),
    (Mutant("p2_old_calls_count", "P2", "", ((Circuit.failed, "era != self.era", "False"),)), probing),
    (Mutant("p2_one_good_probe_is_enough", "P2", "", ((Circuit.succeeded, "self.passed == self.policy.probes", "self.passed"),)), broken),
    (Mutant("p2_nothing_is_forgotten", "P2", "", ((Circuit._count, "<= number - SLICES", "< -1"),)), windowed),
    (Mutant("p2_cancelled_is_failed", "P2", "", ((Breaker.__call__, "circuit.dropped(era)", "circuit.failed(era, 0.0)"),)), cancelled_probe),
    (Mutant("p3_one_more_at_once", "P3", "", ((Leases.ask, "self.free[name] < amount", "self.free[name] < 0"),)), limited),
    (Mutant("p3_a_place_for_each", "P3", "", ((Limit.__call__, "leases.above(self._name, holder())", "False"),)), limited),
    (Mutant("p3_deadlocks_wait", "P3", "", ((Leases.stuck, "return request in waiting", "return False"),)), limited),
    (Mutant("p3_everybody_is_stuck", "P3", "", ((Leases.stuck, "return False  # nobody waits for it", "return True"),)), limited),
    (Mutant("p3_places_are_lost", "P3", "", ((Leases.end, "self.free[name] += amount", "pass"),)), limited),
    (Mutant("p3_waits_for_ever", "P3", "", ((Waiting.wait, "began + self.most", "math.inf"),)), limited),
    (Mutant("p3_costs_nothing", "P3", "", ((Turnstile._take, "+ cost / rate", ""),)), rated),
    (Mutant("p3_tokens_pile_up", "P3", "", ((Turnstile._take, "max(self.full_at, now)", "self.full_at"),)), rated),
    (Mutant("p3_every_failure_halves", "P3", "", ((Throttle.failed, "era != self.era or", ""),)), throttled),
    (Mutant("p3_never_raised", "P3", "", ((Throttle.succeeded, "self.limit += 1", "pass"),)), throttled),
    (Mutant("p4_half_of_it", "P4", "", ((Leases._can_have, "return all(", "return any("),)), leased),
    (Mutant("p4_nobody_starves", "P4", "", ((Waiting.wait, "invocation.tell(Starving(", "str(Starving("),)), limited),
    (Mutant("p5_which_limit_it_was", "P5", "", ((TimeLimit.__call__, 'self._limit == "attempt"', "False"),)), replaced),
    (Mutant("p5_without_the_failure", "P5", "", ((Fallback._inputs, '"error" in target', '"eror" in target'),)), replaced),
    (Mutant("p5_without_its_inputs", "P5", "", ((Fallback._inputs, "if name in target", "if name not in target"),)), replaced),
    (Mutant("p5_never_in_quarantine", "P5", "", ((Quarantine.__call__, ">= self._most", "> 99"),)), quarantined),
    (Mutant("p6_it_is_not_told", "P6", "", ((Quarantine.__call__, "failures[name] == self._most", "False"),)), quarantined),
    (Mutant("p6_tokens_come_back", "P6", "", ((PolicyState.turnstile, "kept + self._kept_at", "self._kept_at"),)), remembered),
    (Mutant("p6_budgets_come_back", "P6", "", ((PolicyState.budget, "RetryBudget(policy.budget, used)", "RetryBudget(policy.budget)"),)), remembered),
    (Mutant("p7_last_come_first_served", "P7", "", ((Line.join, "(-rank, number, one)", "(-rank, -number, one)"),)), rated),
    (Mutant("p7_the_lowest_first", "P7", "", ((Line.join, "(-rank, number, one)", "(rank, number, one)"),)), rated),
    (Mutant("p7_all_cost_the_same", "P7", "", ((check.cost, "* COST[priority]", ""),)), rated),
    (Mutant("p7_who_holds_waits", "P7", "", ((Leases.ask, "10 if self._holds(request.holder) else 0", "0"),)), held),
    (Mutant("p8_the_run_comes_first", "P8", "", ((ladder._rungs, 'Rung("node", name, node.policy)', 'Rung("node", name, given.get("*", node.policy))'),)), laddered),
    (Mutant("p8_the_host_is_outside", "P8", "", ((given, "(*outside, *made.middleware, *inside)", "(*made.middleware, *outside, *inside)"),)), sees_attempts),
    (Mutant("p8_patterns_before_names", "P8", "", ((ladder._rungs, "if name in given:", "if name in given and len(given) < 2:"),)), laddered),
    (Mutant("p9_the_first_first", "P9", "", ((Sagas.end, "reverse=True", "reverse=False"),)), saved),
    (Mutant("p9_by_the_clock", "P9", "", ((Sagas.end, "sorted(self._open.pop(place), key=_order, reverse=True)", "self._open.pop(place)[::-1]"),)), saved),
    (Mutant("p9_of_another_saga", "P9", "", ((Sagas.note, "range(len(path) - 1, 0, -1)", "range(1, len(path))"),)), saved),
    (Mutant("p9_done_is_done", "P9", "", ((Saga.__call__, "self._sagas.note(place, done)", "pass"),)), saved),
    (Mutant("p9_undone_though_all_went_well", "P9", "", ((Saga.__call__, 'outcome.exit == "failed"', 'outcome.exit != "failed"'), (Saga.__call__, 'outcome.outputs["error"]', 'outcome.outputs.get("error") or OSError()'))), saved),
    (Mutant("p9_only_where_nobody_says", "P9", "", ((Saga.__call__, "failure = outcome.outputs", "outcome.outputs"),)), saved),
    (Mutant("p9_for_ever", "P9", "", ((Saga._undo, "done.pop(0)", "done.pop()"),)), saved),
    (Mutant("p9_without_its_values", "P9", "", ((Step.__call__, "if output in written", "if not written"),)), saved),
    (Mutant("p9_one_failure_ends_it", "P9", "", ((Saga._undo_one, "caught = error", "raise"),)), saved),
    (Mutant("p9_it_is_not_told", "P9", "", ((Saga._undo_one, "invocation.tell(", "str("),)), saved),
    (Mutant("p9_nobody_gets_to_know", "P9", "", ((Saga._undo_one, "failure,", "OSError(),"),)), saved),
]  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize(("mutant", "probe"), MUTANTS, ids=[each.name for each, _ in MUTANTS])
def test_noticed(mutant, probe):
    """What a run does is another thing when a rule is broken, and the same again afterwards."""
    whole = probe()
    with mutant.alive():
        assert probe() != whole
    assert probe() == whole
