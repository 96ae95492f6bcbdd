"""Places on the command line."""

from __future__ import annotations

import sys

import pytest
from remote_places import Near

from trioflow.cli.app import execute
from trioflow.cli.bad_input import BadInput
from trioflow.cli.places import read_places

HERE = Near()


def test_places():
    (placement,) = read_places(["processes=processes:3", "all=processes", "farm=ray:auto", "own=ray",
                                f"near={__name__}:HERE"]).values()  # fmt: skip
    found = [placement.find(name, "n") for name in ("processes", "farm", "own", "near")]
    assert [repr(each) for each in found[:3]] == ["Processes(3)", "Ray('auto')", "Ray()"] and found[3] is HERE
    assert read_places([]) == {}


def test_what_is_none(monkeypatch):
    """All of it is told at once."""
    wrong = ["farm", "farm=", "a=processes:x", "b=rya", "c=no_such_module:x", f"d={__name__}:none", "e=processes:0"]
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(BadInput) as raised:
        read_places(wrong)
    told = "\n".join(raised.value.problems)
    assert "--place farm: write NAME=WHAT, such as farm=ray:auto." in told
    assert "--place a=processes:x: expected a number of processes, such as processes:4, got 'x'." in told
    assert "--place b=rya: a place is processes:N, ray, ray:ADDRESS, or MODULE:NAME." in told
    assert "module 'no_such_module' can't be imported: ModuleNotFoundError" in told
    assert "expected a trioflow.remote.Place there, got None" in told and "workers must be 1 or more" in told


GRAPH = (
    '{"trioflow": "1.0", "nodes": [{"id": "start", "type": "flow.start"}, {"id": "root", "type": "math.square_root",'
    ' "inputs": {"value": 4.0}, "policy": {"run_on": "near"}}, {"id": "print", "type": "debug.print"}],'
    ' "connections": [{"from": "start.then", "to": "print.enter"}, {"from": "root.result", "to": "print.value"}]}'
)


def test_runs_and_jobs(tmp_path, monkeypatch, capfd):
    """`run_on` names one of them, wherever graphs are run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.json").write_text(GRAPH)
    near = ["--place", f"near={__name__}:HERE"]
    before = HERE.calls
    assert execute(["run", "graph.json", *near]) == 0
    assert execute(["run", "graph.json"]) == 1
    assert "It has: processes." in capfd.readouterr().err
    for number in (1, 2):
        assert execute(["submit", "graph.json", "--store", "jobs.db", "--id", f"j{number}"]) == 0
    assert execute(["jobs", "run", "j1", "--store", "jobs.db", *near]) == 0
    assert execute(["worker", "--store", "jobs.db", "--until-idle", *near]) == 0
    assert HERE.calls == before + 3
    assert execute(["runs", "resume", "j1", "--journal", "jobs.db", *near]) == 0
