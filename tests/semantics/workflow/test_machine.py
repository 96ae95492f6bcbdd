"""The token machine, played by hand (W2-W8, W10, W15, W16)."""

from __future__ import annotations

import pytest
from nets import names, net, play

DIAMOND = ["ab", "ac", "bd", "cd"]


def test_who_fires_first():
    """Nodes without wires, marked ones, and the first of a circle that nothing leads into (W2)."""
    log, machine = play(
        net(["ab", "cd", "dc"], {"b": {"initiator": True}, "e": {}, "f": {"initiator": False}, "c": {"most": 1}})
    )
    assert sorted(log[:4]) == [("a", "1.0.0"), ("b", "1.1.0"), ("c", "1.2.0"), ("e", "1.4.0")]
    assert machine.alive == 0


def test_a_node_that_undoes_fires_for_nobody():
    """It has no wires, and is no entry (W2, W17)."""
    assert names(play(net(["ab"], {"a": {"undo": "u"}, "u": {}}))[0]) == "ab"


@pytest.mark.parametrize(
    ("settings", "fired"),
    [
        ({}, "abcd"),
        ({"join": "each"}, "abcdd"),
        ({"join": "first"}, "abcd"),
        ({"join": "first", "min": 2}, "abcd"),
        ({"min": "every"}, "abcd"),
        ({"min": 3}, "abc"),
    ],
)
def test_how_tokens_are_taken(settings, fired):
    """A join fires once for all, for each, or for the first of its tokens (W4)."""
    assert names(play(net(DIAMOND, {"d": settings}))[0]) == fired


@pytest.mark.parametrize("seed", range(8))
def test_a_join_waits(seed):
    """For a chain, a loop and another join further up, in whatever order they end (W5)."""
    made = net(["ab", "bc", "cb", "cd", "ad", "ae", "de"], {"b": {"most": 3}})
    log, machine = play(made, {"c": lambda firing: "nothing" if firing.turn == 2 else None}, seed)
    assert names(log)[-1] == "e"
    assert sorted(log) == [
        ("a", "1.0.0"), ("b", "2.1.1.1.1"), ("b", "4.1.1.1.2"), ("c", "3.2.1.1.1"), ("c", "5.2.1.1.2"),
        ("d", "4.3.1.3.1"), ("e", "5.4.1.4.1"),
    ]  # fmt: skip
    assert machine.alive == 0


def test_joins_that_wait_for_one_another():
    """The first in the document fires; when it is skipped, the next (W6)."""
    circle = ["ab", "ac", "bc", "cb"]
    assert names(play(net(circle, {"b": {"most": 1}}))[0]) == "abcb!"
    assert names(play(net(circle, {"b": {"min": 2}, "c": {"most": 1}}))[0]) == "ac"
    log, machine = play(net([*circle, "db"], {"b": {"min": 3}, "c": {"min": 2}, "d": {}}), {"d": "nothing"})
    assert names(log) == "ad"
    assert [skipped.node.id for skipped in machine.skipped] == ["b", "c"]


def test_a_join_that_is_not_met():
    """It is skipped, which tells the wires, or fails (W7)."""
    made = net([*DIAMOND, "de"], {"d": {"min": 2}})
    log, machine = play(made, {"c": "nothing"})
    assert names(log) == "abc"
    assert [(each.node.id, [*map(str, each.came)], [*map(str, each.missing)]) for each in machine.skipped] == [
        ("d", ["b.then -> d.enter"], ["c.then -> d.enter"])
    ]
    made = net([*DIAMOND, ("de", {"on": "failed"})], {"d": {"min": 2, "unmet": "fail"}})
    assert names(play(made, {"c": "nothing"})[0]) == "abcd!e"


def test_first_tokens_that_are_too_few():
    """They are given up when nothing more can come (W7, W8)."""
    log, machine = play(net([*DIAMOND, "de", "ae"], {"d": {"join": "first", "min": 2}}), {"c": "nothing"})
    assert (names(log), [each.node.id for each in machine.skipped]) == ("abce", ["d"])
    made = net([*DIAMOND, ("de", {"on": "failed"})], {"d": {"join": "first", "min": 2, "unmet": "fail"}})
    assert names(play(made, {"c": "nothing"})[0]) == "abcd!e"


