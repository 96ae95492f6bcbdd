"""Airflow's trigger rules, as joins and wires: for each end of two nodes further up, whether the one behind fires."""

from __future__ import annotations

import pytest
from nets import names, net, play

ENDS = {"success": None, "failed": "failed", "skipped": "nothing"}
STATES = ["success", "failed", "skipped"]
BEFORE = "ad"
"""A wire from what comes before both: so there is a token also where all between are skipped."""


def both(on):
    return [("bd", {"on": on}), ("cd", {"on": on})]


TAKEN = [("be", {"on": "failed"}), ("ce", {"on": "failed"})]
"""Failures that are wired elsewhere, and so don't end the workflow."""

RULES = {
    "all_success": (both("completed"), {"d": {"min": "every"}}, lambda a, b: a == b == "success"),
    "none_failed_min_one_success": (
        both("completed"), {}, lambda a, b: "failed" not in (a, b) and "success" in (a, b)
    ),
    "none_failed": ([*both("completed"), BEFORE], {}, lambda a, b: "failed" not in (a, b)),
    "one_success": ([*both("completed"), *TAKEN], {"d": {"join": "first"}}, lambda a, b: "success" in (a, b)),
    "all_done_min_one_success": ([*both("completed"), *TAKEN], {}, lambda a, b: "success" in (a, b)),
    "all_done": ([*both("ended"), BEFORE], {}, lambda a, b: True),
    "one_done": (both("ended"), {"d": {"join": "first"}}, lambda a, b: {a, b} != {"skipped"}),
    "none_skipped": (both("ended"), {"d": {"min": "every"}}, lambda a, b: "skipped" not in (a, b)),
    "one_failed": (both("failed"), {"d": {"join": "first"}}, lambda a, b: "failed" in (a, b)),
    "all_failed": (both("failed"), {"d": {"min": "every"}}, lambda a, b: a == b == "failed"),
    "all_skipped": (
        [("be", {"on": "ended"}), ("ce", {"on": "ended"}), "ae", ("ed", {"on": "failed"})],
        {"e": {"min": 2, "unmet": "fail"}},
        lambda a, b: a == b == "skipped",
    ),
    "always": (["ad", *TAKEN], {}, lambda a, b: True),
    "all_done_setup_success": ([*both("ended"), BEFORE], {}, lambda a, b: True),
}  # fmt: skip
"""The wires, the settings of joins, and when it fires. `a`, which leads to both, is the setup where there is one."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("one", STATES)
@pytest.mark.parametrize("other", STATES)
def test_trigger_rule(rule, one, other):
    """As Airflow has it (W3, W4, W7, W12). A failure that no wire takes ends the workflow."""
    wires, settings, fires = RULES[rule]
    made = net(["ab", "ac", *wires], settings)
    log, _ = play(made, {"b": ENDS[one], "c": ENDS[other]})
    ended_early = any(
        state == "failed" and made.nodes[made.place[name]].failed is None for name, state in (("b", one), ("c", other))
    )
    assert ("d" in names(log) and not ended_early) == fires(one, other)


@pytest.mark.parametrize("how", ["failed", "nothing"])
def test_without_its_setup(how):
    """`all_done_setup_success`: where the setup has failed or was skipped there is nothing to tear down."""
    wires, settings, _ = RULES["all_done_setup_success"]
    assert names(play(net(["ab", "ac", *wires], settings), {"a": how})[0]) == "a"


def test_all_skipped_is_known_when_all_have_ended():
    """What is behind goes on when no token can come any more, and not before."""
    wires, settings, _ = RULES["all_skipped"]
    log, _ = play(net(["ab", "ac", *wires], settings), {"b": "nothing", "c": "nothing"})
    assert names(log) == "abce!d"
