"""Jobs at the command line: put, run by a worker, looked at, put back."""

from __future__ import annotations

import json
import sqlite3

import pytest

from trioflow.cli.app import execute

GRAPH = {
    "trioflow": "1.0",
    "nodes": [
        {"id": "start", "type": "flow.start"},
        {"id": "name", "type": "variable.get", "inputs": {"name": "path"}},
        {"id": "read", "type": "file.read_text"},
        {"id": "show", "type": "debug.print"},
    ],
    "connections": [
        {"from": "start.then", "to": "read.enter"},
        {"from": "name.result", "to": "read.path"},
        {"from": "read.then", "to": "show.enter"},
        {"from": "read.text", "to": "show.value"},
    ],
    "variables": [{"name": "path", "type": "str", "default": "input.txt"}],
}


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """A command; gives its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))

    def called(*words):
        code = execute(list(words))
        out, err = capfd.readouterr()
        return code, out, err

    called.folder = tmp_path
    return called


STORE = ("--store", "jobs.db")


def submit(call, *words):
    code, out, err = call("submit", "graph.json", *STORE, *words)
    assert (code, err) == (0, "")
    return out.strip()


def listed(call, *words):
    code, out, _ = call("jobs", "list", *STORE, "--json", *words)
    assert code == 0
    return json.loads(out)


def test_a_job_from_its_beginning(call):
    job = submit(call, "--set", "path=a.txt", "--queue", "etl", "--priority", "high", "--tenant", "t", "--key", "k")
    assert submit(call, "--queue", "etl", "--key", "k") == job
    (found,) = listed(call)
    told = {name: found[name] for name in ("id", "queue", "tenant", "priority", "key", "status", "attempts", "most")}
    assert told == {
        "id": job, "queue": "etl", "tenant": "t", "priority": "high", "key": "k", "status": "queued", "attempts": 0, "most": 3
    }  # fmt: skip
    (call.folder / "a.txt").write_text("hello")
    code, out, err = call(
        "worker", *STORE, "--queue", "etl", "--runs", "2", "--lease", "5s", "--until-idle", "--name", "w"
    )
    assert (code, out) == (0, "hello\n")
    assert [line.split(" ", 1)[1] for line in err.splitlines()] == [
        "worker w: etl; 2 at a time", f"job {job}: attempt 1 of 3", f"job {job}: done", "worker w: ended"
    ]  # fmt: skip
    code, out, err = call("jobs", "show", job, *STORE)
    assert "status: done\n" in out
    assert "given: {'path': 'a.txt'}\n" in out
    assert "run: completed, 2 records\noutcome: {'path': 'a.txt'}\n" in out
    code, out, err = call("jobs", "list", *STORE)
    assert (out.split()[:3], err) == ([job, "done", "etl"], "1 done\n")
    assert call("jobs", "prune", *STORE, "--before", "0s") == (0, "", "1 removed\n")
    assert call("jobs", "list", *STORE) == (0, "", "no jobs\n")


def test_dead_letters(call):
    """They are listed with why; put back, they go on where they failed."""
    job = submit(call, "--attempts", "1")
    assert call("worker", *STORE, "--until-idle")[0] == 0
    code, out, err = call("jobs", "dead", *STORE)
    assert out.startswith(f"{job}  dead  default  ")
    assert "attempt 1 of 1  FileNotFoundError: " in out
    assert "outcome: FileNotFoundError" in call("jobs", "show", job, *STORE)[1]
    assert json.loads(call("jobs", "show", job, *STORE, "--json")[1])["run"]["status"] == "failed"
    assert call("jobs", "retry", job, *STORE) == (0, "", f"{job}: queued\n")
    (call.folder / "input.txt").write_text("there")
    assert call("jobs", "run", job, *STORE, "--json") == (0, 'there\n{"path": "input.txt"}\n', "")
    assert call("jobs", "run", job, *STORE)[0::2] == (0, f"job {job} is done\n")
    code, _, err = call("jobs", "retry", job, *STORE)
    assert (code, err) == (
        2, f"error: {job}: it is done, so it can't be put back: only what has failed, is dead or was cancelled can.\n"
    )  # fmt: skip


def test_running_one(call):
    """Its failure is that of the command; and what it is if it can't be run now."""
    job = submit(call, "--attempts", "1", "--not-before", "1h")
    code, _, err = call("jobs", "run", job, *STORE)
    assert code == 1
    assert err.startswith("error: node 'read' (file.read_text), activation ")
    code, _, err = call("jobs", "run", job, *STORE)
    assert (code, f"Job '{job}' is dead" in err) == (4, True)
    job = submit(call)
    with sqlite3.connect("jobs.db") as database:
        database.execute(
            "update trioflow_job set status='leased', owner='h/b/s 1 1', worker='w', lease=1e9 where id=?", (job,)
        )
    database.close()
    code, _, err = call("jobs", "run", job, *STORE)
    assert (code, err) == (4, f"error: Job '{job}' is being run by w.\n")
    assert call("jobs", "cancel", job, *STORE) == (0, "", f"{job}: its worker is asked to cancel it\n")


