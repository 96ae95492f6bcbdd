"""The examples inside the rules are true: each is run, on the reference and on this engine."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import pytest
from specification import EXAMPLES, RULES, SPEC

from trioflow.conformance.engine import EnginePort
from trioflow.conformance.judge import ReferencePort
from trioflow.conformance.vectors import check_vector, vector_from
from trioflow.model.structure import graph_from

KEYS = {"name", "rules", "graph", "variables", "options", "level", "choices", "schedule", "actions", "expect"}


def test_names_are_unique():
    """Each example has a name of its own."""
    names = [each.vector["name"] for each in EXAMPLES]
    assert len(names) == len(set(names)) > 60


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_form(example):
    """An example is a vector: its graph can be read, and it names the rule below which it stands."""
    vector = example.vector
    assert set(vector) <= KEYS, example.where
    assert example.below in vector["rules"], example.where
    assert set(vector["rules"]) <= set(RULES), example.where
    assert vector["expect"], example.where
    graph_from(vector["graph"])


def test_graph_of_the_contract():
    """The graph that the contract explains runs as it says, and its evaluation has the key of the origins it lists."""
    text = (SPEC / "INTERPRETING.md").read_text(encoding="utf-8")
    block = re.search(r"^```json\n(\{\"trioflow\".*?)^```$", text, re.MULTILINE | re.DOTALL)
    listed = re.search(r"`sum` in the graph above \(3\) has the origins (.*)\.$", text, re.MULTILINE)
    assert block
    assert listed
    origins = re.findall(r"`(.*?)`", listed[1])
    graph = json.loads(block[1])
    graph_from(graph)
    answer = EnginePort().run({"graph": graph})
    assert answer["feedback"] == [[[0, 1], 5]]
    assert answer["canonical"]["evaluations"] == ["sum#" + sha256("\n".join(origins).encode()).hexdigest()[:16]]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("port", [EnginePort(), ReferencePort()], ids=["engine", "reference"])
def test_example(port, example):
    """What an example says comes true, under every schedule if it says so."""
    if "validation" not in port.capabilities and example.vector["expect"].get("status") == "invalid":
        return  # the reference runs valid graphs; validation is the engine's
    finding = check_vector(port, vector_from(example.vector, example.where))
    assert finding.outcome == "passed", f"{example.where}: {finding.message}"
