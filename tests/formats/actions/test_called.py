"""Workflows that jobs call: what is said of those that can't be, and what one is given."""

from __future__ import annotations

import json

import pytest
import trio

import trioflow as tf
from trioflow.formats.actions.called import MOST_DEEP
from trioflow.formats.known import import_document
from trioflow.formats.port import open_document

pytest.importorskip("yaml", reason="workflows are written in YAML")

STEPS = {"runs-on": "x", "steps": [{"uses": "actions/checkout@v4"}]}
CALLED = {"on": {"workflow_call": {}}, "jobs": {"a": STEPS}}


def workflow(**job):
    return {"on": "push", "jobs": {"call": {"uses": "./.github/workflows/b.yml", **job}}}


@pytest.fixture
def imported(tmp_path):
    """The import of workflows that lie in one repository, as a.yml, b.yml and so on: of the first."""

    def read(*trees):
        folder = tmp_path / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, tree in zip("abcdefghijklmnop", trees, strict=False):
            (folder / f"{name}.yml").write_text(json.dumps(tree), encoding="utf-8")
        return import_document(open_document(folder / "a.yml"), tf.Registry.standard())

    return read


def said(found):
    return [f"{each.code} {each.path}: {each.message}" for each in found.errors]


def test_one_that_is_called(imported):
    """It begins with its inputs; a variable of it is not one of who calls it."""
    call = {"inputs": {"n": {"type": "number", "default": 4}}, "outputs": {"x": {"value": "${{ inputs.n }}"}}}
    found = imported(workflow(), {**CALLED, "on": {"workflow_call": call}})
    assert found.errors == ()
    assert tf.validate(found.graph, tf.Registry.standard()).errors == ()
    result = trio.run(tf.run, found.graph)
    assert result.variables["job call"] == {"result": "success", "outputs": {"x": "4"}}
    assert result.variables["inputs"] == {}


def test_one_that_fails(imported):
    """The job that calls it has failed, with what went wrong inside."""
    inner = {**CALLED, "jobs": {"a": {"runs-on": "x", "steps": [{"run": "exit 3"}]}}}
    registry = tf.Registry.standard(allow=["scripts"])
    with pytest.raises(tf.TrioflowError, match=r"call \(1 of 1 jobs failed: a \(.*exit code 3"):
        trio.run(lambda: tf.run(imported(workflow(), inner).graph, registry=registry))


@pytest.mark.parametrize(
    ("trees", "problem"),
    [
        ([workflow()], "not-read jobs.call.uses: The workflow './.github/workflows/b.yml' is not read: "),
        ([workflow(), {"jobs": {}}], "not-read jobs.call.uses: "),
        ([workflow(), workflow() | {"on": "workflow_call"}],
         "jobs.call.uses: The workflow './.github/workflows/b.yml' is not "
         "read: it calls itself."),
        ([workflow(uses="./../b.yml")], "not-read jobs.call.uses: The workflow './../b.yml' is not read: it lies outside"),
        ([workflow(), {"on": "push", "jobs": {"a": STEPS}}], "not-called jobs.call.uses: "),
        ([workflow(), {"on": [3], "jobs": {"a": STEPS}}], "not-called jobs.call.uses: "),
        ([workflow(), {"on": 3, "jobs": {"a": {**STEPS, "if": "nope("}}}], "not-called jobs.call.uses: "),
        ([workflow(), {**CALLED, "jobs": {"a": {**STEPS, "if": "nope("}}}],
         "bad-expression jobs.call.uses: ./.github/workflows/b.yml, jobs.a.if: "),
        ([workflow(**{"with": {"x": 1}}), CALLED], "bad-call jobs.call.with.x: The workflow has no input 'x': it has none."),
        ([workflow(**{"with": 3}), CALLED], "wrong-type jobs.call.with: "),
        ([workflow(), {**CALLED, "on": {"workflow_call": {"inputs": {"n": {"required": True}}}}}],
         "bad-call jobs.call.with: The workflow needs the input 'n'."),
        ([workflow(), {**CALLED, "on": {"workflow_call": {"secrets": {"s": {"required": True}}}}}],
         "bad-call jobs.call.secrets: The workflow needs the secret 's'."),
        ([workflow(secrets={"s": "${{ nope }}"}), CALLED], "bad-expression jobs.call.secrets.s: "),
        ([workflow(uses="octo/org/.github/workflows/x.yml@v1")], "no-body jobs.call.uses: The workflow 'octo/org"),
    ],
)  # fmt: skip
def test_what_is_said(imported, trees, problem):
    found = said(imported(*trees))
    assert any(problem in each for each in found), found


def test_one_called_as_a_list_of_events(imported):
    assert imported(workflow(), {**CALLED, "on": ["push", "workflow_call"]}).errors == ()
    assert imported(workflow(), {**CALLED, "on": "workflow_call"}).errors == ()


def test_how_deep_they_may_call(imported):
    trees = [workflow(uses=f"./.github/workflows/{name}.yml") | {"on": "workflow_call"} for name in "bcdefghijklm"]
    assert MOST_DEEP < len(trees)
    (problem,) = said(imported(*trees))
    assert "more than 10 workflows call one another" in problem


def test_a_text_calls_no_file():
    from trioflow.formats import actions

    (problem,) = actions.loads(json.dumps(workflow())).errors
    assert "looked for beside the document that calls it, and that is not a file" in problem.message
