"""The examples inside the rules are true: each is run, on the reference and on this engine."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import pytest
from specification import EXAMPLES, RULES, SPEC

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
    answer = engine()({"graph": graph})
    assert answer["feedback"] == [[[0, 1], 5]]
    assert answer["canonical"]["evaluations"] == ["sum#" + sha256("\n".join(origins).encode()).hexdigest()[:16]]


CAPABILITIES = frozenset(
    "core data failure state limit fork stream time event life validation action".split()
)  # fmt: skip


class InProcess:
    """An engine in this process, as a port that claims everything."""

    level = 3
    capabilities = CAPABILITIES

    def __init__(self, name, answer):
        self.name = name
        self._answer = answer

    def run(self, request):
        return {"type": "result", "id": request.get("id", 0), **self._answer(request)}

    def close(self):
        pass


def engine():
    return pytest.importorskip("trioflow.conformance.engine").answer


def reference():
    return pytest.importorskip("trioflow.reference").small_step


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("which", [engine, reference], ids=["engine", "reference"])
def test_example(which, example):
    """What an example says comes true, under every schedule if it says so."""
    if which is reference and example.vector["expect"].get("status") == "invalid":
        return  # the reference runs valid graphs; validation is the engine's
    vectors = pytest.importorskip("trioflow.conformance.vectors")
    finding = vectors.check_vector(
        InProcess(which.__name__, which()), vectors.vector_from(example.vector, example.where)
    )
    assert finding.outcome == "passed", f"{example.where}: {finding.message}"
