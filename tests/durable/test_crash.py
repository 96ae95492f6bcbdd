"""A crash at every operation on the journal, of vectors and of drawn graphs; then real ones, in other interpreters."""

from __future__ import annotations

import random

import attrs
import pytest
from durable.killing import killed
from durable.short_vectors import VECTOR_REQUESTS

import trioflow as tf
from trioflow.conformance.crashing import Tally, crash_everywhere, deterministic, drawn
from trioflow.durable import recording
from trioflow.durable.recorder import DONE, Recorder


@pytest.mark.unmeasured
def test_every_operation_of_vectors():
    """J6, J8: the same result, nothing lost, nothing done again of which a record was durable."""
    tally = Tally()
    for request in VECTOR_REQUESTS[::24]:
        if deterministic(request):
            crash_everywhere(request, tally)
    assert tally.runs > 5
    assert tally.crashes > 20


@pytest.mark.unmeasured
def test_every_operation_of_drawn_graphs():
    """J6, J8: also of graphs that nobody has thought of."""
    tally = Tally()
    for _, request in drawn(0, 1000):
        if deterministic(request):
            crash_everywhere(request, tally, step=2)
        if tally.runs == 3:
            break
    assert tally.crashes > 5


@pytest.mark.unmeasured
def test_every_operation_with_moments():
    """J26: the same of a run that takes a moment of all that has ended, as often as it can."""
    tally = Tally()
    for request in VECTOR_REQUESTS[6::40]:
        if deterministic(request):
            crash_everywhere(request, tally, moments=True)
    assert tally.moments > 5


@pytest.mark.unmeasured
def test_what_ended_while_it_was_being_cancelled():
    """J8, J26: it came to nothing, so there is no moment of it."""
    again = [["set", "x"], ["trigger", "o0"], ["loop", 3, [["emit"]]], ["join"]]
    emits = [["const", 4], ["set", "x"], ["loop", 3, again], ["trigger", "body", ["x"]], ["mul", 3], ["setvar", "v0"]]
    stream = {"mode": "concurrent", "on_error": "collect"}
    request = {
        "graph": {
            "trioflow": "1.0",
            "nodes": [
                {
                    "id": "n0",
                    "type": "script.exec",
                    "initiator": True,
                    "inputs": {"script": [["try", emits, [["feedback"]], []]]},
                    "stream": stream,
                },
                {"id": "n1", "type": "script.exec", "inputs": {"script": [["twice", "o0"]]}},
            ],
            "connections": [
                {"from": "n0.body", "to": "n1.again"},
                {"from": "n0.o0", "to": "n1.enter"},
                {"from": "n1.o0", "to": "n0.enter"},
            ],
            "variables": [{"name": "v0", "type": "int", "default": 0, "merge": "min"}],
        },
        "options": {"max_steps": 50, "streams": {"n0": {"mode": "sequential", "limit": 1}}},
    }
    assert deterministic(request)
    tally = Tally()
    crash_everywhere(request, tally, moments=True)
    assert tally.crashes > 3


def forgets_ends(monkeypatch):
    """J2: the ends of bodies are not recorded."""
    put = Recorder.put
    monkeypatch.setattr(
        Recorder, "put", lambda self, key, node, kind, data: kind == DONE or put(self, key, node, kind, data)
    )


def runs_again(monkeypatch):
    """J6: what is recorded is run all the same."""
    find = Recorder.find

    def forgetful(self, key, node, kinds, doing):
        return None if DONE in kinds else find(self, key, node, kinds, doing)

    monkeypatch.setattr(Recorder, "find", forgetful)
    monkeypatch.setattr(Recorder, "_nothing_left", lambda self: None)


def forgets_variables(monkeypatch):
    """J2: of what a body wrote the variables are left out."""
    said = recording._said
    monkeypatch.setattr(recording, "_said", lambda written, where: said(attrs.evolve(written, variables={}), where))


@pytest.mark.unmeasured
@pytest.mark.parametrize("mutant", [forgets_ends, runs_again, forgets_variables], ids=lambda each: each.__name__)
def test_the_harness_notices_mutants(monkeypatch, mutant):
    """Each of them breaks one rule, and is found out."""
    requests = [each for each in VECTOR_REQUESTS[::30] if deterministic(each)]
    mutant(monkeypatch)
    with pytest.raises((AssertionError, tf.Diverged)):
        for request in requests:
            crash_everywhere(request, Tally())


@pytest.mark.unmeasured
@pytest.mark.parametrize(("store", "times"), [("sqlite", 3), ("file", 1)])
def test_real_kills(tmp_path, store, times):
    """kill -9 at any moment, resumed in fresh interpreters with other hash seeds: 0 lost, 0 recorded done again.

    `killing.py` does it as often as one likes.
    """
    kills, _ = killed(tmp_path, store, times, random.Random(store))
    assert kills
