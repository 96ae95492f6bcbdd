"""Workflows and policies as the page is told of them: outcomes, dead wires, and what a policy does now."""

from __future__ import annotations

import contextlib
import json

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.scene import Scene
from trioflow.studio.watching import Watcher
from trioflow.testing import run_virtual

from .pages import registry

CALLS = []


@tf.exec_node(id="shown.down")
async def down() -> None:
    CALLS.append(1)
    if len(CALLS) < 3:
        raise OSError("the network is down")


def known():
    CALLS.clear()
    made = registry()
    made.add(down)
    return made


def watched(document, **given):
    """What a watcher has seen of a run, and the scene that it was seen in."""
    graph = tf.loads(json.dumps({"trioflow": "1.2", **document}))
    made = known()
    watcher = Watcher(Scene(graph, made))
    with contextlib.suppress(OSError):
        run_virtual(tf.make_plan(graph, made), observers=[tf.observe(watcher, kinds=Watcher.kinds)], **given)
    watcher.drain()
    return watcher


START = {"id": "start", "type": "flow.start"}


def printing(name, **more):
    return {"id": name, "type": "debug.print", "inputs": {"value": name}, **more}


def test_what_was_not_taken_is_dead():
    """Until it is taken; a join that misses something says so, and counts as not fired."""
    watcher = watched({
        "kind": "workflow", "variables": [{"name": "total", "type": "int", "default": 5}],
        "nodes": [START, printing("large"), printing("small"), printing("both", min="every")],
        "connections": [
            {"from": "start.then", "to": "large.enter", "when": "vars.total > 3"},
            {"from": "start.then", "to": "small.enter", "else": True},
            {"from": "large.then", "to": "both.enter"}, {"from": "small.then", "to": "both.enter"},
        ],
    })  # fmt: skip
    assert watcher.dead == [1]
    assert watcher.outcomes == {"3": {"not fired": 1}}
    assert [each["text"] for each in watcher.messages] == [
        "it did not fire: nothing came over small.then -> both.enter"
    ]


def test_retries_are_counted_and_told():
    """With what failed; the node says at which attempt it is."""
    watcher = watched({
        "nodes": [START, {"id": "down", "type": "shown.down", "policy": {"retry": {"attempts": 3, "delay": "1s", "jitter": 0}}}],
        "connections": [{"from": "start.then", "to": "down.enter"}],
    })  # fmt: skip
    assert watcher.outcomes == {"1": {"retried": 2}} and watcher.policies == {"1": "attempt 3"}
    assert watcher.messages[0]["text"] == "attempt 1 failed, another one in 1 s: OSError: the network is down"


def test_breakers_fallbacks_and_quarantine():
    """Each in words."""
    looping = [{"from": "start.then", "to": "loop.enter"}, {"from": "loop.body", "to": "down.enter"}]
    loop = {"id": "loop", "type": "flow.for", "inputs": {"times": 2}}

    def run(policy):
        node = {"id": "down", "type": "shown.down", "policy": policy}
        return watched({"nodes": [START, loop, node, printing("instead")], "connections": looping})

    broken = run({"breaker": {"calls": 2, "rate": 0.5}, "skip": True})
    assert broken.policies == {"2": "breaker open"} and broken.outcomes["2"]["skipped"] == 2
    assert "is open now: 2 of 2" in broken.messages[-1]["text"]
    fallen = run({"fallback": "instead"})
    assert "instead took its place" in fallen.messages[0]["text"]
    assert fallen.outcomes["2"] == {"fell back": 2}
    out = run({"quarantine": 1})
    assert out.policies["2"] == "quarantined" and any("skipped from now on" in each["text"] for each in out.messages)


def test_all_of_it_is_in_the_state():
    """By node, for the page."""
    session = Session(tf.Graph(), registry())
    session._watcher.outcomes["0"] = {"retried": 2}
    session._watcher.policies["0"] = "attempt 3"
    session.tick()
    assert (session.state["outcomes"], session.state["policies"], session.state["dead"]) == (
        {"0": {"retried": 2}}, {"0": "attempt 3"}, []
    )  # fmt: skip
