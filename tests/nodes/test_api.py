"""Calls of services and hooks over HTTP, against a real server on this machine that misbehaves."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import sys

import pytest
import trio
from loopback import loopback

import trioflow as tf
from trioflow.nodes._asking import new_client
from trioflow.nodes.api import ApiFailed, NotAnswered
from trioflow.nodes.http import TooLarge
from trioflow.testing import EventLog

REGISTRY = tf.Registry.standard(plugins=False)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


async def fired(type_id, *, secrets=None, observers=(), policy=None, **given):
    """What the outputs of one node are."""
    with tf.build(REGISTRY) as g:
        start, node = g.add("flow.start"), g.add(type_id, "it", **given)
        g.connect(start.then, node.enter)
        g.configure(node, policy=policy)
    ended = await tf.run(g.graph, registry=REGISTRY, secrets=secrets, observers=observers)
    return ended.outputs["it"]


async def echo(exchange):
    asked = exchange.asked
    await exchange.answer({"method": asked.method, "target": asked.target, "body": asked.body.decode()}, x_seen="yes")


async def test_a_call_and_what_is_answered():
    async with loopback(echo) as server:
        values = await fired(
            "api.call", url=f"{server.url}/a?b=1", method="post", query={"c": ["d", "é"]}, body={"n": [1]},
            headers={"x-mine": "1"}, key_header="Idempotency-Key",
        )  # fmt: skip
    assert values["result"] == {"method": "POST", "target": "/a?b=1&c=d&c=%C3%A9", "body": '{"n": [1]}'}
    assert (values["status"], values["reply_headers"]["x-seen"]) == (200, "yes")
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-mine"] == "1"
    assert len(asked.headers["idempotency-key"]) == 32


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"auth": "bearer"}, "authorization", "Bearer s3cret"),
        ({"auth": "basic", "user": "ada"}, "authorization", "Basic " + base64.b64encode(b"ada:s3cret").decode()),
        ({"auth": "header"}, "x-api-key", "s3cret"),
        ({"auth": "header", "header": "X-Other"}, "x-other", "s3cret"),
    ],
)
async def test_who_asks(given, name, value):
    """By a secret that the graph only names."""
    async with loopback(echo) as server:
        await fired("api.call", url=server.url, secret={"secret": "token"}, secrets={"token": "s3cret"}, **given)
    assert server.asked[0].headers[name] == value


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        (None, None, b""),
        ("text", "text/plain; charset=utf-8", b"text"),
        (b"\x00", "application/octet-stream", b"\x00"),
        ([1], "application/json", b"[1]"),
    ],
)
async def test_what_is_sent(body, kind, sent):
    async def answering(exchange):
        await exchange.answer(b"\x00", content_type="application/octet-stream")

    async with loopback(answering) as server:
        values = await fired("api.call", url=server.url, body=body, method="PUT")
        await fired("api.call", url=server.url, body="a", method="PUT", headers={"Content-Type": "x/y"})
    assert values["result"] == b"\x00"
    assert (server.asked[0].headers.get("content-type"), server.asked[0].body) == (kind, sent)
    assert server.asked[1].headers["content-type"] == "x/y"


@pytest.mark.parametrize(
    ("data", "kind", "read_as", "result"),
    [
        (b'{"a": 1}', "application/json", "auto", {"a": 1}),
        (b'{"a": 1}', "application/vnd.x+json; charset=utf-8", "auto", {"a": 1}),
        (b'{"a": 1}', "text/plain", "auto", '{"a": 1}'),
        (b'{"a": 1}', "text/plain", "json", {"a": 1}),
        (b'{"a": 1}', "application/json", "bytes", b'{"a": 1}'),
        ('{"a": "é"}'.encode("utf-16"), "application/json", "auto", {"a": "é"}),
        (b"", "application/json", "auto", None),
        (b"\xe9", "text/plain; charset=latin-1", "auto", "é"),
        (b"plain", "", "auto", "plain"),
    ],
)
async def test_what_is_read(data, kind, read_as, result):
    async def answering(exchange):
        await exchange.answer(data, **({"content_type": kind} if kind else {}))

    async with loopback(answering) as server:
        assert (await fired("api.call", url=server.url, read_as=read_as))["result"] == result


async def test_an_encoding_that_is_named():
    """Whoever names one gets what the service makes of it."""

    async def answering(exchange):
        assert exchange.asked.headers["accept-encoding"] == "identity"
        await exchange.answer(b"plain", content_type="text/plain")

    async with loopback(answering) as server:
        assert (await fired("api.call", url=server.url, headers={"Accept-Encoding": "identity"}))["status"] == 200


def test_without_httpx(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    for what in ("api.call", "hook.http"):
        with pytest.raises(
            tf.MissingExtra,
            match=rf"{what} needs an optional package. Install it with: .* pip install 'trioflow\[http\]'",
        ):
            new_client(f"The node type {what}")


async def test_an_answer_that_is_no_json():
    async def answering(exchange):
        await exchange.answer(b"{]", content_type="application/json")

    async with loopback(answering) as server:
        with pytest.raises(ValueError, match=r"api.call: what http://127.0.0.1:\d+ sent is not JSON"):
            await fired("api.call", url=server.url)


async def test_problem_details():
    problem = {"type": "about:blank", "title": "Out of stock", "detail": "There are no more.", "left": 0}

    async def answering(exchange):
        await exchange.answer(problem, "409 Conflict", content_type="application/problem+json")

    async with loopback(answering) as server:
        with pytest.raises(ApiFailed) as caught:
            await fired("api.call", url=f"{server.url}/order?token=x")
    assert str(caught.value) == f"api.call: {server.url}/order answered 409 Conflict: Out of stock: There are no more."
    assert (caught.value.status, caught.value.problem) == (409, problem)


AGAIN = "429 Too Many Requests, and wants to be asked again in 7 s"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"too   many\nrequests.", "text/html", ": too many requests."),
        (b"\xff", "application/json", ": \ufffd."),
        (b"", "text/plain", "."),
        (b"[1]", "application/json", "."),
        (b'{"code": 7}', "application/json", "."),
    ],
)
async def test_refusals(body, kind, message):
    async def answering(exchange):
        await exchange.answer(body, "429 Too Many Requests", content_type=kind, retry_after="7")

    async with loopback(answering) as server:
        with pytest.raises(ApiFailed) as caught:
            await fired("api.call", url=server.url, read_as="json")
    assert str(caught.value) == f"api.call: {server.url} answered {AGAIN}{message}"
    assert (caught.value.retry_after, caught.value.problem) == (7.0, None)


async def test_a_policy_waits_as_long_as_the_service_says(autojump_clock):
    """429 with Retry-After, then 500, then cut off, then all is well: one node, one policy."""

    async def answering(exchange):
        if exchange.number == 0:
            await exchange.answer(b"", "429 Too Many Requests", retry_after="7")
        elif exchange.number == 1:
            await exchange.answer(b"", "500 Internal Server Error")
        elif exchange.number == 2:
            await exchange.cut(b"half")
        else:
            await exchange.answer({"ok": True})

    log = EventLog()
    retry = tf.RetryPolicy(attempts=4, on=("http.5xx", "http.429", "NotAnswered"), delay="1s", jitter=0)
    autojump_clock.autojump_threshold = 0.05  # the server is real, and needs a moment
    async with loopback(answering) as server:
        values = await fired("api.call", url=server.url, timeout=1000.0, policy=tf.Policy(retry=retry), observers=[log])
    assert values["result"] == {"ok": True}
    assert [round(event.delay, 6) for event in log if isinstance(event, tf.RetryScheduled)] == [7.0, 2.0, 4.0]


async def test_what_goes_wrong_on_the_way():
    async def answering(exchange):
        if exchange.asked.target == "/slow":
            await trio.sleep_forever()
        elif exchange.asked.target == "/large":
            await exchange.answer(gzip.compress(b"0" * 100_000), content_encoding="gzip")
        elif exchange.asked.target == "/moved":
            await exchange.answer(b"", "302 Found", location="/there")
        elif exchange.asked.target == "/there":
            await exchange.answer(b"there", content_type="text/plain")
        else:
            await exchange.cut()

    async with loopback(answering) as server:
        with pytest.raises(TimeoutError, match=r"api.call: .*/slow did not answer within 0.05 s"):
            await fired("api.call", url=f"{server.url}/slow", timeout=0.05)
        with pytest.raises(TooLarge, match="sent more than 1,000 bytes"):
            await fired("api.call", url=f"{server.url}/large", most=1000)
        with pytest.raises(NotAnswered):
            await fired("api.call", url=f"{server.url}/cut")
        assert (await fired("api.call", url=f"{server.url}/moved"))["result"] == "there"
        assert (await fired("api.call", url=f"{server.url}/moved", redirects=False))["status"] == 302
    with pytest.raises(NotAnswered):
        await fired("api.call", url=server.url)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": "http://\0"}, "can't be asked: Invalid non-printable ASCII character in URL"),
        ({"url": "nonsense"}, "can't be asked"),
        ({"url": "http://localhost", "method": "G T"}, "api.call: 'G T' is not an HTTP method"),
        ({"url": "http://localhost", "body": {"a": {1}}}, "api.call: what is sent can't be written as JSON"),
        ({"url": "http://localhost", "timeout": -1.0}, "api.call needs 0 seconds or more"),
    ],
)
async def test_what_can_not_be_asked(given, message):
    with pytest.raises(ValueError) as caught:
        await fired("api.call", **given)
    assert message in str(caught.value)


# --- hooks -----------------------------------------------------------------------------------------------------------


async def test_a_hook_is_signed():
    async def answering(exchange):
        await exchange.answer(b"thanks")

    async with loopback(answering) as server:
        values = await fired(
            "hook.http", url=server.url, event={"n": 1}, headers={"x-mine": "1"}, secret={"secret": "k"}, secrets={"k": "s3cret"}
        )  # fmt: skip
        await fired("hook.http", url=server.url)
    assert values == {"result": "thanks", "status": 200}
    signed, plain = server.asked
    expected = "sha256=" + hmac.new(b"s3cret", signed.body, hashlib.sha256).hexdigest()
    assert (signed.headers["x-signature-256"], signed.body, signed.headers["x-mine"]) == (expected, b'{"n": 1}', "1")
    assert len(signed.headers["idempotency-key"]) == 32
    assert ("x-signature-256" in plain.headers, plain.body) == (False, b"null")


async def test_a_hook_that_fails_is_a_warning_where_it_is_not_required():
    async def answering(exchange):
        await exchange.answer(b"no", "500 Oops")

    async with loopback(answering) as server:
        with pytest.raises(ApiFailed, match="hook.http: .* answered 500 Oops: no"):
            await fired("hook.http", url=server.url)
        log = EventLog()
        values = await fired("hook.http", url=server.url, required=False, observers=[log])
    assert values == {"status": 500, "result": None}
    ((_, _, _, told),) = log.rows("Feedback", data=True)
    assert (told["level"], "answered 500 Oops: no" in told["message"]) == ("warning", True)


async def test_a_hook_that_is_a_command(tmp_path):
    log = EventLog()
    values = await fired(
        "hook.shell", command=["sh", "-c", 'pwd; echo "$X"; cat'], event=[1], environment={"X": "y"}, folder=tmp_path
    )
    assert values == {"result": f"{tmp_path}\ny\n[1]", "exit_code": 0}
    for command, message in (
        (["sh", "-c", "echo no >&2; exit 3"], "hook.shell: 'sh' ended with exit code 3. It said: no"),
        (["no such command"], "hook.shell: there is no command 'no such command'"),
        (["sleep", "100"], "hook.shell: it took longer than 0.3 s"),
    ):
        with pytest.raises(Exception, match=message):
            await fired("hook.shell", command=command, timeout=0.3)
        await fired("hook.shell", command=command, timeout=0.3, required=False, observers=[log])
    assert [row[3]["level"] for row in log.rows("Feedback", data=True)] == ["warning"] * 3


async def test_a_hook_that_says_too_much(monkeypatch):
    monkeypatch.setattr("trioflow.nodes.hook._MOST", 10)
    with pytest.raises(ValueError, match="hook.shell: the command wrote more than 10 bytes"):
        await fired("hook.shell", command=["yes"])
