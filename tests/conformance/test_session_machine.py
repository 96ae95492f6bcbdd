"""Sessions: graphs that are built and edited in steps, and a host that interferes; engine and reference agree always."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from trioflow.conformance.engine import answer, problems_of
from trioflow.reference import small_step

pytestmark = pytest.mark.unmeasured

INPUTS = {"script.exec": ["a", "b"], "script.listen": ["a", "b"], "script.data": ["a", "b", "c", "d"]}
OUTPUTS = ["x", "y"]
WAYS = ["o0", "o1", "body", "done"]
FORKING = [["trigger", "o0"], ["emit"], ["branches", ["o0", "o1"], []], ["get", "b"], ["feedback"]]
SIMPLE = st.sampled_from([
    *FORKING, *FORKING,
    ["const", 2], ["add", 1], ["keep"], ["mix"], ["get", "a"], ["get", "b"], ["tryget", "b", 5], ["set", "x"], ["set", "y"],
    ["getvar", "sum"], ["addvar", "sum"], ["setvar", "last"], ["getvar", "last"], ["appendvar", "log"], ["getstate", "k"],
    ["setstate", "k"], ["trigger", "o0"], ["trigger", "o1", ["x"]], ["trigger", "done"], ["emit"], ["emit"], ["join"],
    ["failures"], ["branches", ["o0", "o1"], []], ["branches", ["o0", "o0"], [["get", "a"], ["feedback"]]], ["twice", "o1"],
    ["publish", "ping"], ["payload"], ["entered"], ["feedback"], ["feedback"], ["sleep", 1], ["sleep", 0], ["now"],
    ["fail", "no"], ["return", "o1"],
])  # fmt: skip
OPERATIONS = st.one_of(
    SIMPLE,
    st.builds(lambda ops: ["loop", 2, ops], st.lists(SIMPLE, min_size=1, max_size=3)),
    st.builds(lambda ops, other: ["if", ops, other], st.lists(SIMPLE, max_size=2), st.lists(SIMPLE, max_size=2)),
    st.builds(lambda t, ops: ["within", t, ops], st.integers(1, 2), st.lists(SIMPLE, min_size=1, max_size=3)),
    st.builds(lambda ops: ["try", ops, [["feedback"]], [["addvar", "sum"]]], st.lists(SIMPLE, min_size=1, max_size=3)),
)
IN_DATA = st.sampled_from([
    ["get", "a"], ["get", "c"], ["tryget", "d", 3], ["add", 1], ["mul", 2], ["getvar", "sum"], ["sleep", 1], ["keep"], ["mix"],
    ["if", [["get", "d"]], []], ["set", "y"], ["getvar", "last"], ["fail", "data"],
])  # fmt: skip
MOMENTS = st.integers(0, 12)
INDEX = st.integers(0, 7)
DISTURBANCES = st.sampled_from([
    {"do": "pause"}, {"do": "pause"}, {"do": "step", "count": 2}, {"do": "resume"}, {"do": "cancel"},
    {"do": "publish", "event": "ping", "payload": 3},
])  # fmt: skip
CHOICES = st.lists(st.integers(0, 4), max_size=30)


class Session(RuleBasedStateMachine):
    """Builds a graph of scripted nodes, plans what the host does, and runs both on the engine and on the reference."""

    @initialize(
        starts=st.integers(1, 2),
        scripts=st.lists(st.lists(OPERATIONS, min_size=2, max_size=7), min_size=3, max_size=3),
        derive=st.lists(IN_DATA, max_size=3),
        choices=CHOICES,
    )
    def begin(self, starts, scripts, derive, choices):
        """A graph in which branches and items come to the same nodes, and these ask the same data node."""
        self.nodes: list[dict[str, Any]] = []
        self.wires: list[dict[str, str]] = []
        self.actions: list[dict[str, Any]] = []
        self.choices: list[int] = choices
        self.options: dict[str, Any] = {"max_steps": 40}
        for place, script in enumerate(scripts):
            more = {"stream": {"mode": "concurrent", "limit": 2}} if place == 0 else {}
            self._add_exec(script, {"initiator": place < starts, **more})
        self._add_data([["get", "a"], *derive])
        for way in ("o0", "o1", "body"):
            self.wires += [{"from": f"n0.{way}", "to": "n1.enter"}, {"from": f"n1.{way}", "to": "n2.enter"}]
        self.wires.append({"from": "n0.body", "to": "n2.again"})
        self.wires += [{"from": "n0.x", "to": "d3.a"}, *({"from": "d3.x", "to": f"n{place}.b"} for place in range(3))]

    def of_type(self, *types):
        return [node for node in self.nodes if node["type"] in types]

    @rule(
        script=st.lists(OPERATIONS, max_size=4),
        mode=st.sampled_from([None, "sequential", "concurrent"]),
        limit=st.integers(0, 2),
    )
    def add(self, script, mode, limit):
        stream = {"mode": mode, "limit": limit, "on_error": "collect" if limit == 1 else "fail"}
        self._add_exec(script, {} if mode is None else {"stream": stream})

    def _add_exec(self, script, more):
        self._add({"id": f"n{len(self.nodes)}", "type": "script.exec", "inputs": {"script": script}, **more})

    @rule(script=st.lists(OPERATIONS, max_size=3))
    def add_listener(self, script):
        self._add({"id": f"l{len(self.nodes)}", "type": "script.listen", "inputs": {"script": script, "event": "ping"}})

    @rule(script=st.lists(IN_DATA, max_size=3), source=INDEX, reader=INDEX)
    def add_data(self, script, source, reader):
        """A data node between a node's output and another's input."""
        self._add_data(script)
        self._connect_data(source, "x", len(self.nodes) - 1, 0)
        self._connect_data(len(self.nodes) - 1, "x", reader, 1)

    def _add_data(self, script):
        script = [*script, ["set", "x"]]
        self._add({"id": f"d{len(self.nodes)}", "type": "script.data", "inputs": {"script": script}})

    def _add(self, node):
        if len(self.nodes) < 8:
            self.nodes.append(node)

    @rule(source=INDEX, way=st.sampled_from(WAYS), reader=INDEX, socket=st.sampled_from(["enter", "again"]))
    def connect(self, source, way, reader, socket):
        """Execution goes to any node, itself and those before it included: what never ends meets the limit of steps."""
        sources, targets = self.of_type("script.exec", "script.listen"), self.of_type("script.exec")
        start, end = sources[source % len(sources)], targets[reader % len(targets)]
        if start["type"] == "script.exec" or way.startswith("o"):
            self.wires.append({"from": f"{start['id']}.{way}", "to": f"{end['id']}.{socket}"})

    @rule(source=INDEX, output=st.sampled_from(OUTPUTS), reader=INDEX, place=st.integers(0, 3))
    def connect_data(self, source, output, reader, place):
        """Data nodes read only from those before them, so that there is no circle without an exec node."""
        self._connect_data(source, output, reader, place)

    def _connect_data(self, source, output, reader, place):
        start, end = self.nodes[source % len(self.nodes)], self.nodes[reader % len(self.nodes)]
        if start["type"] == end["type"] == "script.data" and source % len(self.nodes) >= reader % len(self.nodes):
            return
        inputs = INPUTS[end["type"]]
        to = f"{end['id']}.{inputs[place % len(inputs)]}"
        if all(wire["to"] != to for wire in self.wires):
            self.wires.append({"from": f"{start['id']}.{output}", "to": to})

    @rule(place=INDEX, operation=OPERATIONS)
    def add_operation(self, place, operation):
        nodes = self.of_type("script.exec", "script.listen")
        nodes[place % len(nodes)]["inputs"]["script"].append(operation)

    @rule(place=INDEX, fails=st.sampled_from(["ok", "ok", "setup", "teardown"]))
    def give_life(self, place, fails):
        nodes = self.of_type("script.exec")
        life = ["fail" if fails == "setup" else "ok", "fail" if fails == "teardown" else "ok"]
        nodes[place % len(nodes)]["inputs"]["life"] = life

    @rule(at=MOMENTS, do=st.sampled_from(["pause", "pause", "resume", "cancel"]))
    def plan(self, at, do):
        self._plan({"at": at, "do": do})

    @rule(at=MOMENTS, count=st.integers(1, 3))
    def plan_steps(self, at, count):
        self._plan({"at": at, "do": "pause"})
        self._plan({"at": at, "do": "step", "count": count})

    @rule(at=MOMENTS, place=INDEX)
    def plan_breakpoint(self, at, place):
        nodes = self.of_type("script.exec")
        self._plan({"at": at, "do": "breakpoint", "node": nodes[place % len(nodes)]["id"]})

    @rule(at=MOMENTS, payload=st.integers(0, 5))
    def plan_event(self, at, payload):
        self._plan({"at": at, "do": "publish", "event": "ping", "payload": payload})

    def _plan(self, action):
        self.actions = sorted([*self.actions, action], key=lambda each: each["at"])

    @precondition(lambda self: self.actions)
    @rule()
    def forget_the_plan(self):
        self.actions = []

    @rule(choices=CHOICES)
    def choose(self, choices):
        self.choices = choices

    @rule(parallel=st.booleans(), timeout=st.sampled_from([None, None, 2]), strands=st.sampled_from([None, None, 3]))
    def set_options(self, parallel, timeout, strands):
        self.options |= {"parallel_initiators": parallel, "timeout": timeout, "max_strands": strands}

    @rule(more=st.lists(st.tuples(MOMENTS, DISTURBANCES), max_size=3))
    def run(self, more):
        """Run it, with a few more things that the host does; engine and reference say the same."""
        for at, what in more:
            self._plan({"at": at, **what})
        self._run()

    def teardown(self):
        """Whatever was built last is run too."""
        if hasattr(self, "nodes"):
            self._run()

    def _run(self):
        request = {
            "graph": {
                "trioflow": "1.0",
                "nodes": self.nodes,
                "connections": self.wires,
                "variables": [
                    {"name": "sum", "type": "int", "default": 0, "merge": "sum"},
                    {"name": "last", "default": 0},
                    {"name": "log", "type": "list", "default": [], "merge": "append"},
                ],
                "events": [{"name": "ping"}],
            },
            "options": self.options,
            "choices": self.choices,
            "actions": self.actions,
            "level": 3,
        }
        written = json.dumps(request)
        assert problems_of(request) == []
        came, expected = comparable(answer(request)), comparable(small_step(request))
        event(came["status"])
        assert came == expected
        assert comparable(answer(request)) == came  # E5: nothing but the schedule decides, and it is given.
        assert json.dumps(request) == written  # M1
        check_lives(came["life"], {node["id"]: node["inputs"].get("life") for node in self.nodes})
        check_trace(came["trace"])
        check_actions(came["steps"], self.actions)


def comparable(result):
    """All that a result says; the trace sorted, for within a step its order is free."""
    ours = {key: value for key, value in result.items() if key not in ("type", "id")}
    return {**ours, "trace": sorted(json.dumps(each, sort_keys=True) for each in result["trace"])}


def check_actions(steps, planned):
    """What the host did is the beginning of what was planned, in order, besides opening a gate at which all waited."""
    opened = {"at": 0, "do": "resume"}
    done = [step["action"] for step in steps if step["do"] == "action" and step["action"] != opened]
    assert done == [action for action in planned if action != opened][: len(done)]


def check_lives(life, declared):
    """Whoever was set up is torn down, in the opposite order, and nobody else is (R1)."""
    ups = [each.removeprefix("up ") for each in life if each.startswith("up ")]
    assert life == [*(f"up {node}" for node in ups), *(f"down {node}" for node in reversed(ups))]
    assert all(declared[node][0] == "ok" for node in ups)


def check_trace(trace):
    """Activations, evaluations and strands that began have ended, each path is given once (E1, E2, T8)."""
    told = [json.loads(each) for each in trace]
    count = Counter(each["event"] for each in told)
    assert count["started"] == count["completed"] + count["failed"] + count["cancelled"]
    assert count["evaluating"] == count["evaluated"] + count["unevaluated"]
    keys = [each["key"] for each in told if each["event"] == "evaluated"]
    assert len(keys) == len(set(keys))  # D4, D5: never twice.
    for kind in ("started", "forked", "joined"):
        paths = [tuple(each["path"]) for each in told if each["event"] == kind]
        assert len(paths) == len(set(paths))
    assert count["joined"] <= count["forked"]


TestSession = Session.TestCase
TestSession.settings = settings(
    max_examples=100, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
