"""Workflows as people write them, and what they print."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import open_document

FOLDER = Path(__file__).parent / "workflows"
EXPECTED = json.loads((FOLDER.parent / "expected.json").read_text(encoding="utf-8"))
pytest.importorskip("yaml", reason="workflows are written in YAML")


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, cases in EXPECTED.items() for number in range(len(cases))]
)
def test_what_it_prints(name, number):
    case = EXPECTED[name][number]
    registry = tf.Registry.standard(allow=["scripts"])
    for node, answer in case.get("bodies", {}).items():
        registry.body(node, lambda answer=answer: answer)
    imported = import_document(open_document(FOLDER / f"{name}.yml"), registry)
    errors = [each for each in imported.errors if each.node not in case.get("bodies", {})]
    assert errors == []
    printed, failed = io.StringIO(), ""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            trio.run(lambda: tf.run(imported.graph, registry=registry, variables=case.get("given", {})))
        except tf.TrioflowError as error:
            failed = str(error)
    lines = printed.getvalue().splitlines()
    if "unordered" in case:
        assert sorted(lines) == sorted(case["unordered"])
    else:
        assert lines == case["prints"]
    assert case.get("fails", "") in failed and bool(failed) == ("fails" in case)


def test_there_are_enough():
    assert len(EXPECTED) >= 20 and {each.stem for each in FOLDER.glob("*.yml")} == set(EXPECTED)
