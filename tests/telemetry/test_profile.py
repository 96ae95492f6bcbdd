"""Profiles: the time of each node, its own and in all."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from telemetry.runs import failing, looping, watched

import trioflow as tf
from trioflow.telemetry import Profile, Recorder
from trioflow.testing import run_virtual


def times(profile):
    return {
        name: (each.steps, each.evaluations, each.own, each.total, each.longest)
        for name, each in profile.nodes.items()
        if name != "start"
    }


def test_own_and_total():
    """A loop's own time is what its body did not take; its total is all."""
    assert times(watched(looping(), Profile())) == {
        "nap": (3, 0, pytest.approx(1 + 2 + 5), pytest.approx(8), pytest.approx(5)),
        "loop": (1, 0, pytest.approx(0), pytest.approx(8), pytest.approx(8)),
        "square": (0, 3, pytest.approx(0), pytest.approx(0), pytest.approx(0)),
    }


def test_concurrent_strands_are_not_taken_from_their_owner():
    """What runs in strands of its own lasts in all longer than the node that started it."""
    found = times(watched(looping(kind="concurrent"), Profile()))
    assert found["nap"][2:4] == (pytest.approx(8), pytest.approx(8))
    assert found["loop"][2:4] == (pytest.approx(5), pytest.approx(5))


def test_a_recording_gives_the_same():
    """A profile of a recording is that of the run."""
    profile, recorder = Profile(), Recorder()
    run_virtual(looping(kind="concurrent"), observers=[profile, recorder])
    assert Profile.of(recorder.recording()).nodes == profile.nodes


def test_what_began_before_is_not_counted():
    """A profile that begins in the midst of a run has what begins from then on."""
    profile = Profile()

    async def main():
        async with tf.open_run(looping()) as run:
            await trio.sleep(0.5)
            run.observe(profile)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert times(profile)["nap"][:1] == (2,)


def test_recursion_counts_once():
    """The total of a node that is inside itself is that of the outermost."""
    with tf.build() as g:
        start, one, two = (g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "a", times=2), g.add(tf.nodes.Delay, "b", seconds=1.0))  # fmt: skip
        g.connect(start.then, one.enter)
        g.connect(one.body, two.enter)
    profile = watched(g.graph, Profile())
    assert profile.nodes["a"].total == pytest.approx(2)
    assert profile.nodes["b"].total == pytest.approx(2)


def test_failures_are_counted():
    """A failure ends the nodes that it passes, and their times are there."""
    found = watched(failing(), Profile()).nodes
    assert {name: (each.failed, each.total) for name, each in found.items()} == {
        "start": (0, 0.0),
        "outer": (1, pytest.approx(0.5)),
        "bad": (1, pytest.approx(0.5)),
    }


def test_the_table_is_for_people():
    """The slowest come first; what is left out is said."""
    lines = watched(looping(), Profile()).table(2).splitlines()
    assert lines[0].split() == [
        "own",
        "s",
        "total",
        "s",
        "longest",
        "s",
        "steps",
        "evaluations",
        "reused",
        "failed",
        "node",
    ]
    assert [line.split()[-1] for line in lines[1:]][0] == "nap"
    assert lines[-1] == "... and 2 more nodes"


@tf.data_node(id="profiled.slow")
async def slow(x: float) -> float:
    await trio.sleep(abs(x))
    if x < 0:
        raise ValueError(x)
    return x


@tf.data_node(id="profiled.total")
def total(a: float, b: float, c: float) -> float:
    return a + b + c


def three(*seconds):
    """Three evaluations of which each takes so long, for one node; those that fail are negative."""
    with tf.build() as g:
        a, b, c = (g.add(slow, name, x=each).result for name, each in zip("abc", seconds, strict=True))
        show = g.add(tf.nodes.SetVariable, "show", name="sum", value=g.add(total, "total", a=a, b=b, c=c).result)
        g.variable("sum", "float", 0.0)
        g.connect(g.add(tf.nodes.Start, "start").then, show.enter)
    return g.graph


@pytest.mark.parametrize("made", ["watched", "recorded"])
def test_what_was_begun_ahead_takes_as_long_as_its_body(made):
    """Also before its turn has come, and not until then. Who asked has waited for it since then alone."""
    graph = three(2, 1, 4)
    profile = watched(graph, Profile()) if made == "watched" else Profile.of(watched(graph, Recorder()).recording())
    assert times(profile) == {
        "a": (0, 1, pytest.approx(2), pytest.approx(2), pytest.approx(2)),
        "b": (0, 1, pytest.approx(1), pytest.approx(1), pytest.approx(1)),
        "c": (0, 1, pytest.approx(4), pytest.approx(4), pytest.approx(4)),
        "total": (0, 1, pytest.approx(0), pytest.approx(0), pytest.approx(0)),
        "show": (1, 0, pytest.approx(0), pytest.approx(4), pytest.approx(4)),
    }


def test_what_was_begun_ahead_in_vain_is_counted():
    """The table has a column for it then."""
    profile = watched(three(-2, 1, 4), Profile())
    assert {name: each.forgotten for name, each in profile.nodes.items() if each.forgotten} == {"b": 1, "c": 1}
    assert "  in vain  " in profile.table()
