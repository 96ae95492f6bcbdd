"""Each field of a rich document of each format, changed once in each of several ways: place, never a traceback.

A value of another type is told, unless the place may hold anything.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from formats.mutating import changed, of_another_type, places, told, written

import trioflow as tf
from trioflow.formats.actions import FORMAT as ACTIONS
from trioflow.formats.bpmn import FORMAT as BPMN
from trioflow.formats.known import import_document
from trioflow.formats.n8n import FORMAT as N8N
from trioflow.formats.nodeeditor import FORMAT as NODEEDITOR
from trioflow.formats.nodered import FORMAT as NODERED
from trioflow.formats.port import document_in, open_document

pytestmark = [pytest.mark.unmeasured, pytest.mark.slow]
FOLDER = Path(__file__).parent
REGISTRY = tf.Registry.standard()
FREE = re.compile(
    r"\.(leftValue|rightValue|value|value1|value2|output)$|^pinData\..*\.json\.|^pinData\..*\]$|^staticData|^meta$"  # n8n
    r"|\.matrix\.include\[\d+\]\.|\.matrix\.\w+\[\d+\]$|^on\.\w+$|^on\.\w+\.(branches|tags|paths)|^true\.\w+\.branches"  # Actions
)
"""What may be anything."""


def imported_from(tree, form):
    """What is imported, or None if the document is refused; what is said has a line and a column."""
    try:
        imported = import_document(
            document_in(tree if isinstance(tree, str) else json.dumps(tree)), REGISTRY, format=form
        )
    except tf.DocumentError as refused:
        assert refused.problems
        return None
    assert all(each.position or each.code == "extension" for each in imported.diagnostics)
    if not imported.errors:
        tf.validate(imported.graph, REGISTRY)
    return imported


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("users/build.yml", ACTIONS),
        ("actions/workflows/inputs.yml", ACTIONS),
        ("users/readings.json", NODERED),
        ("nodeeditor/data/hello-world.json", NODEEDITOR),
        ("n8n/workflows/if_v2.json", N8N),
        ("n8n/workflows/lists.json", N8N),
        ("n8n/workflows/merge_by_fields.json", N8N),
        ("n8n/workflows/switch_v3.json", N8N),
    ],
)
def test_each_value(path, form):
    """Each value of another type, which is told; and null, an empty text or a list of null, in turn."""
    if form is ACTIONS:
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    tree = open_document(FOLDER / path).tree
    if form is NODEEDITOR:
        tree["nodes"] = tree["nodes"][:2]  # the others are like them
        tree["connections"] = tree["connections"][:1]
    before, silent = imported_from(tree, form), []
    for index, place in enumerate(places(tree)):
        after = imported_from(changed(tree, place, of_another_type), form)
        if after is not None and not FREE.search(written(place)) and not told(before, after, place):
            silent.append(written(place))
        value = (None, "", [None])[index % 3]
        imported_from(changed(tree, place, lambda _, value=value: value), form)
    assert not silent, silent


VALUES = ("", "x", "-1", "${", "loan", "verify", "f1")


def test_each_attribute_and_text():
    """Of a BPMN document, each changed to what it can't be, another id or nothing, in turn, and taken out."""
    text = (FOLDER / "users/loan.bpmn").read_text(encoding="utf-8")
    for index, place in enumerate(re.finditer(r'\s([\w:]+)="([^"]*)"|>([^<>\s][^<>]*)<', text)):
        group = 2 if place[1] is not None else 3
        value = VALUES[index % len(VALUES)]
        imported_from(text[: place.start(group)] + value + text[place.end(group) :], BPMN)
        if place[1] is not None:
            imported_from(text[: place.start()] + text[place.end() :], BPMN)


def test_each_element():
    """Of a BPMN document, each element called something else: said, or refused."""
    text = (FOLDER / "users/loan.bpmn").read_text(encoding="utf-8")
    before = {str(each) for each in imported_from(text, BPMN).diagnostics}
    silent = []
    for place in re.finditer(r"<bpmn:(\w+)([^>]*?)(/?)>", text):
        start, end = f"<bpmn:{place[1]}", f"</bpmn:{place[1]}>"
        rest = text[place.end() :]
        if not place[3]:
            rest = rest.replace(end, f"</bpmn:un{place[1]}>", 1)
        after = imported_from(f"{text[: place.start()]}<bpmn:un{place[0][len('<bpmn:') :]}{rest}", BPMN)
        if after is not None and {str(each) for each in after.diagnostics} <= before:
            silent.append(start)
    assert not silent, silent
