"""`trioflow debug`, through a real pipe and at a real terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from cli.conftest import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


@pytest.fixture
def counting(graph):
    """A loop that adds what a data node makes of its index to a variable, and prints it."""
    return graph(
        {"id": "start", "type": "flow.start"},
        ("loop", "flow.for", {"times": 3}),
        ("double", "math.multiply", {"b": 2}),
        ("add", "variable.update", {"name": "total"}),
        ("show", "debug.print", {"value": "done"}),
        wires=[
            "start.then -> loop.enter", "loop.body -> add.enter", "loop.index -> double.a",
            "double.result -> add.value", "loop.done -> show.enter",
        ],
        variables=[{"name": "total", "type": "int", "default": 0}],
    )  # fmt: skip


def said(process, path, *commands, **options):
    return process("debug", path, input="".join(f"{each}\n" for each in commands), **options)


def test_a_script_steps_through(process, counting):
    """Stop, step, look, change, and go on to the end, by lines on stdin."""
    done = said(
        process, counting,
        "break add if total >= 0", "run", "where", "print total", "print double.result", "print add", "over", "print",
        "set total 100", "delete b1", "# what is left", "continue",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[3:] == [
        "b1 on add",
        "stopped: breakpoint on 'add'",
        "* strand 0 at 0.1.0 add over loop.body -> add.enter",
        "stopped: breakpoint on 'add'",
        "* strand 0 at 0.1.0 add over loop.body -> add.enter",
        "total = 0",
        "double.result = 0",
        "input name = 'total' (literal)",
        "input value (not computed, from double.result -> add.value)",
        "input operation = 'add' (default)",
        "output result (not computed)",
        "stopped: stepped over 0.1.0",
        "* strand 0 at 0.1.1 add over loop.body -> add.enter",
        "total = 0",
        "done",
        "The run has completed after 6 steps.",
        "total = 106",
    ]


def test_into_out_list_and_strands(process, counting):
    """The list marks where the strand waits and where breakpoints are; steps go into a loop and out of it."""
    done = said(process, counting, "break loop", "run", "list", "into", "out", "strands", "break", "quit")
    assert done.code == 0
    assert "*! loop (flow.for)  body -> add.enter; index -> double.a; done -> show.enter\n" in done.out
    assert "stopped: stepped into 0.1\n* strand 0 at 0.1.0 add" in done.out
    assert "stopped: stepped out 0.1.0\n* strand 0 at 0.2 show" in done.out
    assert re.search(r"\* strand 0 at 0.2 show: parked since \d+\.\d+ s\nb1 on loop: hit 1 time\n$", done.out)


def test_watching_logging_and_disabling(process, counting):
    """`watch` says what a value is now; `log` tells and goes on; a breakpoint that is disabled does neither."""
    done = said(process, counting, "log add", "watch total", "run", "disable b1", "disable b2", "break", "run")
    assert done.code == 0
    assert "b1: node 'add', at 0.1.0 add\n" in done.out
    assert "stopped: total is now 0\n* strand 0 at 0.1.1 add" in done.out
    assert "b1 on add: hit 2 times, only logs, disabled\nb2 on total: hit 1 time, disabled\n" in done.out


def test_a_failure(process, graph):
    """A run that fails ends with its message and 1; `break failure` stops before."""
    path = graph(
        {"id": "start", "type": "flow.start"},
        ("fail", "flow.raise", {"message": "no"}),
        wires=["start.then -> fail.enter"],
    )
    done = said(process, path, "break failure", "run", "run")
    assert done.code == 1
    assert "* strand 0 at 0.1 fail, failed: " in done.out
    assert "error: node 'fail' (flow.raise), activation 0.1: " in done.out


@pytest.mark.slow
def test_the_end_of_the_script_ends_the_run(process, counting):
    """Where stdin ends, be it a pipe or a file, the run is quit."""
    assert said(process, counting, "into").code == 0
    assert "done" not in said(process, counting, "into").out
    script = counting.parent / "script"
    script.write_text("break show\nrun")
    with script.open() as lines:
        done = process("debug", counting, stdin=lines)
    assert (done.code, "* strand 0 at 0.2 show" in done.out) == (0, True)


ANSWERS = {
    "brek add": "error: there is no command 'brek'. Did you mean 'break'? `help` lists them.",
    "break ad": "error: There is no node 'ad' to stop at. Did you mean 'add'",
    "break add if totl > 1": "error: The condition names 'totl', which node 'add' does not have",
    "set total many": "error: variable 'total' needs a whole number, not 'many'.",
    "set totl 1": "error: There is no variable 'totl'. Did you mean 'total'",
    "print totl": "error: There is no variable and no node 'totl'. Did you mean 'total'",
    "print add.reslt": "has no data output 'reslt'",
    "strand 7": "error: There is no strand '7' now. There is: 0.",
    "delete b9": "error: There is no breakpoint on 'b9'. There is: none.",
    "list add": "error: node 'add' calls no graph.",
    "help": "set NAME VALUE     write a variable in the strand",
}


def test_what_it_answers(process, counting):
    """What can't be done is answered with its cure, and the conversation goes on."""
    done = said(process, counting, *ANSWERS, "quit")
    assert (done.code, done.err) == (0, "")
    place = 0
    for line, answer in ANSWERS.items():
        assert answer in done.out[place:], line
        place = done.out.index(answer, place) + len(answer)


