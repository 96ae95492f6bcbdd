"""Who may ask: each line of it, over loopback, as strangers would."""

from __future__ import annotations

import pytest
import trio

from trioflow.studio import Session

from .pages import opened, registry, summing

pytest.importorskip("starlette", reason="the page is served with starlette")

TOKEN = object()
CASES = {
    "the page needs no token": ("GET", "/", {}, 200),
    "a file of it neither": ("GET", "/main.js", {}, 200),
    "the graph with the token": ("GET", "/api/graph", {"authorization": TOKEN}, 200),
    "the graph without": ("GET", "/api/graph", {}, 401),
    "a wrong token": ("GET", "/api/graph", {"authorization": "Bearer wrong"}, 401),
    "a token that is no ASCII": ("GET", "/api/graph", {"authorization": b"Bearer \xff"}, 401),
    "a token as a cookie": ("GET", "/api/graph", {"cookie": "token=x"}, 401),
    "events without a token": ("GET", "/api/events", {}, 401),
    "commands without a token": ("POST", "/api/do", {}, 401),
    "what there is not, without a token": ("GET", "/api/none", {}, 401),
    "localhost on another port, through a tunnel": (
        "GET",
        "/api/graph",
        {"authorization": TOKEN, "host": "localhost:1"},
        200,
    ),
    "the address of IPv6": ("GET", "/", {"host": "[::1]:80"}, 200),
    "a name that was allowed": ("GET", "/", {"host": "Studio.Example:80"}, 200),
    "a rebound name": ("GET", "/", {"host": "evil.example"}, 421),
    "a rebound name with the token": ("GET", "/api/graph", {"authorization": TOKEN, "host": "evil.example:80"}, 421),
    "a name that only begins as ours": ("GET", "/", {"host": "127.0.0.1.evil.example"}, 421),
    "no name": ("GET", "/", {"host": ""}, 421),
    "the own origin": ("GET", "/api/graph", {"authorization": TOKEN, "origin": "OWN"}, 200),
    "a foreign origin": ("POST", "/api/do", {"authorization": TOKEN, "origin": "http://evil.example"}, 403),
    "an origin on another port": ("GET", "/api/graph", {"authorization": TOKEN, "origin": "http://127.0.0.1:1"}, 403),
    "an origin that is hidden": ("GET", "/", {"origin": "null"}, 403),
    "a cross-site request": ("GET", "/", {"sec-fetch-site": "cross-site"}, 403),
    "a same-site request": ("GET", "/", {"sec-fetch-site": "same-site"}, 403),
    "the page opened by hand": ("GET", "/", {"sec-fetch-site": "none"}, 200),
    "its own request": ("GET", "/main.js", {"sec-fetch-site": "same-origin"}, 200),
    "a preflight": ("OPTIONS", "/api/do", {"access-control-request-method": "POST"}, 405),
    "another method": ("PUT", "/api/graph", {"authorization": TOKEN}, 405),
    "a command with GET": ("GET", "/api/do", {"authorization": TOKEN}, 405),
    "a path out of the folder": ("GET", "/..%2fserving.py", {}, 404),
    "another one": ("GET", "/%2e%2e/serving.py", {}, 404),
    "a file that is not there": ("GET", "/nothing.js", {}, 404),
    "a command that is a form": (
        "POST",
        "/api/do",
        {"authorization": TOKEN, "content-type": "application/x-www-form-urlencoded"},
        415,
    ),
    "a command that is not JSON": (
        "POST",
        "/api/do",
        {"authorization": TOKEN, "content-type": "application/json"},
        400,
    ),
}


@pytest.fixture(scope="module")
def answers():
    """The answers to all cases, from one server."""
    found = {}

    async def main():
        async with opened(Session(summing(), registry()), allow_hosts=["studio.example"]) as client:
            for name, (method, path, headers, _) in CASES.items():
                given = {
                    key: f"Bearer {client.page.token}" if value is TOKEN else client.base if value == "OWN" else value
                    for key, value in headers.items()
                }
                found[name] = await client.http.request(
                    method, client.base + path, headers=given, content=b"x" if method == "POST" else None
                )

    trio.run(main)
    return found


@pytest.mark.parametrize("case", CASES)
def test_who_may_ask(answers, case):
    """Each is answered or refused as it must be."""
    assert answers[case].status_code == CASES[case][3]


@pytest.mark.parametrize("case", CASES)
def test_each_answer_is_closed(answers, case):
    """Refused or not: no page of another site may read, frame, cache or sniff it, and it runs nothing but files of ours."""
    headers = answers[case].headers
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-transform, no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "set-cookie" not in headers and "server" not in headers


async def test_tokens_are_drawn_anew_and_in_the_fragment():
    """The token of one page opens no other; no browser sends it in the address."""
    async with opened(Session(summing(), registry())) as one, opened(Session(summing(), registry())) as other:
        assert one.page.token != other.page.token and len(one.page.token) >= 32
        assert one.page.address == f"http://127.0.0.1:{one.page.port}/#token={one.page.token}"
        assert (await other.http.get(f"{other.base}/api/graph", headers=one.headers)).status_code == 401


async def test_a_command_that_is_too_long():
    """It is refused before it is read to its end."""
    async with opened(Session(summing(), registry())) as client:
        assert (await client.post({"do": "x" * 1_100_000})).status_code == 413


async def test_it_listens_on_this_machine_alone():
    """Other addresses of the machine are not answered, unless that was asked for."""
    async with opened(Session(summing(), registry())) as client:
        with pytest.raises(OSError):
            await trio.open_tcp_stream("127.0.0.2", client.page.port)


async def test_web_sockets_are_refused():
    """There are none, so none can be opened from elsewhere."""
    async with opened(Session(summing(), registry())) as client:
        stream = await trio.open_tcp_stream("127.0.0.1", client.page.port)
        async with stream:
            await stream.send_all(
                b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 403")
