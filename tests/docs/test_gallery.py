"""docs/gallery.md: each document is recognised, drawn as its picture is, and prints what the page says."""

from __future__ import annotations

import os
import re
import sys
import types
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.formats import to_svg
from trioflow.formats.known import detect, import_document
from trioflow.formats.port import document_in

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PAGE = (PICTURES.parent / "gallery.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(xml|yaml|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAID = "booked 250, asked yes"


def same_picture(name, graph):
    drawn, path = (
        to_svg(graph, tf.Registry.standard(plugins=False, allow=["scripts"])),
        PICTURES / f"gallery-{name}.svg",
    )
    if "TRIOFLOW_DRAW_ANEW" in os.environ:
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_document(number, capsys):
    """What it prints, or leaves in its output, is the same for all."""
    syntax, text = BLOCKS[number]
    if syntax == "yaml":
        pytest.importorskip("yaml", reason="some formats are written in YAML")
    document = document_in(text, syntax=syntax)
    name = detect(document).name
    if name == "serverless-workflow":
        pytest.importorskip("jq", reason="its expressions are in jq")
    same_picture(name, import_document(document).graph)
    page = {}
    exec(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0], page)
    registry = page["bodies"]() if name == "executionengine" else tf.Registry.standard(allow=["scripts"])
    imported = import_document(document, registry)
    assert not imported.errors
    result = trio.run(lambda: tf.run(imported.graph, registry=registry))
    left = str(result.variables.get("output")) + str(result.outputs.get("Booked"))
    assert SAID in capsys.readouterr().out + left


def test_all_formats_are_there():
    assert {detect(document_in(text, syntax=syntax)).name for syntax, text in BLOCKS} == {
        "bpmn", "actions", "nodered", "n8n", "executionengine", "dipeo", "serverless-workflow",
    }  # fmt: skip


@pytest.mark.outside
@pytest.mark.filterwarnings("ignore")
def test_the_object(capsys, monkeypatch):
    pytest.importorskip("langgraph", reason="LangGraph is not installed: pip install langgraph")
    (snippet,) = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    module = types.ModuleType("gallery")
    monkeypatch.setitem(sys.modules, "gallery", module)  # annotations are looked up there
    exec(compile(snippet, "gallery.md", "exec", dont_inherit=True), vars(module))
    assert capsys.readouterr().out == f"{SAID}\n"
    same_picture("langgraph", module.graph)
