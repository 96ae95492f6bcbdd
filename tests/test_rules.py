"""Every rule is cited where it is enforced and where it is tested, each by its own number, not within a range."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from specification import RULES

ROOT = Path(__file__).parent.parent
_RANGE = re.compile(r"\b[MDTFSRGEBCAWJP]\d+\s*[-–]\s*[MDTFSRGEBCAWJP]?\d+\b")
# The codes of linters have three digits or more; `P0.5D` is a duration, and press("F10") presses a key.
_RULE = re.compile(r"(?<!press\(\")(?<!page, \")\b[MDTFSRGEBCAWJP]\d{1,2}\b(?!\.\d)")


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
