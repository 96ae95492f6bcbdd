"""What trees are well-formed messages, traces and vectors; and that the schemas in the repository say the same."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conformance.ports import GRAPH, completed
from referencing import Registry, Resource

from trioflow.conformance.messages import Answer, Request, Started, TraceEvent, Vector, check, schemas

FOLDER = Path(__file__).parents[2] / "spec" / "schema"

STEPS = [
    {"do": "begin", "events": []},
    {"do": "release", "enabled": ["d 0.0 a"], "chosen": "d 0.0 a", "events": ["started 0.0 a -"]},
    {"do": "time", "now": 3, "events": []},
    {"do": "action", "action": {"at": "d 0.0 a", "do": "step", "count": 2}, "events": []},
]
TRACE = [
    {"event": "started", "path": [0, 0], "node": "a", "entered": None},
    {"event": "failed", "path": [0, 0], "node": "a", "origin": [0, 0, 1]},
    {"event": "feedback", "path": [0, 0], "value": [None, True, 1, "x", []]},
]
CANONICAL = {
    "activations": [[[0, 0], "a", None, "completed", "o0"]],
    "feedback": [[[0, 0], 5]],
    "strands": [[[0], "forked"]],
    "conflicts": [[[0], "v"]],
    "evaluations": ["b#1"],
}
RUN = {
    "type": "run",
    "id": 7,
    "graph": GRAPH,
    "variables": {"v": [1, ["x"]]},
    "options": {"max_steps": 5, "parallel_initiators": True, "streams": {"a": {"mode": "concurrent", "limit": 2}}},
    "level": 3,
    "choices": [0, 2],
    "actions": [{"at": 3, "do": "publish", "event": "ping", "payload": [4]}, {"at": 4, "do": "cancel"}],
}
VECTOR = {
    "name": "v",
    "rules": ["F3"],
    "graph": GRAPH,
    "level": 2,
    "schedule": "all",
    "expect": {"status": "completed"},
}

GOOD: dict[str, tuple[Any, Any]] = {
    "start": ({"type": "start", "contract": "2.0"}, Request),
    "run": (RUN, Request),
    "shortest run": ({"type": "run", "id": 1, "graph": GRAPH}, Request),
    "stop": ({"type": "stop"}, Request),
    "started": (
        {
            "type": "started",
            "contract": "2.0",
            "name": "x",
            "language": "y",
            "level": 2,
            "capabilities": ["core", "data"],
        },
        Started,
    ),
    "result": (completed(trace=TRACE, canonical=CANONICAL, steps=STEPS), Answer),
    "result of level 0": (completed(), Answer),
    "invalid": (completed(status="invalid", problems=[["no-initiator", "nodes"]]), Answer),
    "skipped": ({"type": "skipped", "id": 1, "reason": ""}, Answer),
    "error": ({"type": "error", "id": 1, "message": "x", "context": {"any": 1.5}}, Answer),
    "vector": (VECTOR, Vector),
}


def test_schemas_are_up_to_date():
    """The schemas in the repository are those that the classes say."""
    for name, schema in schemas().items():
        assert json.loads((FOLDER / name).read_text()) == schema, (
            "Write them anew: python -m trioflow.conformance.messages"
        )


@cache
def validator(shape: Any) -> jsonschema.Draft202012Validator:
    """The schema that a shape belongs to, able to find that of graphs."""
    name = (
        "vector.schema.json"
        if shape is Vector
        else "trace.schema.json"
        if shape is TraceEvent
        else "message.schema.json"
    )
    loaded = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    registry = Registry().with_resources((key, Resource.from_contents(value)) for key, value in loaded.items())
    jsonschema.Draft202012Validator.check_schema(loaded[name])
    return jsonschema.Draft202012Validator(loaded[name], registry=registry)


@pytest.mark.parametrize(("tree", "shape"), GOOD.values(), ids=GOOD)
def test_good_messages(tree, shape):
    """Well-formed messages are, for the classes and for the schema."""
    assert check(tree, shape) == []
    validator(shape).validate(tree)


def test_good_traces():
    """The schema of traces holds for the lists of events in results."""
    assert validator(TraceEvent).is_valid(TRACE)
    assert not validator(TraceEvent).is_valid([{"event": "started", "path": [0], "node": "a"}])


BAD: dict[str, tuple[Any, Any, list[str]]] = {
    "no object": ([], Request, ["the message: expected an object, got a list"]),
    "no type": ({"id": 1}, Request, ['the message: the key "type" is missing. Add it.']),
    "other type": (
        {"type": "strat"},
        Request,
        ['type: expected "start" or "run" or "stop", got text "strat". Did you mean \'start\'?'],
    ),
    "everything at once": (
        {
            "type": "run",
            "id": True,
            "graph": {"trioflow": "1.0", "nodes": [{"id": 1, "type": "x"}]},
            "variables": {"v": {"w": 1}, "x y": 0.5},
            "options": {"max_steps": 0, "paralel_initiators": 1},
            "level": 4,
            "choices": [0, -1, "2"],
            "actions": [{"at": 1.5, "do": "pause"}, {"at": 1, "do": "step"}, {"at": 1, "do": "sleep"}],
        },
        Request,
        [
            "id: expected a whole number, got true",
            "graph.nodes[0].id: expected text, got int 1",
            "variables.v: expected a whole number, text, true, false, null or a list of these, got {'w': 1}",
            'variables["x y"]: expected a whole number, text, true, false, null or a list of these, got 0.5',
            "options: unknown key \"paralel_initiators\". Did you mean 'parallel_initiators'? Known are: max_steps, max_depth, max_nesting, "
            "max_strands, max_ahead, timeout, parallel_initiators, streams",
            "options.max_steps: expected a whole number of at least 1, got int 0",
            "level: expected 0 or 1 or 2 or 3, got int 4",
            "choices[1]: expected a whole number of at least 0, got int -1",
            'choices[2]: expected a whole number, got text "2"',
            "actions[0].at: expected a whole number or text, got float 1.5",
            'actions[1]: the key "count" is missing. Add it.',
            'actions[2].do: expected "pause" or "resume" or "step" or "step-into" or "step-over" or "step-out" or "breakpoint" or "wire-breakpoint" or "cancel" or "publish", got text "sleep". '
            "Did you mean 'step'?",
        ],
    ),
    "level true": (
        {"type": "run", "id": 1, "graph": GRAPH, "level": True},
        Request,
        ["level: expected 0 or 1 or 2 or 3, got true"],
    ),
    "rows": (
        completed(
            feedback=[[[0]], [[0], 1, 2], 5],
            canonical={**CANONICAL, "activations": [[[0, -1], "a", None, "ended", 3]]},
        ),
        Answer,
        [
            "feedback[0]: expected a list of 2, got a list",
            "feedback[1]: expected a list of 2, got a list",
            "feedback[2]: expected a list of 2, got int 5",
            "canonical.activations[0][0][1]: expected a whole number of at least 0, got int -1",
            'canonical.activations[0][3]: expected "completed" or "failed" or "cancelled", got text "ended"',
            "canonical.activations[0][4]: expected text, got int 3",
        ],
    ),
    "step": (
        completed(steps=[{"do": "release", "enabled": [], "events": []}]),
        Answer,
        ['steps[0]: the key "chosen" is missing. Add it.'],
    ),
    "rules": (
        {**VECTOR, "rules": ["F3", "f4", 5], "expect": {"statos": "completed"}},
        Vector,
        [
            "rules[1]: expected the id of a rule such as \"F3\", got 'f4'",
            'rules[2]: expected the id of a rule such as "F3", got 5',
            "expect: unknown key \"statos\". Did you mean 'status'? Known are: status, errors, problems, variables, "
            "outputs, feedback, life, trace, canonical, steps",
        ],
    ),
}


@pytest.mark.parametrize(("tree", "shape", "problems"), BAD.values(), ids=BAD)
def test_bad_messages(tree, shape, problems):
    """All that is wrong is told at once, each with its path; the schema refuses it too."""
    assert sorted(check(tree, shape)) == sorted(problems)
    assert not validator(shape).is_valid(tree)


def test_a_message_that_is_nested_too_deeply():
    """Lists in lists end in a problem, not in a traceback."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert check(completed(variables={"v": value}), Answer) == ["the message: it is nested too deeply"]
