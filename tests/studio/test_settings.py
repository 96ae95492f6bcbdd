"""The form of what can be said of a node beyond its inputs."""

from __future__ import annotations

import attrs
import pytest

import trioflow as tf
from trioflow.model.graph import GraphNode
from trioflow.studio import Session
from trioflow.studio.settings import SECTIONS, WORDS, settings_form

from .pages import opened, registry, summing

pytest.importorskip("starlette", reason="the page is served with starlette")

FIELDS = {field["path"]: field for fields in settings_form().values() for field in fields}


def every(fields):
    for each in fields:
        yield each
        yield from every(each["fields"])


ALL = {each["path"]: each for each in every(FIELDS.values())}


def test_all_that_documents_say_has_words():
    """And nothing else has; what is filled in elsewhere is known by name."""
    assert {*ALL} == {*WORDS}
    elsewhere = {"id", "type", "inputs", "initiator", "config", "metadata", "extra"}
    assert {each.name for each in attrs.fields(GraphNode)} - elsewhere == {
        key for keys in SECTIONS.values() for key in keys
    }


def test_kinds_and_defaults_are_those_of_the_document():
    """A duration with its unit, a choice with what is usual, what is needed."""

    def told(path):
        return ALL[path]["kind"], ALL[path]["default"], ALL[path]["needed"]

    assert told("policy.retry.delay") == ("duration", "1s", False)
    assert told("policy.retry.attempts") == ("number", "3", False)
    assert told("policy.retry.on") == ("names", "", False)
    assert told("policy.retry.clean") == ("flag", "", False)
    assert told("policy.skip") == ("maybe", "", False)
    assert told("policy.rate.limit") == ("text", "", True)
    assert told("policy.fallback.node") == ("node", "", False)
    assert told("policy.quota") == told("set") == ("values", "", False)
    assert told("join") == ("choice", "all", False) and ALL["join"]["choices"][0] == "all"
    assert told("min") == ("number", "1", False)
    assert (ALL["policy.retry"]["kind"], ALL["policy.retry"]["short"]) == ("group", "attempts")


async def test_what_is_wrong_is_told_with_its_place():
    """All at once, so that it can stand at the fields; and the graph is as it was."""
    session = Session(summing(), registry())
    async with opened(session) as client:
        assert (await client.get("/api/settings")).json()["policy"][0]["path"] == "policy"
        edit = {"edit": "settings", "node": "add", "settings": {"policy": {"retry": {"delay": "3"}, "limit": {}}}}
        answer = await client.post({"do": "edit", "edits": [edit]})
        assert answer.status_code == 409
        assert [path for path, _ in answer.json()["problems"]] == ["policy.retry.delay", "policy.limit"]
        assert session.bench.graph == summing()
        answer = await client.post({"do": "edit", "edits": [{"edit": "rename", "node": "add", "id": "loop"}]})
        assert answer.json()["problems"] == []


def test_a_form_has_the_sections_that_mean_something():
    """Of a workflow how it joins, of a node with streams how they run."""
    graph = tf.loads(
        '{"trioflow": "1.2", "kind": "workflow", "nodes": [{"id": "start", "type": "flow.start"}, {"id": "each", "type": "flow.for_each"},'
        ' {"id": "gone", "type": "no.such", "stream": {"limit": 2}}]}'
    )
    bench = Session(graph, registry()).bench
    assert bench.form("start")["sections"] == ["policy", "workflow"]
    assert bench.form("each")["sections"] == bench.form("gone")["sections"] == ["policy", "workflow", "streams"]
    assert Session(summing(), registry()).bench.form("start")["sections"] == ["policy"]
