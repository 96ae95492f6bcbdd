"""The first difference between what must come and what came, and the rules that it points to."""

from __future__ import annotations

import pytest
from conformance.ports import completed

from trioflow.conformance.comparison import difference

STEPS = [
    {"do": "begin", "events": ["started 0.0 a -"]},
    {"do": "release", "enabled": ["d 0.0 a", "e 0.1 b"], "chosen": "e 0.1 b", "events": ["evaluating 0.1 b"]},
    {"do": "time", "now": 3, "events": []},
    {"do": "action", "action": {"at": 1, "do": "resume"}, "events": ["feedback 0.0 5", "joined 0.1"]},
]


def changed(index, **fields):
    return [{**step, **fields} if at == index else step for at, step in enumerate(STEPS)]


DIFFERENT = [
    ({"status": "completed"}, {"status": "failed"}, 'status: expected "completed", got "failed"', "R3"),
    ({"errors": ["depth"]}, {"errors": []}, 'errors[0]: expected "depth", got nothing', "R4"),
    ({"variables": {"v": 1}}, {"variables": {"v": True}}, "variables.v: expected 1, got true", "F3 D8"),
    ({"variables": {"v": 1}}, {"variables": {}}, "variables.v: expected 1, got nothing", "F3 D8"),
    ({"variables": {}}, {"variables": {"v": 1}}, "variables.v: expected nothing, got 1", "F3 D8"),
    ({"outputs": {"a": {"x": [1, 2]}}}, {"outputs": {"a": {"x": [1, 3]}}}, "outputs.a.x[1]: expected 2, got 3", "D9"),
    ({"feedback": [[[0], "é\n"]]}, {"feedback": [[[0], "e"]]}, r'feedback[0][1]: expected "é\n", got "e"', "T8"),
    ({"life": ["up a"]}, {"life": 5}, 'life: expected ["up a"], got 5', "R1"),
    ({"canonical": {"evaluations": ["b#1"]}}, {}, 'canonical: expected {"evaluations": ["b#1"]}, got nothing', ""),
    (
        {"canonical": {"evaluations": ["b#1"]}},
        {"canonical": {"evaluations": ["b#1", "b#2"]}},
        'canonical.evaluations[1]: expected nothing, got "b#2"',
        "D4 D6",
    ),
    (
        {"steps": STEPS},
        {"steps": STEPS[:2]},
        'step 2: expected {"do": "time", "now": 3, "events": []}, got nothing',
        "R3 T2",
    ),
    (
        {"steps": STEPS},
        {"steps": changed(1, enabled=["e 0.1 b"])},
        'step 1: expected release of "e 0.1 b" out of ["d 0.0 a", "e 0.1 b"], got release of "e 0.1 b" out of ["e 0.1 b"]',
        "T2 D5",
    ),
    ({"steps": STEPS}, {"steps": changed(2, now=4)}, "step 2: expected time 3, got time 4", "R8 R5"),
    (
        {"steps": STEPS},
        {"steps": [*STEPS[:3], STEPS[2]]},
        'step 3: expected action {"at": 1, "do": "resume"}, got time 3',
        "G2",
    ),
    (
        {"steps": STEPS},
        {"steps": [STEPS[2], *STEPS[1:]]},
        "step 0: expected begin, got time 3",
        "T2",
    ),
    (
        {"steps": STEPS},
        {"steps": changed(3, events=["feedback 0.0 6", "joined 0.1"])},
        'step 3 (action {"at": 1, "do": "resume"}): expected the events ["feedback 0.0 5"], got ["feedback 0.0 6"]',
        "T8",
    ),
    (
        {"steps": STEPS},
        {"steps": changed(2, events=["joined 0.1"])},
        'step 2 (time 3): expected the events [], got ["joined 0.1"]',
        "F3 F5",
    ),
    (
        {"steps": STEPS},
        {"steps": changed(3, events=["joined 0.1", "feedback 0.0 5"])},
        'step 3 (action {"at": 1, "do": "resume"}): expected the events ["feedback 0.0 5", "joined 0.1"], '
        'got ["joined 0.1", "feedback 0.0 5"]',
        "T8 F3 F5",
    ),
]


@pytest.mark.parametrize(("expected", "came", "said", "rules"), DIFFERENT)
def test_differences(expected, came, said, rules):
    """A difference says where it is, what was expected, and what came."""
    found = difference(expected, {**completed(), **came})
    assert found is not None
    assert (str(found), " ".join(found.rules)) == (said, rules)


def test_only_the_expected_fields_count():
    """Of the canonical trace only the lists that are named count; everywhere else all keys do."""
    answer = completed(variables={"v": 1}, canonical={"evaluations": ["b#1"], "strands": []}, steps=STEPS)
    assert difference({}, answer) is None
    assert difference({"variables": {"v": 1}, "canonical": {"evaluations": ("b#1",)}, "steps": STEPS}, answer) is None


def test_the_outcome_comes_first():
    """Why a run went wrong is told before what came of that."""
    found = difference(
        {"canonical": {"strands": [1]}, "steps": STEPS, "variables": {"v": 1}, "errors": ["depth"]},
        completed(canonical={"strands": []}, errors=["steps"]),
    )
    assert found is not None
    assert str(found) == 'errors[0]: expected "depth", got "steps"'


def test_long_values_are_cut():
    found = difference({"variables": {"v": "x" * 1000}}, completed())
    assert found is not None
    assert len(str(found)) < 300
