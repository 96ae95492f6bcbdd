"""Envelopes, and CloudEvents as their JSON form."""

from __future__ import annotations

import datetime
import json
import pickle

import pytest

import trioflow as tf

NOON = datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.timezone.utc)


def envelope(body, **more):
    return tf.Envelope.of(body, **{"id": "1f", "trace": "run 1", "producer": "call/get", "socket": "page", **more})


def test_its_json_form():
    """A CloudEvent 1.0, with the run and what else is known as attributes."""
    found = envelope({"rows": 3}, time=NOON, meta={"consumer": "show", "attempt": 2}).to_dict()
    assert found == {
        "specversion": "1.0",
        "id": "1f",
        "source": "/runs/run%201/call%2Fget",
        "type": "trioflow.output",
        "subject": "page",
        "time": "2026-12-01T12:00:00Z",
        "run": "run 1",
        "consumer": "show",
        "attempt": 2,
        "datacontenttype": "application/json",
        "data": {"rows": 3},
    }


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        ({"a": [1, None]}, "application/json", "data"),
        ("text", "text/plain", "data"),
        (b"\x00\xff", "application/octet-stream", "data_base64"),
        (None, "application/json", "data"),
    ],
)
def test_there_and_back(body, kind, key):
    """What was written is read again, whatever it is."""
    whole = envelope(body, time=NOON, meta={"consumer": "show"})
    event = json.loads(json.dumps(whole.to_dict()))
    assert key in event
    again = tf.Envelope.from_dict(event)
    assert again == whole
    assert (again.body, again.content_type, again.has_error) == (body, kind, False)


@pytest.mark.parametrize("body", ["x" * 11, b"x" * 11, {"x": "x" * 11}])
def test_large_bodies(body):
    """They are given away, and loaded when they are read, each time."""
    kept, asked = {}, []

    def refer(data: bytes) -> str:
        kept["urn:1"] = data
        return "urn:1"

    def load(at: str) -> bytes:
        asked.append(at)
        return kept[at]

    event = envelope(body).to_dict(refer=refer, above=10)
    assert event["dataref"] == "urn:1"
    assert not {"data", "data_base64"} & {*event}
    again = tf.Envelope.from_dict(event, load=load)
    assert asked == []
    assert again.body == body
    assert asked == ["urn:1"]
    with pytest.raises(ValueError, match="The body of event '1f' is at 'urn:1'. Give `load`"):
        tf.Envelope.from_dict(event).body  # noqa: B018 - it is loaded when it is read
    assert "dataref" not in envelope("small").to_dict(refer=refer, above=10)
    assert "dataref" not in envelope(b"small").to_dict(refer=refer, above=10)


def test_failures():
    """What a node has failed with is an error, with its kind and text."""
    whole = envelope(LookupError("no page"), socket="!error")
    assert (whole.has_error, whole.error) == (True, "LookupError")
    event = whole.to_dict()
    assert (event["error"], event["data"]) == ("LookupError", {"type": "LookupError", "message": "no page"})
    again = tf.Envelope.from_dict(event)
    assert (again.has_error, again.error) == (True, "LookupError")


def test_parts():
    """A part of a mapping, or the value by the name of its output."""
    assert envelope({"a": 1}).get_output("a") == 1
    assert envelope({"a": 1}).get_output("b", 2) == 2
    assert envelope("text").get_output("page") == "text"
    assert envelope("text").get_output("other") is None


def test_other_peoples_events():
    """Any CloudEvent is an envelope; what is no such event says what it lacks."""
    found = tf.Envelope.from_dict(
        {"specversion": "1.0", "id": "7", "source": "https://shop", "type": "order", "size": 3}
    )
    assert (found.producer, found.trace, found.body, dict(found.meta)) == ("https://shop", "", None, {"size": 3})
    with pytest.raises(ValueError, match="got specversion '0.3' without id, type"):
        tf.Envelope.from_dict({"specversion": "0.3", "source": "x"})


@pytest.mark.parametrize("name", ["Consumer", "a_b", "run", "x" * 21])
def test_names_that_an_event_can_not_have(name):
    """They are refused by name."""
    with pytest.raises(ValueError, match=repr(name)):
        envelope(1, meta={name: 1}).to_dict()


@tf.exec_node
def get(url: str) -> int:
    """Get something."""
    return len(url)


@tf.exec_node
async def show(ctx: tf.Context, size: int, seen: tf.FromServices[list], word: str = "?") -> None:
    """Look at what it gets."""
    seen += [await ctx.get_envelope("size"), await ctx.get_envelope("word")]


def graph():
    with tf.workflow(implicit=True) as w:
        page = w.add(get, "get", url="abc")
        w.add(show, "show", size=page.result, word="yes")
    return w.graph


async def test_of_an_input():
    """A body sees whose value it is; ids are those of the place, and no two are the same."""
    seen: list[tf.Envelope] = []
    result = await tf.run(graph(), services={list: seen})
    size, word = seen
    assert (size.body, size.producer, size.socket) == (3, "get", "result")
    assert (word.body, word.producer, word.socket) == ("yes", "", "")
    assert size.schema["type"] == "integer"
    assert dict(size.meta) == {"consumer": "show", "input": "size"}
    assert size.time is not None
    assert size.trace == result.run
    assert size.id != word.id
    assert size.to_dict()["data"] == 3


async def test_of_a_kept_run():
    """In a run with a name ids are the same whenever it is run."""
    first: list[tf.Envelope] = []
    again: list[tf.Envelope] = []
    for seen in (first, again):
        await tf.run(graph(), services={list: seen}, journal=tf.MemoryJournal(), run_id="monday")
    assert [each.id for each in first] == [each.id for each in again]
    assert first[0].trace == "monday"


async def test_of_a_result():
    """What a run has left; a name that nothing was written to is an error as for `output`."""
    result = await tf.run(graph(), services={list: []})
    found = result.envelope("get")
    assert (found.body, found.producer, found.socket, found.trace) == (3, "get", "result", result.run)
    assert pickle.loads(pickle.dumps(result)).run == result.run
    with pytest.raises(tf.UnknownName):
        result.envelope("got")


async def test_of_an_event():
    """An event is one, too: its body is all that it says."""
    events: list[tf.events.Event] = []
    await tf.run(
        graph(), services={list: []}, observers=[tf.observe(events.append, kinds=["NodeCompleted"], nodes=["get"])]
    )
    (found,) = [each.envelope() for each in events]
    assert (found.type, found.producer, found.id) == ("trioflow.NodeCompleted", "get", events[0].id)
    event = found.to_dict()
    assert event["data"]["node"] == "get"
    assert event["source"] == f"/runs/{found.trace}/get"


async def test_types_that_no_schema_has():
    """They say nothing."""
    seen: list[tf.Envelope] = []

    @tf.exec_node
    async def look(ctx: tf.Context, value: complex) -> None:
        seen.append(await ctx.get_envelope("value"))

    with tf.workflow() as w:
        w.add(look, value=1j)
    await tf.run(w.graph)
    assert dict(seen[0].schema) == {}
