"""XML, read strictly."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.formats.xml_text import read_xml

BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><b>&b;</b>'


def test_elements_with_their_lines():
    """Names without prefixes, namespaces beside them, texts, and where each begins."""
    root = read_xml(
        '<?xml version="1.0" encoding="utf-16"?>\n<x:a xmlns:x="urn:x" k="v" x:l="w">t\n <b/>u<c>ü</c></x:a>'
    )
    assert (root.name, root.namespace, root.attributes) == ("a", "urn:x", {"k": "v", "{urn:x}l": "w"})
    assert (root.get("k"), root.get("z"), root.text) == ("v", "", "t\n u")
    assert [(each.name, each.position, each.text) for each in root.children] == [("b", (3, 2), ""), ("c", (3, 7), "ü")]
    assert [each.name for each in root.everything()] == ["a", "b", "c"]
    assert (root.first("c").text, root.first("d")) == ("ü", None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "document type and its entities are not read"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ("<a>&b;</a>", "undefined entity"),
        ("<a><b></a>", "mismatched tag"),
        ("<a><b>", "no element found"),
        ("", "no element found"),
        ("<a/><a/>", "junk after document element"),
        ("<a>" * 1000, "nested too deeply"),
        ("<a>\ud800</a>", "not well-formed"),
    ],
)
def test_hostile_xml_is_refused(text, problem):
    """With line and column."""
    with pytest.raises(tf.DocumentError, match=problem) as caught:
        read_xml(text)
    assert caught.value.positions[0][0] == 1
