"""The protocol of journals against a model: owners that come and go in any order, leases that end, and what they write.

`python tests/durable/test_protocol.py EXAMPLES` for as many as one likes.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import trioflow as tf
from trioflow.durable.codec import dump
from trioflow.durable.records import Entry, NewRun, State, chain_of
from trioflow.durable.signals import make_signal

NEW = NewRun(id="a", graph="digest", document="{}", created=1.5)
ENDED = ("completed", "failed")


@attrs.define
class Model:
    """What a run must be, whatever the store is."""

    begun: bool = False
    status: str = "running"
    entries: list[str] = attrs.field(factory=list)
    history: list[str] = attrs.field(factory=list)
    signals: list[tuple[str, str]] = attrs.field(factory=list)
    fence: int = 0
    owner: int | None = None
    """The fence of whoever has it."""
    expired: bool = False
    fruitless: int = 0


class Protocol(RuleBasedStateMachine):
    """Two processes, of which each may believe to have the run."""

    kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = tf.MemoryJournal() if self.kind == "memory" else tf.SqliteJournal(self.folder / "runs.db")
        self.model = Model()
        self.sessions: dict[int, tuple[object, int]] = {}
        self.number = 0

    def teardown(self) -> None:
        for session, _ in self.sessions.values():
            session.close()
        shutil.rmtree(self.folder)

    def made(self, size: int) -> Entry:
        self.number += 1
        return Entry(bytes([1, self.number % 250]), "n", "done", dump(f"{self.number % 3}" * size))

    # --- who has it ---

    @rule(who=st.sampled_from([0, 1]), late=st.booleans())
    def take(self, who: int, late: bool) -> None:
        model = self.model
        if late and model.owner is not None:
            self.lease_ends()
        if model.owner is not None and not model.expired:
            with pytest.raises(tf.RunOwned):
                self.store.take("a", NEW)
            return
        if self.kind == "memory" and model.expired:
            self.store.steal("a")
        session = self.store.take("a", NEW)
        model.fruitless += model.owner is not None
        model.begun, model.owner, model.expired = True, model.fence + 1, False
        model.fence += 1
        assert (session.info.status, session.info.state.fruitless) == (model.status, model.fruitless)
        assert [each.data for each in session.entries] == model.entries
        if who in self.sessions:
            self.sessions.pop(who)[0].close()  # which had lost it
        self.sessions[who] = session, model.fence

    def lease_ends(self) -> None:
        self.model.expired = True
        if self.kind != "memory":
            database = sqlite3.connect(self.store.path)
            database.execute("update trioflow_state set lease=0")
            database.commit()
            database.close()

    @precondition(lambda self: bool(self.sessions))
    @rule(who=st.sampled_from([0, 1]))
    def close(self, who: int) -> None:
        if who in self.sessions:
            session, fence = self.sessions.pop(who)
            session.close()
            session.close()
            if self.model.owner == fence:
                self.model.owner, self.model.expired = None, False

    # --- what they write ---

    def writes(self, who: int, write) -> bool:
        """Whether it may, and did; else it was refused, and nothing was written."""
        session, fence = self.sessions[who if who in self.sessions else 1 - who]
        if fence != self.model.owner:
            with pytest.raises(tf.RunOwned):
                write(session)
            return False
        write(session)
        return True

    @precondition(lambda self: bool(self.sessions))
    @rule(who=st.sampled_from([0, 1]), sizes=st.lists(st.sampled_from([1, 1, 70_000]), min_size=1, max_size=3))
    def append(self, who: int, sizes: list[int]) -> None:
        entries = [self.made(size) for size in sizes]
        if self.writes(who, lambda session: session.append(entries)):
            self.model.entries += [each.data for each in entries]
            self.model.fruitless = 0

    @precondition(lambda self: bool(self.sessions))
    @rule(who=st.sampled_from([0, 1]), keep=st.lists(st.booleans(), min_size=8, max_size=8), history=st.booleans())
    def rewrite(self, who: int, keep: list[bool], history: bool) -> None:
        entries = self.store.entries("a")
        kept = [each for place, each in enumerate(entries) if keep[place % 8]]
        gone = [each for place, each in enumerate(entries) if not keep[place % 8]] if history else []
        if self.writes(who, lambda session: session.rewrite(kept, gone)):
            self.model.entries = [each.data for each in kept]
            self.model.history += [each.data for each in gone]

    @precondition(lambda self: bool(self.sessions))
    @rule(who=st.sampled_from([0, 1]), status=st.sampled_from(["running", "completed", "failed", "suspended", "stuck"]))
    def settle(self, who: int, status: str) -> None:
        if self.writes(who, lambda session: session.set_state(status, 1.0 if status in ENDED else None, dump("o" * 9))):
            self.model.status = status

    @precondition(lambda self: bool(self.sessions))
    @rule(who=st.sampled_from([0, 1]))
    def renew(self, who: int) -> None:
        if self.kind == "memory" and self.model.expired:
            return  # there are no leases in memory
        if self.writes(who, lambda session: session.renew()):
            self.model.expired = False

    # --- whoever comes along ---

    @precondition(lambda self: self.model.begun)
    @rule(name=st.sampled_from("xy"), key=st.sampled_from("pqr"))
    def send(self, name: str, key: str) -> None:
        model = self.model
        signal = make_signal(name, None, key=key, by=None, at=1.0)
        known = key in [each for _, each in model.signals]
        if not known and model.status in (*ENDED, "pruned"):
            with pytest.raises(tf.JournalError):
                self.store.send("a", signal)
            return
        assert self.store.send("a", signal) is not known
        if not known:
            model.signals.append((name, key))

    @precondition(lambda self: self.model.begun and self.model.status in ENDED)
    @rule()
    def prune(self) -> None:
        model = self.model
        if model.owner is not None or model.status not in (*ENDED, "pruned"):
            with pytest.raises(tf.JournalError):
                self.store.prune("a")
            return
        self.store.prune("a")
        model.status, model.entries, model.history, model.signals, model.fruitless = "pruned", [], [], [], 0

    @precondition(lambda self: self.model.begun)
    @rule()
    def fork(self) -> None:
        entries = self.store.entries("a")
        self.number += 1
        new = attrs.evolve(NEW, id=f"fork {self.number}")
        self.store.insert(new, State(entries=len(entries), chain=chain_of(entries)), entries)
        session = self.store.take(new.id)
        assert [each.data for each in session.entries] == self.model.entries
        session.set_state("completed", 1.0)
        session.close()
        self.store.prune(new.id)
        self.store.vacuum()

    # --- what must be ---

    @invariant()
    def is_as_it_must_be(self) -> None:
        model = self.model
        if not model.begun:
            return
        info = self.store.show("a")
        assert (info.status, info.state.fruitless) == (model.status, model.fruitless)
        assert (info.owner is not None) == (model.owner is not None)
        assert [each.data for each in self.store.entries("a")] == model.entries
        assert [each.data for each in self.store.history("a")] == model.history
        assert [(each.name, each.key) for each in self.store.signals("a")] == model.signals
        large = {each for each in (*model.entries, *model.history) if len(each) > 65_536}
        assert self.blobs() == len(large), "each large value that something refers to is there once, and no other"

    def blobs(self) -> int:
        if self.kind == "memory":
            return len(self.store._blobs)
        return self.store._reading(
            lambda database: database.execute("select count(*) as n from trioflow_blob").fetchone()["n"]
        )


class SqliteProtocol(Protocol):
    kind = "sqlite"


def explore(machine, examples, steps):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize(("machine", "examples"), [(Protocol, 25), (SqliteProtocol, 4)])
def test_the_protocol(machine, examples):
    """J14, J18, J20, J21, J27: whatever comes in whatever order, what is there is what the model says."""
    explore(machine, examples, 25)


if __name__ == "__main__":
    for each in (Protocol, SqliteProtocol):
        explore(each, int(sys.argv[1]), 50)
        print(f"{each.__name__}: {sys.argv[1]} examples of 50 steps, nothing that the model does not say")
