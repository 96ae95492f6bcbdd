"""The net of a workflow: wires, parts, regions."""

from __future__ import annotations

import pytest
from nets import net

import trioflow as tf


def taken(net, node, exit_="then", holds=()):
    way = net.nodes[net.place[node]].way(exit_)
    return [] if way is None else [str(wire.target) for wire in way.taken(lambda wire: wire.when in holds)]


def test_which_wires_are_taken():
    """Unconditional ones, those that hold, and an else if none held beside it (W3)."""
    made = net(["ab", ("ac", {"when": "x"}), ("ad", {"otherwise": True})])
    assert taken(made, "a") == ["1", "3"]
    assert taken(made, "a", holds="x") == ["1", "2"]
    assert taken(made, "a", exit_=None) == []


def test_one_is_chosen():
    """The first that holds, by priority, then in the order of the document (W3)."""
    made = net(
        [("ab", {"when": "x"}), ("ac", {"when": "y", "priority": 1}), ("ad", {"when": "z", "priority": 1})],
        {"a": {"choose": "first"}},
    )
    assert taken(made, "a", holds="xyz") == ["2"]
    assert taken(made, "a", holds="xz") == ["3"]
    with pytest.raises(tf.NoWay, match=r"Node 'a' chooses the first wire whose condition holds, and none does: a.then"):
        taken(made, "a")
    assert taken(net(["ab", "ac"], {"a": {"choose": "first"}}), "a") == ["1"]


def test_outcomes():
    """What a wire is on says when it is looked at (W3)."""
    made = net(["ab", ("ac", {"on": "failed"}), ("ad", {"on": "ended"}), ("ae", {"on": ["failed", "exhausted"]})])
    node = made.nodes[0]
    assert taken(made, "a") == ["1", "3"]
    assert taken(made, "a", exit_=None) == ["3"]
    assert [wire.target for wire in node.failed.wires] == [2, 3, 4]
    assert [wire.target for wire in node.exhausted.wires] == [4]


def test_wires_that_are_not_there():
    """A wire that is not enabled is no wire (W18)."""
    made = net(["ab", ("cb", {"enabled": False})], {"b": {"min": "every"}})
    assert [str(wire) for wire in made.wires] == ["a.then -> b.enter"]
    assert (made.nodes[1].kind, made.nodes[1].min) == ("one", 1)
    assert made.whole().entries == (0, 2)


def test_parts():
    """Circles are one part, and what no join is reached from is not looked at (W5)."""
    made = net(["ab", "bc", "cb", "cd", "ad", "de"])
    parts = [node.part for node in made.nodes.values()]
    assert parts[1] == parts[2]
    assert parts[4] == -1
    assert len({*parts}) == 4
    assert [node.circle for node in made.nodes.values()] == [-1, 0, 0, -1, -1]
    assert [node.most for node in made.nodes.values()] == [0, 1000, 1000, 0, 0]


def test_who_waits_for_whom_in_a_queue():
    """Nodes that lead straight to one with a queue, but for those in a circle with it (W16)."""
    made = net(["ab", "bc", "cb"], {"b": {"queue": 2}})
    assert [node.feeds for node in made.nodes.values()] == [(1,), (), ()]


def test_who_leads_only_there():
    """Nodes from which all wires lead to a join, over others of the kind or straight (W8)."""
    made = net(["ab", "ac", "bd", "cd", "ax", "xy", "xd"], {"d": {"join": "first", "rest": "cancel"}})
    assert made.nodes[3].cancels == {1, 2}
