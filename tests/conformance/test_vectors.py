"""Vectors: read strictly, asked of ports that can answer them, compared, under every schedule if they say so."""

from __future__ import annotations

import json

import pytest
from conformance.ports import GRAPH, Answering, Interleaved, completed

from trioflow.conformance.port import PortFailure
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import check_vector, load_vectors, vector_from
from trioflow.errors import DocumentError

TREE = {"name": "v", "rules": ["T1", "F3"], "graph": GRAPH, "expect": {"variables": {"v": 1}}}
ALL = {**TREE, "level": 2, "schedule": "all", "expect": {"status": "completed"}}


def vector(**fields):
    return vector_from({**TREE, **fields}, "test")


# --- reading


def test_vectors_come_with_the_package():
    """The vectors of spec/ are found where the package is."""
    found = load_vectors(PACKAGED)
    assert "a data node reads what was written" in [each.name for each in found]


FAULTS = {
    "shape": (
        {**TREE, "rules": ["t1"], "graph": {"nodes": [], "trioflow": "2.0"}, "expect": {"status": "done"}},
        [
            "rules[0]: expected the id of a rule such as \"F3\", got 't1'",
            "graph.trioflow: the document has version 2.0 of the format, and this trioflow reads 1.x",
            'expect.status: expected "completed" or "failed" or "cancelled" or "invalid", got text "done"',
        ],
    ),
    "no vector": ([], ["the vector: expected an object, got a list"]),
    "no fields": (
        {},
        [f'the vector: the key "{key}" is missing. Add it.' for key in ("name", "rules", "graph", "expect")],
    ),
    "nothing to check": (
        {**TREE, "rules": [], "expect": {}},
        ["rules: expected at least one rule, got none", "expect: expected at least one field, got none"],
    ),
    "levels": (
        {**TREE, "choices": [1], "actions": [{"at": 1, "do": "cancel"}], "expect": {"canonical": {}, "steps": []}},
        [
            "level: expected at least 2, because there are choices, got 0",
            "level: expected at least 3, because there are actions, got 0",
            "level: expected at least 1, because canonical is expected, got 0",
            "level: expected at least 2, because steps is expected, got 0",
        ],
    ),
    "all of one": (
        {**TREE, "level": 2, "schedule": "all", "choices": [0], "expect": {"steps": [], "trace": []}},
        [
            'choices: not together with "schedule": "all", which takes all choices. Leave one of them out',
            'expect.steps: not together with "schedule": "all": each schedule has its own. Leave it out',
            'expect.trace: not together with "schedule": "all": each schedule has its own. Leave it out',
        ],
    ),
    "schedule": ({**TREE, "schedule": "some"}, ['schedule: expected "all", got text "some"']),
}


@pytest.mark.parametrize(("tree", "problems"), FAULTS.values(), ids=FAULTS)
def test_a_vector_with_faults_is_refused(tree, problems):
    """Each fault is told with its path and the reason."""
    with pytest.raises(DocumentError) as caught:
        vector_from(tree, "area/name.json")
    told = str(caught.value).splitlines()
    assert len(told) == len(problems)
    for problem in problems:
        assert any(line.startswith(f"area/name.json: {problem}") for line in told), (problem, told)


