"""A small share of `tests/fuzz.py`: spoiled documents, options and outputs, and never a traceback; and what it has found."""

from __future__ import annotations

import json
import sys

import pytest
from formats.nodeeditor.documents import document, node, value
from fuzz import tries


@pytest.mark.unmeasured
def test_no_traceback_whatever_is_done():
    """Whatever is done to inputs and outputs, there is an exit code that is documented, and nothing of Python's."""
    assert tries(0, 0, 100) == []


def test_values_that_are_nested_too_deeply(cli, tmp_path):
    """Python can read them, and nothing of ours can follow: a line, whatever program the document is of."""
    deep = 1
    for _ in range(700 if sys.version_info < (3, 12) else 1_200):  # later Pythons count calls of C by themselves
        deep = [deep]
    tree = document(node("start", "Start"), node("show", "Debug Print"))
    tree["nodes"][1]["inputs"][2]["value"] = value(deep, "list")
    (tmp_path / "doc.json").write_text(json.dumps(tree))
    for command in ("import", "check", "run"):
        ended = cli(command, "doc.json")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "nested too deeply" in ended.err


def test_a_secret_whose_name_no_variable_can_have(cli):
    """It is not there, as any other name is not."""
    ended = cli("run", "fizzbuzz", "--secret", "\ud800")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no environment variable" in ended.err
