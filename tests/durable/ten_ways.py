"""The program of `pipeline.py`, brought down in ten ways and resumed: `python tests/durable/ten_ways.py [ROUNDS]`.

A server counts what it is asked, and a database what it was told. What the journal has recorded is asked of nobody again,
what was in flight at most once more for each death and strand, and what is in a transaction is there once.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import trioflow as tf

PROGRAM = Path(__file__).with_name("pipeline.py")
ITEMS = 6


class World:
    """The folder of one run, the server that it asks, and its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: Counter[str] = Counter()
        world = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 - that is its name
                world.asked[self.path] += 1
                time.sleep(0.02)
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever has asked may be dead
                    self.wfile.write(f"item {self.path}".encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.journal = tf.SqliteJournal(folder / "runs.db")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def begin(self, *settings: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROGRAM), str(self.folder), self.url, *settings]
        return subprocess.Popen(command, stderr=subprocess.PIPE)

    def end(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Wait until a process has ended; its code, and what it said."""
        error = process.communicate(timeout=60)[1].decode()
        return process.returncode, error

    def done(self) -> set[str]:
        """The paths of the server whose answers are recorded."""
        try:
            entries = self.journal.entries("run")
        except (tf.RunNotFound, tf.JournalUnusable):
            return set()
        return {json.loads(each.data)["o"]["content"][5:] for each in entries if '"content":' in each.data}

    def wait_for(self, count: int, process: subprocess.Popen[bytes]) -> None:
        """Until the server was asked so often, or the process has ended."""
        until = time.monotonic() + 40
        while sum(self.asked.values()) < count and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)

    def answer(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Go on to the end, with what the person says; its code, and what it said."""
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(tf.JournalError):
                tf.send_signal(self.journal, "run", "go on", key="1", by="a person")
            time.sleep(0.05)
        return self.end(process)


def kill(world: World, rng: random.Random) -> int:
    """kill -9."""
    return _sent(world, rng, signal.SIGKILL)


def terminate(world: World, rng: random.Random) -> int:
    """SIGTERM, as systems send it that are shut down."""
    return _sent(world, rng, signal.SIGTERM)


def interrupt(world: World, rng: random.Random) -> int:
    """Ctrl-C."""
    return _sent(world, rng, signal.SIGINT)


def _sent(world: World, rng: random.Random, number: signal.Signals) -> int:
    process = world.begin()
    world.wait_for(rng.randrange(1, ITEMS), process)
    process.send_signal(number)
    world.end(process)
    return 2


def power(world: World, rng: random.Random) -> int:
    """The machine goes off: what the disk had not written of the log is gone, with what it said."""
    process = world.begin()
    world.wait_for(ITEMS, process)
    process.kill()
    world.end(process)
    log = world.folder / "runs.db-wal"
    before = world.done()
    if log.exists():
        os.truncate(log, rng.randrange(log.stat().st_size + 1))
        (world.folder / "runs.db-shm").unlink(missing_ok=True)
    return 2 + len(before - world.done())


def full(world: World, rng: random.Random) -> int:
    """The disk is full."""
    code, error = world.end(world.begin(f"full={rng.randrange(34_000, 90_000)}"))
    assert code, "the disk was not full"
    assert "can't be used" in error or "File too large" in error, error
    return 2


def failing(world: World, rng: random.Random) -> int:
    """An effect fails; what is wrong is mended, and the run retried."""
    (world.folder / "read-only").touch()
    code, error = world.end(world.begin())
    assert code
    assert "PermissionError" in error, error
    code, error = world.end(world.begin())
    assert "PermissionError" in error, "a failed run stays failed"
    (world.folder / "read-only").unlink()
    code, error = world.answer(world.begin("retry=yes"))
    assert code == 0, error
    return 1  # what was cut off beside it


def cancelled(world: World, rng: random.Random) -> int:
    """The program gives up by itself."""
    code, error = world.end(world.begin("cancel=0.25"))
    assert code == 0, error
    assert not (world.folder / "result").exists()
    return 2


def asleep(world: World, rng: random.Random) -> int:
    """A laptop is closed for longer than the lease, another one takes over, and the first one wakes."""
    first = world.begin("lease=0.5")
    world.wait_for(2, first)
    first.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    second = world.begin()
    world.wait_for(sum(world.asked.values()) + 1, second)
    first.send_signal(signal.SIGCONT)
    code, error = world.end(first)
    assert code, "it went on with what another process has"
    assert "taken over by another process" in error, error
    code, error = world.answer(second)
    assert code == 0, error
    return 4


def owned(world: World, rng: random.Random) -> int:
    """A second process is told who has the run."""
    first = world.begin()
    world.wait_for(1, first)
    code, error = world.end(world.begin())
    assert code
    assert "is being run by process" in error, error
    code, error = world.answer(first)
    assert code == 0, error
    return 0


def jump(world: World, rng: random.Random) -> int:
    """The clock is set by days in the middle, once back and once forward."""
    process = world.begin()
    world.wait_for(ITEMS, process)
    (world.folder / "beside").write_text(str(rng.choice([-1, 1]) * 90_000))
    process.kill()
    world.end(process)
    (world.folder / "beside").write_text(str(rng.choice([-1, 1]) * 170_000))
    return 2


WAYS = (kill, terminate, interrupt, power, full, failing, cancelled, asleep, owned, jump)


def bring_down(way, folder: Path, rng: random.Random) -> str:
    """Bring the program down, and go on to its end; says what was done twice. Raises `AssertionError`."""
    world = World(folder)
    try:
        most = way(world, rng)
        recorded, before = world.done(), Counter(world.asked)
        if not (folder / "result").exists():
            code, error = world.answer(world.begin())
            assert code == 0, error
        assert json.loads((folder / "result").read_text()) == ITEMS
        wanted = {*(f"/{number}" for number in range(ITEMS)), "/last"}
        assert set(world.asked) == wanted, "lost, or invented"
        again = {path for path in recorded if world.asked[path] > before[path]}
        assert not again, f"a recorded effect was done again: {again}"
        doubled = sum(world.asked.values()) - len(wanted)
        assert doubled <= most, f"{doubled} done twice, and {most} may be"
        assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {
            f"{number}.txt": f"item /{number}" for number in range(ITEMS)
        }
        with contextlib.closing(sqlite3.connect(folder / "runs.db")) as database:
            assert database.execute("select total from ledger").fetchall() == [(ITEMS,)], "a transaction is done once"
        deeds = [each.what for each in world.journal.audit("run")]
        assert {"started", "resumed"} & {*deeds}, deeds
    finally:
        world.close()
    return f"{way.__name__}: {doubled} of {len(wanted)} effects done twice; {', '.join(deeds)}"


if __name__ == "__main__":
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        for each in WAYS:
            with tempfile.TemporaryDirectory() as made:
                print(number, bring_down(each, Path(made), random.Random(f"{number} {each.__name__}")), flush=True)
