"""Every rule is cited where it is enforced and where it is tested, each by its own number, not within a range."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

RULES = """
    M1 M2 M3 M4 M5
    D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11
    T1 T2 T3 T4 T5 T6 T7 T8 T9
    F1 F2 F3 F4 F5 F6 F7 F8
    S1 S2 S3 S4 S5 S6
    R1 R2 R3 R4 R5 R6 R7 R8
    G1 G2 G3 G4
    E1 E2 E3 E4 E5
    B1 B2
    C1 C2 C3 C4 C5 C6 C7 C8
""".split()

ROOT = Path(__file__).parent.parent
_RANGE = re.compile(r"\b[MDTFSRGEBC]\d+\s*[-–]\s*[MDTFSRGEBC]?\d+\b")
_RULE = re.compile(r"\b[MDTFSRGEBC]\d{1,2}\b")  # the codes of linters have three digits or more


def cited(folder: str) -> dict[str, list[str]]:
    """Where below a folder each rule is cited: in comments, docstrings and reports of problems."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for rule in _RULE.findall(_RANGE.sub("", line)):
                found.setdefault(rule, []).append(f"{path.relative_to(ROOT)}:{number}")
    return found


@pytest.mark.parametrize("folder", ["trioflow", "tests"])
def test_every_rule_is_cited(folder):
    """Each rule is cited at least once in the package, and at least once in its tests."""
    places = cited(folder)
    assert [rule for rule in RULES if rule not in places] == []


@pytest.mark.parametrize("folder", ["trioflow", "tests"])
def test_no_other_rule_is_cited(folder):
    """A citation of a rule that does not exist is a slip of the pen."""
    assert {rule: where for rule, where in cited(folder).items() if rule not in RULES} == {}
