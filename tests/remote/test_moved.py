"""Called graphs that are carried out elsewhere as a whole: what a run comes to and tells is as if they were not."""

from __future__ import annotations

import json
import pickle

import attrs
import pytest
import remote_bodies as bodies
import trio
from remote_graphs import NOTES, note
from remote_places import Near, near

import trioflow as tf
from trioflow.remote import Placement, Processes, VersionSkew
from trioflow.remote import placement as placement_module
from trioflow.runtime.wrapping.sent import Errors
from trioflow.semantics.trace import canonical_trace

INNER = {
    "interface": {
        "entries": [{"name": "enter"}, {"name": "again"}],
        "exits": [{"name": "then"}, {"name": "other"}],
        "inputs": [{"name": "n", "type": "int"}, {"name": "text", "type": "str", "default": "d"}],
        "outputs": [{"name": "total", "type": "int"}, {"name": "square", "type": "int"}],
    },
    "variables": [{"name": "sum", "type": "int", "default": 0}],
    "nodes": [
        {"id": "in", "type": "graph.enter"},
        {"id": "out", "type": "graph.leave"},
        {"id": "each", "type": "flow.for"},
        {"id": "both", "type": "remote.both", "inputs": {"a": 2}},
        {"id": "sum", "type": "variable.get", "inputs": {"name": "sum"}},
        {"id": "plus", "type": "math.add"},
        {"id": "set", "type": "variable.set", "inputs": {"name": "sum"}},
        {"id": "square", "type": "remote.square"},
        {"id": "parallel", "type": "flow.parallel_for_each"},
        {"id": "list", "type": "list.range", "inputs": {"stop": 3}},
        {"id": "work", "type": "remote.drawn"},
    ],
    "connections": [
        {"from": "in.enter", "to": "each.enter"},
        {"from": "in.again", "to": "out.other"},
        {"from": "in.n", "to": "each.times"},
        {"from": "each.body", "to": "both.enter"},
        {"from": "each.index", "to": "both.b"},
        {"from": "both.then", "to": "set.enter"},
        {"from": "sum.result", "to": "plus.a"},
        {"from": "both.high", "to": "plus.b"},
        {"from": "plus.result", "to": "set.value"},
        {"from": "each.done", "to": "parallel.enter"},
        {"from": "list.result", "to": "parallel.items"},
        {"from": "parallel.body", "to": "work.enter"},
        {"from": "parallel.item", "to": "work.x"},
        {"from": "parallel.done", "to": "out.then"},
        {"from": "sum.result", "to": "out.total"},
        {"from": "in.n", "to": "square.x"},
        {"from": "square.result", "to": "out.square"},
    ],
}


def graph(policy=None, call="enter", inner=INNER, **inputs):
    """A graph that calls that one, twice, and another one that does, and notes what came of it."""
    outer = {
        "interface": {"entries": [{"name": "enter"}], "exits": [{"name": "then"}]},
        "nodes": [
            {"id": "in", "type": "graph.enter"},
            {"id": "out", "type": "graph.leave"},
            {"id": "call", "type": "graph:inner", "inputs": {"n": 2}},
            {"id": "note", "type": "remote.note"},
        ],
        "connections": [
            {"from": "in.enter", "to": "call.enter"},
            {"from": "call.then", "to": "note.enter"},
            {"from": "call.total", "to": "note.value"},
            {"from": "note.then", "to": "out.then"},
        ],
    }
    document = {
        "trioflow": "1.0",
        "graphs": {"inner": inner, "outer": outer},
        "nodes": [
            {"id": "start", "type": "flow.start"},
            {"id": "first", "type": "graph:inner", "inputs": {"n": 3, **inputs}},
            {"id": "square", "type": "remote.square", "inputs": {"x": 2}},
            {"id": "second", "type": "graph:inner"},
            {"id": "third", "type": "graph:outer"},
            {"id": "then", "type": "remote.note"},
            {"id": "other", "type": "remote.note", "inputs": {"value": "other"}},
        ],
        "connections": [
            {"from": "start.then", "to": f"first.{call}"},
            {"from": "first.then", "to": "second.enter"},
            {"from": "first.other", "to": "other.enter"},
            {"from": "square.result", "to": "second.n"},
            {"from": "second.then", "to": "then.enter"},
            {"from": "first.square", "to": "then.value"},
            {"from": "then.then", "to": "third.enter"},
        ],
    }
    document = json.loads(json.dumps(document))
    if policy is not None:
        for each in [*document["nodes"], *document["graphs"]["outer"]["nodes"]]:
            if each["type"] == "graph:inner":
                each["policy"] = policy
    return tf.loads(json.dumps(document))


