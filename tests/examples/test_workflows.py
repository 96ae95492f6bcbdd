"""The example workflows do what they are there to show, and the page about them draws them as they are."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.examples.workflows import steps
from trioflow.formats import to_mermaid
from trioflow.testing import run_virtual

FOLDER = resources.files("trioflow.examples.workflows")
NAMES = sorted(each.name[:-5] for each in FOLDER.iterdir() if each.name.endswith(".json"))
PAGE = (Path(__file__).parents[2] / "docs" / "workflow-examples.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def registry():
    made = tf.Registry.standard(plugins=False)
    made.add_module(steps.__name__)
    return made


def example(name: str) -> tf.Graph:
    return tf.loads(FOLDER.joinpath(f"{name}.json").read_text(encoding="utf-8"))


CASES = {
    "approval": [
        ({"risk": 0.1}, "assess the request; book it", 0),
        ({"risk": 0.5}, "assess the request; may we book it? yes; book it", 0),
        ({"answer": "no"}, "assess the request; may we book it? no; write a refusal", 0),
    ],
    "saga": [({"mail_fails": False}, "reserve a seat; charge 90; mail the ticket", 0)],
    "vote": [({}, "hand it in; Bob looks at it; Cyd looks at it; two have agreed", 2)],
    "poll": [
        ({}, "is it ready?; is it ready?; is it ready?; use it", 20),
        ({"ready_at": 9}, f"{'is it ready?; ' * 5}give up", 50),
    ],
    "report": [({}, "ask all of them; ask the web; ask the shop; ask the agency; sold in all: 500", 3)],
    "pipeline": [
        ({"bad_batch": False}, "extract; transform; load; tell the team", 0),
        ({}, "extract; set the batch aside; tell the team", 0),
    ],
    "nightly": [({}, "set aside: broken.csv; import a.csv; import c.csv; imported: 2", 1.5)],
    "draft": [
        ({}, "write a draft; review it; write a draft; review it; write a draft; review it; publish it", 0),
        ({"good": 99}, f"{'write a draft; review it; ' * 5}nobody likes it", 0),
    ],
    "mirrors": [({}, "ask all mirrors; south has answered; use what came first", 1)],
    "order": [
        ({}, "take the order; write an invoice; wrap it as a present; send it", 2),
        ({"present": False, "name": "Eve"}, "take the order; write an invoice; engrave it; send it", 3),
    ],
    "laboratory": [(
        {},
        "samples are in; measure sample 3; wash sample 3; measure sample 1; wash sample 1; measure sample 2; "
        "wash sample 2; send the results",
        7,
    )],
    "escalation": [
        ({}, "page the team; lead: will you look at it? yes; repair it", 15 * 60),
        ({"minutes": 1.0}, "page the team; team: will you look at it? yes; repair it", 60),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_it_does(name, registry, capsys):
    """What is told, in which order, and how long it takes."""
    for variables, told, seconds in CASES[name]:
        result = run_virtual(example(name), registry=registry, variables=variables)
        assert "; ".join(capsys.readouterr().out.splitlines()) == told
        assert result.statistics.elapsed == seconds


def test_a_saga_that_fails(registry, capsys):
    """What was done is given back, the last first, and the failure is told."""
    with pytest.raises(steps.StepFailed, match="can't mail the ticket"):
        run_virtual(example("saga"), registry=registry)
    told = capsys.readouterr().out.splitlines()
    assert told == ["reserve a seat", "charge 90", "give the money back", "release the seat"]


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_like_a_document(name, registry):
    """Each has a title, no problems, survives being read and written, and is drawn on the page as it is."""
    graph = example(name)
    title = graph.metadata["title"]
    assert tf.validate(graph, registry).problems == ()
    assert tf.loads(tf.dumps(graph)) == graph
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert title in " ".join(section.split())
    drawn = re.findall(r"^```mermaid\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert drawn == [to_mermaid(graph, registry)]


def test_there_are_twelve():
    """The page has each, and no other."""
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == [
        "approval", "saga", "vote", "poll", "report", "pipeline", "nightly", "draft", "mirrors", "order", "laboratory",
        "escalation",
    ]  # fmt: skip
    assert {*CASES} == {*NAMES}


class Assess(tf.Node, id="my.assess"):
    """Says how great the risk is."""

    enter = tf.ExecIn()
    then = tf.ExecOut()
    risk = tf.DataOut(float)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.risk, 0.5)


def does(name, function):
    return tf.exec_node(id=f"my.{name}")(function)


STAND_INS = [
    Assess,
    *(does(name, lambda: None) for name in ("book", "reject", "reserve", "mail", "release")),
    does("charge", lambda: 90),
    does("refund", lambda charge: None),
]


def test_the_documents_of_the_page():
    """The approval and the saga of docs/workflows.md have no problems."""
    page = (Path(__file__).parents[2] / "docs" / "workflows.md").read_text(encoding="utf-8")
    documents = [text for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind: workflow" in text]
    registry = tf.Registry.standard(plugins=False)
    registry.add(*STAND_INS)
    assert len(documents) == 2
    for text in documents:
        report = tf.validate(tf.loads(text, format="yaml"), registry)
        assert [str(problem) for problem in report.problems] == []
