"""The behaviour graphs of others do here what their authors say that they do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from outside.khr.document import behaviours_of
from outside.khr.verdicts import failed, run

FOLDER = Path(os.environ.get("TRIOFLOW_CORPORA", "nowhere")) / "khr"

pytestmark = [
    pytest.mark.outside,
    pytest.mark.unmeasured,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="TRIOFLOW_CORPORA names no folder with the graphs of others"),
]

WRONG = (
    "math/combine4x4: ",  # a matrix in rows
    "math/transform: ",
    "math/inverse: [a] [0.0,2.1,0.7,3.0",
    "math/matDecompose: invalid",  # a rule that is no longer there
    "math/mul: [a] 345 [b] 0 = 1",
    "math/fract: [a] [-32435.0",  # what a float of 32 bits holds
)
"""Where a test itself is wrong by the standard's text, and what was wrong with it."""


def documents(pattern: str) -> list[Any]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob(pattern))]


def test_all_subtests_pass_that_are_right():
    graphs, names, found = 0, [], []
    for document in documents("*.json"):
        (behaviour,) = behaviours_of(document["document"])
        graphs += 1
        names += [f"{document['name']}: {each['name']}" for each in document["subtests"]]
        found += failed(document, run(behaviour))
    assert [each for each in found if not each.startswith(WRONG)] == []
    assert (graphs, len(names), sum(each.startswith(WRONG) for each in names)) == (78, 369, 9)


def test_graphs_of_the_release_candidate_pass():
    ran = 0
    for document in documents("rc/*.json"):
        (behaviour,) = behaviours_of(document["document"])
        ended = run(behaviour)
        verdicts = {
            name: each
            for name, each in zip(behaviour.variable_names, ended.variables, strict=True)
            if "HasPassed" in name
        }
        assert verdicts and all(each is True for each in verdicts.values()), document["name"]
        assert [each for each in ended.agenda.sent if each in {"test/onSuccess", "test/onFailed"}] == ["test/onSuccess"]
        ran += 1
    assert ran == 3


def test_models_run():
    """There is nothing to compare: half a second of ticks goes by."""
    for document in documents("models/*.json"):
        (behaviour,) = behaviours_of(document["document"])
        assert run(behaviour).agenda.now > 0.49
