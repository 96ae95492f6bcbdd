"""Persons behind Anthropic's messages. Needs the extra `http`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from trioflow.persons.over_http import HttpPerson, arguments_of
from trioflow.persons.port import Message, PersonFailed, PersonUnreachable, Reply, Tool, ToolCall

_REPLY = "reply"


class AnthropicPerson(HttpPerson):
    """A model behind `BASE_URL/v1/messages`. `max_tokens` is how long an answer may be.

    `prices` are what a million tokens cost, in and out; `options` further keys of each request. Use it as
    `async with AnthropicPerson(...) as alice`. Raises `MissingExtra` without httpx.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str = "",
        base_url: str = "https://api.anthropic.com",
        max_tokens: int = 4096,
        prices: tuple[float, float] = (0.0, 0.0),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(base_url, model, key, prices, options)
        self._max_tokens = max_tokens

    def _headers(self) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01"} | ({"x-api-key": self._key} if self._key else {})

    def _body(self, messages: Sequence[Message]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "max_tokens": self._max_tokens, "messages": _turns(messages)}
        system = "\n\n".join(each.text for each in messages if each.role == "system")
        return body | ({"system": system} if system else {})

    async def complete(self, messages: Sequence[Message], tools: Sequence[Tool], schema: Any) -> Reply:
        """The reply of one request, with tools, or as JSON that fits a schema. A cancellation gives the request up.

        Raises `PersonFailed`, with the status of HTTP, and `PersonUnreachable`.
        """
        body = self._body(messages)
        known = [
            {"name": each.name, "description": each.description, "input_schema": dict(each.parameters)}
            for each in tools
        ]
        if schema is not None:  # a reply of a form is a tool that has to be used
            known.append({"name": _REPLY, "description": "Gives the answer.", "input_schema": schema})
            body["tool_choice"] = {"type": "any"} if tools else {"type": "tool", "name": _REPLY}
        if known:
            body["tools"] = known
        answered = await self._post("/v1/messages", body)
        try:
            text: list[str] = []
            calls: list[ToolCall] = []
            for block in answered["content"]:
                if block["type"] == "text":
                    text.append(block["text"])
                elif block["type"] == "tool_use" and schema is not None and block["name"] == _REPLY:
                    text = [json.dumps(block["input"])]
                elif block["type"] == "tool_use":
                    calls.append(ToolCall(str(block["id"]), str(block["name"]), arguments_of(block["input"])))
            usage = answered.get("usage") or {}
            return self._reply(
                "".join(text), calls, usage.get("input_tokens"), usage.get("output_tokens"), answered.get("model")
            )
        except (KeyError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise PersonFailed(
                f"{self._url} did not answer with a message ({what}): {json.dumps(answered)[:300]}"
            ) from None

    async def speak(self, messages: Sequence[Message], hear: Callable[[str], Awaitable[None]]) -> Reply:
        """The reply; `hear` is awaited with each piece of its text as it comes. A cancellation closes the connection.

        Raises `PersonFailed`, and `PersonUnreachable` if the reply breaks off.
        """
        text: list[str] = []
        usage: dict[str, Any] = {}
        ended = False
        async with (
            self._open("/v1/messages", self._body(messages) | {"stream": True}) as response,
            aclosing(self._events(response)) as events,
        ):
            async for event in events:
                usage |= (event.get("message") or {}).get("usage") or event.get("usage") or {}
                ended = ended or event.get("type") == "message_stop"
                piece = (event.get("delta") or {}).get("text")
                if piece:
                    text.append(piece)
                    await hear(piece)
        if not ended:
            raise PersonUnreachable(f"{self._url} was cut off in the middle of its answer.")
        return self._reply("".join(text), (), usage.get("input_tokens"), usage.get("output_tokens"), None)


def _turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages as they want them: user and assistant by turns, results of tools as what the user says."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks: list[dict[str, Any]] = []
        if message.role == "tool":
            blocks.append({"type": "tool_result", "tool_use_id": message.call_id, "content": message.text})
        elif message.text:
            blocks.append({"type": "text", "text": message.text})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
            for call in message.calls
        ]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns
