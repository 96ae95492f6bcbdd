"""Emitting and listening: what is consumed, what is waited for, and from where events come."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from formats.serverless.workflows import graph_of, output_of
from trio.testing import MockClock

import trioflow as tf
from trioflow.formats.serverless import Events, WorkflowError
from trioflow.testing import run_virtual


def event(type: str, data: Any = None, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "https://x.test", "type": type, "data": data, **more}


def heard(text: str, *sent: dict[str, Any], input: Any = None) -> Any:
    events = Events()
    for each in sent:
        events.send(each)
    return output_of(text, input, services={Events: events}, options=tf.RunOptions(timeout=60))


def listen(to: str, more: str = "") -> str:
    return f"do: [{{l: {{listen: {{to: {to}}}{more}}}}}]"


def test_an_emitted_event_has_what_cloud_events_have():
    published: list[Any] = []

    async def publish(each: Any) -> None:
        published.append(each)

    text = "do: [{e: {emit: {event: {with: {source: 'https://x.test', type: a, data: {n: '${ .n }'}, extra: 1}}}}}]"
    found = output_of(text, {"n": 3}, services={Events: Events(publish)})
    assert published == [found]
    assert {key: found[key] for key in ("specversion", "source", "type", "data", "extra")} == {
        "specversion": "1.0",
        "source": "https://x.test",
        "type": "a",
        "data": {"n": 3},
        "extra": 1,
    }
    assert len(found["id"]) == 32 and found["time"].endswith("Z")


def test_one_all_and_any():
    sent = event("a", 1), event("b", 2), event("a", 3)
    assert heard(listen("{one: {with: {type: b}}}"), *sent) == [2]
    assert heard(listen("{all: [{with: {type: b}}, {with: {type: a}}]}"), *sent) == [1, 2]
    assert heard(listen("{any: [{with: {type: b}}, {with: {type: c}}]}"), *sent) == [2]
    assert heard(listen("{any: []}"), *sent) == [1]


def test_filters_compare_and_ask():
    sent = event("a", {"t": 37}), event("a", {"t": 39, "u": 1}, subject="x")
    assert heard(listen("{one: {with: {data: '${ .t > 38 }'}}}"), *sent) == [{"t": 39, "u": 1}]
    assert heard(listen("{one: {with: {data: {u: 1}}}}"), *sent) == [{"t": 39, "u": 1}]
    assert heard(listen("{one: {with: {subject: '${ \"x\" }'}}}"), *sent) == [{"t": 39, "u": 1}]
    assert heard(listen("{one: {with: {more: {deep: 1}}}}"), *sent, event("b", 5, more={"deep": 1})) == [5]


def test_listening_until_something():
    sent = [event("a", n) for n in range(6)]
    assert heard(listen("{any: [], until: '(. | length) >= 3'}"), *sent) == [0, 1, 2]
    stop = event("stop", "s")
    text = listen("{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}")
    assert heard(text, sent[0], sent[1], stop, sent[2]) == [0, 1]


def test_events_that_belong_together():
    both = "{all: [{with: {type: t}, correlate: C}, {with: {type: h}, correlate: C}]}"
    sent = event("t", 1, room="r1"), event("h", 2, room="r2"), event("h", 3, room="r1"), event("h", 4)
    assert heard(listen(both.replace("C", "{room: {from: .room}}")), *sent) == [1, 3]
    expected = "{one: {with: {type: h}, correlate: {room: {from: .room, expect: '${ .wanted }'}}}}"
    assert heard(listen(expected), *sent, input={"wanted": "r2"}) == [2]
    assert heard(listen("{one: {with: {type: h}, correlate: {room: {from: .room, expect: r1}}}}"), *sent) == [3]


def test_what_is_read_and_done_for_each():
    sent = event("a", 1), event("a", 2)
    assert heard("do: [{l: {listen: {to: {any: []}, read: envelope}}}]", *sent) == [sent[0]]
    text = """
    do:
    - l:
        listen: {to: {any: [], until: '(. | length) == 2'}}
        foreach:
          item: got
          at: place
          do: [{s: {set: {n: '${ $got * 10 + $place }', was: '${ . }'}}}]
          output: {as: '{n}'}
          export: {as: '$context + {last: .n}'}
    - s: {set: {all: '${ . }', last: '${ $context.last }'}}
    """
    assert heard(text, *sent) == {"all": [{"n": 10}, {"n": 21}], "last": 21}
    assert heard(listen("{any: []}", ", foreach: {output: {as: '. + 1'}}"), *sent) == [2]


def test_branches_talk_by_events():
    text = """
    do:
    - f:
        fork:
          branches:
          - hear: {listen: {to: {one: {with: {type: hello}}}}}
          - say: {do: [{w: {wait: PT5S}}, {e: {emit: {event: {with: {source: 'https://x.test', type: hello, data: hi}}}}}]}
        output: {as: '.[0]'}
    """
    assert output_of(text) == ["hi"]


def test_where_nobody_can_send_anything_it_says_so():
    with pytest.raises(WorkflowError, match="No event can come"):
        output_of(listen("{one: {with: {type: a}}}"))


def test_a_schedule_waits_for_its_events():
    text = "schedule: {on: {one: {with: {type: go}}}}\ndo: [{s: {set: {was: '${ $workflow.input[0].data }'}}}]"
    assert heard(text, event("no"), event("go", 7)) == {"was": 7}
    assert output_of(text, [{"data": 8}]) == {"was": 8}


async def test_events_that_come_later():
    graph, events = graph_of(listen("{one: {with: {type: a}}}")), Events()
    async with tf.open_run(graph, services={Events: events}) as run:
        await trio.testing.wait_all_tasks_blocked()
        events.send(event("a", 5))
        assert (await run.result()).variables["output"] == [5]


def test_events_are_not_kept_without_end():
    events = Events()
    events._kept = [event("a")] * 10_000
    with pytest.raises(ValueError, match="10,000 events are kept already"):
        events.send(event("a"))


def test_in_a_durable_run_events_are_signals(tmp_path):
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    graph = graph_of("do: [{s: {set: {a: 1}}}, {l: {listen: {to: {one: {with: {type: a}}}}}}]")

    async def run() -> Any:
        async with tf.open_run(graph, journal=journal, run_id="x") as run:
            for payload in ("no event", event("b"), event("a", {"n": 1})):
                tf.send_signal(journal, "x", "cloudevents", payload)
            return (await run.result()).variables["output"]

    assert trio.run(run) == [{"n": 1}]
    assert trio.run(lambda: tf.run(graph, journal=journal, run_id="x")).variables["output"] == [{"n": 1}]


def test_a_run_alone_is_no_workflow():
    """A task without the workflow around it has events of its own."""
    graph = graph_of("do: [{e: {emit: {event: {with: {source: 'https://x.test', type: a}}}}}]")
    nodes = [node for node in graph.nodes if node.id in {"start", "e"}]
    wire = tf.Connection(tf.Endpoint("start", "then"), tf.Endpoint("e", "enter"))
    alone = tf.Graph(nodes=nodes, connections=[wire], variables=graph.variables)
    assert run_virtual(alone).variables["output"]["type"] == "a"


def test_a_workflow_that_is_kept_goes_on_where_it_was(tmp_path):
    """It is killed while it listens; the event comes while nobody runs it."""
    text = """
    do:
    - a: {try: [{r: {raise: {error: {type: 'https://x.test', status: 500}}}}], catch: {retry: {delay: PT1S, limit: {attempt: {count: 2}}}, do: [{s: {set: {n: 1}}}]}}
    - e: {emit: {event: {with: {source: 'https://x.test', type: sent}}}}
    - l: {listen: {to: {one: {with: {type: paid}}}}}
    """
    published: list[Any] = []

    async def publish(each: Any) -> None:
        published.append(each["type"])

    journal = tf.SqliteJournal(tmp_path / "runs.db")
    given: Any = {"journal": journal, "run_id": "x", "services": {Events: Events(publish)}}

    async def killed() -> None:
        with trio.move_on_after(10):
            await tf.run(graph_of(text), **given)

    trio.run(killed, clock=MockClock(autojump_threshold=0))
    tf.send_signal(journal, "x", "cloudevents", event("paid", {"amount": 6}))
    assert output_of(text, **given) == [{"amount": 6}]
    assert published == ["sent"]