def test_first_in_a_loop():
    """What comes after its last firing begins anew, what does not is dropped (W8)."""
    made = net(["ab", "bc", "cb", "ad", "db"], {"b": {"join": "first", "most": 2}})
    log, _ = play(made)
    assert names(log) == "abdcbcb!"


def test_keys():
    """Round, place, lane and serial make each key unique, and the same in every order (W10)."""
    each = net([*DIAMOND, "de", "ef", "af"], {"d": {"join": "each"}})
    logs = [sorted(play(each, seed=seed)[0]) for seed in range(6)]
    assert logs == [logs[0]] * 6
    assert logs[0] == [
        ("a", "1.0.0"), ("b", "2.1.0"), ("c", "2.2.0"), ("d", "3.3.2.2.3"), ("d", "3.3.2.3.3"), ("e", "4.4.2.2.3"),
        ("e", "4.4.2.3.3"), ("f", "5.5.1.5.1"),
    ]  # fmt: skip


def test_turns():
    """Counted along the way of each token, within its circle; then the wires for that are taken (W15)."""
    made = net(["ab", "cb", "bb", ("bd", {"on": "exhausted"})], {"b": {"join": "each", "most": 2}})
    assert names(play(made)[0]) == "acbbbbb!b!dd"
    assert names(play(net(["ab", "bb"], {"b": {"most": 4}}))[0]) == "abbbbb!"


@pytest.mark.parametrize(
    ("settings", "nodes", "most"),
    [
        ({"limit": 2}, {}, 2),
        ({}, {name: {"group": "g"} for name in "bcde"}, 3),
        ({"groups": {"g": 2}}, {name: {"group": "g"} for name in "bcde"}, 2),
    ],
)
def test_limits(settings, nodes, most):
    """Of a workflow, and of a group, which is 1 if nothing is said (W16)."""
    from trioflow.semantics.workflow.machine import Machine  # noqa: PLC0415

    most = 1 if nodes and not settings else most
    machine = Machine(net(["ab", "ac", "ad", "ae"], nodes, **settings).whole())
    first = machine.take()
    machine.end(first, first.net.way("then").taken(lambda _: True))
    greatest, running, fired = 0, [], 0
    while machine.alive:
        while (firing := machine.take()) is not None:
            running.append(firing)
        greatest = max(greatest, len(running))
        machine.end(running.pop(0))
        fired += 1
    assert (greatest, fired) == (most, 4)


def test_priorities():
    """The highest first, and after eight of them a lower one has its turn (W16)."""
    fan = {name: {"priority": "critical"} for name in "bcdefghijk"} | {"l": {"priority": "low"}, "m": {}}
    made = net([f"a{name}" for name in "bcdefghijklm"], fan, limit=1)
    assert names(play(made)[0]) == "abcdefghimljk"


def test_a_queue():
    """While as many firings wait as it holds, those that would add to them do not start (W16)."""
    made = net(
        ["ab", "ac", "bd", "cd"], {"d": {"join": "each", "queue": 1, "group": "g"}, "c": {"group": "g"}}, limit=1
    )
    assert sorted(names(play(made)[0])) == sorted("abcdd")
    assert names(play(made)[0]) in ("abdcd", "acdbd")


def test_nobody_hangs_who_waits_for_two_things():
    """Who gets a place in a group and waits for its queue then, gives the place to the next (W16)."""
    nodes = {
        "b": {"group": "g"},
        "c": {"group": "g"},
        "d": {"queue": 1, "limit": 1, "join": "each"},
        "e": {"group": "g"},
    }
    log, machine = play(net(["ab", "ac", "bd", "cd", "ae"], nodes))
    assert (sorted(names(log)), machine.alive) == (sorted("abcdde"), 0)


def test_what_is_waiting():
    """The sources of tokens that nobody has taken yet, and a mark for firings without any."""
    from trioflow.semantics.workflow.machine import Machine  # noqa: PLC0415

    machine = Machine(net(["ab", "cb", "db"], {"b": {"min": 3}}).whole())
    assert [*machine.waiting()] == [None, None, None]
    first = machine.take()
    machine.end(first, first.net.way("then").taken(lambda _: True))
    assert [source and source.net.id for source in machine.waiting()] == [None, None, "a"]
    assert repr(first) == "<firing 1.0.0 of 'a'>"
