"""Random workflows: requests whose answers the reference in rounds knows (W1-W18, W21).

Nodes add to variables under all policies, read what others wrote, route by what they find, fail, trigger and emit, in
nets with joins of all kinds and circles of few turns. What time may decide is left out: `join: first` where more tokens
come than it needs.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trioflow.conformance.engine import problems_of
from trioflow.reference import Undetermined, big_step

Request = Mapping[str, Any]

_VARIABLES = (
    {"name": "total", "type": "int", "default": 0, "merge": "sum"},
    {"name": "log", "type": "list", "default": [], "merge": "append"},
    {"name": "last", "type": "int", "default": 0},
    {"name": "first", "type": "int", "default": 0, "merge": "first"},
    {"name": "top", "type": "int", "default": 0, "merge": "max"},
)
_MODULUS = 1_000_003
LIMITS = (None, 1, 2, 3)
"""The limits under which each workflow is run."""
MOST_STEPS = 100
"""So many firings a random workflow may have."""


def random_workflow(seed: str, *, most: int = 12) -> dict[str, Any]:
    """A request with a workflow of 2 to `most` nodes; the same for the same seed."""
    chance = random.Random(seed)
    size = chance.randint(2, most)
    names = [f"n{place}" for place in range(size)]
    wires = _wires(chance, size)
    circles = any(target <= source for source, target in wires)
    nodes = [_node(chance, name, circles=circles, number=place) for place, name in enumerate(names)]
    if chance.random() < 0.4:
        nodes.append({"id": "undo", "type": "script.exec", "inputs": {"script": _script(chance, 99)}})
        for node in nodes[:size]:
            if chance.random() < 0.5:
                node["undo"] = "undo"
                if chance.random() < 0.4:
                    node["undo_from"] = "started"
    connections = [_wire(chance, names[source], names[target]) for source, target in wires]
    if chance.random() < 0.15:
        _add_loop(chance, nodes, connections)
    inputs = [f"{name}.{socket}" for name in names for socket in "ab" if chance.random() < 0.4]
    connections += [{"from": f"{chance.choice(names)}.x", "to": socket} for socket in inputs]
    _make_sense(chance, nodes, connections)
    chance.shuffle(connections)
    graph = {
        "trioflow": "1.2",
        "kind": "workflow",
        "on_error": "collect",
        "groups": {"g": chance.randint(1, 2)},
        "nodes": nodes,
        "connections": connections,
        "variables": [*_VARIABLES],
    }
    return {"graph": graph}


def with_limit(request: Request, limit: int | None) -> dict[str, Any]:
    """The same workflow with another limit, which makes no difference (W16)."""
    return {**request, "graph": {**request["graph"], **({"limit": limit} if limit else {})}}


def judged_workflows(seed: int | str) -> Iterator[tuple[Request, Mapping[str, Any]]]:
    """Random workflows, under drawn limits and schedules, and what must come of each, without an end.

    What depends on the schedule after all, or takes very many firings, is left out.
    """
    for number in itertools.count():
        chance = random.Random(f"{seed}/{number}")
        request = {**random_workflow(f"{seed}/{number}"), "options": {"max_steps": MOST_STEPS}, "level": 3}
        if problems_of(request):
            continue
        try:
            answer = big_step(request)
        except Undetermined:
            continue
        choices = [chance.randrange(100) for _ in range(chance.choice([0, 60]))]
        yield {**with_limit(request, chance.choice(LIMITS)), "choices": choices}, answer


def workflow_number(number: int, seed: int | str) -> dict[str, Any]:
    """The workflow of this number in the campaign of this seed, under a drawn limit and schedule; always the same."""
    names = (f"{seed}/{number}/{attempt}" for attempt in itertools.count())
    most = 30 if number % 4 == 3 else 12
    drawn = ((name, {**random_workflow(name, most=most), "options": {"max_steps": MOST_STEPS}}) for name in names)
    name, request = next((name, request) for name, request in drawn if not problems_of(request))
    chance = random.Random(name)
    choices = [chance.randrange(100) for _ in range(chance.choice([0, 60]))]
    return {**with_limit(request, chance.choice(LIMITS)), "choices": choices}


def judge_workflow(request: Request) -> Mapping[str, Any] | None:
    """What must come of a workflow under any schedule; None if that depends on it. No steps, for rounds have none."""
    try:
        answer = big_step({**request, "choices": []})
    except Undetermined:
        return None
    return {name: value for name, value in answer.items() if name not in ("steps", "trace")}


def _wires(chance: random.Random, size: int) -> list[tuple[int, int]]:
    wires: list[tuple[int, int]] = []
    for target in range(1, size):
        if chance.random() < 0.93:
            sources = min(target, chance.choice([1, 1, 2, 2, 3]))
            wires += [(source, target) for source in chance.sample(range(target), sources)]
    if chance.random() < 0.6:
        for _ in range(chance.randint(1, 3)):
            source = chance.randrange(size)
            wires.append((source, chance.randint(max(0, source - 4), source)))
    return [*dict.fromkeys(wires)]


def _wire(chance: random.Random, source: str, target: str) -> dict[str, Any]:
    to = f"{target}.{chance.choice(['enter', 'enter', 'again'])}"
    draw = chance.random()
    if draw < 0.15:
        return {
            "from": source,
            "to": to,
            "on": chance.choice(["failed", "ended", ["failed", "exhausted"], "exhausted"]),
        }
    wire: dict[str, Any] = {"from": f"{source}.{chance.choice(['o0', 'o0', 'o0', 'o1', 'o2', 'body'])}", "to": to}
    if draw < 0.2:
        wire["enabled"] = False
    if draw > 0.9:
        wire["on"] = ["completed", "failed"]
    draw = chance.random()
    if draw < 0.2:
        name = chance.choice(["out.x", "vars.total", "vars.top"])
        wire["when"] = (
            f"{name} {chance.choice(['<', '<=', '>', '>=', '==', '!='])} {chance.choice([0, 3, 7, 900, 30000])}"
        )
    if chance.random() < 0.1:
        wire["priority"] = chance.randint(0, 3)
    return wire


def _add_loop(chance: random.Random, nodes: list[dict[str, Any]], connections: list[dict[str, Any]]) -> None:
    """A loop whose header takes the first token each time: one comes at a time, so that time decides nothing (W8)."""
    script = [["getstate", "k"], ["add", 1], ["setstate", "k"], ["feedback"], ["return", "o0"]]
    header = {"id": "first", "type": "script.exec", "join": "first", "most": chance.randint(2, 4)}
    nodes += [{**header, "inputs": {"script": script}}, {**header, "id": "back", "inputs": {"script": script}}]
    del nodes[-1]["join"]
    ways = [(nodes[0]["id"], "first"), ("first", "back"), ("back", "first")]
    connections += [{"from": f"{source}.o0", "to": f"{target}.enter"} for source, target in ways]


def _make_sense(chance: random.Random, nodes: list[dict[str, Any]], connections: list[dict[str, Any]]) -> None:
    """An else only beside a condition, once, and no joins that can't be met: they would be refused."""
    ways = {(wire["from"], str(wire.get("on"))) for wire in connections if "when" in wire and wire.get("enabled", True)}
    into = Counter(wire["to"].split(".")[0] for wire in connections if _is_exec(wire) and wire.get("enabled", True))
    for wire in connections:
        way = (wire["from"], str(wire.get("on")))
        if (
            _is_exec(wire)
            and way in ways
            and "when" not in wire
            and wire.get("enabled", True)
            and chance.random() < 0.7
        ):
            wire["else"] = True
            ways.remove(way)
    for node in nodes:
        if isinstance(node.get("min"), int):
            node["min"] = max(1, min(node["min"], into[node["id"]]))


