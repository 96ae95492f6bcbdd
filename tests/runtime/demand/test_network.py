"""Random networks of data nodes: never stale, never twice (promise 2), whatever forks, fails or is cancelled."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from runtime.scripted import ASKED, CANCELLING, KINDS, networks

import trioflow as tf
from trioflow.testing import EventLog, ShuffledSchedule, run_virtual

pytestmark = pytest.mark.unmeasured

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
STANDARD = tf.Registry.standard(plugins=False)
OPTIONS = tf.RunOptions(max_steps=400)


def run(network, seed):
    """Run a network under a schedule; returns log and answers, or None if it grows too large to be of interest."""
    log, services = EventLog(), network.services()
    try:
        run_virtual(
            network.graph(),
            registry=STANDARD,
            observers=[log],
            services=services,
            middleware=[ShuffledSchedule(seed)],
            options=OPTIONS,
        )
    except* tf.LimitExceeded:
        log = None
    return log, services["answers"]


def ended(log):
    return [event.key for event in log if isinstance(event, tf.events.EvaluationCompleted)]


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(networks(ASKED, list(KINDS)), st.lists(st.integers(0, 10_000), min_size=2, max_size=3))
def test_same_answers_under_every_schedule(network, seeds):
    """Each demand gives what its strand's sources say, and the same under every schedule (D4, D5, D8, E5)."""
    seen = []
    for seed in seeds:
        log, answers = run(network, seed)
        if log is None:
            return
        assert log.open() == []
        seen.append((log.trace(), sorted(answers, key=lambda each: each[0])))
    assert all(each == seen[0] for each in seen)


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(networks(ASKED, ["plain", "slow"]), st.integers(0, 10_000))
def test_never_twice(network, seed):
    """No evaluation is made twice from the same cells, in whatever strands it is asked for (D4, D5)."""
    log, _ = run(network, seed)
    if log is not None:
        assert len(ended(log)) == len(set(ended(log)))


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(networks(CANCELLING, list(KINDS)), st.integers(0, 10_000))
def test_never_stale_after_cancellation(network, seed):
    """Whoever is cancelled while it evaluates, the others get what their sources say, and all ends (D5, R5, F2)."""
    log, _ = run(network, seed)
    if log is not None:
        assert log.open() == []
        assert not log.rows("failed")
