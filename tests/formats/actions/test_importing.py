"""What is said of workflows: what is wrong, what is left out, with line and column; and what a run says."""

from __future__ import annotations

import json
import random
import time

import pytest
import trio

import trioflow as tf
from trioflow.formats import actions
from trioflow.formats.actions.importing import import_tree
from trioflow.formats.actions.nodes import StepFailed, _command, combinations
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in, open_document

yaml = pytest.importorskip("yaml", reason="workflows are written in YAML")
from formats.actions.test_workflows import EXPECTED, FOLDER  # noqa: E402
from formats.mutating import survives  # noqa: E402


def said(jobs, **more):
    imported = actions.loads(json.dumps({"on": "push", "jobs": jobs, **more}))
    return {f"{each.severity} {each.code} {each.path}" for each in imported.diagnostics}


def job(*steps, **more):
    return {"runs-on": "x", "steps": [*steps] or [{"run": "true"}], **more}


@pytest.mark.parametrize(
    ("jobs", "found"),
    [
        ({"a": 3}, "error wrong-type jobs.a"),
        ({"a": job(nedds="b")}, "error unknown-key jobs.a.nedds"),
        ({"a": job(needs="b")}, "error unknown-job jobs.a.needs"),
        ({"a": job(needs=["b"])}, "error unknown-job jobs.a.needs[0]"),
        ({"a": job(needs="b"), "b": job(needs="a")}, "error circle jobs.a.needs"),
        ({"a": {"runs-on": "x"}}, "error no-steps jobs.a"),
        ({"a": job(3)}, "error wrong-type jobs.a.steps[0]"),
        ({"a": job({"name": "x"})}, "error no-work jobs.a.steps[0]"),
        ({"a": job({"run": "x", "uses": "y"})}, "error no-work jobs.a.steps[0]"),
        ({"a": job({"run": 3})}, "error wrong-type jobs.a.steps[0].run"),
        ({"a": job({"rum": "x"})}, "error unknown-key jobs.a.steps[0].rum"),
        ({"a": job({"uses": "o/a@v1"})}, "error no-body jobs.a.steps[0].uses"),
        ({"a": job({"uses": "actions/checkout@v4"})}, "info nothing-to-do jobs.a.steps[0].uses"),
        ({"a": {"uses": "./b.yml"}}, "error not-read jobs.a.uses"),
        ({"a": job({"id": "s", "run": "x"}, {"id": "s", "run": "y"})}, "error duplicate-id jobs.a.steps[1].id"),
        ({"a": job({"run": "x", "if": "a b"})}, "error bad-expression jobs.a.steps[0].if"),
        ({"a": job({"run": "${{ x"})}, "error bad-expression jobs.a.steps[0].run"),
        ({"a": job({"run": "${{ nope.x }}"})}, "error bad-expression jobs.a.steps[0].run"),
        ({"a": job({"run": "x", "env": {"A": ["${{ 1 + 1 }}"]}})}, "error bad-expression jobs.a.steps[0].env.A[0]"),
        ({"a": job({"run": "${{ steps.z.outputs.x }}"})}, "warning not-there jobs.a.steps[0].run"),
        ({"a": job(), "b": job({"run": "${{ needs.a.result }}"})}, "warning not-there jobs.b.steps[0].run"),
        ({"a": job(container="node:20")}, "warning left-out jobs.a.container"),
        ({"a": job(outputs={"x": "${{ ("})}, "error bad-expression jobs.a.outputs.x"),
        ({"a": job(**{"timeout-minutes": []})}, "error wrong-type jobs.a.timeout-minutes"),
    ],
)  # fmt: skip
def test_what_is_said(jobs, found):
    assert found in said(jobs)


def test_of_the_whole():
    assert "error unknown-key jobz" in said({"a": job()}, jobz={})
    assert "warning left-out concurrency" in said({"a": job()}, concurrency="x")
    assert said({"a": job(name=None)}) == set()


def test_places():
    text = "on: push\njobs:\n  build-it:\n    runs-on: x\n    needs: tests\n    steps:\n    - run: echo\n"
    (error,) = actions.loads(text).errors
    assert error.position == (5, 12)


@pytest.mark.parametrize("text", ["jobs: {}", "jobs: 3", "- a", "a: &x [*x]", "jobs: {a: !!python/name:os.system }"])
def test_no_workflow(text):
    with pytest.raises(tf.DocumentError):
        actions.loads(text)


