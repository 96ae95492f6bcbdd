"""Flows as the editor exports them, and what they print; on a virtual clock."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
import trio
import trio.testing

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import open_document
from trioflow.semantics.events import MergeConflict

FOLDER = Path(__file__).parent / "flows"
EXPECTED = json.loads((FOLDER.parent / "expected.json").read_text(encoding="utf-8"))


def printed_by(graph, registry=None, **arguments):
    """What a run prints, and how many seconds it takes."""

    async def main():
        began = trio.current_time()
        with trio.fail_after(10_000):
            await tf.run(graph, registry=registry, **arguments)
        return round(trio.current_time() - began, 3)

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        seconds = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return printed.getvalue().splitlines(), seconds


@pytest.mark.parametrize("name", EXPECTED)
def test_what_it_prints(name):
    (case,) = EXPECTED[name]
    registry = tf.Registry.standard()
    for node, answer in case.get("bodies", {}).items():
        registry.body(node, lambda msg, answer=answer: {"msg": {**msg, **answer}})
    imported = import_document(open_document(FOLDER / f"{name}.json"), registry)
    assert [each for each in imported.errors if each.node not in case.get("bodies", {})] == []
    assert tf.validate(imported.graph, registry).errors == ()
    told = []
    lines, seconds = printed_by(imported.graph, registry, observers=[told.append])
    if case.get("unordered"):
        lines.sort()
    assert lines == case["prints"]
    assert seconds == case.get("lasts", seconds)
    assert [event for event in told if isinstance(event, MergeConflict)] == []


def test_there_are_enough():
    assert len(EXPECTED) >= 20 and {each.stem for each in FOLDER.glob("*.json")} == set(EXPECTED)
