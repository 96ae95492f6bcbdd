"""Every run in a test is watched: whatever it is about, each activation closes exactly once (E1)."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import trio
from hypothesis import Phase, settings
from trio.testing import MockClock

import trioflow as tf
from trioflow.model import secret
from trioflow.testing import EventLog, run_virtual

# How long one drawn case takes says something about how busy the machine is, not about what is tested.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
# For `make mutation`: a failure is enough, the smallest example of it is not needed.
settings.register_profile(
    "mutation",
    phases=[Phase.explicit, Phase.generate],
    max_examples=30,
    database=None,
    derandomize=True,
    deadline=None,
)


MEASURING_CHILDREN = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""What tells a process that it is to measure itself."""


def pytest_collection_finish() -> None:
    """What has been imported and collected stays until the end: Python's collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tests marked `unmeasured` run without coverage, and so do the processes that they start."""
    coverage = sys.modules.get("coverage")
    measured = coverage and item.get_closest_marker("unmeasured") and coverage.Coverage.current()
    if not measured:
        return (yield)
    inherited = {name: os.environ.pop(name) for name in MEASURING_CHILDREN if name in os.environ}
    measured.stop()
    try:
        return (yield)
    finally:
        with warnings.catch_warnings(action="ignore"):  # that what is measured has been imported before
            measured.start()
        os.environ.update(inherited)


@pytest.fixture(scope="session", autouse=True)
def children_hear_ctrl_c() -> None:
    """What tests start hears Ctrl-C even where they were told to ignore it: by `nohup`, or `&` in a script.

    That is inherited, and a handler is not. This one does nothing: whoever ignores Ctrl-C goes on to.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


@pytest.fixture(autouse=True)
def as_deep_as_before() -> Generator[None]:
    """No test leaves Python another limit of recursion than it had: others may ask for what is too deep."""
    deepest = sys.getrecursionlimit()
    yield
    assert sys.getrecursionlimit() == deepest


@pytest.fixture(autouse=True)
def secrets_are_forgotten() -> Generator[None]:
    """What one test was told in secret is not hidden from others: a value of one letter is in many texts."""
    yield
    secret._revealed.clear()


@pytest.fixture(scope="session", autouse=True)
def virtual_clocks_wait_for_threads() -> None:
    """A virtual clock does not jump over what is written in a thread meanwhile: a slow disk is no reason to time out.

    What waits for something else than a disk, in a thread of its own, is waited for half a second, and no longer.
    """
    jump = MockClock._autojump
    # By clock: what was under way in threads when it was asked last, and since when it is just that.
    seen: WeakKeyDictionary[MockClock, tuple[frozenset[object], float]] = WeakKeyDictionary()

    def when_threads_rest(clock: MockClock) -> None:
        busy = frozenset(trio.to_thread.current_default_thread_limiter().statistics().borrowers)
        if busy:
            before, since = seen.get(clock, (None, 0.0))
            if busy != before:
                seen[clock] = busy, time.monotonic()
                return
            if time.monotonic() < since + 0.5:
                return
        jump(clock)

    MockClock._autojump = when_threads_rest  # type: ignore[method-assign]


class Bench:
    """Runs graphs on a virtual clock and keeps what was seen."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.notes: list[Any] = []
        self.life: list[str] = []

    def run(self, graph: tf.Graph | tf.Plan, **arguments: Any) -> tf.RunResult:
        """Run a graph; the log and the lists of `notes` and `life` are of this run alone."""
        self.log = EventLog()
        self.notes.clear()
        self.life.clear()
        services = {"notes": self.notes, "life": self.life, **arguments.pop("services", {})}
        try:
            return run_virtual(
                graph, observers=[self.log, *arguments.pop("observers", ())], services=services, **arguments
            )
        finally:
            assert self.log.open() == [], "every activation that starts closes exactly once (E1)"

    def fails(self, error: type[BaseException], graph: tf.Graph | tf.Plan, **arguments: Any) -> Any:
        """Run a graph that must fail; returns the exception."""
        with pytest.raises(error) as caught:
            self.run(graph, **arguments)
        return caught.value


@pytest.fixture
def bench() -> Bench:
    return Bench()
