"""Persons over HTTP, against a server on this machine that misbehaves."""

from __future__ import annotations

import json
import sys

import pytest
import trio
from loopback import loopback

import trioflow as tf
from trioflow.persons.anthropic import AnthropicPerson
from trioflow.persons.openai import OpenAIPerson
from trioflow.persons.over_http import arguments_of
from trioflow.persons.port import Message, PersonFailed, PersonUnreachable, Reply, Tool, ToolCall

SAID = [
    Message("system", "Be short."),
    Message("user", "What is the weather?"),
    Message("assistant", "I look.", (ToolCall("c1", "weather", {"town": "Ulm"}),)),
    Message("tool", '"rain"', call_id="c1"),
    Message("system", "Be kind."),
]
TOOL = Tool("weather", "tells the weather", {"type": "object"})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def saying(body, status="200 OK", **headers):
    async def answering(exchange):
        await exchange.answer(body, status, **headers)

    return answering


CHAT = {
    "model": "small-1",
    "choices": [{"message": {"content": "Rain."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 10},
}
MESSAGE = {
    "model": "small-1",
    "content": [{"type": "thinking"}, {"type": "text", "text": "Rain."}],
    "usage": {"input_tokens": 1000, "output_tokens": 10},
}


async def test_chat_completions():
    async with loopback(saying(CHAT)) as server:
        person = OpenAIPerson(
            "small", key="k", base_url=f"{server.url}/v1/", prices=(2.0, 10.0), options={"temperature": 0}
        )
        async with person:
            reply = await person.complete(SAID, [TOOL], SCHEMA)
    assert reply == Reply("Rain.", (), 1000, 10, 0.0021, "small-1")
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.headers["authorization"]) == ("POST", "/v1/chat/completions", "Bearer k")
    assert asked.json == {
        "model": "small",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "What is the weather?"},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Ulm"}'}}
                ],
            },
            {"role": "tool", "content": '"rain"', "tool_call_id": "c1"},
            {"role": "system", "content": "Be kind."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "tells the weather", "parameters": {"type": "object"}},
            }
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}},
    }


async def test_messages():
    async with loopback(saying(MESSAGE)) as server:
        async with AnthropicPerson("small", key="k", base_url=server.url, prices=(2.0, 10.0)) as person:
            reply = await person.complete(SAID, [TOOL], None)
    assert reply == Reply("Rain.", (), 1000, 10, 0.0021, "small-1")
    (asked,) = server.asked
    assert (asked.target, asked.headers["x-api-key"], "anthropic-version" in asked.headers) == (
        "/v1/messages",
        "k",
        True,
    )
    assert asked.json == {
        "model": "small",
        "max_tokens": 4096,
        "system": "Be short.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is the weather?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"town": "Ulm"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": '"rain"'}]},
        ],
        "tools": [{"name": "weather", "description": "tells the weather", "input_schema": {"type": "object"}}],
    }


