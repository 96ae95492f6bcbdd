"""`trioflow run`."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import textwrap
import threading

import pytest
from cli.conftest import COMMAND

from trioflow.cli import main

START = ("start", "flow.start")


def failing(graph, **more):
    return graph(
        START,
        ("boom", "flow.raise", {"message": "no\nluck"}),
        wires=["start.then -> boom.enter"],
        **more,
    )


def test_an_example_runs_by_its_name(process):
    """`trioflow run fizzbuzz` needs no file: output on stdout, a summary on stderr, exit code 0."""
    ended = process("run", "fizzbuzz")
    assert ended.code == 0
    assert ended.out.split() == "1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz".split()
    assert ended.err.startswith("done after ")
    assert ended.err.count("\n") == 1


def test_a_file_comes_before_an_example(cli, graph):
    """A file with the name of an example is what is run; a folder with that name is not."""
    graph(START, ("p", "debug.print", {"value": "mine"}), wires=["start.then -> p.enter"], name="events")
    assert cli("run", "events").out == "mine\n"


def test_a_folder_does_not_hide_an_example(cli, tmp_path):
    """A folder with the name of an example is no graph, so the example runs."""
    (tmp_path / "try_catch").mkdir()
    ended = cli("run", "try_catch")
    assert (ended.code, ended.out) == (
        0,
        "it failed: math.divide: division by zero.\ncleaning up either way\nand on we go\n",
    )


def test_a_failure_is_told_with_node_type_place_and_cause(cli, graph, tmp_path):
    """A failing graph exits with 1 and one line: node, type, activation, error; its cause below; no traceback."""
    (tmp_path / "caused_nodes.py").write_text(
        textwrap.dedent("""
        import trioflow as tf
        @tf.exec_node(id="caused.fail")
        def fail() -> None:
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("bad value") from error
        """)
    )
    path = graph(START, ("f", "caused.fail"), wires=["start.then -> f.enter"])
    ended = cli("run", path, "--nodes", "caused_nodes")
    assert ended.code == 1
    lines = ended.err.splitlines()
    assert lines[:2] == [
        "error: node 'f' (caused.fail), activation 0.1: ValueError: bad value",
        "  because of KeyError: 'key'",
    ]
    assert lines[2].startswith("failed after ")
    assert len(lines) == 3


def test_a_message_of_several_lines_stays_on_one(cli, graph):
    """Line ends in the message of a failure are shown as escapes."""
    assert r"activation 0.1: NodeRaised: no\nluck" + "\n" in cli("run", failing(graph)).err


def test_the_traceback_is_there_for_the_asking(cli, graph):
    """`--traceback` shows the Python code that failed, and the one line as well."""
    err = cli("run", failing(graph), "--traceback").err
    assert "Traceback (most recent call last)" in err
    assert "guard.py" in err
    assert "error: node 'boom' (flow.raise)" in err


def test_several_failures_are_told_each(cli, graph, tmp_path):
    """Failures at the same time come one per line, of very many only the first ones."""
    (tmp_path / "many_nodes.py").write_text(
        textwrap.dedent("""
        import trioflow as tf
        @tf.exec_node(id="many.fail")
        def fail() -> None:
            raise ExceptionGroup("many", [ValueError(i) for i in range(12)])
        """)
    )
    path = graph(START, ("f", "many.fail"), wires=["start.then -> f.enter"])
    lines = cli("run", path, "--nodes", "many_nodes").err.splitlines()
    assert lines[0] == "error: node 'f' (many.fail), activation 0.1: ValueError: 0"
    assert lines[10] == "and 2 more failures; --traceback shows all"


def test_a_body_that_exits_is_a_failure(cli, graph, tmp_path):
    """`SystemExit` from a body does not end the command without a word."""
    (tmp_path / "exit_nodes.py").write_text(
        "import sys\nimport trioflow as tf\n@tf.exec_node(id='exit.now')\ndef now() -> None:\n    sys.exit(7)\n"
    )
    path = graph(START, ("x", "exit.now"), wires=["start.then -> x.enter"])
    ended = cli("run", path, "--nodes", "exit_nodes")
    assert ended.code == 1
    assert ended.err.startswith("error: node 'x' (exit.now), activation 0.1: SystemExit: 7\n")


def test_a_failing_setup_names_its_node(cli, graph, tmp_path):
    """A failure outside of every activation is told with what was being done."""
    (tmp_path / "setup_nodes.py").write_text(
        textwrap.dedent("""
        import trioflow as tf
        class Bad(tf.Node, id="setup.bad"):
            then = tf.ExecOut()
            async def setup(self, ctx):
                raise OSError("no device")
            async def execute(self, ctx): ...
        """)
    )
    ended = cli("run", graph(START, ("b", "setup.bad")), "--nodes", "setup_nodes")
    assert ended.code == 1
    assert ended.err.startswith("error: while node 'b' (setup.bad) was set up: OSError: no device\n")


def test_json_is_one_object_on_stdout(cli):
    """With `--json` stdout has nothing but one JSON object; what the graph prints goes to stderr."""
    ended = cli("run", "events", "--json")
    report = json.loads(ended.out)
    assert ended.out.count("\n") == 1
    assert (report["status"], report["variables"], report["error"]) == ("completed", {"parcels": 3}, None)
    assert report["statistics"]["steps"] == 18
    assert "parcels in all: 3\n" in ended.err


def test_json_of_a_failure_has_what_there_is(cli, graph):
    """The variables as the run has left them, with `--json`."""
    path = graph(
        START, ("set", "variable.set", {"name": "n", "value": 2}), ("boom", "flow.raise", {"message": "no"}),
        wires=["start.then -> set.enter", "set.then -> boom.enter"],
        variables=[{"name": "n", "type": "int", "default": 1}, {"name": "m", "type": "str", "default": "m"}],
    )  # fmt: skip
    ended = cli("run", path, "--json")
    assert json.loads(ended.out)["variables"] == {"n": 2, "m": "m"}
    assert ended.err.splitlines()[1] == "  with message = 'no'"


def test_json_tells_a_failure(cli, graph):
    """With `--json` a failure is an object with type, message, node and path; the exit code stays 1."""
    ended = cli("run", failing(graph), "--json")
    report = json.loads(ended.out)
    assert (ended.code, report["status"], report["variables"]) == (1, "failed", {})
    assert report["error"] == {"type": "NodeRaised", "message": "no\nluck", "node": "boom", "path": [0, 1]}


def test_json_shows_values_that_json_lacks(cli, graph):
    """Variables of other types than JSON's are shown as near as JSON can."""
    names = {
        "s": ("set", None),
        "d": ("date", None),
        "t": ("duration", None),
        "p": ("path", None),
        "b": ("bytes", None),
    }
    path = graph(START, variables=[{"name": n, "type": t, "default": v} for n, (t, v) in names.items()])
    settings = ["s=[2,1]", "d=2030-01-31", "t=90", "p=a/b", "b=x"]
    ended = cli("run", path, "--json", *(part for each in settings for part in ("--set", each)))
    assert json.loads(ended.out)["variables"] == {
        "s": [1, 2],
        "d": "2030-01-31",
        "t": "PT1M30S",
        "p": "a/b",
        "b": "b'x'",
    }


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("int", "7", 7),
        ("int", "-7", -7),
        ("float", "7", 7.0),
        ("float", "1e3", 1000.0),
        ("bool", "true", True),
        ("bool", "False", False),
        ("str", "7", "7"),
        ("str", "", ""),
        ("str", "a=b", "a=b"),
        ("list", "[1, null]", [1, None]),
        ("dict", '{"a": 1}', {"a": 1}),
        ("any", "7", 7),
        ("any", "seven", "seven"),
        ("any", "[1", "[1"),
        ("any", "[" * 100_000, "[" * 997 + "..."),
        ("datetime", "2030-01-31T12:00:00", "2030-01-31 12:00:00"),
        ("duration", "P1DT12H", "P1DT12H"),
        ("duration", "1.5", "PT1.5S"),
    ],
)
def test_values_are_read_by_type(cli, graph, type_, text, value):
    """`--set` reads a value by the declared type of its variable: JSON or else text where any type will do."""
    path = graph(START, variables=[{"name": "v", "type": type_}])
    report = json.loads(cli("run", path, "--json", "--set", f"v={text}").out)
    shown = report["variables"]["v"]
    assert (shown if len(text) < 1000 else shown[:997] + "...") == value


