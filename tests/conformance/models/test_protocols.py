"""The three hard protocols: every state of their models is good, every wrong protocol is caught, the engine does the same."""

from __future__ import annotations

import attrs
import pytest

from trioflow.conformance.engine import answer
from trioflow.conformance.models import (
    CounterExample,
    GateProtocol,
    SharedEvaluation,
    Shutdown,
    difference_on,
    explore,
    request_of,
)
from trioflow.reference import small_step

EITHER = ("well", "fails")


def counted(model):
    found = explore(model)
    return found.states, found.moves


# --- all states ---


@pytest.mark.parametrize(
    ("askers", "outcomes", "states", "moves"),
    [(2, ("well",), 39, 90), (2, ("fails",), 30, 70), (3, EITHER, 429, 1392), (4, EITHER, 3472, 15036)],
)
def test_shared_evaluation(askers, outcomes, states, moves):
    """D5, D4: whoever leads and is cancelled or fails, each asker has its answer in the end, and none is computed twice."""
    assert counted(SharedEvaluation(askers, outcomes)) == (states, moves)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("strands", "cancellable", "permits", "states", "moves"),
    [(2, 0, 1, 438, 1592), (2, 2, 2, 1080, 5488), (3, 3, 1, 9552, 56183)],
)
def test_gate(strands, cancellable, permits, states, moves):
    """G2, G3: n permits are n dispatches in the order of arrival, whoever is cancelled, whatever the host does."""
    assert counted(GateProtocol(strands, cancellable=cancellable, most_permits=permits)) == (states, moves)


BODIES = {
    ("emit", "sleep", "emit"): 59,
    ("emit", "emit failing", "sleep"): 104,
    ("emit failing", "emit failing", "sleep", "emit"): 241,
    ("emit", "join", "emit failing", "sleep", "fail"): 36,
    ("emit", "emit", "join", "emit"): 59,
    ("emit", "emit", "sleep", "fail"): 85,
    ("emit", "emit failing", "emit", "join", "emit"): 190,
}


@pytest.mark.parametrize(("body", "states"), [*BODIES.items()])
def test_shutdown(body, states):
    """F2, F5, R5: nothing outlives its owner, nothing of a failed group is merged, no failure is lost."""
    assert explore(Shutdown(body)).states == states


# --- wrong protocols ---


class NobodyTakesOver(SharedEvaluation):
    def cancel(self, state, asker):
        self.wakes = False
        after = super().cancel(state, asker)
        self.wakes = True
        return after

    wakes = True

    def wake(self, state, to):
        return super().wake(state, to) if self.wakes else state


class CancellationSpreads(SharedEvaluation):
    def cancel(self, state, asker):
        after = super().cancel(state, asker)
        if state.at[asker] != "leading":
            return after
        return attrs.evolve(after, at=tuple("cancelled" if at == "woken" else at for at in after.at))


class NoSecondLook(SharedEvaluation):
    def look(self, state, asker):
        return state.moved(asker, "leading") if state.at[asker] == "asking" else super().look(state, asker)


class AllTakeOver(SharedEvaluation):
    def look(self, state, asker):
        return state.moved(asker, "leading") if state.at[asker] == "woken" else super().look(state, asker)


class FailureIsRemembered(SharedEvaluation):
    def fail(self, state, leader):
        return attrs.evolve(super().fail(state, leader), remembered=True)

    def fault(self, state):
        return "a failure is remembered (D5)" if state.remembered else super().fault(state)


class PermitIsLost(GateProtocol):
    def hand_on(self, state):
        return state


class LastComeFirstServed(GateProtocol):
    def next_in_line(self, state):
        return len(state.queue) - 1


class VoidPermitIsHandedOn(GateProtocol):
    def cancel(self, state, strand):
        after = super().cancel(state, strand)
        return self.hand_on(after) if state.walks[strand].at == "voided" and state.closed else after


class ResumeLeavesPermits(GateProtocol):
    def resume(self, state):
        return attrs.evolve(super().resume(state), permits=state.permits)


class ResumeForgetsTheQueue(GateProtocol):
    def resume(self, state):
        return attrs.evolve(state, closed=False, permits=0, owed=0)


class CancelledStaysInLine(GateProtocol):
    def cancel(self, state, strand):
        return attrs.evolve(super().cancel(state, strand), queue=state.queue)


class BreakpointHitsForEver(GateProtocol):
    def go(self, state, strand, *, permitted):
        if not state.breakpoint or not state.walks[strand].dispatch or state.walks[strand].at == "coming":
            return super().go(state, strand, permitted=permitted)
        after = attrs.evolve(state, closed=True, owed=state.owed - permitted)
        return self.serve(attrs.evolve(after.moved(strand, "queued"), queue=(*after.queue, strand)))


class LeavesEarly(Shutdown):
    def may_leave(self, state):
        return True


class JoinsWhatHasFailed(Shutdown):
    def may_join(self, state):
        return not state.in_flight


class BodyIsNotTold(Shutdown):
    def inner(self, state):
        yield from (each for each in super().inner(state) if each[0] != "the owner is struck")


class BodyGoesOn(Shutdown):
    def visible(self, state):
        yield from super().visible(state)
        if state.failed and state.owner == "asleep":
            yield "w 0.0 start", self.run_on(attrs.evolve(state, done=state.done + 1))


