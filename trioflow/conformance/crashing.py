"""Crashes of kept runs: a process that dies at every operation on its journal, and what comes of going on (J6, J8).

*Resumed equals undisturbed, canonical trace included.* Bodies note in a *world* outside of the journal that they were
begun and done, as a server would. So it can be counted what was lost, what was done again, and whether anything was
done again of which a record was durable.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import attrs
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance import engine, scripted
from trioflow.conformance.strategies import request_number
from trioflow.contract.trace import canonical
from trioflow.durable import running
from trioflow.durable.around import JournalAround
from trioflow.durable.keys import path_key
from trioflow.durable.memory import MemoryJournal
from trioflow.durable.moment import MOMENTS
from trioflow.durable.port import Session, Work
from trioflow.durable.recorder import DONE, EXPIRED, RAN
from trioflow.durable.records import Entry, NewRun, Status, Waiting
from trioflow.durable.running import Resuming
from trioflow.durable.whole import whole
from trioflow.model.structure import graph_from
from trioflow.runtime.host.given import RunArguments, given


class Crash(BaseException):
    """The death of the process, as far as one process can play it: nothing of what it tries afterwards happens."""

    world: World


class Faults:
    """Counts the operations on a journal, and dies at one of them: before it, or after it has been done."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.count = 0
        self.dead = False

    def __call__(self, operation: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Do an operation, unless it is to die before."""
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


class _FaultySession(Session):
    def __init__(self, session: Session, faults: Faults) -> None:
        self._session = session
        self._faults = faults
        self.info = session.info
        self.entries = session.entries

    def append(self, entries: Sequence[Entry]) -> None:
        self._faults(self._session.append, entries)

    def transact(self, work: Work) -> None:
        self._faults(self._session.transact, work)

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        self._faults(self._session.set_state, status, ended, outcome, waiting)

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        self._faults(self._session.rewrite, keep, superseded)

    def forget(self, count: int) -> None:
        self._faults(self._session.forget, count)

    def renew(self) -> None:
        self._session.renew()

    def close(self) -> None:
        if not self._faults.dead:
            self._session.close()


class FaultyJournal(JournalAround):
    """A journal whose sessions die at an operation."""

    def __init__(self, journal: tf.Journal, faults: Faults) -> None:
        super().__init__(journal)
        self._faults = faults

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        return _FaultySession(super().take(run_id, new), self._faults)


@attrs.define
class World:
    """What bodies did, by path."""

    begun: Counter[tuple[int, ...]] = attrs.field(factory=Counter)
    done: Counter[tuple[int, ...]] = attrs.field(factory=Counter)


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

    def is_like(self, undisturbed: Came, *, moments: bool) -> bool:
        """Whether it is what must come; if there were moments, observers were not told of what these stand for.

        Of failures at the same time, one that was recorded comes at once, and may cancel others.
        """
        if self.status == undisturbed.status == "failed" and len(self.errors + undisturbed.errors) > 2:
            return not {*undisturbed.errors}.isdisjoint(self.errors)
        return bool(self.loose == undisturbed.loose) if moments else bool(self.strict == undisturbed.strict)

    @property
    def strict(self) -> Any:
        """What must be the same for a run that was resumed, in the process that has ended it.

        A failure that was recorded comes at once, so it may cancel what had begun, or ended, when it first came: where
        something fails or is cancelled, only what the run came to is compared.
        """
        if not self.is_whole:
            return self.loose
        told = self.canonical
        return *self.loose, told["activations"], told["strands"], told["conflicts"]

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed or was cancelled in it."""
        return all(each[3] == "completed" for each in self.canonical["activations"])


@contextlib.contextmanager
def _noted(world: World) -> Generator[None]:
    """Let the bodies of scripts note in a world what they do."""
    execute = scripted._execute

    async def noting(ctx: tf.Context) -> Any:
        where = ctx.path
        world.begun[where] += 1
        outcome = await execute(ctx)
        world.done[where] += 1
        return outcome

    scripted._execute = noting
    try:
        yield
    finally:
        scripted._execute = execute


async def _run(request: Mapping[str, Any], journal: tf.Journal | None, run_id: str) -> Came:
    diary, log = scripted.Diary(), engine._Log()
    diary.began = trio.current_time()
    arguments: RunArguments = {
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
            arguments["journal"], arguments["run_id"] = journal, run_id
            plan, made = given(graph_from(request["graph"]), arguments)
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


def run(request: Mapping[str, Any], journal: tf.Journal | None = None, run_id: str = "run") -> tuple[Came, World]:
    """Run a request; gives what came of it, and what it did to the world. Raises `Crash`, with the world on it."""
    world = World()

    async def in_time() -> Came:
        with trio.move_on_after(5000):
            return await _run(request, journal, run_id)
        raise AssertionError("it hangs")

    with _noted(world):
        try:
            came = trio.run(in_time, clock=MockClock(autojump_threshold=0))
        except BaseException as error:
            for each in _leaves(error):
                if isinstance(each, Crash):
                    each.world = world
                    raise each from None
            raise
    return came, world


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def deterministic(request: Mapping[str, Any]) -> bool:
    """Whether a request has no actions, and comes to the same under several schedules of trio's own."""
    if request.get("actions") or engine.problems_of(request) or '"now"' in json.dumps(request):
        return False
    if (request.get("options") or {}).get("timeout") is not None:
        return False  # how much of it is left after a crash is no matter of the graph (J9)
    try:
        first, *others = [run(request)[0] for _ in range(4)]
    except Exception:
        return False
    return not {"nesting", "steps", "strands"} & {*first.errors} and all(each.strict == first.strict for each in others)


@attrs.define
class Tally:
    """What came of crashes."""

    runs: int = 0
    crashes: int = 0
    effects: int = 0
    doubled: int = 0
    moments: int = 0
    """Of the crashes: so many after a moment."""


def crash_everywhere(
    request: Mapping[str, Any],
    tally: Tally,
    make: Callable[[], Any] = MemoryJournal,
    step: int = 1,
    most: int = 60,
    *,
    moments: bool = False,
) -> None:
    """Die at every operation of a request, go on, and hold what comes of it against a run that nothing disturbs.

    With `moments` the journals that are made take them as often as they can (J26). Raises `AssertionError`, which says
    what was wrong.
    """

    def fresh() -> Any:
        journal = make()
        journal.checkpoint = tf.Checkpoint(every=1) if moments else None
        return journal

    undisturbed, reference = run(request)
    counting, journal = Faults(), fresh()
    came, world = run(request, FaultyJournal(journal, counting))
    assert came.strict == undisturbed.strict, "a journal makes a difference"
    if counting.count > most:
        return
    tally.runs += 1
    if undisturbed.is_whole and not moments:
        kept = {entry.key for entry in whole(journal, "run") if entry.kind in (DONE, RAN)}
        missing = [path for path in world.done if path_key(path) not in kept]
        assert not missing, f"the ends of bodies are not recorded: {missing}"
    limited = any(entry.kind == EXPIRED for entry in whole(journal, "run"))
    for at in range(1, counting.count + 1, step):
        journal = fresh()
        faults = Faults(at)
        try:
            run(request, FaultyJournal(journal, faults))
        except Crash as crash:
            before = crash.world
        else:
            raise AssertionError(f"it did not die at operation {at}")
        tally.crashes += 1
        journal.steal("run")
        recorded = {entry.key for entry in whole(journal, "run") if entry.kind == "done"}
        tally.moments += any(entry.kind in MOMENTS for entry in journal.entries("run"))
        ended = journal.show("run").status != "running"
        if limited and not any(entry.kind == EXPIRED for entry in whole(journal, "run")):
            continue  # what is cut off depends on how much of a time limit is left, which begins anew (J9)
        came, world = run(request, journal)
        if ended:  # it is asked for what it came to, and does nothing
            assert came.loose == undisturbed.loose, f"another result after the end, operation {at}"
            continue
        assert came.is_like(undisturbed, moments=moments), f"another result after a crash at operation {at}"
        again = {path for path in world.begun if path_key(path) in recorded}
        assert not again, f"recorded effects were done again after a crash at operation {at}: {again}"
        if undisturbed.is_whole:
            lost = [path for path in reference.done if not (before.done[path] or world.done[path])]
            assert not lost, f"effects got lost after a crash at operation {at}: {lost}"
        effects = {entry.key for entry in whole(journal, "run") if entry.kind == "done"}
        tally.effects += len(effects)
        tally.doubled += sum(1 for path in world.begun if before.done[path] and path_key(path) in effects)


def campaign(
    named: Iterator[tuple[str, Mapping[str, Any]]],
    *,
    most: int = 400,
    told: Callable[[], None] = lambda: None,
    moments: bool = False,
) -> tuple[Tally, int, list[str]]:
    """Crash everywhere in each of these requests; what came of it, how many can't be compared, and the faults."""
    tally, skipped, faults = Tally(), 0, list[str]()
    for name, request in named:
        told()
        if not deterministic(request):
            skipped += 1
            continue
        try:
            crash_everywhere(request, tally, most=most, moments=moments)
        except Exception as error:
            if "it did not die" not in str(error):  # the number of operations depends on the schedule
                faults.append(f"{name}: {error or repr(error)}"[:400])
    return tally, skipped, faults


def drawn(first: int, end: int, seed: str = "durable") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Drawn requests by number, without actions of a host."""
    return ((f"{seed} {number}", request_number(number, seed, with_actions=False)) for number in range(first, end))
