"""The server over loopback: who may ask, what is triggered, and what is never triggered twice."""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
from types import SimpleNamespace

import pytest
import trio

import trioflow as tf
from trioflow.serving import Server
from trioflow.serving import sources as sources_module
from trioflow.serving.signing import sign
from trioflow.serving.triggers import triggers_in
from trioflow.serving.watching import Hub

httpx = pytest.importorskip("httpx", reason="asks the server")
for package in ("cronsim", "starlette", "hypercorn", "watchfiles"):
    pytest.importorskip(package, reason="needs the extra serve")

BODIES = []


@tf.exec_node(id="serving.note")
async def note(body: object) -> object:
    BODIES.append(body)
    return body


def graph(*before):
    with tf.build() as g:
        g.variable("body", "any")
        read, node = g.add("variable.get", name="body"), g.add(note, "note")
        last = g.add("flow.start").then
        for each in before:
            first = g.add(each)
            g.connect(last, first.enter)
            last = first.approved
        g.connect(last, node.enter)
        g.connect(read.result, node.body)
    return g.graph


GRAPHS = {"note.json": graph(), "ask.json": graph("flow.approve")}
TRIGGERS = {
    "hook": {"webhook": "/orders", "secret": "KEY"},
    "open": {"webhook": "/open", "open": True},
    "paid": {"event": "paid"},
}


class Clock(tf.Clock):
    def __init__(self, text):
        self.time = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)

    def now(self):
        return self.time


@contextlib.asynccontextmanager
async def serving(triggers=TRIGGERS, journal=None, **settings):
    BODIES.clear()
    registry = tf.Registry.standard()
    registry.add(note)
    said = {name: {"graph": "note.json", "value": "body", **each} for name, each in triggers.items()}
    found = triggers_in({"triggers": said}, GRAPHS)
    settings = {
        "registry": registry,
        "tokens": ["t"],
        "secrets": {"KEY": "secret"},
        "poll": 0.02,
        "look": 0.02,
        **settings,
    }
    server = Server(journal or tf.MemoryJournal(), GRAPHS, found, **settings)
    async with server.serve() as address, httpx.AsyncClient(base_url=str(address), trust_env=False) as client:
        client.headers["authorization"] = "Bearer t"
        yield server, client


async def until(condition):
    with trio.fail_after(5):
        while not condition():
            await trio.sleep(0.01)


async def test_starting_and_looking():
    """A run is started by hand, and looked at."""
    async with serving() as (_, client):
        told = await client.post("/api/runs", json={"graph": "note.json", "variables": {"body": [1]}, "key": "by hand"})
        job = told.json()
        assert (told.status_code, job["status"], job["key"]) == (202, "queued", "by hand")
        await until(lambda: BODIES == [[1]])
        while (found := (await client.get(f"/api/jobs/{job['id']}")).json())["status"] != "done":
            await trio.sleep(0.01)
        assert found["run"]["status"] == "completed"
        (listed,) = (await client.get("/api/jobs?status=done&limit=5")).json()
        assert listed["id"] == job["id"]
        graphs = (await client.get("/api/graphs")).json()
        assert graphs[0] == {"graph": "note.json", "variables": {"body": None}, "triggers": ["hook", "open", "paid"]}
        assert (await client.get("/health", headers={"authorization": ""})).json() == {"ok": True, "waiting": 0}


