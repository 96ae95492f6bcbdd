"""Joins that take one token from each wire, played by hand (W19)."""

from __future__ import annotations

import pytest
from nets import names, net, play, step

import trioflow as tf
from trioflow.semantics.workflow.gates import machine_of
from trioflow.semantics.workflow.machine import Machine

SURPLUS = ["ab", "ac", "ad", "be", "ce", "ef", "df"]
"""Two tokens come over `ef`, and one over `df`."""
MERGED = {"e": {"join": "each"}}


def test_one_token_from_each_wire():
    """A parallel join fires as often as all wires have a token; what is left is skipped when no more can come."""
    log, machine = play(net([*SURPLUS, "fg"], {**MERGED, "f": {"join": "parallel"}}))
    assert names(log) == "abcdeefg"
    assert [(each.node.id, [*map(str, each.came)]) for each in machine.skipped] == [("f", ["e.then -> f.enter"])]


def test_what_is_left_may_fail():
    made = net([*SURPLUS, ("fg", {"on": "failed"})], {**MERGED, "f": {"join": "parallel", "unmet": "fail"}})
    assert names(play(made)[0]) == "abcdeeff!g"


@pytest.mark.parametrize("seed", range(8))
def test_surplus_tokens_fire_an_inclusive_join_again(seed):
    """In whatever order they come."""
    log, machine = play(net(SURPLUS, {**MERGED, "f": {"join": "inclusive"}}), seed=seed)
    assert sorted(names(log)) == [*"abcdeeff"]
    assert (machine.alive, machine.skipped) == (0, [])


def test_it_waits_only_for_its_empty_wires():
    """`f` fires while `c`, which can come over a wire that has a token already, is under way."""
    order = net([*SURPLUS, "cx", "xy", "ye"], {**MERGED, "f": {"join": "inclusive"}})
    log, _ = play(order)
    assert names(log).index("f") < names(log).index("y")
    straight = net(["ab", "ac", "cd", "de", "ef", "bf"], {"f": {"join": "inclusive"}})
    assert names(play(straight)[0]) == "abcdef"


def test_it_does_not_wait_for_what_may_come_either_way():
    """By the standard: a token that can come to an empty wire is no reason to wait, if it can come to a full one, too."""
    parting = ["ab", "ac", "be", "ef", "df", "cx", "xy", "yd", "ye"]
    order = names(play(net(parting, {**MERGED, "f": {"join": "inclusive"}}))[0])
    assert order.index("f") < order.index("y")
    assert order.count("f") == 2


def test_what_leads_over_itself_does_not_count():
    """A token behind it that can come back is waited for as any other, by a wire that is empty."""
    circle = net(["ab", "bc", "cb"], {"b": {"join": "inclusive", "most": 3}})
    assert names(play(circle, {"c": lambda firing: "nothing" if firing.turn == 3 else None})[0]) == "abcbcbc"


def test_a_parallel_join_in_a_circle_does_not_wait_for_the_others():
    """It fires with `d` of the same circle under way, which a join of all tokens would wait for."""
    wires = ["ab", "bc", "bd", "be", "cf", "df", "fg", "eg", ("gb", {"when": "never"})]
    nodes = {"b": {"join": "each", "most": 9}, "f": {"join": "parallel"}, "g": {"join": "parallel"}}
    order = names(play(net([*wires, "ex", "xg"], {**nodes, "g": {"join": "each"}}))[0])
    assert order.index("f") < order.index("x")


def test_inclusive_joins_that_wait_for_one_another():
    """The first in the document fires (W6), before a parallel one gives up."""
    wires = ["ab", "ac", "bc", "cb", "bp", "cp", "pb"]
    nodes = {"b": {"join": "inclusive", "most": 1}, "c": {"join": "inclusive", "most": 1}, "p": {"join": "parallel"}}
    log, machine = play(net(wires, nodes))
    assert names(log)[:2] == "ab"
    assert machine.alive == 0


def test_a_least_number_means_nothing():
    """It takes one token from each wire, however many are said (W19)."""
    registry = tf.Registry()
    registry.add(step)
    with tf.workflow(registry) as w:
        a, b, c = (w.add(step, name) for name in "abc")
        d = w.add(step, "d", join="parallel", min=2)
        for each in (a, b, c):
            w.connect(each, d)
    found = [each for each in tf.validate(w.graph, registry).warnings if each.rule == "W19"]
    assert [(each.code, each.path) for each in found] == [("no-meaning", "nodes[3].min")]


def test_tokens_with_which_a_scope_begins():
    """An inclusive join waits for those of them that may still come over its empty wires."""
    made = net(["ab", "ac", "bd", "cd", "ad"], {"d": {"join": "inclusive"}})
    region = made.behind(made.place["a"], "then")
    machine = machine_of(region)
    machine.open_with(region.opening.wires)
    fired = []
    while (firing := machine.take()) is not None:
        fired.append(firing.net.id)
        machine.end(firing, firing.net.way("then").taken(bool) if firing.net.out else ())
    assert fired == ["b", "c", "d"]
    straight = net(["ab", "ac"], {"b": {"join": "inclusive"}})
    assert type(machine_of(straight.whole())) is Machine