def test_cancelling(call):
    first, second = submit(call), submit(call)
    assert call("jobs", "cancel", first, second, *STORE) == (0, "", f"{first}: cancelled\n{second}: cancelled\n")
    assert [each["id"] for each in listed(call, "--status", "cancelled", "--limit", "1")] == [second]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("submit", "graph.json"), 2, "Missing option '--journal' / '--store'"),
        (("submit", "graph.json", *STORE, "--priority", "urgent"), 2, "'urgent' is not one of"),
        (("submit", "graph.json", *STORE, "--not-before", "soon"), 2, "--not-before: expected a duration such as"),
        (("submit", "graph.json", *STORE, "--queue", ""), 2, "--queue: a queue needs a name"),
        (("submit", "graph.json", *STORE, "--set", "paht=1"), 2, "no variable 'paht'. Did you mean 'path'?"),
        (("submit", "nothing.json", *STORE), 2, "nothing.json: there is no such file"),
        (("submit", "graph.json", "--store", "there/is/no.db"), 4, "The journal there/is/no.db can't be used"),
        (("submit", "graph.json", "--store", "runs/"), 4, "can keep runs, but no jobs"),
        (("worker", "--store", "runs/"), 4, "can keep runs, but no jobs"),
        (("worker", *STORE, "--lease", "0s"), 2, "--lease: a lease must last for more than 0 s"),
        (("worker", *STORE, "--quota", "many"), 2, "--quota many: write a number of jobs, N or TENANT=N"),
        (("worker", *STORE, "--nodes", "no_such_module"), 2, "--nodes no_such_module"),
        (("jobs", "show", "x", *STORE), 4, "There is no journal jobs.db."),
    ],
)
def test_bad_input(call, words, code, told):
    found, out, err = call(*words)
    assert (found, out, told in err) == (code, "", True), err


def test_a_full_queue(call):
    submit(call, "--limit", "1")
    code, _, err = call("submit", "graph.json", *STORE, "--limit", "1")
    assert (code, err.startswith("error: The queue 'default' is full: at most 1 jobs wait in it, and 1 do.")) == (
        4,
        True,
    )


def test_a_store_of_another_version(call):
    submit(call)
    with sqlite3.connect("jobs.db") as database:
        database.execute("update trioflow_jobs set version=9")
    database.close()
    code, _, err = call("jobs", "list", *STORE)
    assert (code, "written by a newer version of trioflow (their format is 9" in err) == (4, True)


def test_a_postgres_that_is_not_there(call):
    pytest.importorskip("psycopg")
    for address, code, told in (
        ("postgres://me:secret@127.0.0.1:1/x", 4, "at 127.0.0.1/x can't be used"),
        ("postgres://[", 2, "--journal: expected an address such as"),
    ):
        found, _, err = call("jobs", "list", "--store", f"{address}?connect_timeout=1" if code == 4 else address)
        assert (found, told in err, "secret" in err) == (code, True, False), err


def test_no_store_is_made_by_looking(call):
    """A name that is written wrongly is not an empty store."""
    code, out, err = call("jobs", "list", "--store", "jbos.db")
    assert (code, out) == (4, "")
    assert err == "error: There is no journal jbos.db. Name the file that the jobs are kept in.\n"
    assert not (call.folder / "jbos.db").exists()


@pytest.mark.parametrize("command", ["show", "run"])
def test_no_such_job(call, command):
    submit(call)
    code, out, err = call("jobs", command, "x", *STORE)
    assert (code, out, err) == (2, "", "error: There is no job 'x' in this store.\n")
