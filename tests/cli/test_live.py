"""The display for terminals, on a real pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from cli.conftest import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")

NODES = """
import sys, trio, trioflow as tf

class Work(tf.Node, id="work.do"):
    enter = tf.ExecIn()
    item = tf.DataIn(int)
    then = tf.ExecOut()

    async def execute(self, ctx):
        item = await ctx.get_input(self.item)
        ctx.report_progress(item, 8, f"item {item}")
        print(f"printed {item}")
        if item == 4:
            ctx.emit_feedback("half of it", "warning")
            sys.stderr.write("to stderr, no line end")
        await trio.sleep(0.15)
        return self.then

class Endless(tf.Node, id="work.endless"):
    enter = tf.ExecIn()

    async def execute(self, ctx):
        for i in range(10**9):
            ctx.report_progress(i)
            await trio.sleep(0.05)
"""

# Makes the terminal that is its stdin the one that Ctrl-C comes from, and becomes the command.
CONTROLLED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A process on a pseudo-terminal."""

    def __init__(self, command, folder, *, rows=24, columns=100, term="xterm-256color", **streams):
        import fcntl
        import struct
        import termios

        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        streams = {"stdin": slave, "stdout": slave, "stderr": slave} | streams
        environment = {**os.environ, "TERM": term}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, *command],
            cwd=folder,
            env=environment,
            start_new_session=True,
            **streams,
        )
        os.close(slave)
        self.seen = b""

    def read_until(self, text=None, seconds=30):
        """Read until a text was seen, or to the end."""
        deadline = time.monotonic() + seconds
        while text is None or text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            try:
                part = os.read(self.master, 65536)
            except OSError:  # Linux says so when the other side is closed
                part = b""
            if not part:
                break
            self.seen += part
        return self.seen.decode()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path, graph):
    (tmp_path / "work_nodes.py").write_text(NODES)
    opened = []

    def run(path, *options, **more):
        command = [*COMMAND, "run", str(path), "--nodes", "work_nodes", *options]
        opened.append(Terminal(command, tmp_path, **more))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.fixture
def work(graph):
    return graph(
        ("start", "flow.start"),
        ("loop", "flow.for", {"times": 8, "start": 1}),
        ("work", "work.do"),
        wires=["start.then -> loop.enter", "loop.body -> work.enter", "loop.index -> work.item"],
    )


def screen(text, rows=24, columns=100):
    """What is left on the screen: a terminal of the few sequences that are used."""
    import re

    lines, row, column = [""], 0, 0
    for escape, ends, letter, plain in re.findall(r"\x1b\[([?0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)", text):
        if ends == "A":
            row = max(0, row - int(escape or 1))
        elif ends == "K" and escape == "2":
            lines[row] = ""
        elif letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif plain:
            lines[row] = lines[row][:column].ljust(column) + plain + lines[row][column + len(plain) :]
            column += len(plain)
    return [line.rstrip() for line in lines]


@pytest.mark.slow
def test_a_terminal_shows_what_goes_on(terminal, work):
    """Elapsed time, steps, counts per node and a bar are drawn while it runs; afterwards only lines are left."""
    running = terminal(work)
    text = running.read_until()
    assert running.process.wait(30) == 0
    assert "running" in text
    assert "1 strand\x1b" in text
    assert "1 active" in text
    assert "━" in text
    assert "4 of 8" in text
    assert "item 4" in text
    assert text.index("\x1b[?25l") < text.rindex("\x1b[?25h"), "the cursor is hidden, and comes back"
    left = [line for line in screen(text) if line]
    assert left[:8] == [
        "printed 1",
        "printed 2",
        "printed 3",
        "printed 4",
        "warning: work: half of it",
        "printed 5",
        "printed 6",
        "printed 7",
    ]
    assert left[8:10] == ["printed 8", "to stderr, no line end"]
    assert left[10].startswith("done after ")
    assert len(left) == 11


