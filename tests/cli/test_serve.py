"""`trioflow serve`: the address first, what happens on stderr, bad input in words, SIGTERM ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from trioflow.cli.app import execute

for package in ("cronsim", "starlette", "hypercorn", "watchfiles"):
    pytest.importorskip(package, reason="needs the extra serve")

GRAPH = {
    "trioflow": "1.0",
    "nodes": [
        {"id": "start", "type": "flow.start"},
        {"id": "say", "type": "debug.print", "inputs": {"value": "hello"}},
    ],
    "connections": [{"from": "start.then", "to": "say.enter"}],
    "variables": [{"name": "body", "type": "any"}],
}
HOOK = {"webhook": "/go", "open": True, "graph": "say.json", "value": "body"}


@pytest.fixture
def flows(tmp_path, monkeypatch):
    """A folder with a graph and triggers, which are given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "say.json").write_text(json.dumps(GRAPH))

    def write(**triggers):
        (tmp_path / "flows" / "triggers.json").write_text(json.dumps({"triggers": triggers}))

    return write


@pytest.mark.slow
def test_a_server_from_its_beginning(flows):
    """A webhook puts a job, and it is run; each thing that happens is a line."""
    flows(go=HOOK)
    command = [
        sys.executable,
        "-m",
        "trioflow.cli",
        "serve",
        "flows",
        "--store",
        "jobs.db",
        "--port",
        "0",
        "--token",
        "API",
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "API": "letmein"}, **pipes) as process:
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{address}/hooks/go", b"1", timeout=10) as answer:
            job = json.load(answer)["job"]
        assert process.stdout.readline() == "hello\n"
        asking = urllib.request.Request(f"{address}/api/jobs", headers={"authorization": "Bearer letmein"})
        with urllib.request.urlopen(asking, timeout=10) as answer:
            assert [each["id"] for each in json.load(answer)] == [job]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        told = process.stderr.read()
    assert "letmein" not in told and f"pages: {address}/studio/say.json/" in told
    assert f"trigger go: job {job}" in told and f"job {job}: done" in told and "stopping" in told


def refused(capfd, *words):
    code = execute(["serve", *words, "--store", "jobs.db"])
    return code, capfd.readouterr().err


def test_bad_input(flows, capfd, tmp_path):
    """All problems of the triggers at once, what is not there, what is taken."""
    flows(go={**HOOK, "graph": "sya.json"}, night={"graph": "say.json", "cron": "0 0 30 2 *"})
    code, err = refused(capfd, "flows")
    assert (code, err.splitlines()) == (
        2,
        [
            "error: triggers.json: triggers.go.graph: there is no graph 'sya.json'. Did you mean 'say.json'?",
            "error: triggers.json: triggers.night.cron: '0 0 30 2 *' is not a cron line (Bad day-of-month); expected five "
            "fields: minute, hour, day, month, weekday",
        ],
    )
    flows(go={"webhook": "/go", "secret": "ORDERS", "graph": "say.json"})
    assert refused(capfd, "flows") == (
        2,
        "error: --secret: webhooks are signed with secrets that are not given: ORDERS.\n",
    )
    code, err = refused(capfd, "flows", "--token", "NOWHERE")
    assert (code, "error: --token NOWHERE: there is no environment variable 'NOWHERE'." in err) == (2, True)
    (tmp_path / "empty").mkdir()
    code, err = refused(capfd, "empty")
    assert code == 2 and "there is no graph in this folder" in err
    (tmp_path / "empty" / "bad.json").write_text(json.dumps({**GRAPH, "nodes": []}))
    code, err = refused(capfd, "empty")
    assert code == 2 and "say" in err
    (tmp_path / "empty" / "bad.json").write_text('{"name": "of another tool"}')
    code, err = refused(capfd, "empty")
    assert code == 2 and "bad.json: it is not a graph, so it is passed over\n" in err
    assert "there is no graph in this folder" in err
    (tmp_path / "empty" / "bad.json").write_text("{")
    code, err = refused(capfd, "empty")
    assert code == 2 and "bad.json: line 1, column 2: " in err


def test_an_address_that_is_taken(flows, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, err = refused(capfd, "flows/say.json", "--port", port)
    assert (code, err.splitlines()[-1]) == (
        2,
        f"error: --port {port}: Address already in use. Take another port, or 0.",
    )
