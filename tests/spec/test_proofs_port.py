"""The port that Coq wrote: the conformance kit against it, and against it the mutants that it notices."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

import pytest
from specification import SPEC

from trioflow.conformance.comparison import OUTCOME, difference
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.mutants import Mutant, NotApplicable, load_mutants
from trioflow.conformance.port import ProcessPort
from trioflow.conformance.strategies import request_number
from trioflow.reference import big_step

pytestmark = [pytest.mark.outside, pytest.mark.unmeasured]

PROOFS = SPEC / "proofs"
CLAIMED = frozenset({"core", "data", "state", "fork", "stream"})
NOTICED = {
    name: int(number)
    for name, number in re.findall(
        r"^\| `(\w+)` \| (\d+) \|", (PROOFS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
}
MOST = 2000
"""So many requests are tried where that of the number does not show it any more."""


@pytest.fixture
def port() -> str:
    """The command of the port, built if it was not."""
    for tool in ("coqc", "ocamlfind"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} not found: the port that Coq writes was not checked")
    done = subprocess.run([PROOFS / "port" / "build"], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return str(PROOFS / "port" / "run")


def ask(command: str, *requests: object) -> list[dict[str, object]]:
    """The port's answers to these requests, until the end of its input."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([command], input=lines, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_it_conforms(port):
    """It passes the vectors that need no more than it claims, and random graphs, at level 0."""
    command = [sys.executable, "-m", "trioflow", "conformance", "port", "--examples", "500"]
    done = subprocess.run([*command, "--", port], check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_claims_what_it_has(port):
    """Level 0, and what the scripted nodes in Coq can do."""
    [started] = ask(port, {"type": "start", "contract": "2.1"})
    assert (started["language"], started["level"], started["capabilities"]) == ("Coq", 0, sorted(CLAIMED, key=_ORDER))


_ORDER = ["core", "data", "state", "fork", "stream"].index


def _run(number: int, script: list[object], **more: object) -> dict[str, object]:
    node = {"id": "n", "type": "script.exec", "initiator": True, "inputs": {"script": script}}
    return {"type": "run", "id": number, "graph": {"trioflow": "1.0", "nodes": [node]}, **more}


@pytest.mark.parametrize(
    ("beyond", "reason"),
    [
        (_run(3, [], level=1), "level 1"),
        (_run(3, [], options={"max_steps": 5}), "the option max_steps"),
        (_run(3, [["sleep", 1]]), "the operation sleep"),
        (_run(3, [["get", "z"]]), "it fails, or takes more than 5000000 steps"),
        (_run(3, [["fail", "no"]]), "the operation fail"),
    ],
)
def test_the_rest_is_skipped(port, beyond, reason):
    """What it does not claim is answered `skipped`, with the reason, and the port goes on."""
    skipped, result = ask(port, beyond, _run(4, [["feedback"]]))
    assert skipped == {"type": "skipped", "id": 3, "reason": f"not claimed: {reason}"}
    assert (result["id"], result["feedback"]) == (4, [[[0, 0], None]])


def test_values_come_back_as_they_were(port):
    """Texts with any code points, truth values, null and lists: in, and out again."""
    value = [None, True, False, -7, 0, "", 'a"\\\n\t', "Grüße 𝄞 \ud800", [["x"], []]]
    [result] = ask(port, _run(1, [["const", value], ["feedback"], ["set", "x"]]))
    assert result["feedback"] == [[[0, 0], value]]
    assert result["outputs"] == {"n": {"x": value}}


def test_what_is_no_request_is_an_error(port):
    """A line that can't be read is answered, and the port goes on."""
    done = subprocess.run(
        [port], input="no\n" + json.dumps(_run(2, [])) + "\n", check=True, capture_output=True, text=True
    )
    wrong, result = map(json.loads, done.stdout.splitlines())
    assert wrong["type"] == "error"
    assert result["status"] == "completed"


@pytest.mark.slow
def test_its_canonical_trace(port):
    """Where it is asked for, the canonical trace is that of the reference, but for evaluations, which it does not tell."""
    told = Counter[str]()
    with ProcessPort([port, "--canonical"]) as proved:
        for number in range(400):
            request = {**request_number(number, "canonical", capabilities=CLAIMED), "level": 0}
            answer = proved.run(request)
            if answer["type"] == "result":
                expected = big_step(request)["canonical"]
                found = difference({"canonical": {**expected, "evaluations": []}}, answer)
                assert found is None, (number, found)
                told.update({name: bool(items) for name, items in expected.items()})
    assert min(told[name] for name in ("activations", "feedback", "strands", "conflicts")) > 20


@pytest.mark.slow
def test_it_notices_mutants(port):
    """Each mutant that the README lists answers the request of its number, or an early one, in another way than the port."""
    assert len(NOTICED) > 30
    mutants = {mutant.name: mutant for mutant in load_mutants()}
    with ProcessPort([port]) as proved:
        found = {name: _noticed(proved, mutants[name], [number, *range(MOST)]) for name, number in NOTICED.items()}
    assert [name for name, number in found.items() if number is None] == []


def _noticed(proved: ProcessPort, mutant: Mutant, numbers: list[int]) -> int | None:
    """The first of these requests that the port answers, the engine answers alike, and the mutant does not.

    A mutant of an engine that has changed is not asked: the tests of the mutants tell of it.
    """
    for number in numbers:
        request = {**request_number(number, "proved", capabilities=CLAIMED), "level": 0}
        expected = proved.run(request)
        if expected["type"] == "result" and not _differs(request, expected):
            try:
                with mutant.alive():
                    if _differs(request, expected):
                        return number
            except NotApplicable:
                return number
    return None


def _differs(request: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    try:
        answer = EnginePort().run({"type": "run", "id": 1, **request})
    except Exception:  # nobody knows what a broken engine raises
        return True
    return answer["type"] == "error" or difference({field: expected[field] for field in OUTCOME}, answer) is not None


def test_without_coq_that_is_told(monkeypatch, request, tmp_path):
    """Where there is no Coq the end of all checks says that the port was not checked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="the port that Coq writes was not checked"):
        request.getfixturevalue("port")
