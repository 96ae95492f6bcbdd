"""How an activation ends with forks in flight (F2, F5, R5): it emits, joins, fails, is cancelled.

Cancellations do not strike everywhere at once: between the failure and the moment at which each of the others notices,
anybody else may go on. So one move of the graph is several of the model; `Shutdown.settled` puts them together again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs

from trioflow.conformance.models.explorer import explore

Operation = Literal["emit", "emit failing", "sleep", "join", "fail"]
ForkAt = Literal["arriving", "asleep", "ended", "failed", "cancelled", "joined"]
OwnerAt = Literal[
    "asleep",
    "joining",  # because the body said so
    "finishing",  # joining, at the end of the activation
    "closing",  # cancelled or failed, until all forks have ended
    "completed", "failed", "cancelled",
]  # fmt: skip
LIVE = frozenset({"arriving", "asleep"})
OVER = frozenset({"completed", "failed", "cancelled"})


@attrs.frozen(cache_hash=True)
class Closing:
    """A state: the owner, its forks in the order in which they were made, and what has been cancelled."""

    owner: OwnerAt
    done: int = 0
    """How many operations of the owner's body are done."""
    forks: tuple[ForkAt, ...] = ()
    failed: bool = False
    """Whether the group has a failure, of a fork or of the body, and so is cancelled."""
    run_cancelled: bool = False
    late: str | None = None
    """What was done for a group that is cancelled."""

    def moved(self, fork: int, to: ForkAt) -> Closing:
        """The same, with one fork elsewhere."""
        return attrs.evolve(self, forks=(*self.forks[:fork], to, *self.forks[fork + 1 :]))

    @property
    def struck(self) -> bool:
        """Whether everybody in the group is to end."""
        return self.failed or self.run_cancelled

    @property
    def in_flight(self) -> int:
        """How many forks have not ended."""
        return sum(fork in LIVE for fork in self.forks)


class Shutdown:
    """An owner whose body does these operations, each item a fork that sleeps once and then ends or fails.

    `cancellable`: whether the host may cancel the run, at any moment.
    """

    actions: Mapping[str, Mapping[str, Any]] = {"cancel": {"do": "cancel"}}
    kinds = frozenset({"forked", "joined", "cancelled", "completed", "failed"})
    opening: Sequence[int] = ()
    releases = 1

    def __init__(self, operations: Sequence[Operation], *, cancellable: bool = True) -> None:
        self._operations = operations
        self._cancellable = cancellable
        self._failing = [each == "emit failing" for each in operations if each.startswith("emit")]

    @property
    def initial(self) -> Closing:
        """The owner has run to its first wait."""
        return self.run_on(Closing("asleep"))

    @property
    def graph(self) -> Mapping[str, Any]:
        """An owner with a concurrent stream; an item of 1 fails."""
        written: Mapping[Operation, list[list[Any]]] = {
            "emit": [["const", 0], ["emit"]],
            "emit failing": [["const", 1], ["emit"]],
            "sleep": [["sleep", 0]],
            "join": [["join"]],
            "fail": [["fail", "body"]],
        }
        script = [line for operation in self._operations for line in written[operation]]
        item = [["get", "a"], ["sleep", 0], ["if", [["fail", "item"]], []]]
        return {
            "trioflow": "1.0",
            "nodes": [
                {"id": "start", "type": "script.exec", "initiator": True, "inputs": {"script": script},
                 "stream": {"mode": "concurrent"}},
                {"id": "n", "type": "script.exec", "inputs": {"script": item}},
            ],
            "connections": [{"from": "start.body", "to": "n.enter"}, {"from": "start.item", "to": "n.a"}],
        }  # fmt: skip

    def moves(self, state: Closing) -> Iterator[tuple[str, Closing]]:
        """What can be released, what the host can do, and what happens by itself."""
        yield from self.visible(state)
        yield from self.inner(state)

    def visible(self, state: Closing) -> Iterator[tuple[str, Closing]]:
        """The moves that somebody decides on. Nobody who is cancelled is released any more."""
        if not state.struck:
            if state.owner == "asleep":
                yield "w 0.0 start", self.run_on(attrs.evolve(state, done=state.done + 1))
            for fork, at in enumerate(state.forks):
                if at == "arriving":
                    yield f"d 0.0.{fork}.0 n", state.moved(fork, "asleep")
                elif at == "asleep":
                    yield f"w 0.0.{fork}.0 n", self.end_fork(state, fork)
        if self._cancellable and not state.run_cancelled and state.owner not in OVER:
            yield "cancel", attrs.evolve(state, run_cancelled=True)

    def inner(self, state: Closing) -> Iterator[tuple[str, Closing]]:
        """Cancellations that strike, and waits that end."""
        if state.struck:
            for fork, at in enumerate(state.forks):
                if at in LIVE:
                    yield f"fork {fork} is struck", state.moved(fork, "cancelled")
            if state.owner in ("asleep", "joining", "finishing"):
                yield "the owner is struck", self.close(state)
        if state.owner in ("joining", "finishing") and self.may_join(state):
            yield "the owner joins", self.join(state)
        if state.owner == "closing" and self.may_leave(state):
            yield "the owner leaves", attrs.evolve(state, owner="failed" if state.failed else "cancelled")

    def run_on(self, state: Closing) -> Closing:
        """The owner's body, from where it is to its next wait."""
        for operation in self._operations[state.done :]:
            if operation == "sleep":
                return attrs.evolve(state, owner="asleep")
            if operation == "join":
                return attrs.evolve(state, owner="joining")
            if operation == "fail":
                return attrs.evolve(state, owner="closing", failed=True)
            late = state.late or ("a fork was made in a group that is cancelled (F2)" if state.struck else None)
            state = attrs.evolve(state, done=state.done + 1, forks=(*state.forks, "arriving"), late=late)
        return attrs.evolve(state, owner="finishing")

    def end_fork(self, state: Closing, fork: int) -> Closing:
        """A fork's last step. Its failure is one of the whole group."""
        if not self._failing[fork]:
            return state.moved(fork, "ended")
        return attrs.evolve(state.moved(fork, "failed"), failed=True)

    def close(self, state: Closing) -> Closing:
        """The owner's body has been cancelled."""
        return attrs.evolve(state, owner="closing")

    def may_join(self, state: Closing) -> bool:
        """All have ended, and a cancellation comes before what one waits for."""
        return not state.in_flight and not state.struck

    def may_leave(self, state: Closing) -> bool:
        """Nothing outlives its owner."""
        return not state.in_flight

    def join(self, state: Closing) -> Closing:
        """Merge what has ended; then the body goes on, or the activation is completed."""
        late = state.late or ("a group was merged after its failure (F2)" if state.struck else None)
        forks = tuple("joined" if fork == "ended" else fork for fork in state.forks)
        state = attrs.evolve(state, forks=forks, late=late)
        if state.owner == "finishing":
            return attrs.evolve(state, owner="completed")
        return self.run_on(attrs.evolve(state, done=state.done + 1))

    def fault(self, state: Closing) -> str | None:
        """The invariants of F2, F5 and R5."""
        if state.owner in OVER and state.in_flight:
            return "a fork outlives its owner (F2)"
        if state.late is not None:
            return state.late
        if state.owner == "completed" and {*state.forks} - {"joined"}:
            return "an activation is completed, and not all of its forks are joined (F5)"
        if state.owner == "completed" and state.failed:
            return "a failure is lost (F2)"
        if state.owner == "cancelled" and "failed" in state.forks:
            return "a cancellation hides a failure (F2)"
        return None

    def is_end(self, state: Closing) -> bool:
        """The owner is over."""
        return state.owner in OVER

    def settled(self) -> SettledShutdown:
        """The same in the steps of a controlled schedule: each move with all that happens by itself after it."""
        return SettledShutdown(self)


