"""`trioflow run --record --perfetto --metrics --report --profile --otel`, and `trioflow profile`."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trio

import trioflow as tf
from trioflow.cli import sending
from trioflow.cli.source import open_source
from trioflow.cli.telemetry import Telemetry
from trioflow.durable.owner import this_process
from trioflow.telemetry import traced_before

COMMAND = [sys.executable, "-m", "trioflow"]


def trioflow(*arguments, cwd, **how):
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **how
    )


def test_files_and_a_profile(tmp_path):
    """A recording that `profile` reads, a trace, and the table at the end."""
    done = trioflow("run", "fizzbuzz", "--record", "f.rec", "--perfetto", "f.trace", "--profile", "--metrics", "0", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0
    assert "metrics: http://127.0.0.1:" in done.stderr
    assert done.stderr.splitlines()[-14].split()[-1] == "node"
    assert (tmp_path / "f.trace").stat().st_size > 1000
    table = trioflow("profile", "f.rec", "--most", "2", cwd=tmp_path).stdout.splitlines()
    assert table[0].startswith("344 events in ")
    assert table[-1] == "... and 11 more nodes"


def test_a_report(tmp_path):
    """What happened at each node of the graph, as JSON."""
    assert trioflow("run", "fizzbuzz", "--report", "f.json", cwd=tmp_path).returncode == 0
    report = json.loads((tmp_path / "f.json").read_text())
    assert (report["status"], report["nodes"]["start"]["completed"], report["way"][0]) == ("completed", 1, "start")


def test_how_long_it_may_still_take(tmp_path):
    """By the report of an earlier run that is there: by what has completed, and no longer than that took."""
    source, file = open_source("fizzbuzz", ()), tmp_path / "f.json"

    def asked(text=None, report=str(file)):
        if text is not None:
            file.write_text(text)
        options = dict.fromkeys(("record", "perfetto", "metrics")) | {"otel": False, "profile": False}
        return Telemetry(source, source.plan(), report=report, **options)

    assert asked(report=None).left(1.0) is None
    assert asked().left(1.0) is None
    tracker = tf.Tracker()
    trio.run(lambda: tf.run(source.graph, registry=source.registry, observers=[tracker]))
    whole = json.dumps({**tracker.report(10.0).as_dict(), "status": "completed"})
    for text in ("", "[]", "3", "{}", whole.replace('"completed", "elapsed', '"failed", "elapsed')):
        assert asked(text).left(1.0) is None
    made = asked(whole)
    assert made.left(1.0) is None, "nothing is done"
    trio.run(lambda: tf.run(source.graph, registry=source.registry, observers=made.observers))
    assert (made.left(1.0), made.left(11.0)) == (0.0, 0.0), "all is done"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "fizzbuzz", "--record", "nowhere/f"], "error: --record nowhere/f: it can't be written: No such file or directory.\n"),
        (["run", "fizzbuzz", "--perfetto", "nowhere/f"], "error: --perfetto nowhere/f: it can't be written: No such file or directory.\n"),
        (["run", "fizzbuzz", "--report", "nowhere/f"], "error: --report nowhere/f: it can't be written: No such file or directory.\n"),
        (["run", "fizzbuzz", "--record", "."], "error: --record .: it can't be written: Is a directory.\n"),
        (["run", "g.json", "--record", "g.json"], "error: --record g.json: that is the graph, which the recording would replace.\n"),
        (["profile", "g.json"], "error: g.json: it is not a recording. `trioflow run --record FILE` makes one.\n"),
        (["profile", "nothing"], "error: nothing: it can't be read: No such file or directory.\n"),
    ],
)  # fmt: skip
def test_what_can_not_be_done(cli, tmp_path, arguments, says):
    """One line that says what, where, and why."""
    (tmp_path / "g.json").write_text('{"trioflow": "1.1", "nodes": [{"id": "s", "type": "flow.start"}]}')
    done = cli(*arguments)
    assert done.code in (1, 2)
    assert done.err.endswith(says)


def test_a_port_that_is_taken(tmp_path):
    """Another port is asked for, and nothing runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = trioflow("run", "fizzbuzz", "--metrics", str(port), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: --metrics {port}: Address already in use. Take another port, or 0.\n"


class Collector(BaseHTTPRequestHandler):
    """Keeps what it gets, and gives the answers that its server has for it."""

    def do_POST(self):
        self.server.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def collector(*answers):
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        server.got, server.answers = [], list(answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def run_with_spans(monkeypatch, capfd, endpoint):
    """What is said after a run whose spans were sent there."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="spans need OpenTelemetry's exporter")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    source = open_source("fizzbuzz", ())
    options = dict.fromkeys(("record", "perfetto", "metrics", "report")) | {"otel": True, "profile": False}
    telemetry = Telemetry(source, source.plan(), **options)
    trio.run(lambda: tf.run(source.graph, registry=source.registry, observers=telemetry.observers))
    telemetry.write()
    assert telemetry.problem is None, "the run is no failure because of that"
    return capfd.readouterr().err


def test_spans_are_sent(monkeypatch, capfd):
    """They go to where the environment says; there is nothing to say about that."""
    with collector() as server:
        assert run_with_spans(monkeypatch, capfd, f"http://127.0.0.1:{server.server_port}") == ""
    assert {path for path, _ in server.got} == {"/v1/traces"}
    assert b"trioflow.run" in b"".join(body for _, body in server.got)


def test_spans_of_a_kept_run(cli, tmp_path, monkeypatch):
    """Which span it had is kept with the run, for the one that resumes it; metrics look at it, too."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="spans need OpenTelemetry's exporter")
    with collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        kept = ("--journal", "runs.db", "--id", "a")
        assert cli("run", "fizzbuzz", *kept, "--otel", "--metrics", "0").code == 0
    traced = traced_before(tf.SqliteJournal("runs.db"), "a")
    assert traced is not None and traced.startswith("00-")
    assert (
        f" traced by somebody ({this_process().shown}): {traced}" in cli("runs", "show", "a", "--audit", *kept[:2]).out
    )


def test_spans_that_nobody_takes(monkeypatch, capfd):
    """A sentence says how many, where they should have gone, why they did not, and the cure; nothing else is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    said = run_with_spans(monkeypatch, capfd, f"http://127.0.0.1:{port}/")
    assert re.fullmatch(
        # Of old exporters is not known how many there were.
        rf"warning: --otel: (\d+ spans? not sent to http://127.0.0.1:{port}/v1/traces|not all spans were sent): "
        "Connection refused. "
        "OTEL_EXPORTER_OTLP_ENDPOINT says where to.\n",
        said,
    )


def test_spans_that_are_refused(monkeypatch, capfd):
    """What the collector answers is said."""
    with collector(404) as server:
        said = run_with_spans(monkeypatch, capfd, f"http://127.0.0.1:{server.server_port}")
    assert re.search(r"404, reason: .*\. OTEL_", said)


def test_a_collector_that_fails_at_first(monkeypatch, capfd):
    """It is tried again, and gets all; then it was not in vain, and the run ends well."""
    monkeypatch.setattr(sending, "PATIENCE", 60.0)
    with collector(503) as server:
        said = run_with_spans(monkeypatch, capfd, f"http://127.0.0.1:{server.server_port}")
    assert len(server.got) == 2
    assert said == ""
