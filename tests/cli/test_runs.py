"""Kept runs at the command line: killed, resumed, looked at."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import trioflow as tf
from trioflow.cli.app import execute

GRAPH = {
    "trioflow": "1.0",
    "nodes": [
        {"id": "start", "type": "flow.start"},
        {"id": "one", "type": "debug.print", "inputs": {"value": "one"}},
        {"id": "read", "type": "file.read_text", "inputs": {"path": "input.txt"}},
        {"id": "two", "type": "debug.print"},
    ],
    "connections": [
        {"from": "start.then", "to": "one.enter"},
        {"from": "one.then", "to": "read.enter"},
        {"from": "read.then", "to": "two.enter"},
        {"from": "read.text", "to": "two.value"},
    ],
    "variables": [{"name": "v", "type": "int", "default": 1}],
}


@pytest.fixture(params=["runs.db", "runs/"])
def call(request, tmp_path, monkeypatch, capfd):
    """A command; gives its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))

    def called(*words):
        code = execute([word.replace("STORE", request.param) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    called.folder = tmp_path
    return called


RUN = ("run", "graph.json", "--journal", "STORE", "--id", "a")


def test_from_a_failure_to_the_end(call):
    """What was printed is not printed again; the same command after the end does nothing."""
    code, out, err = call(*RUN)
    assert (code, out) == (1, "one\n")
    assert "FileNotFoundError" in err
    code, out, err = call(*RUN)
    assert (code, out) == (1, "")
    assert "run 'a' has failed already: nothing is run again; `trioflow runs resume --retry`" in err
    (call.folder / "input.txt").write_text("two")
    code, out, err = call("runs", "resume", "a", "--store", "STORE", "--retry")
    assert (code, out) == (0, "two\n")
    assert "resuming run 'a': replaying 1 record" in err
    assert "replayed 1 record of 1 in" in err
    code, out, err = call(*RUN, "--json")
    assert (code, json.loads(out)["status"]) == (0, "completed")


WORKFLOW = """\
document: {dsl: 1.0.0, namespace: test, name: greet, version: 1.0.0}
do:
  - first:
      set: {greeting: hello}
"""


def test_what_a_workflow_gives(call):
    """It is printed by who goes on with it, as by who begins it."""
    (call.folder / "greet.yaml").write_text(WORKFLOW)
    said = (0, '{"greeting": "hello"}\n')
    assert call("run", "greet.yaml", "--journal", "STORE", "--id", "a")[:2] == said
    assert call("runs", "fork", "a", "b", "--store", "STORE")[0] == 0
    assert call("runs", "resume", "b", "--store", "STORE")[:2] == said


def test_looking(call):
    """list, show, at, stats, check."""
    (call.folder / "input.txt").write_text("text")
    assert call(*RUN)[0] == 0
    code, out, _ = call("runs", "list", "--store", "STORE")
    assert code == 0
    assert out.startswith("a  completed  20")
    assert out.endswith("3 records\n")
    (listed,) = [json.loads(line) for line in call("runs", "list", "--store", "STORE", "--json")[1].splitlines()]
    assert (listed["id"], listed["records"], listed["owner"]) == ("a", 3, None)
    assert call("runs", "list", "--store", "STORE", "--status", "failed")[1:] == ("", "no runs\n")
    shown = call("runs", "show", "a", "--store", "STORE", "--history")[1]
    assert "status: completed\n" in shown
    assert "  read: done 1; last at 0.2\n" in shown
    assert json.loads(call("runs", "show", "a", "--store", "STORE", "--json")[1])["nodes"]["one"]["records"] == {
        "done": 1
    }
    assert call("runs", "at", "a", "0.3", "--store", "STORE")[1] == (
        "2 records before, the last at 0.2\n  read.text = 'text'\n"
    )
    assert json.loads(call("runs", "at", "a", "0.3", "--store", "STORE", "--json")[1])["recorded"] == 2
    assert call("runs", "stats", "--store", "STORE")[1].startswith("completed: 1 run\n  one: 1 record, 0 failures\n")
    assert json.loads(call("runs", "stats", "--store", "STORE", "--json")[1])["runs"] == {"completed": 1}
    assert call("runs", "check", "--store", "STORE")[:2] == (0, "1 run, 0 damaged\n")


def test_failures_are_shown(call):
    """Where it failed, and with what."""
    call(*RUN)
    shown = call("runs", "show", "a", "--store", "STORE")[1]
    assert "error: FileNotFoundError: [Errno 2] No such file or directory: 'input.txt'\n" in shown
    assert "failed at: 0.2 (node read)\n" in shown
    call("runs", "resume", "a", "--store", "STORE", "--retry", "--skip", "0.2")
    assert "superseded: 0.2 read done" in call("runs", "show", "a", "--store", "STORE", "--history")[1]
    assert "completed" in call("runs", "list", "--store", "STORE")[1]


def test_forks_and_copies(call):
    """fork, export, import, prune."""
    (call.folder / "input.txt").write_text("text")
    call(*RUN)
    code, _, err = call("runs", "fork", "a", "b", "--store", "STORE", "--at", "0.3", "--set", "v=2")
    assert (code, err) == (0, "run 'b' begins with 2 records of 'a'\n")
    code, _, err = call("runs", "prune", "--store", "STORE", "--id", "b")
    assert (code, err) == (4, "error: Run 'b' is running, and only runs that have ended are pruned.\n")
    assert call("runs", "resume", "b", "--store", "STORE")[:2] == (0, "text\n")
    lines = call("runs", "export", "b", "--store", "STORE")[1]
    (call.folder / "b.jsonl").write_text(lines)
    assert call("runs", "import", "b.jsonl", "--store", "STORE", "--id", "c")[0] == 0
    assert "c  completed" in call("runs", "list", "--store", "STORE")[1]
    assert call("runs", "prune", "--store", "STORE", "--id", "c")[2] == "pruned 1 run\n"
    assert call("runs", "prune", "--store", "STORE")[2] == "pruned 2 runs\n"
    assert call(*RUN)[0] == 4


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "graph.json", "--id", "a"), 2, "--journal FILE and --id ID come together"),
        (("run", "graph.json", "--journal", "runs.db", "--id", ""), 2, "--id is empty"),
        (("runs", "list"), 2, "--journal FILE: say where the runs are kept"),
        (("runs", "list", "--store", "STORE", "--status", "complete"), 2, "Did you mean 'completed'?"),
        (("runs", "show", "b", "--store", "STORE"), 2, "There is no run 'b' in this journal."),
        (("runs", "at", "a", "x", "--store", "STORE"), 2, "expected a path such as '0.1.0', got 'x'"),
        (("runs", "resume", "a", "--store", "STORE", "--skip", "0"), 2, "say --retry, too"),
        (("runs", "resume", "a", "--store", "STORE", "--retry"), 4, "has completed: there is nothing to retry"),
        (("runs", "fork", "a", "a", "--store", "STORE", "--at", "0.1"), 4, "used already"),
        (("runs", "list", "--store", "graph.json"), 4, "not a journal"),
        (("runs", "settle", "a", "0.1", "--store", "STORE"), 4, "Nothing is in doubt at 0.1"),
        (("runs", "settle", "a", "0.1", "--output", "x=y", "--store", "STORE"), 2, "write NAME=JSON"),
    ],
)
def test_bad_input(call, words, code, says):
    """A sentence with a cure."""
    (call.folder / "input.txt").write_text("text")
    call(*RUN)
    found, _, err = call(*words)
    assert (found, says in err) == (code, True), err


