"""What the page steps is what the rules say: the vectors of the gate (G2-G8), with all that the host does asked as a page asks it.

A page knows strands, not paths: it is told where each waits, and names the strand.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pytest
from specification import EXAMPLES, SPEC

from trioflow.conformance.engine import EnginePort, _Host
from trioflow.conformance.vectors import check_vector, load_vectors, vector_from
from trioflow.errors import UnknownName
from trioflow.studio import Session
from trioflow.studio.commands import read_command

pytestmark = pytest.mark.unmeasured

STEPS = {"step-into", "step-over", "step-out"}
ASKED = {"pause", "resume", "breakpoint", "wire-breakpoint", *STEPS}
VECTORS = [
    vector
    for vector in [
        *load_vectors(SPEC / "vectors" / "gate"),
        *(vector_from(each.vector, each.where) for each in EXAMPLES),
    ]
    if any(each["do"] in STEPS for each in vector.request.get("actions") or ())
]


@pytest.fixture
def by_page(monkeypatch):
    """Let a page ask for what the host does in a vector; gives what it has asked for."""
    pages: WeakKeyDictionary[object, Session] = WeakKeyDictionary()
    asked = []
    perform = _Host._perform

    async def at_once(session):
        pass

    def by_page(run, action):
        if action["do"] not in ASKED:
            perform(run, action)
            return
        if run not in pages:
            pages[run] = Session(run.plan.graph, run.plan.registry)
            pages[run].attach(run)
        page = pages[run]
        page.tick(look=True)
        match action["do"]:
            case "pause" | "resume" as what:
                command = {"do": what}
            case "breakpoint":
                command = {"do": "break", "node": action["node"]}
            case "wire-breakpoint":
                command = {"do": "break", "wire": action["wire"]}
            case step:
                path = ".".join(map(str, action["path"]))
                strand = next((each["strand"] for each in page.state["parked"] if each["path"] == path), -1)
                command = {"do": "step", "how": step.removeprefix("step-"), "strand": strand}
        asked.append(command)
        try:
            read_command(command).do(page).send(None)
        except StopIteration:
            pass
        except UnknownName:
            assert command["do"] == "step" and command["strand"] == -1

    monkeypatch.setattr("trioflow.studio.commands._settle", at_once)
    monkeypatch.setattr(_Host, "_perform", staticmethod(by_page))
    return asked


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name.replace(" ", "-"))
def test_a_vector_of_the_gate(by_page, vector):
    """It comes true, whoever asks."""
    finding = check_vector(EnginePort(), vector)
    assert finding.outcome == "passed", finding.message
    assert any(each["do"] == "step" for each in by_page)


def test_all_three_are_there():
    """The vectors step into, over and out."""
    assert STEPS <= {each["do"] for vector in VECTORS for each in vector.request["actions"]}