def test_all_files_of_a_folder_are_read(tmp_path):
    """All faults in all files are told at once; files below are found, others than JSON are not read."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_text(json.dumps(TREE))
    (tmp_path / "a" / "README.md").write_text("# No vector")
    (tmp_path / "two.json").write_text(json.dumps({**TREE, "name": "w", "doc": "why"}))
    assert [each.name for each in load_vectors(tmp_path)] == ["v", "w"]
    (tmp_path / "a" / "two.json").write_text(json.dumps(TREE))
    (tmp_path / "b.json").write_text('{"name": }')
    (tmp_path / "c.json").write_bytes(b'"\xff"')
    (tmp_path / "d.json").write_text('{"name": "d", "name": "d"}')
    (tmp_path / "e.json").write_text("[" * 100_000)
    (tmp_path / "f.json").mkdir()
    with pytest.raises(DocumentError) as caught:
        load_vectors(tmp_path)
    told = [line.removeprefix(f"{tmp_path}: ") for line in str(caught.value).splitlines()]
    assert told[0] == "a/two.json: name: the vector in a/one.json is called 'v', too. Rename one."
    assert told[1] == "b.json: it can't be read: line 1, column 10: Expecting value."
    assert told[2].startswith("c.json: it can't be read: 'utf-8' codec can't decode byte 0xff in position 1")
    assert 'd.json: the vector: the key "name" occurs more than once. Keep one of them' in told
    assert [line[:26] for line in told[-2:]] == ["e.json: it can't be read: ", "f.json: it can't be read: "]


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_folder_without_vectors(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(DocumentError, match="there is no such folder"):
        load_vectors(tmp_path / name)
    with pytest.raises(DocumentError, match="there are no vectors in it"):
        load_vectors(tmp_path)


# --- asking


def test_a_vector_that_passes():
    """The request is what the vector says, and only what it expects is compared."""
    port = Answering(lambda _: completed(variables={"v": 1}, feedback=[[[0], 3]]))
    options = {"max_steps": 4}
    finding = check_vector(port, vector(level=2, choices=[1, 0], options=options, variables={"v": 0}))
    assert (finding.name, finding.rules, finding.level, finding.outcome) == ("v", ("T1", "F3"), 2, "passed")
    assert port.asked == [{"graph": GRAPH, "variables": {"v": 0}, "options": options, "choices": [1, 0], "level": 2}]


def test_a_vector_that_fails():
    """The finding says what differs, and holds the vector."""
    finding = check_vector(Answering(lambda _: completed(variables={"v": 2})), vector())
    assert (finding.outcome, finding.message) == ("failed", "variables.v: expected 1, got 2")
    assert finding.vector == {**TREE, "level": 0, "choices": []}
    assert vector_from(finding.vector, "saved") == vector(choices=[])


@pytest.mark.parametrize(
    ("level", "capabilities", "fields", "reason"),
    [
        (1, None, {"level": 2}, "it is of level 2"),
        (1, {"core", "data"}, {"options": {"timeout": 3}, "expect": {"status": "failed"}}, "it needs failure, time"),
        (0, {"core"}, {"expect": {"status": "invalid"}}, "it needs validation"),
    ],
)
def test_a_vector_that_is_not_for_the_port(level, capabilities, fields, reason):
    """What a port does not claim is not asked of it."""
    port = Answering(lambda _: completed(), level, capabilities and frozenset(capabilities))
    finding = check_vector(port, vector(**fields))
    assert (finding.outcome, finding.message, port.asked) == ("skipped", reason, [])


def test_a_capability_above_the_level_is_checked():
    """A port of level 0 that claims `time` is asked for what needs only that."""
    port = Answering(lambda _: completed(variables={"v": 1}), 0, frozenset({"core", "time"}))
    assert check_vector(port, vector(options={"timeout": 3})).outcome == "passed"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"type": "skipped", "id": 0, "reason": "too hard"},
            "the port claims what this needs, but skipped it: too hard",
        ),
        ({"type": "error", "id": 0, "message": "lost", "context": None}, "the port found a fault: lost"),
    ],
)
@pytest.mark.parametrize("tree", [TREE, ALL])
def test_a_port_that_does_not_do_what_it_claims(answer, message, tree):
    finding = check_vector(Answering(lambda _: answer), vector_from(tree, "test"))
    assert finding.outcome == "failed"
    assert message in finding.message


# --- under every schedule


def test_every_schedule_is_asked():
    """The expectation is compared under each, and progress is told."""
    port, told = Interleaved(3, 2), []
    finding = check_vector(port, vector_from(ALL, "test"), progress=told.append)
    assert (finding.outcome, finding.message) == ("passed", "90 schedules")
    assert told == [*range(1, 91)]


def test_the_schedule_that_fails_is_named():
    """The finding holds a vector of the one schedule under which the expectation does not hold."""
    port = Interleaved(2, 2)
    finding = check_vector(port, vector_from({**ALL, "expect": {"variables": {"last": 1}}}, "test"))
    assert finding.message == "variables.last: expected 1, got 0 (under the choices [0, 1, 1])"
    assert finding.vector is not None
    assert finding.vector["choices"] == [0, 1, 1]
    assert check_vector(port, vector_from(finding.vector, "saved")).message == "variables.last: expected 1, got 0"


def test_too_many_schedules():
    """A vector that would take too long is a failure, not a vector that is half checked."""
    finding = check_vector(Interleaved(3, 2), vector_from(ALL, "test"), most_schedules=89)
    assert finding.message.startswith("it has more than 89 schedules. Make its graph smaller.")
    assert check_vector(Interleaved(3, 2), vector_from(ALL, "test"), most_schedules=90).outcome == "passed"


def test_a_port_whose_schedule_is_its_own_is_asked_once():
    """Below level 2 a vector of level 0 or 1 is checked under whatever schedule the port takes."""
    port = Answering(lambda _: completed(), 1)
    finding = check_vector(port, vector_from({**ALL, "level": 1, "expect": {"status": "failed"}}, "test"))
    assert [request["level"] for request in port.asked] == [1]
    assert finding.message == 'status: expected "failed", got "completed"'
    assert finding.vector is not None
    assert finding.vector["schedule"] == "all"
    assert vector_from(finding.vector, "saved").explore


def test_a_port_that_does_not_obey_the_schedule():
    steps = [{"do": "release", "enabled": ["a", "b"], "chosen": "b", "events": []}]
    finding = check_vector(Answering(lambda _: completed(steps=steps)), vector_from(ALL, "test"))
    assert finding.message == "step 0 released 'b' where the schedule says 'a'. (under the choices [])"


def test_a_port_that_fails():
    """A failure of the port is a finding; that it is not started again ends all."""

    def fail(request):
        raise PortFailure(fault, "it broke.")

    fault = "died"
    assert check_vector(Answering(fail), vector()).message == "it broke."
    fault = "given-up"
    with pytest.raises(PortFailure):
        check_vector(Answering(fail), vector())