def test_another_graph(call):
    """Is refused."""
    call(*RUN)
    changed = {**GRAPH, "nodes": [*GRAPH["nodes"], {"id": "more", "type": "flow.start"}]}
    (call.folder / "graph.json").write_text(json.dumps(changed))
    code, out, err = call(*RUN)
    assert (code, out) == (4, "")
    assert "Its graph is another one: node 'more' is new." in err


def test_signals(call):
    """A run that waits is told, whether a process has it or not."""
    call(*RUN)
    code, _, err = call("runs", "signal", "a", "x", "--store", "STORE")
    assert (code, "is failed: it takes no signals any more" in err) == (4, True)
    (call.folder / "input.txt").write_text("x")
    call("runs", "fork", "a", "b", "--store", "STORE", "--at", "0.2")
    assert call("runs", "signal", "b", "x", "--payload", "true", "--key", "k", "--store", "STORE")[2] == "sent\n"
    assert "was sent before" in call("runs", "signal", "b", "x", "--key", "k", "--store", "STORE")[2]
    code, _, err = call("runs", "signal", "b", "x", "--payload", "yes", "--store", "STORE")
    assert (code, "it must be JSON" in err) == (2, True)


def test_a_fork_with_another_graph(call):
    """What has changed is said; `fork` begins another run with what was recorded."""
    assert call(*RUN)[0] == 1
    other = {
        **GRAPH,
        "nodes": [*GRAPH["nodes"][:2], {**GRAPH["nodes"][2], "inputs": {"path": "other.txt"}}, GRAPH["nodes"][3]],
    }
    (call.folder / "graph.json").write_text(json.dumps(other))
    (call.folder / "other.txt").write_text("other")
    code, _, err = call(*RUN)
    assert (code, "Its graph is another one: node 'read' has changed. Run it with" in err) == (4, True)
    assert call("runs", "fork", "a", "b", "--at", "0.2", "--graph", "graph.json", "--store", "STORE")[0] == 0
    assert call("runs", "resume", "b", "--store", "STORE")[:2] == (0, "other\n")
    assert call("runs", "fork", "a", "c", "--store", "STORE")[2] == "run 'c' begins with 2 records of 'a'\n"


