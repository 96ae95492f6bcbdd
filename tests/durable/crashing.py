"""The crash harness: a process that dies at a chosen operation of its journal, and what comes of going on.

Bodies note in a *world* outside of the journal that they were begun and done, as a server would. So it can be counted
what was lost, what was done again, and whether anything was done again of which a record was durable.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance import engine, scripted
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import load_vectors
from trioflow.contract.trace import canonical
from trioflow.durable import running
from trioflow.durable.keys import path_key
from trioflow.durable.port import Session, Store
from trioflow.durable.running import Resuming
from trioflow.model.structure import graph_from
from trioflow.runtime.host.given import given

HERE = (tf.MemoryJournal, tf.FileJournal, tf.SqliteJournal, tf.fork_run, tf.resume_run)
"""Asked for while tests are collected: what is imported in an unmeasured test would be measured nowhere."""


class Crash(BaseException):
    """The death of the process, as far as one process can play it: nothing of what it tries afterwards happens."""


class Faults:
    """Counts the operations on a journal, and dies at one of them: before it, or after it has been done."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.count = 0
        self.dead = False

    def __call__(self, operation: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self._point()
        answer = operation(*arguments, **named)
        self._point()
        return answer

    def _point(self) -> None:
        if self.dead:
            raise Crash
        self.count += 1
        if self.count == self.at:
            self.dead = True
            raise Crash


class FaultySession(Session):
    def __init__(self, session: Session, faults: Faults) -> None:
        self._session = session
        self._faults = faults
        self.entries = session.entries

    @property
    def info(self) -> Any:
        return self._session.info

    @info.setter
    def info(self, info: Any) -> None:
        self._session.info = info

    def append(self, entries):
        self._faults(self._session.append, entries)

    def transact(self, work):
        self._faults(self._session.transact, work)

    def set_state(self, *arguments, **named):
        self._faults(self._session.set_state, *arguments, **named)

    def rewrite(self, *arguments):
        self._faults(self._session.rewrite, *arguments)

    def renew(self):
        self._session.renew()

    def close(self):
        if not self._faults.dead:
            self._session.close()


class FaultyJournal(tf.Journal):
    """A journal whose sessions die."""

    def __init__(self, journal: tf.Journal, faults: Faults) -> None:
        self._journal = journal
        self._faults = faults
        self.blocking = journal.blocking
        self.transactional = journal.transactional

    def take(self, run_id, new=None):
        return FaultySession(self._journal.take(run_id, new), self._faults)

    def __getattr__(self, name):
        return getattr(self._journal, name)

    runs = show = entries = history = insert = prune = None  # type: ignore[assignment]


FaultyJournal.__abstractmethods__ = frozenset()


@attrs.define
class World:
    """What bodies did, by path."""

    begun: Counter[tuple[Any, ...]] = attrs.field(factory=Counter)
    done: Counter[tuple[Any, ...]] = attrs.field(factory=Counter)


@attrs.frozen
class Came:
    """What came of a run."""

    status: str
    errors: list[str]
    variables: Mapping[str, Any]
    outputs: Mapping[str, Any]
    canonical: Mapping[str, Any]

    @property
    def loose(self) -> Any:
        """What it came to."""
        return self.status, self.errors, self.variables, self.outputs

    @property
    def strict(self) -> Any:
        """What must be the same for a run that was resumed, in the process that has ended it.

        A failure that was recorded comes at once, so it may cancel what had begun, or ended, when it first came: where
        something fails or is cancelled, only what the run came to is compared.
        """
        told = self.canonical
        if any(each[3] != "completed" for each in told["activations"]):
            return self.loose
        return *self.loose, told["activations"], told["strands"], told["conflicts"]


WORLD: list[World] = []
"""The world of the run at hand, innermost last."""

_execute = scripted._execute


async def execute(ctx: Any) -> Any:
    where = ctx.path
    if WORLD:
        WORLD[-1].begun[where] += 1
    outcome = await _execute(ctx)
    if WORLD:
        WORLD[-1].done[where] += 1
    return outcome


scripted._execute = execute


async def _run(request: Mapping[str, Any], journal: Store | None, run_id: str) -> Came:
    diary, log = scripted.Diary(), engine._Log()
    diary.began = trio.current_time()
    arguments: dict[str, Any] = {
        "registry": engine.REGISTRY,
        "variables": request.get("variables") or {},
        "services": {"diary": diary},
        "options": engine._options(request.get("options") or {}),
        "observers": [log],
    }
    left: tf.RunResult | None = None
    status, errors = "completed", list[str]()
    try:
        if journal is None:
            left = await tf.run(graph_from(request["graph"]), **arguments)
        else:
            plan, made = given(graph_from(request["graph"]), {**arguments, "journal": journal, "run_id": run_id})
            left = await running.run(journal, plan, made, Resuming(observe_replay=True, delay=float("inf")))
    except tf.RunAborted:
        status = "cancelled"
    except Exception as error:
        if isinstance(error, tf.JournalError):
            raise
        status, errors = "failed", scripted.codes_of(error)
    return Came(
        status, errors,
        dict(left.variables) if left is not None else {},
        {node: dict(values) for node, values in left.outputs.items()} if left is not None else {},
        canonical(log.trace),
    )  # fmt: skip


def run(request: Mapping[str, Any], journal: Store | None = None, run_id: str = "run") -> tuple[Came, World]:
    """Run a request; gives what came of it, and what it did to the world. Raises `Crash`, with the world on it."""
    world = World()
    WORLD.append(world)

    async def in_time() -> Came:
        with trio.move_on_after(5000):
            return await _run(request, journal, run_id)
        raise AssertionError("it hangs")

    try:
        came = trio.run(in_time, clock=MockClock(autojump_threshold=0))
    except BaseException as error:
        for each in _leaves(error):
            if isinstance(each, Crash):
                each.world = world  # type: ignore[attr-defined]
                raise each from None
        raise
    finally:
        WORLD.pop()
    return came, world


def _leaves(error: BaseException):
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def deterministic(request: Mapping[str, Any]) -> bool:
    """Whether a request has no actions, and comes to the same under several schedules of trio's own."""
    if request.get("actions") or engine.problems_of(request) or '"now"' in json.dumps(request):
        return False
    try:
        first, *others = [run(request)[0] for _ in range(4)]
    except Exception:
        return False
    return not {"nesting", "steps"} & {*first.errors} and all(each.strict == first.strict for each in others)


@attrs.define
class Tally:
    """What came of crashes."""

    runs: int = 0
    crashes: int = 0
    effects: int = 0
    doubled: int = 0


def crash_everywhere(
    request: Mapping[str, Any], tally: Tally, make: Callable[[], Any] = tf.MemoryJournal, step: int = 1, most: int = 60
):
    """Die at every operation of a request, go on, and hold what comes of it against a run that nothing disturbs."""
    undisturbed, reference = run(request)
    counting = Faults()
    came, world = run(request, FaultyJournal(make(), counting))
    assert came.strict == undisturbed.strict, "a journal makes a difference"
    if counting.count > most:
        return
    tally.runs += 1
    for at in range(1, counting.count + 1, step):
        journal = make()
        faults = Faults(at)
        try:
            run(request, FaultyJournal(journal, faults))
        except Crash as crash:
            before = crash.world
        else:
            raise AssertionError(f"it did not die at operation {at}")
        tally.crashes += 1
        journal.steal("run")
        recorded = {entry.key for entry in journal.entries("run") if entry.kind == "done"}
        ended = journal.show("run").status != "running"
        came, world = run(request, journal)
        if ended:  # it is asked for what it came to, and does nothing
            assert came.loose == undisturbed.loose, f"another result after the end, operation {at}"
            continue
        assert came.strict == undisturbed.strict, f"another result after a crash at operation {at}"
        again = {path for path in world.begun if path_key(path) in recorded}
        assert not again, f"recorded effects were done again after a crash at operation {at}: {again}"
        if undisturbed.status == "completed":
            lost = [path for path in reference.done if not (before.done[path] or world.done[path])]
            assert not lost, f"effects got lost after a crash at operation {at}: {lost}"
        effects = {entry.key for entry in journal.entries("run") if entry.kind == "done"}
        tally.effects += len(effects)
        tally.doubled += sum(1 for path in world.begun if before.done[path] and path_key(path) in effects)


VECTORS = load_vectors(PACKAGED)
VECTOR_REQUESTS = [each.request for each in VECTORS if len(json.dumps(each.request)) < 1500]
