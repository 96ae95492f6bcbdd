"""One evaluation for all who ask (D5): askers that come when they like, of which each can be cancelled at any moment.

Each asker is a strand that demands the same data node, with the same inputs. Beside each stands its canceller, a block
that fails when its own label is released, and so cancels what the asker does just then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs

At = Literal[
    "arriving",  # before its dispatch
    "asking",  # parked, having found nobody else
    "leading",  # in the body of the data node
    "waiting",  # for whoever leads
    "woken",  # parked, having waited for an evaluation that ended well or was cancelled
    "refused",  # parked, having waited for an evaluation that failed
    "answered", "failed", "cancelled",
]  # fmt: skip
OVER = frozenset({"answered", "failed", "cancelled"})


@attrs.frozen(cache_hash=True)
class Askers:
    """A state: where each asker is, whose canceller is left, whether an evaluation is remembered."""

    at: tuple[At, ...]
    armed: frozenset[int]
    remembered: bool = False
    failed: bool = False
    """Whether any evaluation has failed."""
    cancelled: frozenset[int] = frozenset()
    """Those whose canceller has struck."""

    def moved(self, asker: int, to: At) -> Askers:
        """The same, with one asker elsewhere."""
        return attrs.evolve(self, at=(*self.at[:asker], to, *self.at[asker + 1 :]))

    @property
    def leaders(self) -> int:
        """How many evaluations are in progress."""
        return self.at.count("leading")


class SharedEvaluation:
    """So many askers; `outcomes` says whether the data node's body may end well, fail, or either.

    With one outcome it is a model of `graph`, and can be replayed.
    """

    actions: Mapping[str, Mapping[str, Any]] = {}
    kinds = frozenset({"evaluating", "evaluated", "unevaluated"})

    def __init__(self, askers: int, outcomes: Sequence[Literal["well", "fails"]] = ("well",)) -> None:
        at: list[At] = ["arriving"] * askers
        self.initial = Askers(tuple(at), frozenset(range(askers)))
        self._outcomes = outcomes
        self.opening = range(askers)
        self.releases = 1 + askers

    @property
    def graph(self) -> Mapping[str, Any]:
        """Branches that all come to `p`, which stands for a canceller and starts an asker."""
        body = [["sleep", 0], *([["fail", "no"]] if "fails" in self._outcomes else [["set", "x"]])]
        outputs = ["o0", "o1", "o2"][: len(self.initial.at)]
        cancelling = [["try", [["branches", ["o0"], [["sleep", 0], ["fail", "x"]]]], [], []]]
        return {
            "trioflow": "1.0",
            "nodes": [
                {"id": "start", "type": "script.exec", "initiator": True,
                 "inputs": {"script": [["branches", outputs, []]]}},
                {"id": "p", "type": "script.exec", "inputs": {"script": cancelling}},
                {"id": "a", "type": "script.exec", "inputs": {"script": []}},
                {"id": "d", "type": "script.data", "inputs": {"script": body}},
            ],
            "connections": [
                *({"from": f"start.{output}", "to": "p.enter"} for output in outputs),
                {"from": "p.o0", "to": "a.enter"},
                {"from": "d.x", "to": "a.a"},
            ],
        }  # fmt: skip

    def moves(self, state: Askers) -> Iterator[tuple[str, Askers]]:
        """What can be released: an asker, or its canceller."""
        for asker, at in enumerate(state.at):
            path = f"0.0.{asker}.0.0.0"
            if at == "arriving":
                yield f"d {path} a", self.look(state, asker)
            elif at in ("asking", "woken"):
                yield f"e {path} d", self.look(state, asker)
            elif at == "refused":
                yield f"e {path} d", self.over(state, asker, "failed")
            elif at == "leading":
                if "well" in self._outcomes:
                    yield f"w {path} d", self.end_well(state, asker)
                if "fails" in self._outcomes:
                    yield f"w {path} d", self.fail(state, asker)
            if asker in state.armed:
                yield f"w 0.0.{asker}.0 p", self.cancel(state, asker)

    def look(self, state: Askers, asker: int) -> Askers:
        """What is remembered is the answer; who finds somebody evaluating waits; else park once, then evaluate."""
        if state.remembered:
            return self.over(state, asker, "answered")
        if state.leaders:
            return state.moved(asker, "waiting")
        return state.moved(asker, "asking" if state.at[asker] == "arriving" else "leading")

    def end_well(self, state: Askers, leader: int) -> Askers:
        """It is remembered, and those who waited look again."""
        return self.wake(self.over(attrs.evolve(state, remembered=True), leader, "answered"), "woken")

    def fail(self, state: Askers, leader: int) -> Askers:
        """Those who waited get the failure, and nothing is remembered."""
        return self.wake(self.over(attrs.evolve(state, failed=True), leader, "failed"), "refused")

    def cancel(self, state: Askers, asker: int) -> Askers:
        """Who waits stops waiting; if it was the leader, one of those who waited begins anew."""
        at = state.at[asker]
        state = attrs.evolve(state, armed=state.armed - {asker}, cancelled=state.cancelled | {asker})
        if at in OVER:
            return state
        state = state.moved(asker, "cancelled")
        return self.wake(state, "woken") if at == "leading" else state

    def wake(self, state: Askers, to: At) -> Askers:
        """Whoever waits parks, to look again."""
        return attrs.evolve(state, at=tuple(to if at == "waiting" else at for at in state.at))

    def over(self, state: Askers, asker: int, how: At) -> Askers:
        """An asker has its answer. One that fails cancels what stands beside it: its canceller."""
        return attrs.evolve(state.moved(asker, how), armed=state.armed - {asker} if how == "failed" else state.armed)

    def fault(self, state: Askers) -> str | None:
        """The invariants of D5."""
        if state.leaders > 1:
            return "two evaluations with the same inputs are in progress (D5)"
        if state.remembered and state.leaders:
            return "what is remembered is evaluated again (D4)"
        if "waiting" in state.at and not state.leaders:
            return "somebody waits for an evaluation that nobody makes (D5)"
        for asker, at in enumerate(state.at):
            if at == "cancelled" and asker not in state.cancelled:
                return f"asker {asker} got the cancellation of another (D5)"
            if at == "answered" and not state.remembered:
                return f"asker {asker} has an answer that nobody has computed (D4)"
            if at in ("failed", "refused") and not state.failed:
                return f"asker {asker} got a failure that there was not (D5)"
        return None

    def is_end(self, state: Askers) -> bool:
        """All have what they asked for, or were cancelled."""
        return OVER.issuperset(state.at) and not state.armed

    def tells(self, before: Askers, move: str, after: Askers) -> list[str]:
        """Evaluations that begin and end."""
        told: list[str] = []
        for asker, (was, at) in enumerate(zip(before.at, after.at, strict=True)):
            if was != at and "leading" in (was, at):
                kind = "evaluating" if at == "leading" else "evaluated" if at == "answered" else "unevaluated"
                told.append(f"{kind} 0.0.{asker}.0.0.0 d")
        return told