@pytest.mark.slow
def test_a_pipe_gets_only_what_the_graph_prints(terminal, work, tmp_path):
    """With stdout in a file and stderr on a terminal, the file has the graph's output and no escape sequence."""
    with open(tmp_path / "out", "wb") as out:
        running = terminal(work, stdout=out)
        text = running.read_until()
    assert running.process.wait(30) == 0
    assert (tmp_path / "out").read_text() == "".join(f"printed {i}\n" for i in range(1, 9))
    assert "━" in text
    assert "printed" not in text


@pytest.mark.slow
def test_printing_much_is_drawn_seldom(terminal, graph):
    """A loop that prints 20,000 lines shows all of them, in order, without drawing around each."""
    path = graph(
        ("start", "flow.start"),
        ("loop", "flow.for", {"times": 20_000}),
        ("p", "debug.print"),
        wires=["start.then -> loop.enter", "loop.body -> p.enter", "loop.index -> p.value"],
    )
    running = terminal(path)
    text = running.read_until()
    assert running.process.wait(30) == 0
    assert [int(line) for line in screen(text) if line.isdecimal()] == list(range(20_000))
    assert text.count("1 strand") < 500


@pytest.mark.slow
def test_a_dumb_terminal_gets_lines(terminal, work):
    """A terminal that can't move its cursor gets plain lines."""
    running = terminal(work, term="dumb")
    text = running.read_until()
    assert running.process.wait(30) == 0
    assert "\x1b" not in text
    assert "progress: work: 1 of 8  item 1\r\n" in text


@pytest.mark.slow
def test_a_small_terminal_is_not_overrun(terminal, graph):
    """With many nodes on few rows only the busiest are drawn."""
    path = graph(
        ("start", "flow.start"),
        *((f"n{i}", "flow.delay", {"seconds": 0.02}) for i in range(20)),
        wires=["start.then -> n0.enter", *(f"n{i}.then -> n{i + 1}.enter" for i in range(19))],
    )
    running = terminal(path, rows=8, columns=40)
    text = running.read_until()
    assert running.process.wait(30) == 0
    assert "more nodes" in text
    left = [line for line in screen(text) if line]
    assert (len(left), left[0].split()[0]) == (1, "done") or left[0].startswith("done after")


def test_ctrl_c_at_a_terminal(terminal, graph):
    """Ctrl-C at the terminal cancels, tells what was cancelled, gives the cursor back: exit code 130."""
    path = graph(("start", "flow.start"), ("endless", "work.endless"), wires=["start.then -> endless.enter"])
    running = terminal(path)
    running.read_until(b"endless")
    os.write(running.master, b"\x03")
    text = running.read_until()
    assert running.process.wait(30) == 130
    assert "interrupted: cancelling; once more kills at once" in text
    assert "cancelled: endless (1)" in text
    assert text.endswith("\n")
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


@pytest.mark.slow
def test_whoever_is_asked_has_the_terminal(terminal, graph):
    """Nothing is drawn from the question to the answer; then all is drawn as before."""
    path = graph(
        ("start", "flow.start"),
        ("ask", "flow.approve", {"text": "May we?"}),
        ("wait", "flow.delay", {"seconds": 0.3}),
        wires=["start.then -> ask.enter", "ask.approved -> wait.enter"],
    )
    running = terminal(path)
    running.read_until(b"> ")
    time.sleep(0.4)  # in which it would be drawn four times
    os.write(running.master, b"yes\n")
    text = running.read_until()
    assert running.process.wait(30) == 0
    _, _, behind = text.replace("\r", "").partition("May we?")
    assert behind.startswith("\n  1 yes\n  2 no\n> yes\n")
    assert "1 active" in behind
    left = [line for line in screen(text) if line]
    assert left[:4] == ["May we?", "  1 yes", "  2 no", "> yes"]
    assert left[4].startswith("done after ")