async def test_what_is_said_twice_in_a_turn():
    """Two things that a user says one after the other are one turn there."""
    async with loopback(saying(MESSAGE)) as server:
        async with AnthropicPerson("small", base_url=server.url) as person:
            await person.complete([Message("user", "a"), Message("user", "b")], (), None)
    assert server.asked[0].json["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]
    assert "x-api-key" not in server.asked[0].headers
    assert "tools" not in server.asked[0].json


async def test_a_reply_of_a_form():
    """With Anthropic it is a tool that has to be used."""
    use = {"type": "tool_use", "id": "c", "name": "reply", "input": {"n": 1}}
    async with loopback(saying({"content": [use]})) as server, AnthropicPerson("m", base_url=server.url) as person:
        assert (await person.complete(SAID, (), SCHEMA)).text == '{"n": 1}'
        assert (await person.complete(SAID, [TOOL], SCHEMA)).tokens_in == 0
        assert (await person.complete(SAID, [TOOL], None)).calls == (ToolCall("c", "reply", {"n": 1}),)
    assert [each.json.get("tool_choice") for each in server.asked] == [
        {"type": "tool", "name": "reply"}, {"type": "any"}, None,
    ]  # fmt: skip


async def test_tools_that_are_wanted():
    calls = [
        {"id": "1", "function": {"name": "weather", "arguments": '{"town": "Ulm"}'}},
        {"id": 2, "function": {"name": "weather", "arguments": ""}},
        {"id": "3", "function": {"name": "weather", "arguments": "nonsense"}},
        {"id": "4", "function": {"name": "weather", "arguments": "[1]"}},
    ]
    answered = {"choices": [{"message": {"content": None, "tool_calls": calls}}], "usage": {"prompt_tokens": -1}}
    async with loopback(saying(answered)) as server, OpenAIPerson("m", base_url=server.url) as person:
        reply = await person.complete(SAID, [TOOL], None)
    assert reply.text == ""
    assert [(each.id, each.arguments) for each in reply.calls] == [
        ("1", {"town": "Ulm"}),
        ("2", {}),
        ("3", {"arguments": "nonsense"}),
        ("4", {"arguments": [1]}),
    ]
    assert (reply.tokens_in, reply.model) == (0, "m")
    assert arguments_of({"a": 1}) == {"a": 1}


KINDS = [OpenAIPerson, AnthropicPerson]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "body", "after", "message", "seconds"),
    [
        ("429 Too Many", {"error": {"message": "slow  down"}}, "7", "answered 429: slow down", 7.0),
        ("429 Too Many", {"error": "slow down"}, "Wed, 21 Oct 2015 07:28:00 GMT", "answered 429: slow down", 0.0),
        ("500 Oops", b"<html>", "soon", "answered 500: <html>", None),
        ("500 Oops", b"", "Wed, 21 Oct 2015 07:28:00 -0000", "answered 500", None),
        ("401 No", {"error": {}}, None, """answered 401: {"error": {}}""", None),
    ],
)
async def test_refusals(kind, status, body, after, message, seconds):
    headers = {} if after is None else {"retry_after": after}
    async with (
        loopback(saying(body, status, **headers)) as server,
        kind("m", key="s3cret", base_url=server.url) as person,
    ):
        with pytest.raises(PersonFailed) as caught:
            await person.complete(SAID, (), None)
    assert str(caught.value).endswith(message)
    assert "s3cret" not in repr(caught.value)
    assert (caught.value.status, caught.value.retry_after) == (int(status[:3]), seconds)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"nonsense", "did not answer with a JSON object: 'nonsense'"),
        (b"[1]", "did not answer with a JSON object: '[1]'"),
        ({"error": 1}, "KeyError"),
        ({"content": [1], "choices": []}, "Error"),
        ({"content": [{"type": "text"}], "choices": [{"message": None}]}, "Error"),
    ],
)
async def test_answers_that_are_none(kind, body, message):
    async with loopback(saying(body)) as server, kind("m", base_url=server.url) as person:
        with pytest.raises(PersonFailed) as caught:
            await person.complete(SAID, (), None)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_goes_wrong_on_the_way(kind, monkeypatch):
    async def answering(exchange):
        await ways[-1](exchange)

    async def cut(exchange):
        await exchange.cut(b"half")

    async def silent(exchange):
        asked.set()
        await trio.sleep_forever()

    async def long(exchange):
        await exchange.answer(b" " * 2000)

    async def packed(exchange):
        await exchange.answer(b"", content_encoding="gzip")

    asked, ways = trio.Event(), [cut]
    async with loopback(answering) as server, kind("m", base_url=server.url) as person:
        with pytest.raises(PersonUnreachable):
            await person.complete(SAID, (), None)
        ways.append(silent)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(person.complete, SAID, (), None)
            await asked.wait()
            nursery.cancel_scope.cancel()
        monkeypatch.setattr("trioflow.persons.over_http._MOST", 1000)
        for way, message in ((long, "answered more than 1,000 bytes"), (packed, "packed its answer by 'gzip'")):
            ways.append(way)
            with pytest.raises(PersonFailed, match=message):
                await person.complete(SAID, (), None)
    async with kind("m", base_url=server.url) as person:
        with pytest.raises(PersonUnreachable):
            await person.complete(SAID, (), None)
    async with kind("m", base_url="http://localhost", options={"x": object()}) as person:
        with pytest.raises(PersonFailed, match="can't be asked: Object of type object is not JSON serializable"):
            await person.complete(SAID, (), None)


@pytest.mark.parametrize("kind", KINDS)
def test_without_httpx(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(tf.MissingExtra, match=rf"A {kind.__name__} needs .*trioflow\[http\]"):
        kind("m")


# --- while they speak ------------------------------------------------------------------------------------------------

STREAMS = {
    OpenAIPerson: [
        {"choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "Ra"}}]},
        {"choices": [{"delta": {"content": "in."}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    ],
    AnthropicPerson: [
        {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Ra"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "in."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ],
}


def sent(events):
    return "".join(f"event: x\ndata: {json.dumps(each)}\n\n" for each in events) + "data: [DONE]\n\n"


@pytest.mark.parametrize("kind", KINDS)
async def test_speaking(kind):
    heard = []

    async def hear(piece):
        heard.append(piece)

    async with loopback(saying(sent(STREAMS[kind]), content_type="text/event-stream")) as server:
        async with kind("m", base_url=server.url) as person:
            reply = await person.speak(SAID[:2], hear)
    assert heard == ["Ra", "in."]
    assert reply == Reply("Rain.", (), 3, 2, 0.0, "m")
    assert server.asked[0].json["stream"] is True


@pytest.mark.parametrize("kind", KINDS)
async def test_cut_off_while_it_speaks(kind):
    """Also where the connection ends as if all was well."""

    async def hear(piece):
        pass

    async with loopback(saying(sent(STREAMS[kind][:3]))) as server, kind("m", base_url=server.url) as person:
        with pytest.raises(PersonUnreachable, match="was cut off in the middle of its answer"):
            await person.speak(SAID, hear)


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_listens_fails(kind):
    """Nothing is left open."""

    async def hear(piece):
        raise ValueError(piece)

    async with loopback(saying(sent(STREAMS[kind]))) as server, kind("m", base_url=server.url) as person:
        with pytest.raises(ValueError, match="Ra"):
            await person.speak(SAID, hear)
