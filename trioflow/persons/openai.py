"""Persons behind an endpoint that speaks OpenAI's chat completions, wherever it is. Needs the extra `http`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from trioflow.persons.over_http import HttpPerson, arguments_of
from trioflow.persons.port import Message, PersonFailed, PersonUnreachable, Reply, Tool, ToolCall


class OpenAIPerson(HttpPerson):
    """A model behind `BASE_URL/chat/completions`: OpenAI's own, or any that speaks the same, on this machine too.

    `prices` are what a million tokens cost, in and out; `options` further keys of each request, such as `temperature`.
    Use it as `async with OpenAIPerson(...) as alice`. Raises `MissingExtra` without httpx.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str = "",
        base_url: str = "https://api.openai.com/v1",
        prices: tuple[float, float] = (0.0, 0.0),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(base_url, model, key, prices, options)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"} if self._key else {}

    async def complete(self, messages: Sequence[Message], tools: Sequence[Tool], schema: Any) -> Reply:
        """The reply of one request, with tools, or as JSON that fits a schema. A cancellation gives the request up.

        Raises `PersonFailed`, with the status of HTTP, and `PersonUnreachable`.
        """
        body: dict[str, Any] = {"model": self.model, "messages": [*map(_message, messages)]}
        if tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
                }
                for each in tools
            ]
        if schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
        answered = await self._post("/chat/completions", body)
        try:
            said = answered["choices"][0]["message"]
            calls = [
                ToolCall(str(each["id"]), str(each["function"]["name"]), arguments_of(each["function"]["arguments"]))
                for each in said.get("tool_calls") or ()
            ]
            text = said.get("content") or ""
            usage = answered.get("usage") or {}
            return self._reply(
                str(text), calls, usage.get("prompt_tokens"), usage.get("completion_tokens"), answered.get("model")
            )
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            said = json.dumps(answered)[:300]
            raise PersonFailed(f"{self._url} did not answer with a chat completion ({what}): {said}") from None

    async def speak(self, messages: Sequence[Message], hear: Callable[[str], Awaitable[None]]) -> Reply:
        """The reply; `hear` is awaited with each piece of its text as it comes. A cancellation closes the connection.

        Raises `PersonFailed`, and `PersonUnreachable` if the reply breaks off.
        """
        body = {
            "model": self.model,
            "messages": [*map(_message, messages)],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        text: list[str] = []
        usage: dict[str, Any] = {}
        ended = False
        async with (
            self._open("/chat/completions", body) as response,
            aclosing(self._events(response)) as events,
        ):
            async for event in events:
                usage = event.get("usage") or usage
                for choice in event.get("choices") or ():
                    ended = ended or bool(choice.get("finish_reason"))
                    piece = (choice.get("delta") or {}).get("content")
                    if piece:
                        text.append(piece)
                        await hear(piece)
        if not ended:
            raise PersonUnreachable(f"{self._url} was cut off in the middle of its answer.")
        return self._reply("".join(text), (), usage.get("prompt_tokens"), usage.get("completion_tokens"), None)


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
            }
            for call in message.calls
        ]
    if message.call_id:
        said["tool_call_id"] = message.call_id
    return said
