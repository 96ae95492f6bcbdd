"""What a check of a port found: passed, failed, known to fail, or skipped; counted, filed, and held against a baseline.

A baseline is a text file with the name of one check that is known to fail on each line; what follows a `#` is a
comment. A line whose check does not fail any more is itself a failure, so that the file never hides anything.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

import attrs

from trioflow.formats import visible

Outcome = Literal["passed", "failed", "known", "skipped"]

NO_RULE = "-"
"""Stands for the rule in counts of checks that are about none, such as the conversation itself."""


@attrs.frozen
class Finding:
    """How one check went.

    `message` says why it failed or was skipped. `vector` is the failure as a vector, if it can be one. `seconds` is
    how long the check took.
    """

    name: str
    rules: tuple[str, ...]
    level: int
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    vector: Mapping[str, Any] | None = None

    def line(self) -> str:
        """The finding on a line, with its rules."""
        rules = f" [{', '.join(self.rules)}]" if self.rules else ""
        return f"{self.outcome}: {visible(self.name)}{rules}{': ' if self.message else ''}{self.message}"


@attrs.define
class Tally:
    """How many checks of one rule went how."""

    passed: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        setattr(self, outcome, getattr(self, outcome) + 1)


def tallies(findings: Iterable[Finding]) -> dict[tuple[str, int], Tally]:
    """The counts by rule and level, in the order of the rules. A finding counts for each of its rules."""
    counts: dict[tuple[str, int], Tally] = {}
    for finding in findings:
        for rule in finding.rules or (NO_RULE,):
            counts.setdefault((rule, finding.level), Tally()).add(finding.outcome)
    return dict(sorted(counts.items(), key=lambda item: (_rule_order(item[0][0]), item[0][1])))


def _rule_order(rule: str) -> tuple[int, int]:
    areas = "MDTFSRGEB"  # as the rules themselves are ordered
    return (areas.find(rule[:1]) % (len(areas) + 1), int(rule[1:]) if rule[1:].isdecimal() else 0)


# --- the baseline ----------------------------------------------------------------------------------------------------


def read_baseline(text: str) -> tuple[str, ...]:
    """The names of the checks that are known to fail."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def with_baseline(findings: Sequence[Finding], known: Collection[str], *, all_ran: bool) -> list[Finding]:
    """The findings with failures that are known as such, and with a failure for each entry that is stale.

    An entry is stale if its check passed; also if there is no such check, unless not all of them were run.
    """
    held = [
        attrs.evolve(finding, outcome="known") if finding.outcome == "failed" and finding.name in known else finding
        for finding in findings
    ]
    outcomes = {finding.name: finding.outcome for finding in findings}
    for name in known:
        passed = outcomes.get(name) == "passed"
        if passed or (all_ran and name not in outcomes):
            why = "this check does not fail any more" if passed else "there is no such check"
            message = f"stale: {why}. Take the line out of the baseline."
            held.append(Finding(f"baseline: {name}", (), 0, "failed", message))
    return held


# --- files -----------------------------------------------------------------------------------------------------------


def junit(findings: Sequence[Finding], port: str) -> str:
    """The findings as JUnit XML, which continuous integration systems read. What is known to fail counts as skipped."""
    suite = ET.Element(
        "testsuite",
        name=_xml(port),
        tests=str(len(findings)),
        failures=str(sum(finding.outcome == "failed" for finding in findings)),
        skipped=str(sum(finding.outcome in ("skipped", "known") for finding in findings)),
        errors="0",
        time=f"{sum(finding.seconds for finding in findings):.3f}",
    )
    for finding in findings:
        group = f"L{finding.level}.{'-'.join(finding.rules) or 'kit'}"
        case = ET.SubElement(suite, "testcase", classname=group, name=_xml(finding.name), time=f"{finding.seconds:.3f}")
        message = _xml(finding.message)
        if finding.outcome == "failed":
            ET.SubElement(case, "failure", message=message.partition("\n")[0]).text = message
        elif finding.outcome != "passed":
            ET.SubElement(
                case, "skipped", message=f"known to fail: {message}" if finding.outcome == "known" else message
            )
    ET.indent(suite)
    text = io.StringIO()
    ET.ElementTree(suite).write(text, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text.getvalue()}\n'


def _xml(text: str) -> str:
    """The text without what XML can't hold, not even escaped."""
    return "\n".join(map(visible, text.split("\n")))


def save_failures(findings: Iterable[Finding], folder: Path) -> list[Path]:
    """Write each failure that can be a vector as one, into a folder that is made if need be. Gives their paths.

    A file of the same name is written anew. Raises `OSError`.
    """
    written: list[Path] = []
    for finding in findings:
        if finding.outcome == "failed" and finding.vector is not None:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', finding.vector['name']).strip('-')}.json"
            path.write_text(f"{json.dumps(finding.vector, indent=1)}\n", encoding="utf-8")
            written.append(path)
    return written
