"""What rules, codes and errors mean is said for all of them, and for nothing that is not there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from specification import RULES

import trioflow as tf
from trioflow import errors
from trioflow.explain import explain, explanations

PACKAGE = Path(tf.__file__).parent
REPORTING = {"error": 0, "warning": 0, "info": 0, "problem": 0, "_report": 1, "_drop": 1}
"""What reports a problem, and which of its arguments is the code."""


def codes(*folders):
    """The codes that the sources report, and those of errors."""
    found = set()
    for path in (each for folder in folders for each in (PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if name in REPORTING and isinstance(code := node.args[REPORTING[name]], ast.Constant):
                found.add(code.value)
    return found


def test_every_rule_is_explained():
    """All rules, as the prose has them but for the examples, those of an area in their order."""
    explained = [name for name, each in explanations().items() if each.area.startswith("rule: ")]
    assert {*explained} == {*RULES}
    data = [name for name in explained if name[0] == "D"]
    assert data == sorted(data, key=lambda name: int(name[1:]))
    assert all(explain(name).title == rule["title"] for name, rule in RULES.items())
    assert explain("M4").text.startswith("MUST · from L0\n\nAn *initiator* is an exec node at which runs start.")
    assert not [name for name in RULES if "json vector" in explain(name).text or "](" in explain(name).text]


def test_every_code_is_explained():
    """Whatever validation and imports report has a section, and each section is of something that is reported."""
    reported = codes("semantics", "formats/nodeeditor") | {"undeclared-variable", "undeclared-event"}
    reported |= {"node-package", "unknown-node-type", "unreadable-file"}  # chosen where they are looked up
    reported |= {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}
    known = {
        name for name, each in explanations().items() if each.area in {"problem of a graph", "finding of an import"}
    }
    assert reported == known


def test_every_error_is_explained():
    """By its docstring, and with whose fault it is."""
    assert explain("missinginput").area == "error: the author of the graph can cure it"
    assert explain("DepthExceeded").area == "error: the run had to stop"
    assert explain("Unwind").area == "error: of trioflow"
    for name in ("TrioflowError", "UnknownSocket", "MissingExtra", "UnknownNodeType"):
        assert explain(name).text


@pytest.mark.parametrize(
    "word", ["unknown-socket", "error[unknown-socket]", "Unknown-Socket", " [unknown-socket] nodes[0]"]
)
def test_words_as_people_have_them(word):
    """Copied from a line of `check`, or written in other capitals."""
    assert explain(word).name == "unknown-socket"


def test_what_is_not_known():
    """The nearest words are offered."""
    with pytest.raises(tf.UnknownName, match="Did you mean 'unknown-socket'"):
        explain("unkown-socket")
    with pytest.raises(tf.UnknownName, match="It may be a rule such as D4"):
        explain("")
