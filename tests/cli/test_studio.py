"""`trioflow studio`: the address first, bad input in words, Ctrl-C ends it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
import trio

import trioflow as tf
from trioflow.telemetry import Recorder

pytest.importorskip("starlette", reason="the page is served with starlette")

COMMAND = [sys.executable, "-m", "trioflow.cli", "studio"]


@pytest.mark.slow
def test_the_address_comes_first_and_at_once():
    """Also into a pipe; what it leads to is the page; Ctrl-C ends it without a traceback."""
    with subprocess.Popen(
        [*COMMAND, "fizzbuzz", "--no-open"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:") and "/#token=" in address
        with urllib.request.urlopen(address.partition("#")[0], timeout=60) as answer:
            assert b"trioflow studio" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_bad_input(cli, tmp_path):
    """A graph, a recording or a port that can't be had is said in a line."""
    assert cli("studio", "nothing", "--no-open").code == 2
    (tmp_path / "x.rec").write_text("no")
    said = cli("studio", "fizzbuzz", "x.rec", "--no-open")
    assert said.code == 2 and "it is not a recording" in said.err
    said = cli("studio", "fizzbuzz", "y.rec", "--no-open")
    assert said.code == 2 and "y.rec: No such file or directory." in said.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = cli("studio", "fizzbuzz", "--no-open", "--port", str(port))
    assert said.code == 2
    assert said.err == f"error: --port {port}: Address already in use. Take another port, or 0 for any free one.\n"


def test_opening_a_browser(cli, tmp_path, monkeypatch):
    """The browser gets the address that is printed; others that listen are warned of."""
    import os
    import webbrowser

    opened = []

    def leave(address):
        opened.append(address)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(webbrowser, "open", leave)
    recorder = Recorder()
    trio.run(lambda: tf.run(tf.load(_example(tmp_path)), observers=[recorder]))
    recorder.recording().save(tmp_path / "x.rec")
    said = cli("studio", "fizzbuzz", "x.rec", "--host", "0.0.0.0")
    assert said.code == 0
    assert opened == [said.out.strip()]
    assert said.err == "warning: everybody who reaches 0.0.0.0 can ask, and needs only the address below\n"


def _example(tmp_path):
    path = tmp_path / "g.json"
    path.write_text('{"trioflow": "1.0", "nodes": [{"id": "a", "type": "flow.start"}]}')
    return path
