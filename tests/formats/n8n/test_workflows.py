"""Workflows as the editor exports them, and what they print: the items that are left in the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from formats.nodered.test_flows import printed_by

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import open_document

FOLDER = Path(__file__).parent / "workflows"
EXPECTED = json.loads((FOLDER.parent / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_what_it_prints(name):
    (case,) = EXPECTED[name]
    registry = tf.Registry.standard()
    for node, answer in case.get("bodies", {}).items():
        registry.body(node, lambda answer=answer: answer)
    imported = import_document(open_document(FOLDER / f"{name}.json"), registry)
    assert [each for each in imported.errors if each.node not in case.get("bodies", {})] == []
    assert [str(each) for each in tf.validate(imported.graph, registry).errors] == []
    if "fails" in case:
        with pytest.raises(tf.NodeError, match=case["fails"]):
            printed_by(imported.graph, registry)
        return
    lines, seconds = printed_by(imported.graph, registry, variables=case.get("given", {}))
    if case.get("unordered"):
        assert sorted(lines) == sorted(case["prints"])
    else:
        assert lines == case["prints"]
    assert seconds == case.get("lasts", seconds)


def test_there_are_enough():
    assert len(EXPECTED) >= 20 and {each.stem for each in FOLDER.glob("*.json")} == set(EXPECTED)
