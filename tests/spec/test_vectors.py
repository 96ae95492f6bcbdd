"""The vectors hold: for this engine and for the reference, and each says what it is about."""

from __future__ import annotations

import json

import pytest
from specification import EXAMPLES, RULES, SPEC

from trioflow.conformance.engine import EnginePort
from trioflow.conformance.judge import ReferencePort
from trioflow.conformance.vectors import check_vector, load_vectors

FOLDER = SPEC / "vectors"
FILES = sorted(FOLDER.rglob("*.json"))
VECTORS = load_vectors(FOLDER)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name.replace(" ", "-"))
def test_engine(vector):
    """What a vector says comes true on this engine, under every schedule if it says so."""
    finding = check_vector(EnginePort(), vector)
    assert finding.outcome == "passed", finding.message


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector.needs <= ReferencePort.capabilities],
    ids=lambda vector: vector.name.replace(" ", "-"),
)
def test_reference(vector):
    """What a vector says comes true in the reference semantics, which runs valid graphs only."""
    finding = check_vector(ReferencePort(), vector)
    assert finding.outcome == "passed", finding.message


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_form(path):
    """A vector says what it is about, is named like its file, and no example in the prose has its name."""
    vector = json.loads(path.read_text(encoding="utf-8"))
    assert vector["doc"].endswith(".")
    assert (
        "-".join("".join(each if each.isalnum() and each.isascii() else " " for each in vector["name"].lower()).split())
        == path.stem
    )
    assert vector["name"] not in {each.vector["name"] for each in EXAMPLES}


def test_seen_where_the_table_says():
    """No vector is below the level at which its first rule can be seen."""
    too_low = {vector.name for vector in VECTORS if vector.level < RULES[vector.rules[0]]["from"]}
    assert too_low == set()


CONCURRENCY = "D5 F1 F2 F3 F4 F5 F6 F8 S2 S3 S4 S5 S6 R2 R4 R5 R8 E1 E2 E5".split()
"""Rules that say something about strands that go on at the same time."""


@pytest.mark.parametrize("rule", CONCURRENCY)
def test_under_every_schedule(rule):
    """Each rule about concurrency has a vector that holds under every schedule, and has several of them."""
    assert [vector.name for vector in VECTORS if rule in vector.rules and vector.explore]