REGISTRY = tf.Registry.standard()
for each in (bodies.both, bodies.square, bodies.drawn, note):
    REGISTRY.add(each)
ELSEWHERE = {"run_on": "processes"}
STAYS = {Placement: Placement(processes=Near())}


async def told(made, monkeypatch=None, **settings):
    """What a run has told, noted, counted and come to."""
    NOTES.clear()
    events = []
    with trio.fail_after(60):
        try:
            result = await tf.run(made, registry=REGISTRY, observers=[events.append], **settings)
        except Exception as error:
            result = error
    return result, events, [*NOTES]


def plain(events):
    """Events without what differs from run to run."""
    kept = []
    for each in events:
        said = each.as_dict()
        for name in ("id", "run", "time", "duration", "sequence"):
            said.pop(name, None)
        if isinstance(said.get("message"), str) and len(said["message"]) > 60:
            said["message"] = said["message"][:8]  # its key is that of the run
        kept.append(said)
    return sorted(kept, key=lambda each: -1 if each["strand"] is None else each["strand"])  # which are concurrent


def canonical(events):
    """The trace without the keys that bodies tell, which are of their runs."""
    found = canonical_trace(events)
    return attrs.evolve(found, messages=tuple((path, level, text[:8]) for path, level, text in found.messages))


@pytest.mark.parametrize("place", [Near(), Processes(1)], ids=["near", "processes"])
async def test_the_same_as_here(place):
    """Every event, in order, with its path, node, strand and key; results; what is counted."""
    here, events, notes = await told(graph(), services=STAYS)
    assert notes == [9, 4]
    there, elsewhere, others = await told(graph(ELSEWHERE), services={Placement: Placement(processes=place)})
    assert not isinstance(here, Exception) and not isinstance(there, Exception), (here, there)
    assert plain(elsewhere) == plain(events)
    assert canonical(elsewhere) == canonical(events)
    assert others == notes and there.outputs == here.outputs
    one, other = here.statistics, there.statistics
    assert (one.steps, one.evaluations, one.forks) == (other.steps, other.evaluations, other.forks)
    assert [each.sequence for each in elsewhere] == [*range(len(elsewhere))]


async def test_it_is_one_call():
    """Nodes in it that say `run_on` run where it does."""
    place, services = near()
    await told(graph(ELSEWHERE), services=services)
    assert place.calls == 4  # the three, and the square outside


async def test_entries_and_exits():
    """It is entered where it is, and goes on at the exit that it has reached."""
    _, services = near()
    _, _, notes = await told(graph(ELSEWHERE, call="again"), services=services)
    assert notes == ["other"]


async def test_what_fails_in_it(monkeypatch):
    """It arose where it did, and says so; what was told before is told."""
    inner = json.loads(json.dumps(INNER))
    for each in inner["nodes"]:  # one item after the other: how many had begun when one failed is a matter of time
        if each["id"] == "parallel":
            each["inputs"] = {"limit": 1}
    inner["connections"] = [
        {"from": "in.n", "to": "work.x"} if each["to"] == "work.x" else each for each in inner["connections"]
    ]
    for n, kind, message in ((-1, ValueError, "no -1"), (100, tf.NodeError, "remote_bodies.Odd: 100 and 100")):
        here, events, _ = await told(graph(inner=inner, n=n), services=STAYS)
        there, elsewhere, _ = await told(graph(ELSEWHERE, inner=inner, n=n), services=STAYS)
        assert isinstance(there, kind) and message in str(there), repr(there)
        assert str(there).splitlines()[0].startswith(str(here)) or n == 100
        if n == -1:
            assert plain(elsewhere) == plain(events)
            assert there.__notes__ == here.__notes__
        assert "first/work" in str(there.__notes__)


async def test_limits_and_observers():
    """Steps count as they do here, and nobody is told what nobody wants to know."""
    for policy in (None, ELSEWHERE):
        result, _, _ = await told(graph(policy), services=STAYS, options=tf.RunOptions(max_steps=5))
        assert isinstance(result, tf.LimitExceeded)
    events = []
    for values in (False, True):
        watch = tf.observe(events.append, kinds=["NodeCompleted"], values=values)
        with trio.fail_after(60):
            await tf.run(graph(ELSEWHERE), registry=REGISTRY, observers=[watch], services=STAYS)
    of_both = [each.outputs and dict(each.outputs) for each in events if each.node == "first/both"]
    assert of_both[:3] == [None] * 3
    assert sorted(of_both[3:], key=str) == sorted(
        [{"low": 0, "high": 2}, {"low": 1, "high": 2}, {"low": 2, "high": 2}], key=str
    )
    assert all(each.duration >= 0 for each in events)
    NOTES.clear()
    await tf.run(graph(ELSEWHERE), registry=REGISTRY, services=STAYS)
    assert len(NOTES) == 2