async def test_watching_and_signals():
    """Events of the job and its run as they come, until it has ended; a signal from outside."""
    async with serving() as (_, client):
        job = (await client.post("/api/runs", json={"graph": "ask.json", "variables": {"body": 1}})).json()["id"]
        kinds = []
        sent = False
        async with (
            client.stream("GET", f"/api/jobs/{job}/watch") as answer,
            contextlib.aclosing(answer.aiter_lines()) as lines,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in lines:
                if line.startswith("data: ") and not sent and json.loads(line.removeprefix("data: ")).get("run"):
                    said = {"name": "approve", "payload": True, "key": "s"}
                    told = [await client.post(f"/api/jobs/{job}/signals", json=said) for _ in range(2)]
                    assert [each.json() for each in told] == [{"new": True}, {"new": False}]
                    sent = True
                if line.startswith("event: "):
                    kinds.append(line.removeprefix("event: "))
        assert kinds[0] == kinds[-1] == "job"
        assert "NodeCompleted" in kinds
        assert BODIES == [1]


async def test_cancelling_and_putting_back():
    async with serving(runs=0) as (_, client):
        job = (await client.post("/api/runs", json={"graph": "note.json"})).json()["id"]
        assert (await client.post(f"/api/jobs/{job}/cancel")).json()["status"] == "cancelled"
        assert (await client.post(f"/api/jobs/{job}/retry")).json()["status"] == "queued"


async def test_webhooks():
    """Signed, and done once for each delivery."""
    lines = []
    async with serving(tell=lines.append) as (_, client):
        body = b'{"n": 7}'
        good = {"x-hub-signature-256": sign("secret", body), "x-github-delivery": "d1"}
        first, again = [await client.post("/hooks/orders", content=body, headers=good) for _ in range(2)]
        assert (first.status_code, first.json()) == (202, again.json())
        bad = await client.post("/hooks/orders", content=body, headers={"x-hub-signature-256": "sha256=00"})
        assert (bad.status_code, "signature is missing, wrong or old" in bad.json()["error"]) == (401, True)
        assert "trigger hook: refused, its signature is missing, wrong or old" in lines
        assert (await client.post("/hooks/open", content=b"[")).status_code == 400
        assert (await client.post("/hooks/open", content=b"1")).status_code == 202
        assert (await client.post("/hooks/none")).status_code == 404
        await until(lambda: sorted(BODIES, key=str) == [1, {"n": 7}])


async def test_a_body_that_is_too_large():
    """It is refused before it is all there."""
    async with serving(most=1000) as (_, client):
        async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as stream:
            head = "POST /hooks/open HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000\r\n\r\n"
            await stream.send_all(head.encode() + b"x" * 2000)
            answer = await stream.receive_some()
            while b"most 1,000 bytes" not in answer:
                answer += await stream.receive_some()
        assert answer.startswith(b"HTTP/1.1 413")
        assert BODIES == []


async def test_events_and_triggers_by_hand():
    async with serving() as (_, client):
        (job,) = (await client.post("/api/events/paid", json={"by": "eve"})).json()
        assert job["key"].startswith("paid: ")
        assert (await client.post("/api/triggers/open", json=5)).status_code == 202
        await until(lambda: len(BODIES) == 2)
        assert (await client.post("/api/events/nothing")).status_code == 404
        wrong = await client.post("/api/triggers/pai")
        assert (wrong.status_code, wrong.json()["error"]) == (404, "There is no trigger 'pai'. Did you mean 'paid'?")


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "told"),
    [
        ("POST", "/api/runs", b"[]", 400, "Expected a JSON object"),
        ("POST", "/api/runs", b'{"graph": "not.json"}', 404, "There is no graph 'not.json'. Did you mean 'note.json'"),
        ("POST", "/api/runs", b'{"graph": "note.json", "variables": {"x": 1}}', 400, "no variable 'x'"),
        ("POST", "/api/runs", b'{"graph": "note.json", "variables": 5}', 400, "can't be put"),
        ("POST", "/api/runs", b'{"graph": "note.json", "colour": 1}', 400, "There is no colour to give"),
        ("POST", "/api/runs", b'{"graph": "note.json", "priority": "x"}', 400, "expected a priority"),
        ("GET", "/api/jobs?status=x", b"", 400, "There is no status 'x'"),
        ("GET", "/api/jobs?limit=x", b"", 400, "limit: expected a number"),
        ("GET", "/api/jobs/x", b"", 404, "There is no job 'x'"),
        ("GET", "/api/jobs/x/watch", b"", 404, "There is no job 'x'"),
        ("POST", "/api/jobs/x/signals", b"{}", 400, "name: expected the name of the signal"),
        ("POST", "/api/jobs/x/signals", b'{"name": "s"}', 404, "There is no job 'x'"),
    ],
)  # fmt: skip
async def test_what_is_refused(method, path, content, status, told):
    async with serving(runs=0) as (_, client):
        answer = await client.request(method, path, content=content)
        assert (answer.status_code, told in answer.json()["error"]) == (status, True), answer.text


async def test_a_run_that_has_not_begun_hears_nothing():
    async with serving(runs=0) as (_, client):
        job = (await client.post("/api/runs", json={"graph": "ask.json"})).json()["id"]
        answer = await client.post(f"/api/jobs/{job}/signals", json={"name": "approve"})
        assert (answer.status_code, "has not begun" in answer.json()["error"]) == (409, True)


async def test_a_store_that_goes_away(monkeypatch):
    """It is said, to whoever asks, and the server goes on."""
    async with serving(runs=0) as (server, client):

        def away(*arguments, **settings):
            raise tf.JournalUnusable("away")

        monkeypatch.setattr(server.store, "counts", away)
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"error": "away"})


async def test_a_full_queue():
    """Whoever asks is told at once; nothing is dropped."""
    async with serving(runs=0) as (server, client):
        server.limit = 1
        assert (await client.post("/hooks/open", content=b"1")).status_code == 202
        assert (await client.post("/hooks/open", content=b"2")).status_code == 429


async def test_who_may_ask():
    async with serving(runs=0) as (server, client):
        for wrong in ("", "Bearer x", "t"):
            answer = await client.get("/api/jobs", headers={"authorization": wrong})
            assert (answer.status_code, "token" in answer.json()["error"]) == (401, True)
    assert len(Server(tf.MemoryJournal(), GRAPHS).tokens[0]) > 20
    hook = triggers_in({"triggers": {"hook": {"graph": "note.json", **TRIGGERS["hook"]}}}, GRAPHS)
    with pytest.raises(ValueError, match="signed with secrets that are not given: KEY"):
        Server(tf.MemoryJournal(), GRAPHS, hook)


