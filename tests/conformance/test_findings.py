"""Counting, filing, and the baseline."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import attrs
import pytest

from trioflow.conformance.findings import Finding, Tally, junit, read_baseline, save_failures, tallies, with_baseline

FOUND = [
    Finding("one", ("F3", "D4"), 2, "passed", seconds=0.5),
    Finding("two", ("F3",), 2, "failed", "variables.v: expected 1, got 2\nmore\x07", 0.25, {"name": "two/è 2"}),
    Finding("three", ("F3",), 0, "skipped", "it needs fork"),
    Finding("four", ("D10",), 2, "failed", "no"),
    Finding("port: stop", (), 0, "failed", "it was told to stop"),
]


def test_counts_by_rule_and_level():
    """A finding counts for each of its rules; rules come in the order of the rules."""
    assert tallies(FOUND) == {
        ("D4", 2): Tally(passed=1),
        ("D10", 2): Tally(failed=1),
        ("F3", 0): Tally(skipped=1),
        ("F3", 2): Tally(passed=1, failed=1),
        ("-", 0): Tally(failed=1),
    }
    assert [*tallies(FOUND)] == [("D4", 2), ("D10", 2), ("F3", 0), ("F3", 2), ("-", 0)]


def test_a_finding_on_a_line():
    assert [each.line() for each in FOUND[2:]] == [
        "skipped: three [F3]: it needs fork",
        "failed: four [D10]: no",
        "failed: port: stop: it was told to stop",
    ]
    assert FOUND[0].line() == "passed: one [F3, D4]"


# --- the baseline


def test_a_baseline_is_a_list_of_names():
    text = "# known\ntwo  # since March\n\n  port: stop\ncampaign #2\nissue#3\ntwo\n"
    assert read_baseline(text) == ("two", "port: stop", "campaign", "issue#3")


def outcomes(found):
    return {finding.name: finding.outcome for finding in found}


def test_known_failures_are_no_failures():
    held = with_baseline(FOUND, ("two", "port: stop"), all_ran=True)
    assert outcomes(held) == {
        "one": "passed",
        "two": "known",
        "three": "skipped",
        "four": "failed",
        "port: stop": "known",
    }
    assert held[1] == attrs.evolve(FOUND[1], outcome="known")


def test_a_stale_entry_is_a_failure():
    """A check that passes is no known failure any more; one that was skipped may still fail."""
    held = with_baseline(FOUND, ("one", "three"), all_ran=True)
    assert [finding.line() for finding in held[len(FOUND) :]] == [
        "failed: baseline: one: stale: this check does not fail any more. Take the line out of the baseline."
    ]


def test_an_entry_without_a_check_is_stale_if_all_were_run():
    assert with_baseline(FOUND, ("gone",), all_ran=False) == FOUND
    held = with_baseline(FOUND, ("gone",), all_ran=True)
    assert held[-1].message == "stale: there is no such check. Take the line out of the baseline."


# --- files


def test_junit():
    """The file is XML whatever was found, has a case for each finding, and counts what it holds."""
    text = junit([*FOUND, attrs.evolve(FOUND[3], outcome="known")], "port\x00")
    suite = ET.fromstring(text)
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<testsuite')
    assert suite.attrib == {
        "name": "port\\x00",
        "tests": "6",
        "failures": "3",
        "skipped": "2",
        "errors": "0",
        "time": "0.750",
    }
    cases = [(case.get("classname"), case.get("name"), case.get("time"), *case) for case in suite]
    assert [case[:3] for case in cases] == [
        ("L2.F3-D4", "one", "0.500"),
        ("L2.F3", "two", "0.250"),
        ("L0.F3", "three", "0.000"),
        ("L2.D10", "four", "0.000"),
        ("L0.kit", "port: stop", "0.000"),
        ("L2.D10", "four", "0.000"),
    ]
    assert len(cases[0]) == 3
    failure = cases[1][3]
    assert (failure.tag, failure.get("message")) == ("failure", "variables.v: expected 1, got 2")
    assert failure.text == "variables.v: expected 1, got 2\nmore\\x07"
    assert [(case[3].tag, case[3].get("message")) for case in (cases[2], cases[5])] == [
        ("skipped", "it needs fork"),
        ("skipped", "known to fail: no"),
    ]


def test_failures_are_saved_as_vectors(tmp_path):
    """Only failures that can be vectors are written, under names that any file system takes."""
    folder = tmp_path / "a" / "b"
    known = attrs.evolve(FOUND[1], outcome="known")
    assert save_failures([*FOUND, known], folder) == [folder / "two-2.json"]
    assert json.loads((folder / "two-2.json").read_text()) == {"name": "two/è 2"}
    assert save_failures([FOUND[0], known], tmp_path / "c") == []
    assert not (tmp_path / "c").exists()


def test_a_folder_that_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        save_failures(FOUND, tmp_path / "file")