def test_bad_input(cli, graph):
    """A graph that is not valid is refused before anything runs."""
    assert cli("debug", graph(("a", "no.such"))).code == 2


class Terminal:
    """A debugger at a terminal."""

    def __init__(self, *arguments):
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, "debug", *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.shown = ""

    def until(self, text):
        end = time.monotonic() + 30
        while text not in self.shown:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], self.shown
            try:
                self.shown += os.read(self.master, 4096).decode()
            except OSError:  # it has ended
                assert text in self.shown, self.shown
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments):
        opened.append(Terminal(*arguments))
        return opened[0]

    yield start
    for each in opened:
        each.process.kill()
        each.process.wait()
        os.close(each.master)


def test_at_a_terminal(terminal, counting):
    """It prompts; an empty line repeats the last step."""
    at = terminal(counting)
    at.until("(trioflow) ")
    at.type("into\n")
    at.until("0.1 loop")
    at.until("(trioflow) ")
    at.type("\n")
    at.until("0.1.0 add")
    at.until("(trioflow) ")
    at.type("quit\n")
    assert at.process.wait(30) == 0


def test_interrupted_at_the_prompt(terminal, counting):
    """Ctrl-C at the prompt cancels the run."""
    at = terminal(counting)
    at.until("(trioflow) ")
    at.process.send_signal(signal.SIGINT)
    at.until("interrupted: cancelling")
    assert at.process.wait(30) == 130


@pytest.mark.slow
def test_interrupted_while_it_runs(terminal, graph):
    """Ctrl-C while the run goes on stops it, and one can look where it is."""
    at = terminal(
        graph(
            {"id": "start", "type": "flow.start"}, ("loop", "flow.for", {"times": 10**9}), ("add", "variable.update", {"name": "n"}),
            wires=["start.then -> loop.enter", "loop.body -> add.enter", "loop.index -> add.value"],
            variables=[{"name": "n", "type": "int", "default": 0}],
        )
    )  # fmt: skip
    at.until("(trioflow) ")
    at.type("run\n")
    time.sleep(0.5)
    at.process.send_signal(signal.SIGINT)
    at.until("stopped: interrupted")
    at.until("add over loop.body -> add.enter")
    at.until("(trioflow) ")
    at.type("print n\n")
    assert re.search(r"n = \d+", at.until("(trioflow) ") + at.shown)
    at.type("quit\n")
    assert at.process.wait(30) == 0