async def test_in_a_journal():
    """It is one effect: recorded when it has ended, with the keys that it has here, and not done again."""
    journal = tf.MemoryJournal()
    place, services = near()
    arguments = {"services": services, "journal": journal}
    _, events, notes = await told(graph(ELSEWHERE), run_id="r", **arguments)
    assert place.calls == 4
    _, _, again = await told(graph(ELSEWHERE), run_id="r", **arguments)
    assert place.calls == 4 and not again and notes
    _, here, _ = await told(graph(), run_id="r", services=STAYS, journal=tf.MemoryJournal())
    said = [sorted(each.message for each in some if isinstance(each, tf.events.Feedback)) for some in (events, here)]
    assert said[0] == said[1]  # which of the items is the first is a matter of the schedule


async def test_other_code(monkeypatch):
    monkeypatch.setattr(placement_module, "version_of_call", lambda *_: "other")
    result, _, _ = await told(graph(ELSEWHERE), services=STAYS)
    assert isinstance(result, VersionSkew) and "A node type in 'graph:inner' has other code" in str(result)


def test_what_must_stay():
    """A call moves if all that it has to do with the graph around is what comes in and what goes out."""

    def refused(**changes):
        report = tf.validate(graph(ELSEWHERE, inner={**INNER, **changes}), REGISTRY)
        return {each.message.partition("): ")[2] for each in report.errors if each.code == "cant-move"}

    interface = INNER["interface"]
    assert refused() == set()
    lazy = {**interface, "inputs": [{"name": "n", "type": "int", "lazy": True}, interface["inputs"][1]]}
    assert refused(interface=lazy) == {"input 'n' is lazy: it is asked for here."}
    back = {**interface, "exits": [{"name": "then"}, {"name": "other", "callback": True}]}
    assert refused(interface=back) == {"exit 'other' goes out and comes back in the midst of the call."}
    shared = [{"name": "e", "shared": True}]
    assert refused(events=shared) == {"event 'e' is shared with the graph around, which is here."}
    data = {"interface": {"outputs": [{"name": "y", "type": "int"}]}, "nodes": [{"id": "out", "type": "graph.leave"}]}
    call = {"id": "call", "type": "graph:data", "policy": ELSEWHERE}
    made = tf.loads(json.dumps({"trioflow": "1.0", "graphs": {"data": data}, "nodes": [call]}))
    report = tf.validate(made, REGISTRY)
    (problem,) = [each for each in report.errors if each.code == "cant-move"]
    assert "graph:data is a data graph, which asks for its inputs here" in problem.message


async def test_a_pattern_leaves_calls_here():
    place, services = near()
    await told(graph(), services=services)
    calls = place.calls
    options = tf.RunOptions(policies={"graph:*": tf.Policy(run_on="processes")})
    await told(graph(), services=services, options=options)
    assert place.calls == 2 * calls
    result, _, _ = await told(
        graph(), services=services, options=tf.RunOptions(policies={"first": tf.Policy(run_on="processes")})
    )
    assert "a call of a graph moves if its node says so" in str(result)


async def test_types_without_a_name():
    """They are told before anything of the run has moved."""

    @tf.exec_node(id="remote.drawn")
    async def local(x: int) -> float:
        return x

    registry = tf.Registry.standard()
    registry.add(bodies.both, bodies.square, local, note)
    with pytest.raises(tf.MiddlewareError, match=r"its graph can't be sent: .*remote.drawn"):
        await tf.run(graph(ELSEWHERE), registry=registry, services=STAYS)


def test_groups_of_failures():
    """Each of a group is sent as it would be alone, with what was noted on it."""
    group = ExceptionGroup("two", [ValueError("a"), bodies.Odd(1, 2)])
    group.add_note("noted")
    errors = Errors()
    found = pickle.loads(pickle.dumps(errors.sendable(group)))
    assert [type(each) for each in found.exceptions] == [ValueError, tf.NodeError]
    assert found.__notes__ == ["noted"] and errors.sendable(group) is errors.sendable(group)


def test_paths_are_sent_as_numbers():
    """However long they are."""
    path = tf.events.path_of(tuple(range(5000)), "a/b/")
    found = pickle.loads(pickle.dumps(path))
    assert (found, found.graph) == (path, "a/b/")
