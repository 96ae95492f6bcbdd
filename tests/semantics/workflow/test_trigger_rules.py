"""Airflow's trigger rules, as joins and wires: for each end of two nodes further up, whether the one behind fires."""

from __future__ import annotations

import pytest
from nets import names, net, play

ENDS = {"success": None, "failed": "failed", "skipped": "nothing"}
STATES = ["success", "failed", "skipped"]

RULES = {
    "all_success": ("completed", {"min": "every"}, lambda a, b: a == b == "success"),
    "none_failed_min_one_success": ("completed", {}, lambda a, b: "failed" not in (a, b) and "success" in (a, b)),
    "all_done_min_one": ("ended", {}, lambda a, b: {a, b} != {"skipped"}),
    "one_success": ("completed", {"join": "first"}, lambda a, b: "failed" not in (a, b) and "success" in (a, b)),
    "one_failed": ("failed", {"join": "first"}, lambda a, b: "failed" in (a, b)),
    "all_failed": ("failed", {"min": "every"}, lambda a, b: a == b == "failed"),
    "one_done": ("ended", {"join": "first"}, lambda a, b: {a, b} != {"skipped"}),
}
"""What the wires are on, the settings of the join, and when it fires. A failure that no wire takes ends the workflow."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("one", STATES)
@pytest.mark.parametrize("other", STATES)
def test_trigger_rule(rule, one, other):
    """As Airflow has it, but that nodes do not fire for others that were all skipped (W3, W4, W7, W12)."""
    on, settings, fires = RULES[rule]
    made = net(["ab", "ac", ("bd", {"on": on}), ("cd", {"on": on})], {"d": settings})
    log, _ = play(made, {"b": ENDS[one], "c": ENDS[other]})
    ended_early = on == "completed" and "failed" in (one, other)
    assert ("d" in names(log) and not ended_early) == fires(one, other)