def _is_exec(wire: Mapping[str, Any]) -> bool:
    return str(wire["to"]).endswith((".enter", ".again"))


def _node(  # noqa: C901 - a list of what may be
    chance: random.Random, name: str, *, circles: bool, number: int
) -> dict[str, Any]:
    node: dict[str, Any] = {"id": name, "type": "script.exec", "inputs": {"script": _script(chance, number)}}
    draw = chance.random()
    if draw < 0.12:
        node["join"] = "each"
    elif draw < 0.2:
        node["join"] = "first"
        node["min"] = "every"
    elif draw < 0.45:
        node["min"] = chance.choice([2, 2, 3, "every"])
        node["unmet"] = chance.choice(["skip", "skip", "fail"])
    if circles:
        node["most"] = chance.randint(1, 3)
    if chance.random() < 0.3:
        node["priority"] = chance.choice(["low", "high", "critical"])
    if chance.random() < 0.2:
        node["limit"] = 1
    if chance.random() < 0.2:
        node["group"] = "g"
    if chance.random() < 0.1 and "join" not in node and "min" not in node:
        node["queue"] = 1
    if chance.random() < 0.15:
        node["choose"] = "first"
    if chance.random() < 0.06:
        node["initiator"] = chance.choice([True, False])
    if chance.random() < 0.3:
        node["stream"] = {"mode": chance.choice(["sequential", "concurrent"]), "on_error": "collect"}
    return node


def _script(chance: random.Random, number: int) -> list[Any]:  # noqa: C901 - as above
    script: list[Any] = [["get", "a"], ["keep"], ["get", "b"], ["mix"]]
    for name in ("total", "log", "last", "first", "top"):
        if chance.random() < 0.5:
            script += [["keep"], ["getvar", name], ["mix"], ["add", number]]
    if chance.random() < 0.7:
        script.append(["feedback"])
    script.append(["set", "x"])
    if chance.random() < 0.5:
        script += [["const", chance.randrange(1, 9)], ["addvar", "total"]]
    if chance.random() < 0.4:
        script += [["const", number], ["appendvar", "log"]]
    for name in ("last", "first", "top"):
        if chance.random() < 0.3:
            script += [["get", "a"], ["add", number], ["setvar", name]]
    if chance.random() < 0.3:
        script.append(["sleep", chance.randint(0, 3)])
    if chance.random() < 0.12:
        script += [["const", number], ["emit"], ["add", 1], ["emit"]]
    if chance.random() < 0.12:
        script += [["trigger", chance.choice(["o0", "o1", "o2"])]]
    return script + _end(chance)


def _end(chance: random.Random) -> list[Any]:
    """It fails, or returns one of its outputs, the same each time or by what it finds."""
    ways: Sequence[list[Any]] = [
        [["return", "o0"]],
        [["return", "o0"]],
        [["return", "o1"]],
        [["fail", "no"]],
        [],
    ]
    one, other = chance.choice(ways[:4]), chance.choice(ways)
    match chance.randrange(4):
        case 0:
            return [["getstate", "k"], ["add", 1], ["setstate", "k"], ["add", _MODULUS - 1], ["if", one, other]]
        case 1:
            return [["getvar", "log"], ["add", _MODULUS - chance.randrange(4)], ["if", one, other]]
        case _:
            return [*chance.choice([*ways[:3], *ways[:3], ways[3]])]