async def test_a_night(tmp_path):
    """Each time is one job, whatever the clock does; what was missed while no server ran is made up for once."""
    journal = tf.SqliteJournal(tmp_path / "jobs.db")
    clock = Clock("2026-03-28 00:00")
    night = {"night": {"cron": "30 2 * * *", "zone": "Europe/Berlin", "missed": "once"}}
    async with serving(night, journal, clock=clock):
        await trio.sleep(0.05)
        assert BODIES == []
        clock.time += datetime.timedelta(hours=2)
        await until(lambda: BODIES == ["2026-03-28T02:30:00+01:00"])
        clock.time -= datetime.timedelta(hours=1)  # a clock that is set back
        await trio.sleep(0.05)
        clock.time += datetime.timedelta(hours=1)
        await trio.sleep(0.05)
        assert len(BODIES) == 1
    clock.time += datetime.timedelta(days=3)
    async with serving(night, journal, clock=clock), serving(night, journal, clock=clock, runs=0):
        await until(lambda: BODIES == ["2026-03-31T02:30:00+02:00"])
        await trio.sleep(0.05)
        assert len(BODIES) == 1


async def test_files_that_land(tmp_path, monkeypatch):
    """Each once, when it is there as a whole; those that are there at the start, too."""
    monkeypatch.setattr(sources_module, "_SETTLED", 0.05)
    monkeypatch.setattr(sources_module.at_files, "__kwdefaults__", {"settled": 0.05})
    (tmp_path / "first.txt").write_text("1")
    async with serving({"scan": {"files": "*.txt"}}, folder=tmp_path):
        await until(lambda: BODIES == [str(tmp_path / "first.txt")])
        await trio.sleep(0.1)
        (tmp_path / "other.md").write_text("no")
        (tmp_path / "part").write_text("2")
        (tmp_path / "part").rename(tmp_path / "second.txt")
        await until(lambda: BODIES[1:] == [str(tmp_path / "second.txt")])


async def test_messages():
    """Each is a job, and is done once that is kept."""
    journal = tf.MemoryJournal()
    queue = tf.jobs.Queue(journal, "letters")
    await queue.send({"to": "eve"})
    async with serving({"post": {"queue": "letters"}}, journal):
        await until(lambda: BODIES == [{"to": "eve"}])
        while (await queue.jobs())[0].status != "done":
            await trio.sleep(0.01)


async def test_a_trigger_that_fails_is_begun_again(monkeypatch):
    """And the others go on."""
    monkeypatch.setattr("trioflow.serving.server._AGAIN", 0.01)
    lines = []
    failures = iter([tf.JournalUnusable("away"), OSError("gone")])

    async def broken(*arguments, **settings):
        failure = next(failures, None)
        if failure is not None:
            raise failure
        await trio.sleep_forever()

    monkeypatch.setattr("trioflow.serving.server.at_times", broken)
    async with serving({"night": {"cron": "* * * * *"}, **TRIGGERS}, tell=lines.append) as (_, client):
        await until(lambda: {"trigger night: away", "trigger night: gone"} <= set(lines))
        assert (await client.get("/health")).status_code == 200


async def test_pages():
    """The studio, for each graph; what it does needs the token, too."""
    async with serving(runs=0) as (_, client):
        page = await client.get("/studio/note.json/")
        assert (page.status_code, b"trioflow studio" in page.content) == (200, True)
        found = await client.get("/studio/note.json/api/graph")
        assert (found.status_code, found.json()["name"]) == (200, "note.json")
        assert (await client.get("/studio/note.json/api/graph", headers={"authorization": ""})).status_code == 401
        assert (await client.get("/studio/note.json")).headers["location"] == "/studio/note.json/"
        assert (await client.get("/studio/none/")).status_code == 404


@pytest.mark.parametrize("missing", ["hypercorn.config", "starlette.applications", "watchfiles"])
async def test_without_the_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    told = []
    try:
        async with serving({"scan": {"files": "*.txt"}}):
            pass
    except* tf.MissingExtra as group:
        told += [*group.exceptions]
    assert len(told) == 1


async def test_who_watches_and_does_not_read(monkeypatch):
    """They miss what comes then; nobody waits for them."""
    monkeypatch.setattr("trioflow.serving.watching._BUFFER", 1)
    hub = Hub()
    registry = tf.Registry.standard()
    registry.add(note)

    async def run():
        await tf.run(GRAPHS["note.json"], registry=registry, observers=hub.watch(SimpleNamespace(id="j")))

    sends = [hub.subscribe("j") for _ in range(2)]
    await run()
    assert [receive.statistics().current_buffer_used for _, receive in sends] == [1, 1]
    assert sends[0][1].receive_nowait().startswith("event: RunStarted\ndata: {")
    for send, receive in sends:
        hub.unsubscribe("j", send)
        receive.close()
    hub.unsubscribe("j", send)
    await run()