def test_detected():
    assert import_document(document_in(json.dumps({"jobs": {"a": job()}}))).formats == {"actions"}


def run(tree, **arguments):
    registry = tf.Registry.standard(allow=["scripts"])
    return trio.run(lambda: tf.run(actions.loads(json.dumps(tree)).graph, registry=registry, **arguments))


def test_scripts_have_to_be_allowed():
    with pytest.raises(tf.InvalidGraph, match="allow it: `--allow scripts`"):
        trio.run(tf.run, actions.loads(json.dumps({"jobs": {"a": job()}})).graph)


def test_a_conclusion_of_ones_own(capsys):
    """A job may have the name of the node that waits for all."""
    run({"jobs": {"conclusion": job({"run": "echo a"})}})
    assert capsys.readouterr().out == "a\n"


def test_a_job_that_takes_too_long():
    with pytest.raises(tf.NodeError, match=r"it took longer than 0\.002 minutes"):
        run({"jobs": {"a": job({"run": "sleep 20"}, **{"timeout-minutes": 0.002})}})


def test_an_instance_of_a_matrix_that_fails():
    """With fail-fast the others are cancelled."""
    tree = {
        "jobs": {"a": job({"run": "test ${{ matrix.n }} = 2 && exit 4; sleep 30"}, strategy={"matrix": {"n": [1, 2]}})}
    }
    begun = time.monotonic()
    with pytest.raises(tf.NodeError, match="exit code 4"):
        run(tree)
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"run": "x", "shell": "cobol"}, "there is no shell 'cobol'"),
        ({"run": "true", "working-directory": "/nowhere/at/all"}, "is not a folder"),
        ({"run": "${{ fromJSON('{') }}"}, "can't be evaluated"),
        ({"run": "kill -9 $$"}, "was ended by SIGKILL"),
    ],
)
def test_steps_that_fail(step, problem):
    with pytest.raises(tf.NodeError, match=problem):
        run({"jobs": {"a": job(step)}})


def test_matrices():
    assert combinations({"include": [{"a": 1}]}) == [{"a": 1}]
    assert combinations({"a": 1, "include": [{"a": 1, "b": 2}, {"a": 3}]}) == [{"a": 1, "b": 2}, {"a": 3}]
    with pytest.raises(tf.NodeError, match="A matrix is a mapping"):
        combinations([1])


def test_shells(tmp_path):
    assert _command("bash", "x", tmp_path)[:-1] == ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    assert _command("pwsh", "x", tmp_path)[-1].endswith("script.ps1")
    with pytest.raises(StepFailed):
        _command("zsh", "x", tmp_path)


MUTATED = [None, "", 3, True, [], {}, "x", "${{", ["x"], {"x": 1}]


def test_each_field_once():
    """Each value changed once: an error or a note with its place, and never a traceback."""
    chance = random.Random(5)
    for name in EXPECTED:
        survives(open_document(FOLDER / f"{name}.yml").tree, chance, 12, MUTATED, actions.FORMAT)


@pytest.mark.timed
def test_ten_thousand_steps():
    tree = {
        "jobs": {
            f"j{index}": job(*({"run": "true"} for _ in range(49)), needs=[f"j{index - 1}"] if index else [])
            for index in range(200)
        }
    }
    begun = time.process_time()
    assert len(import_tree(tree).graph.nodes) > 10_000
    assert time.process_time() - begun < 2


def test_fields_of_another_type():
    """However deep they stand, and events that there are not."""
    tree = {"on": ["pussh"], "defaults": {"runs": {"shell": "bash"}}, "jobs": {"a": job({"run": "x"})}}
    tree["jobs"]["a"]["strategy"] = {"matrix": {"b": 3, "include": ["c"]}, "fail-fast": "no", "max": 2}
    assert {f"{each.code} {each.path}" for each in import_tree(tree).diagnostics} == {
        "unknown-event on[0]",
        "wrong-type defaults.runs",
        "wrong-type jobs.a.strategy.matrix.b",
        "wrong-type jobs.a.strategy.matrix.include[0]",
        "wrong-type jobs.a.strategy.fail-fast",
        "wrong-type jobs.a.strategy.max",
    }
    assert [each.path for each in import_tree({**tree, "on": {"push": None, "pul": None}}).diagnostics][1] == "on.pul"
