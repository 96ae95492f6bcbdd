"""What persons over HTTP share: a client, and what goes wrong in words of this house. Needs the extra `http`."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import trio

from trioflow.errors import MissingExtra
from trioflow.model.clock import SystemClock
from trioflow.model.secret import reveal
from trioflow.persons.port import PersonFailed, PersonUnreachable, Reply, ToolCall

if TYPE_CHECKING:
    from typing import Self

    import httpx

_MOST = 1 << 24
_SHOWN = 300
_SENT = {"content-type": "application/json", "accept-encoding": "identity"}


class HttpPerson:
    """A person behind a URL. `async with` closes the connections that it keeps.

    `prices` are what a million tokens cost, in and out. `options` are further keys of each request, such as
    `temperature`. The key is shown nowhere.
    """

    def __init__(
        self, base_url: str, model: str, key: str, prices: tuple[float, float], options: Mapping[str, Any] | None
    ) -> None:
        try:
            import httpx  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtra(f"A {type(self).__name__}", "http") from error
        self.model = model
        self._url = base_url.rstrip("/")
        self._key = reveal(key)
        self._prices = prices
        self._options = dict(options or {})
        self._client = httpx.AsyncClient(timeout=None, headers=self._headers())  # noqa: S113 - limits are trio's

    def _headers(self) -> dict[str, str]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _reply(self, text: str, calls: Sequence[ToolCall], tokens_in: Any, tokens_out: Any, model: Any) -> Reply:
        count_in, count_out = _count(tokens_in), _count(tokens_out)
        cost = (count_in * self._prices[0] + count_out * self._prices[1]) / 1e6
        return Reply(text, tuple(calls), count_in, count_out, cost, model if isinstance(model, str) else self.model)

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object that is answered. Raises `PersonFailed`."""
        async with self._open(path, body) as response:
            return self._read(await self._all(response))

    @asynccontextmanager
    async def _open(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[httpx.Response, None]:
        """An answer that is none of an error, as it begins to come."""
        import httpx  # noqa: PLC0415 - an extra

        url = f"{self._url}{path}"
        try:
            data = json.dumps({**body, **self._options}, ensure_ascii=False).encode()
            request = self._client.build_request("POST", url, content=data, headers=_SENT)
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise PersonFailed(f"{url} can't be asked: {error}.") from None
        response: httpx.Response | None = None
        try:
            response = await self._client.send(request, stream=True)
            if response.status_code >= 400:
                raise self._refusal(response, await self._all(response))
            yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = str(error).rstrip(".") or type(error).__name__
            raise PersonUnreachable(f"{url}: {said}.") from error
        finally:
            if response is not None:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                    await response.aclose()

    async def _all(self, response: httpx.Response) -> bytes:
        data = bytearray()
        async with aclosing(self._pieces(response)) as pieces:
            async for piece in pieces:
                data += piece
        return bytes(data)

    async def _pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """What comes, piece by piece; to be closed."""
        coding = response.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise PersonFailed(f"{self._url} packed its answer by {coding!r}, although it was asked not to.")
        pieces = response.aiter_raw()
        size = 0
        try:
            async for piece in pieces:
                size += len(piece)
                if size > _MOST:
                    raise PersonFailed(f"{self._url} answered more than {_MOST:,} bytes.")
                yield piece
        finally:
            # Generators inside of it stay open if this one is only closed: cancelling what they wait for ends them all.
            with trio.CancelScope() as scope:
                scope.cancel()
                async for _ in pieces:
                    pass

    def _read(self, data: bytes) -> dict[str, Any]:
        try:
            read: object = json.loads(data)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            said = data.decode(errors="replace")[:_SHOWN]
            raise PersonFailed(f"{self._url} did not answer with a JSON object: {said!r}.")
        return cast("dict[str, Any]", read)

    def _refusal(self, response: httpx.Response, data: bytes) -> PersonFailed:
        said = data.decode(errors="replace")
        try:
            error: Any = json.loads(data)["error"]
            said = error["message"] if isinstance(error, dict) else str(error)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        message = f"{self._url} answered {response.status_code}: {' '.join(str(said).split())[:_SHOWN]}"
        after = _seconds(response.headers.get("retry-after"))
        return PersonFailed(message.rstrip(": "), status=response.status_code, retry_after=after)

    async def _events(self, response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
        """The data of server-sent events, each an object; `[DONE]` is none. To be closed."""
        left = b""
        async with aclosing(self._pieces(response)) as pieces:
            async for piece in pieces:
                *lines, left = (left + piece).split(b"\n")
                for line in lines:
                    data = line.removeprefix(b"data:").strip()
                    if line.startswith(b"data:") and data != b"[DONE]":
                        yield self._read(data)


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _seconds(after: str | None) -> float | None:
    """What Retry-After says: seconds, or a date."""
    if after is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", after.strip()):
        return float(after)
    try:
        date = email.utils.parsedate_to_datetime(after)
    except ValueError:
        return None
    return max(0.0, (date - SystemClock().now()).total_seconds()) if date.tzinfo is not None else None


def arguments_of(given: Any) -> dict[str, Any]:
    """The arguments of a call: an object, or one written as JSON. What is none is under `arguments`, for the error."""
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except (ValueError, RecursionError):
            return {"arguments": given}
    return cast("dict[str, Any]", given) if isinstance(given, dict) else {"arguments": given}
