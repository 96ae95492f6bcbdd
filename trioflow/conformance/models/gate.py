"""The gate (G2, G3): strands that come to it, a host that pauses, resumes and steps, and strands that are cancelled.

Each strand makes two dispatches, `a` and then `b`, on which the host can set a breakpoint. Beside each stands a
canceller, as in `shared_evaluation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

At = Literal[
    "coming",  # before its dispatch
    "queued",  # waiting at the gate
    "let pass",  # parked behind it, having waited
    "stepped",  # the same, by a permit
    "voided",  # the same, by a permit, and then the gate was opened: an engine may be tempted to remember the permit
    "over",
]  # fmt: skip
NODES = ("a", "b")
BREAKPOINT = "b"


@attrs.frozen(cache_hash=True)
class Walk:
    """One strand: which dispatch it is at, and where in it."""

    at: At = "coming"
    dispatch: int = 0


@attrs.frozen(cache_hash=True)
class Gate:
    """A state: the strands, who waits in which order, and the gate."""

    walks: tuple[Walk, ...]
    armed: frozenset[int]
    queue: tuple[int, ...] = ()
    closed: bool = False
    permits: int = 0
    breakpoint: bool = False
    owed: int = 0
    """How many dispatches the host has asked for by `step`, and not got yet."""
    overtaken: bool = False
    """Whether somebody was let pass before one who came earlier."""

    def moved(self, strand: int, at: At, dispatch: int | None = None) -> Gate:
        """The same, with one strand elsewhere."""
        walk = Walk(at, self.walks[strand].dispatch if dispatch is None else dispatch)
        return attrs.evolve(self, walks=(*self.walks[:strand], walk, *self.walks[strand + 1 :]))


class GateProtocol:
    """So many strands, each of two dispatches, at one gate. The host gives up to `most_permits` permits at a time.

    `cancellable`: how many of the strands can be cancelled.
    """

    actions: Mapping[str, Mapping[str, Any]] = {
        "pause": {"do": "pause"},
        "resume": {"do": "resume"},
        "step 1": {"do": "step", "count": 1},
        "step 2": {"do": "step", "count": 2},
        "breakpoint": {"do": "breakpoint", "node": BREAKPOINT},
    }
    kinds = frozenset({"started"})

    def __init__(self, strands: int, *, cancellable: int | None = None, most_permits: Literal[1, 2] = 2) -> None:
        self.initial = Gate((Walk(),) * strands, frozenset(range(strands if cancellable is None else cancellable)))
        self._most_permits = most_permits
        self.opening = range(len(self.initial.armed))
        self.releases = 1 + len(self.opening)

    @property
    def graph(self) -> Mapping[str, Any]:
        """Branches that come to `p`, which stands for a canceller and starts a strand, or to a strand without one."""
        outputs = ["o0", "o1", "o2"][: len(self.initial.walks)]
        without = [f"start.{output}" for output in outputs[self.releases - 1 :]]
        cancelling = [["try", [["branches", ["o0"], [["sleep", 0], ["fail", "x"]]]], [], []]]
        return {
            "trioflow": "1.0",
            "nodes": [
                {"id": "start", "type": "script.exec", "initiator": True,
                 "inputs": {"script": [["branches", outputs, []]]}},
                {"id": "p", "type": "script.exec", "inputs": {"script": cancelling}},
                *({"id": node, "type": "script.exec", "inputs": {"script": []}} for node in NODES),
            ],
            "connections": [
                *({"from": f"start.{output}", "to": "p.enter"} for output in outputs[: self.releases - 1]),
                *({"from": output, "to": f"{node}.enter"} for output in ["p.o0", *without] for node in NODES),
            ],
        }  # fmt: skip

    def moves(self, state: Gate) -> Iterator[tuple[str, Gate]]:
        """What can be released: a strand, or its canceller; and what the host can do."""
        for strand, walk in enumerate(state.walks):
            if walk.at == "coming":
                yield self.label("d", state, strand), self.arrive(state, strand)
            elif walk.at in ("let pass", "stepped", "voided"):
                yield self.label("g", state, strand), self.go(state, strand, permitted=walk.at == "stepped")
            if strand in state.armed:
                yield f"w 0.0.{strand}.0 p", self.cancel(state, strand)
        if not self.is_end(state):
            yield from self.host(state)

    def host(self, state: Gate) -> Iterator[tuple[str, Gate]]:
        """What the host can do while the run goes on."""
        # What has no effect is tried early on, and not again and again.
        idle = not any(walk.dispatch for walk in state.walks)
        if idle or not state.closed:
            yield "pause", attrs.evolve(state, closed=True)
        if idle or state.closed:
            yield "resume", self.resume(state) if state.closed else state
        for count in range(1, self._most_permits + 1):
            if state.closed and state.owed + count <= self._most_permits:
                permitted = attrs.evolve(state, permits=state.permits + count, owed=state.owed + count)
                yield f"step {count}", self.serve(permitted)
            elif idle and not state.closed:
                yield f"step {count}", state
        if not state.breakpoint:
            yield "breakpoint", attrs.evolve(state, breakpoint=True)

    def label(self, letter: str, state: Gate, strand: int) -> str:
        """The label of a strand's present dispatch."""
        dispatch = state.walks[strand].dispatch
        line = f"0.0.{strand}" + ".0.0" * (strand < self.releases - 1)
        return f"{letter} {line}.{dispatch} {NODES[dispatch]}"

    def arrive(self, state: Gate, strand: int) -> Gate:
        """A breakpoint closes an open gate; at a closed one a permit is taken, or one waits."""
        if not state.closed:
            if not (state.breakpoint and NODES[state.walks[strand].dispatch] == BREAKPOINT):
                return self.go(state, strand, permitted=False)
            state = attrs.evolve(state, closed=True)
        if state.permits:
            return self.go(attrs.evolve(state, permits=state.permits - 1), strand, permitted=True)
        return attrs.evolve(state.moved(strand, "queued"), queue=(*state.queue, strand))

    def go(self, state: Gate, strand: int, *, permitted: bool) -> Gate:
        """The activation starts and ends; the next dispatch of the strand comes."""
        dispatch = state.walks[strand].dispatch + 1
        state = attrs.evolve(state, owed=state.owed - permitted)
        return state.moved(strand, "coming" if dispatch < len(NODES) else "over", dispatch)

    def resume(self, state: Gate) -> Gate:
        """All that wait pass, and permits are void: those that are left, and those that were given and not used yet."""
        opened: Mapping[At, At] = {"queued": "let pass", "stepped": "voided"}
        walks = tuple(attrs.evolve(walk, at=opened.get(walk.at, walk.at)) for walk in state.walks)
        return attrs.evolve(state, walks=walks, queue=(), closed=False, permits=0, owed=0)

    def serve(self, state: Gate) -> Gate:
        """Permits go to those who wait, first come, first served."""
        while state.permits and state.queue:
            place = self.next_in_line(state)
            first = state.queue[place]
            state = attrs.evolve(
                state.moved(first, "stepped"),
                permits=state.permits - 1,
                queue=(*state.queue[:place], *state.queue[place + 1 :]),
                overtaken=state.overtaken or place > 0,
            )
        return state

    def next_in_line(self, _state: Gate) -> int:
        """The place in the queue of whoever gets the next permit."""
        return 0

    def cancel(self, state: Gate, strand: int) -> Gate:
        """Who waits leaves the queue; who was let pass by a permit hands it on."""
        at = state.walks[strand].at
        state = attrs.evolve(state, armed=state.armed - {strand})
        if at == "over":
            return state
        queue = tuple(each for each in state.queue if each != strand)
        state = attrs.evolve(state.moved(strand, "over"), queue=queue)
        return self.hand_on(state) if at == "stepped" else state

    def hand_on(self, state: Gate) -> Gate:
        """A permit that was not used goes to the next."""
        return self.serve(attrs.evolve(state, permits=state.permits + 1))

    def fault(self, state: Gate) -> str | None:
        """The invariants of G2 and G3."""
        if state.queue and not state.closed:
            return "somebody waits at an open gate (G2)"
        if state.queue and state.permits:
            return "somebody waits although there is a permit (G2)"
        if state.permits and not state.closed:
            return "a permit is left in an open gate (G2)"
        if {*state.queue} != {strand for strand, walk in enumerate(state.walks) if walk.at == "queued"}:
            return "the queue is not those who wait (G2)"
        if state.owed != state.permits + sum(walk.at == "stepped" for walk in state.walks):
            return "step(n) does not let n dispatches pass (G2)"
        if state.overtaken:
            return "who came later was let pass earlier (G2)"
        return None

    def is_end(self, state: Gate) -> bool:
        """All strands are over."""
        return all(walk.at == "over" for walk in state.walks) and not state.armed

    def tells(self, before: Gate, move: str, after: Gate) -> list[str]:
        """Dispatches that passed."""
        return [
            f"started {self.label('d', before, strand)[2:]}"
            for strand, (was, walk) in enumerate(zip(before.walks, after.walks, strict=True))
            if walk.dispatch > was.dispatch
        ]