def test_limits_are_failures(cli, graph):
    """A limit that is reached is a failure that names it: exit code 1."""
    path = graph(
        START,
        ("a", "flow.delay", {"seconds": 0}),
        wires=["start.then -> a.enter", "a.then -> a.enter"],
    )
    by_steps = cli("run", path, "--max-steps", 100)
    assert by_steps.code == 1
    assert "LimitExceeded" in by_steps.err and by_steps.err.splitlines()[0].endswith("raise --max-steps.")
    by_time = cli("run", path, "--timeout", 0.05)
    assert by_time.code == 1
    assert by_time.err.startswith("error: LimitExceeded: The run reached its limit of 0.05 s")
    assert "Raise --timeout if it is meant to take longer." in by_time.err


def test_initiators_run_in_parallel(cli, graph):
    """With `--parallel` the graph's initiators run concurrently, otherwise one after the other."""
    path = graph(
        ("s1", "flow.start"),
        ("wait", "flow.delay", {"seconds": 0.05}),
        ("p1", "debug.print", {"value": 1}),
        ("s2", "flow.start"),
        ("p2", "debug.print", {"value": 2}),
        wires=["s1.then -> wait.enter", "wait.then -> p1.enter", "s2.then -> p2.enter"],
    )
    assert cli("run", path).out == "1\n2\n"
    assert cli("run", path, "--parallel").out == "2\n1\n"