WAITS = {
    "trioflow": "1.0",
    "nodes": [
        {"id": "start", "type": "flow.start"},
        {"id": "one", "type": "debug.print", "inputs": {"value": "asks"}},
        {"id": "ask", "type": "flow.approve", "inputs": {"timeout": "2d"}},
        {"id": "yes", "type": "debug.print", "inputs": {"value": "yes"}},
    ],
    "connections": [
        {"from": "start.then", "to": "one.enter"},
        {"from": "one.then", "to": "ask.enter"},
        {"from": "ask.approved", "to": "yes.enter"},
    ],
}


def test_a_run_that_is_put_away(call):
    """Exit code 3; `--due` goes on with it when somebody has answered, and not before."""
    (call.folder / "waits.json").write_text(json.dumps(WAITS))
    run = ("run", "waits.json", "--journal", "STORE", "--id", "a", "--suspend-after", "0")
    code, out, err = call(*run)
    assert (code, out) == (3, "asks\n")
    assert "Run 'a' was put away: it waits for the signal 'approve' or 20" in err
    assert json.loads(call(*run, "--json")[1])["status"] == "suspended"
    assert "error" not in err
    assert "put away after" in err
    assert "cancelled" not in err  # what waits goes on another day
    assert call("runs", "list", "--store", "STORE")[1].startswith("a  suspended  20")
    assert "waits for: signal 'approve'; due 20" in call("runs", "show", "a", "--store", "STORE")[1]
    due = ("runs", "resume", "--due", "--store", "STORE")
    assert call(*due) == (0, "", "0 runs had something to do\n")
    code, _, err = call("runs", "signal", "a", "aprove", "--store", "STORE")
    assert (code, err) == (
        0, "sent\nrun 'a' was put away, and waits for 'approve': it keeps this one for later\n",
    )  # fmt: skip
    assert call("runs", "signal", "a", "approve", "--payload", '"perhaps"', "--store", "STORE")[::2] == (0, "sent\n")
    code, out, err = call(*due)
    assert (code, out) == (0, "")
    assert "run 'a':\n" in err
    assert "put away after" in err
    assert call("runs", "signal", "a", "approve", "--payload", "true", "--store", "STORE")[0] == 0
    code, out, err = call(*due)
    assert (code, out) == (0, "yes\n")
    assert err.endswith("1 run had something to do\n")


def test_what_due_may_not_be_said_with(call):
    """One run, or all that need it; a graph that is not in the journal."""
    assert call("runs", "resume", "--store", "STORE")[0] == 2
    assert call("runs", "resume", "a", "--due", "--store", "STORE")[0] == 2
    code, _, err = call("run", "graph.json", "--suspend-after", "1")
    assert (code, "--suspend-after SECONDS is for runs that are kept" in err) == (2, True)


def test_a_graph_that_has_changed(call):
    """With --changed it goes on as long as it does what was recorded; also if it begins only now."""
    graph = {**WAITS, "nodes": [*WAITS["nodes"][:3], {"id": "yes", "type": "debug.print", "inputs": {"value": "no"}}]}
    run = ("run", "waits.json", "--journal", "STORE", "--id", "a", "--suspend-after", "0", "--changed")
    (call.folder / "waits.json").write_text(json.dumps(graph))
    assert call(*run)[:2] == (3, "asks\n")
    (call.folder / "waits.json").write_text(json.dumps(WAITS))
    assert call("runs", "signal", "a", "approve", "--payload", "true", "--store", "STORE")[0] == 0
    assert call(*run[:-1])[0] == 4
    assert call(*run)[:2] == (0, "yes\n")
    code, _, err = call("run", "waits.json", "--changed")
    assert (code, "--changed is for runs that are kept" in err) == (2, True)


def test_whose_holder_has_died(tmp_path, capfd):
    """It is said that nobody has the run any more."""
    journal = tmp_path / "runs.db"
    dies = (
        "import os, trio, trioflow as tf\n"
        "with tf.build() as g: g.connect(g.add('flow.start').then, g.add('flow.sleep', duration='9s').enter)\n"
        "async def main():\n"
        f"    async with tf.open_run(g.graph, journal=tf.SqliteJournal({str(journal)!r}), run_id='a'): os._exit(9)\n"
        "trio.run(main)\n"
    )
    assert subprocess.run([sys.executable, "-c", dies], check=False).returncode == 9
    assert execute(["runs", "list", "--journal", str(journal)]) == 0
    assert capfd.readouterr().out.endswith("had it when it died\n")
    (info,) = tf.SqliteJournal(journal).runs()
    assert info.has_died