class SettledShutdown:
    """`Shutdown`, in which everybody has noticed what has happened before the next move: a model of its graph.

    Raises `RuntimeError` if it matters who notices first: then the steps of a schedule would not be determined.
    """

    kinds = Shutdown.kinds
    actions = Shutdown.actions
    opening = Shutdown.opening
    releases = Shutdown.releases

    def __init__(self, model: Shutdown) -> None:
        self._model = model
        self.graph = model.graph
        self.initial = self._settle(model.initial)

    def moves(self, state: Closing) -> Iterator[tuple[str, Closing]]:
        """What can be released, and what the host can do."""
        for move, after in self._model.visible(state):
            yield move, self._settle(after)

    def fault(self, state: Closing) -> str | None:
        """As in the model."""
        return self._model.fault(state)

    def is_end(self, state: Closing) -> bool:
        """As in the model."""
        return self._model.is_end(state)

    def tells(self, before: Closing, move: str, after: Closing) -> list[str]:
        """What became of the owner and of each fork."""
        told: list[str] = []
        was = (*before.forks, *(None for _ in after.forks[len(before.forks) :]))
        for fork, (old, new) in enumerate(zip(was, after.forks, strict=True)):
            line = f"0.0.{fork}"
            if old is None:
                told.append(f"forked {line}")
            if old == "asleep" and new in ("failed", "cancelled"):
                told.append(f"{new} {line}.0 n")
            if old == "asleep" and new in ("ended", "joined"):
                told.append(f"completed {line}.0 n")
            if old != "joined" and new == "joined":
                told.append(f"joined {line}")
        if after.owner in OVER and before.owner != after.owner:
            told.append(f"{after.owner} 0.0 start")
        return told

    def _settle(self, state: Closing) -> Closing:
        ends = [each for each, moves in explore(_Inner(self._model, state)).edges.items() if not moves]
        if len(ends) != 1:
            raise RuntimeError(f"It matters who notices first: {state} may become any of {ends}.")
        return ends[0]


@attrs.frozen
class _Inner:
    """What happens by itself after a move, until nothing does."""

    model: Shutdown
    initial: Closing

    def moves(self, state: Closing) -> Iterator[tuple[str, Closing]]:
        return self.model.inner(state)

    def fault(self, state: Closing) -> str | None:
        return self.model.fault(state)

    def is_end(self, state: Closing) -> bool:
        return not [*self.model.inner(state)]
