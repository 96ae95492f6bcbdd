"""Which rule a port breaks most likely, from the vectors that it fails: what to look at first.

A fault in one rule shows in vectors of many, because nothing works without triggers and inputs. It shows most in those
that are about it: most of them fail, at a low level, and little else does, unless a rule is so basic that much fails.
How these three weigh was tried out on the mutants of the kit, `spec/mutants`: of 95 the broken rule is named first for
65, and among the first three for 80.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import attrs

from trioflow.conformance.findings import NO_RULE, Finding

__all__ = ["Suspect", "by_suspicion", "suspects"]

_BESIDES = 0.5
"""What a vector counts for a rule that it names after the first, which is the one that it is about."""
_DOUBT = 0.5
"""Vectors that are taken to pass besides those of a rule: one of one that fails says less than nine of ten."""
_HIGHER = 0.6
"""What each level above 0 takes away: what fails there may fail because of what is below."""
_MANY = 0.2
"""The part of all vectors from which on it says nothing how much else fails."""


@attrs.frozen
class Suspect:
    """A rule with vectors that fail, how many of how many, from which level on, and the smallest of them."""

    rule: str
    failed: int
    checked: int
    level: int
    suspicion: float
    smallest: Finding


def suspects(findings: Sequence[Finding], vectors: Collection[str]) -> list[Suspect]:
    """The rules with vectors that fail, the most likely to be broken first; `vectors` are the names of all vectors.

    Where no vector fails, what else fails counts.
    """
    failing = [each for each in findings if each.outcome == "failed"]
    if any(each.name in vectors for each in failing):
        failing = [each for each in failing if each.name in vectors]
        findings = [each for each in findings if each.name in vectors]
    part = len(failing) / max(1, sum(each.outcome != "skipped" for each in findings))
    found = [_suspect(rule, findings, failing, part) for rule in {rule for each in failing for rule in each.rules}]
    return sorted(found, key=lambda each: (-each.suspicion, each.rule))


def _suspect(rule: str, findings: Sequence[Finding], failing: Sequence[Finding], part: float) -> Suspect:
    failed = [each for each in failing if rule in each.rules]
    checked = [each for each in findings if rule in each.rules and each.outcome != "skipped"]
    level = min(each.level for each in failed)
    weight = _weight(rule, failed)
    share = weight / (_weight(rule, checked) + _DOUBT)
    alone = (weight / len(failing)) ** max(0, 1 - part / _MANY)
    return Suspect(
        rule=rule,
        failed=len(failed),
        checked=len(checked),
        level=level,
        suspicion=share * alone * _HIGHER**level,
        smallest=min(failed, key=_size),
    )


def _weight(rule: str, findings: Sequence[Finding]) -> float:
    return sum(1 if each.rules[0] == rule else _BESIDES for each in findings)


def _size(finding: Finding) -> tuple[int, int]:
    return finding.level, len(json.dumps(finding.vector)) if finding.vector is not None else 1 << 30


def by_suspicion(findings: Sequence[Finding], found: Sequence[Suspect]) -> list[Finding]:
    """Findings in the order of the suspects whose rule they name, the small ones of each first."""
    place = {suspect.rule: number for number, suspect in enumerate(found)}

    def order(finding: Finding) -> tuple[int, tuple[int, int]]:
        return min(place.get(rule, len(place)) for rule in finding.rules or (NO_RULE,)), _size(finding)

    return sorted(findings, key=order)
