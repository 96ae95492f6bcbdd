"""Who may ask: this machine's own page and nobody else. What stands in front of all answers.

- `Host` has to be a name of this machine, on any port, or one that was allowed: a page of another site whose name was
  pointed here (DNS rebinding) says its own.
- An `Origin` other than that host, and a `Sec-Fetch-Site` of another site, are refused.
- All under `/api/` needs the token as a bearer. The page gets it from the fragment of its address, which no browser
  sends anywhere. There are no cookies, so no other page can speak in our name.
- Every answer has a policy that lets the page load nothing but itself, and run nothing that stands in it as text.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-transform, no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
"""What every answer has, refusals included."""

_OURS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class Guard:
    """An ASGI app around another: it lets pass what may ask."""

    def __init__(self, app: App, token: str, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._token = f"Bearer {token}".encode()
        self._hosts = _OURS | {each.lower() for each in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
            return
        status, text = refusal
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        answer = _with_headers(send)
        await answer({"type": "http.response.start", "status": status, "headers": headers})
        await answer({"type": "http.response.body", "body": f"{text}\n".encode()})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        given: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name.lower(), []).append(value)
        host = b",".join(given.get(b"host", [])).decode("latin-1").lower()
        named = _HOST.fullmatch(host)
        if named is None or named[1] not in self._hosts:
            return 421, "This page is served to this machine alone. `--allow-host NAME` lets it have another name."
        for origin in given.get(b"origin", []):
            if origin.decode("latin-1").lower() not in (f"http://{host}", f"https://{host}"):
                return 403, "Pages of other sites may not ask."
        for site in given.get(b"sec-fetch-site", []):
            if site not in (b"same-origin", b"none"):
                return 403, "Pages of other sites may not ask."
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "Only GET and POST are answered."
        if scope["path"].startswith("/api/"):
            token = b",".join(given.get(b"authorization", []))
            if not hmac.compare_digest(token, self._token):
                return 401, "The token is missing or wrong: use the address that `trioflow studio` has printed."
        return None


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            others = [each for each in message.get("headers", []) if each[0].decode("latin-1").lower() not in HEADERS]
            message = {**message, "headers": [*others, *ours]}
        await send(message)

    return sent