def test_a_trace_has_every_event(cli, tmp_path):
    """`--trace` writes each event as a line of JSON, from the start of the run to its end, in order."""
    assert cli("run", "try_catch", "--trace", "events.jsonl").code == 0
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["sequence"] for event in events] == list(range(len(events)))
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunCompleted"
    started = [event["node"] for event in events if event["event"] == "NodeStarted"]
    assert started == ["start", "try", "show", "report", "cleanup", "after"]
    failed = next(event for event in events if event["event"] == "NodeFailed")
    assert failed["error"] == {"type": "ZeroDivisionError", "message": "math.divide: division by zero."}
    assert failed["path"] == failed["origin"] == [0, 1, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_trace_that_can_not_be_completed_is_told(cli, graph):
    """A trace file that fills its disk ends the trace, not the run; the exit code is 1, because something is missing."""
    for times in (1, 1000):  # found out when the file is closed, and while the graph runs
        path = graph(
            START,
            ("loop", "flow.for", {"times": times}),
            ("p", "debug.print"),
            wires=["start.then -> loop.enter", "loop.body -> p.enter", "loop.index -> p.value"],
        )
        ended = cli("run", path, "--trace", "/dev/full")
        assert ended.code == 1
        assert ended.out.endswith(f"{times - 1}\n")
        assert ended.err.endswith("error: --trace /dev/full: it is not complete: No space left on device.\n")


def test_feedback_and_progress_are_lines_on_stderr(cli, graph, tmp_path):
    """Where there is no terminal, feedback and progress are plain lines; of fast progress only the first and last."""
    (tmp_path / "telling_nodes.py").write_text(
        textwrap.dedent("""
        import trioflow as tf
        @tf.exec_node(id="telling.tell")
        def tell(ctx: tf.Context) -> None:
            ctx.emit_feedback("line\\n\\x1b[31mtwo", "warning")
            for i in range(1, 1001):
                ctx.report_progress(i, 1000, f"item {i}")
            ctx.report_progress(1, message="another total")
        """)
    )
    path = graph(START, ("t", "telling.tell"), wires=["start.then -> t.enter"])
    ended = cli("run", path, "--nodes", "telling_nodes")
    assert ended.out == ""
    assert ended.err.splitlines()[:-1] == [
        r"warning: t: line\n\x1b[31mtwo",
        "progress: t: 1 of 1,000  item 1",
        "progress: t: 1  another total",
    ]


def test_lost_writes_are_told(cli, graph):
    """Concurrent writes to a variable without a merge policy are mentioned in the summary."""
    path = graph(
        START,
        {
            "id": "each",
            "type": "flow.for_each",
            "inputs": {"items": [1, 2, 3]},
            "stream": {"mode": "concurrent"},
        },
        ("set", "variable.set", {"name": "last"}),
        wires=["start.then -> each.enter", "each.body -> set.enter", "each.item -> set.value"],
        variables=[{"name": "last", "default": 0}],
    )
    ended = cli("run", path)
    assert ended.code == 0
    assert "warning: concurrent writes got lost (the last one was kept): 'last' 2 times\n" in ended.err


def test_modules_are_found_beside_the_graph(process, tmp_path):
    """`--nodes MODULE` looks beside the graph's file too, not only in the current folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "beside.py").write_text(
        "import trioflow as tf\n@tf.exec_node(id='beside.hi')\ndef hi() -> None:\n    print('hi')\n"
    )
    (folder / "graph.json").write_text(
        json.dumps(
            {
                "trioflow": "1.0",
                "nodes": [{"id": "s", "type": "flow.start"}, {"id": "h", "type": "beside.hi"}],
                "connections": [{"from": "s.then", "to": "h.enter"}],
            }
        )
    )
    assert process("run", "elsewhere/graph.json", "--nodes", "beside").out == "hi\n"


@pytest.mark.slow
def test_output_that_nobody_reads_ends_quietly(tmp_path, graph):
    """A reader that goes away, such as `head`, leaves no traceback, whoever notices it: exit code 141."""
    (tmp_path / "late_nodes.py").write_text(
        "import trioflow as tf\n@tf.exec_node(id='late.print')\ndef write() -> None:\n    print('not flushed')\n"
    )
    late = graph(START, ("late", "late.print"), wires=["start.then -> late.enter"])
    for command in (["nodes"], ["run", "fizzbuzz"], ["run", late, "--nodes", "late_nodes"]):
        with subprocess.Popen(
            [*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        ) as running:
            running.stdout.close()
            err = running.stderr.read()
        assert running.returncode == 141
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err


def test_an_interrupt_before_the_run(cli, graph, tmp_path):
    """An interrupt while modules are imported ends the command as any other: exit code 130."""
    (tmp_path / "interrupted_nodes.py").write_text("raise KeyboardInterrupt")
    assert cli("run", graph(START), "--nodes", "interrupted_nodes") == (130, "", "\ninterrupted\n")


def test_it_runs_in_any_thread(graph, capsys):
    """In another thread than the main one, which gets no signals, a graph runs all the same."""
    path = graph(START, ("p", "debug.print", {"value": "here"}), wires=["start.then -> p.enter"])
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["run", str(path)])))
    thread.start()
    thread.join()
    assert (codes, capsys.readouterr().out) == ([0], "here\n")


def test_it_writes_to_any_stream(graph):
    """A stdout that is not Python's own, as in a notebook, is written to like any other."""
    path = graph(START, ("p", "debug.print", {"value": "here"}), wires=["start.then -> p.enter"])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["run", str(path)]) == 0
    assert out.getvalue() == "here\n"
