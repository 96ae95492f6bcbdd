"""What policies decided belongs to the run: a run that is resumed goes on from there (J23)."""

from __future__ import annotations

import datetime
from typing import Any

import attrs
import pytest
import trio
from durable.graphs import Stop
from durable.test_running import Clock
from trio.testing import MockClock

import trioflow as tf

DONE: list[str] = []
SCRIPT: dict[str, list[str]] = {}
"""What each call of a node comes to, by its name: `fail`, `stop`, and ok when there is nothing left."""


@tf.exec_node(id="policed.act")
async def policed(what: str) -> str:
    comes_to = SCRIPT[what].pop(0) if SCRIPT.get(what) else "ok"
    if comes_to == "stop":
        raise Stop
    DONE.append(what)
    if comes_to == "fail":
        raise OSError(what)
    return what


WHATS = ("a", "b", "c", "d")
REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(policed)


def tries(*whats):
    """Each in turn; its failure is caught."""
    with tf.build(REGISTRY) as g:
        last = g.add("flow.start").then
        for what in whats:
            guard, node = g.add("flow.try"), g.add(policed, what, what=what)
            g.connect(last, guard.enter)
            g.connect(guard.body, node.enter)
            g.connect(guard.catch, g.add("flow.marker").enter)
            last = guard.done
    return g.graph


@attrs.frozen
class Went:
    done: list[str]
    failed: list[str]
    took: float


def go(graph, journal, policies, clock=None, *, until=float("inf")):
    DONE.clear()
    told: list[tf.events.Event] = []
    took = 0.0

    async def main():
        nonlocal took
        services: dict[Any, Any] = {} if clock is None else {tf.Clock: clock}
        try:
            with trio.move_on_after(until):
                await tf.run(
                    graph, journal=journal, run_id="a", registry=REGISTRY, services=services,
                    options=tf.RunOptions(policies=policies), observers=[tf.observe(told.append, kinds=["NodeFailed"])],
                )  # fmt: skip
        finally:
            took = trio.current_time()

    began = MockClock(autojump_threshold=0)
    start = began.current_time()
    try:
        trio.run(main, clock=began)
    except BaseException as error:
        assert isinstance(error, Stop), repr(error)
        journal.steal("a")
    failed = [type(each.error).__name__ for each in told if each.node in WHATS and type(each.error) is not Stop]
    return Went([*DONE], failed, took - start)


def test_it_goes_on_at_the_attempt():
    """J10: and the pauses that were made are not made again."""
    journal, graph = tf.MemoryJournal(), tries("a")
    policies = {"a": tf.Policy(retry=tf.RetryPolicy(attempts=3, delay=100.0, max_delay=1e6, jitter=0.0))}
    SCRIPT["a"] = ["fail", "fail", "stop"]
    assert go(graph, journal, policies) == Went(["a", "a"], [], pytest.approx(300.0, abs=0.1))
    SCRIPT["a"] = ["fail"]
    assert go(graph, journal, policies) == Went(["a"], ["OSError"], pytest.approx(0.0, abs=0.1)), "it was the third"


def test_a_pause_goes_on():
    """J10: what is left of it, by the host's clock."""
    clock, journal, graph = Clock(), tf.MemoryJournal(), tries("a")
    policies = {"a": tf.Policy(retry=tf.RetryPolicy(attempts=2, delay=100.0, max_delay=1e6, jitter=0.0))}
    SCRIPT["a"] = ["fail"]
    assert go(graph, journal, policies, clock, until=50).done == ["a"]
    clock.time += datetime.timedelta(seconds=70)
    assert go(graph, journal, policies, clock) == Went(["a"], [], pytest.approx(30.0, abs=0.1))


@pytest.mark.parametrize(("later", "done", "failed"), [(50, ["c"], ["CircuitOpen"]), (150, ["c", "d"], [])])
def test_an_open_breaker_stays_open(later, done, failed):
    """J23: until its time is over, which goes on while no process has the run."""
    clock, journal, graph = Clock(), tf.MemoryJournal(), tries("a", "b", "c", "d")
    breaker = tf.Policy(breaker=tf.BreakerPolicy(rate=0.5, calls=2, window=1000.0, open=100.0, probes=1))
    policies = dict.fromkeys(("a", "b", "d"), breaker)
    SCRIPT.update(a=["fail"], b=["fail"], c=["stop"])
    assert go(graph, journal, policies, clock) == Went(["a", "b"], ["OSError", "OSError"], pytest.approx(0.0, abs=0.1))
    clock.time += datetime.timedelta(seconds=later)
    assert go(graph, journal, policies, clock) == Went(done, failed, pytest.approx(0.0, abs=0.1))


def test_what_a_breaker_has_counted_is_not_counted_again():
    """J23: attempts that are answered from the journal were counted when they were made."""
    journal, graph = tf.MemoryJournal(), tries("a", "b")
    both = tf.Policy(
        retry=tf.RetryPolicy(attempts=3, delay=1.0),
        breaker=tf.BreakerPolicy(rate=1.0, calls=3, window=1000.0, open=1000.0),
    )
    SCRIPT.update(a=["fail", "stop"], b=[])
    assert go(graph, journal, {"*": both}).done == ["a"]
    SCRIPT["a"] = ["fail"]
    went = go(graph, journal, {"*": both})
    assert (went.done, went.failed) == (["a", "a", "b"], []), "two have failed, and not three"


@pytest.mark.parametrize("stops", [[], ["fail", "stop"], ["fail", "fail", "stop"], "b"])
def test_a_budget_stays_spent(stops):
    """J23: and what was taken out of it is not taken twice, wherever the process dies."""
    journal, graph = tf.MemoryJournal(), tries("a", "b")
    policies = {"*": tf.Policy(retry=tf.RetryPolicy(attempts=9, delay=1.0, budget=2))}
    SCRIPT.update(a=["fail", "fail"], b=["fail"])
    if stops == "b":
        SCRIPT["b"] = ["stop"]
        assert go(graph, journal, policies).done == ["a", "a", "a"]
        SCRIPT["b"] = ["fail"]
    elif stops:
        SCRIPT["a"] = [*stops]
        count = len(go(graph, journal, policies).done)
        SCRIPT["a"] = ["fail", "fail"][count:]
    assert go(graph, journal, policies).failed == ["OSError"], "that of b: a has used up what there was"
    assert DONE[-1] == "b"


def test_what_hosts_share_is_theirs():
    """J23: the state that a host gives to its runs is neither kept nor restored."""
    journal, graph = tf.MemoryJournal(), tries("a", "b")
    state = tf.PolicyState()
    policies = {"*": tf.Policy(quarantine=1)}

    def once(a):
        SCRIPT.update(a=a)
        trio.run(
            lambda: tf.run(
                graph,
                journal=journal,
                run_id="a",
                registry=REGISTRY,
                services={tf.PolicyState: state},
                options=tf.RunOptions(policies=policies),
            )  # fmt: skip
        )

    once(["fail"])
    assert state.failures == {"a": 1}
    assert '"p":' not in "".join(each.data for each in journal.entries("a"))
