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


@pytest.mark.parametrize("number", range(4))
def test_a_document(number, capsys):
    syntax, text = BLOCKS[number]
    if syntax == "yaml":
        pytest.importorskip("yaml", reason="workflows of GitHub Actions are YAML")
    document = document_in(text, syntax=syntax)
    imported = import_document(document)
    assert not imported.errors
    same_picture(detect(document).name, imported.graph)
    registry = tf.Registry.standard(allow=["scripts"])
    trio.run(lambda: tf.run(imported.graph, registry=registry))
    assert SAID in capsys.readouterr().out


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
