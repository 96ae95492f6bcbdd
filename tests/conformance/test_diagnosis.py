"""The rule that is broken is named first: for faults as people make them, planted in this engine."""

from __future__ import annotations

import pytest

from trioflow.conformance.diagnosis import by_suspicion, suspects
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.findings import Finding
from trioflow.conformance.mutants import Mutant, load_mutants
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import check_vector, load_vectors

VECTORS = load_vectors(PACKAGED)
NAMES = {vector.name for vector in VECTORS}
ONCE = [vector for vector in VECTORS if not vector.explore]

SHIPPED = {mutant.name: mutant.edits for mutant in load_mutants()}
FAULTS = {
    "stale data": ("D4", SHIPPED["d4_stale"]),
    "deduplicated exec nodes": ("T3", SHIPPED["t3_once_is_enough"]),
    "racing emits": ("S2", (("BodyContext.emit", '"sequential":', '"sequential" and not stream.targets:'),)),
    "one permit too many": ("G2", (("Barrier.permit", "self._permits += count", "self._permits += count + 1"),)),
    "targets in reverse": ("T1", SHIPPED["t1_last_wire_first"]),
}


class Port(EnginePort):
    def run(self, request):
        try:
            return super().run(request)
        except Exception as error:
            return {"type": "error", "id": 0, "message": f"{type(error).__name__}: {error}"}


@pytest.mark.unmeasured
@pytest.mark.parametrize("fault", FAULTS)
def test_the_rule_that_is_broken_comes_first(fault):
    rule, edits = FAULTS[fault]
    with Mutant(fault, rule, "It is planted.", edits).alive():
        found = [check_vector(Port(), vector) for vector in ONCE]
    first, *_ = suspects(found, NAMES)
    assert first.rule == rule
    assert first.smallest.outcome == "failed"
    assert rule in first.smallest.rules


def finding(name, rules, level, outcome, size=1):
    return Finding(name, rules, level, outcome, "why", vector={"graph": "x" * size})


FOUND = [
    finding("a", ("T1",), 0, "failed", 9), finding("b", ("T1", "D2"), 0, "failed", 3), finding("c", ("D2",), 0, "passed"),
    finding("d", ("D2",), 0, "passed"), finding("e", ("G2",), 3, "failed"), finding("f", ("T1",), 0, "skipped"),
    finding("campaign L0: steps", ("R3",), 0, "failed"),
]  # fmt: skip


def test_counts_and_the_smallest():
    """Skipped checks don't count, nor do random requests where vectors fail; the smallest vector shows it."""
    found = suspects(FOUND, set("abcdef"))
    assert [(each.rule, each.failed, each.checked, each.level, each.smallest.name) for each in found] == [
        ("T1", 2, 2, 0, "b"), ("D2", 1, 3, 0, "b"), ("G2", 1, 1, 3, "e"),
    ]  # fmt: skip


def test_failures_in_its_order():
    failed = [each for each in FOUND if each.outcome == "failed"]
    assert [each.name for each in by_suspicion(failed, suspects(FOUND, set("abcdef")))] == [
        "b", "a", "e", "campaign L0: steps",
    ]  # fmt: skip


def test_random_requests_count_where_no_vector_fails():
    found = suspects([FOUND[2], FOUND[-1]], {"c"})
    assert [each.rule for each in found] == ["R3"]
    assert suspects([FOUND[2]], {"c"}) == []