class SiblingsAreNotTold(Shutdown):
    def inner(self, state):
        yield from (each for each in super().inner(state) if not each[0].startswith("fork") or state.run_cancelled)

    def visible(self, state):
        yield from (each for each in super().visible(state) if each[0] != "cancel")


class FailureIsSwallowed(Shutdown):
    def inner(self, state):
        for move, after in super().inner(state):
            yield (
                move,
                attrs.evolve(after, owner="cancelled") if after.owner == "failed" and state.run_cancelled else after,
            )


@pytest.mark.parametrize(
    ("model", "reason", "moves"),
    [
        (NobodyTakesOver(2), "waits for an evaluation that nobody makes", 4),
        (CancellationSpreads(2), "got the cancellation of another", 4),
        (NoSecondLook(2), "two evaluations with the same inputs", 4),
        (AllTakeOver(2), "what is remembered is evaluated again", 5),
        (FailureIsRemembered(2, EITHER), "a failure is remembered", 3),
        (PermitIsLost(1), r"step\(n\) does not let n dispatches pass", 4),
        (LastComeFirstServed(2), "who came later was let pass earlier", 4),
        (VoidPermitIsHandedOn(1), r"step\(n\) does not let n dispatches pass", 6),
        (ResumeLeavesPermits(1), "a permit is left in an open gate", 3),
        (ResumeForgetsTheQueue(1), "somebody waits at an open gate", 3),
        (CancelledStaysInLine(1), "the queue is not those who wait", 3),
        (BreakpointHitsForEver(1, cancellable=0), "no end can be reached any more", 3),
        (LeavesEarly(("emit", "sleep", "fail")), "a fork outlives its owner", 2),
        (JoinsWhatHasFailed(("emit failing",)), "a group was merged after its failure", 3),
        (BodyIsNotTold(("emit failing", "sleep")), "deadlock", 2),
        (BodyGoesOn(("emit failing", "sleep", "emit")), "a fork was made in a group that is cancelled", 3),
        (SiblingsAreNotTold(("emit", "emit failing")), "deadlock", 3),
        (FailureIsSwallowed(("emit failing", "sleep")), "a cancellation hides a failure", 5),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "initial") else "",
)
def test_a_wrong_protocol_is_caught(model, reason, moves):
    """Each with a shortest way to what goes wrong."""
    with pytest.raises(CounterExample, match=reason) as caught:
        explore(model)
    assert len(caught.value.path) == moves, str(caught.value)


# --- the engine ---


def replayed(model, run=answer):
    """How many paths it takes to go through every move of every state, and where an engine goes another way."""
    paths = [*explore(model).covering_paths()]
    return [*filter(None, (difference_on(model, path, run) for path in paths))]


@pytest.mark.parametrize(
    ("askers", "outcome"), [pytest.param(3, "well", marks=pytest.mark.unmeasured), (2, "well"), (2, "fails")]
)
def test_the_engine_shares_evaluations_as_the_model_does(askers, outcome):
    """Every move of every state of the model, as a controlled schedule of a scripted graph (D5)."""
    assert replayed(SharedEvaluation(askers, (outcome,))) == []


@pytest.mark.unmeasured
def test_the_engine_has_the_gate_of_the_model():
    """As above, with a host that pauses, resumes, steps and sets a breakpoint (G2, G3)."""
    assert replayed(GateProtocol(2, cancellable=1, most_permits=1)) == []


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES, ids=", ".join)
def test_the_engine_shuts_down_as_the_model_does(body):
    """As above, with a host that cancels (F2, F5, R5); it never matters who notices a cancellation first."""
    assert replayed(Shutdown(body).settled()) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "model",
    [
        CancellationSpreads(2),
        NoSecondLook(2),
        AllTakeOver(3),
        PermitIsLost(2, cancellable=1, most_permits=1),
        LastComeFirstServed(2, cancellable=0, most_permits=1),
        VoidPermitIsHandedOn(2, cancellable=1, most_permits=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_no_wrong_protocol_is_that_of_the_engine(model, monkeypatch):
    """A replay can fail: what a wrong model says is not what the engine does."""
    monkeypatch.setattr(model, "fault", lambda _state: None)
    paths = explore(model).covering_paths()
    assert any(difference_on(model, path, answer) for path in paths)


def test_a_request_made_of_a_path():
    """Releases become choices, the host's moves actions at the number of releases made so far."""
    model = GateProtocol(2, cancellable=0)
    path = ["pause", "d 0.0.1.0 a", "step 1", "d 0.0.0.0 a", "g 0.0.1.0 a"]
    request = request_of(model, path)
    assert request["choices"] == [1, 0]
    assert request["actions"] == [{"at": 1, "do": "pause"}, {"at": 2, "do": "step", "count": 1}]


def test_a_difference_says_what_the_model_has_and_what_came():
    """A path that stops before the end is one: the engine goes on."""
    path = ["pause", "d 0.0.1.0 a"]
    said = difference_on(GateProtocol(2, cancellable=0), path, small_step)
    assert said == (
        "step 2 of ['pause', 'd 0.0.1.0 a']: the model says None, the engine "
        "{'do': 'release', 'enabled': ['d 0.0.0.0 a'], 'chosen': 'd 0.0.0.0 a', 'events': []}"
    )
