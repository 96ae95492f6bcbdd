"""Behaviour graphs by chance: documents as somebody could have written them, in either dialect.

Values come from nodes before, control goes to nodes after, and an event is sent only to those that are received later,
so every graph comes to an end.
"""

from __future__ import annotations

import random
from typing import Any

from outside.khr.operations import OPERATIONS

BOOL, INT, FLOAT, FLOAT3, FLOAT2 = range(5)
TYPES = ["bool", "int", "float", "float3", "float2"]
_INITIAL: dict[int, list[Any]] = {BOOL: [False], INT: [0], FLOAT: [0.5], FLOAT3: [1.0, 2.0, 3.0]}

# Operations by the types of their inputs and output.
_TYPED: list[tuple[str, list[int], int]] = [
    *((f"math/{op}", [INT, INT], INT) for op in ("add", "sub", "mul", "div", "rem", "min", "max", "and", "xor", "lsl")),
    *((f"math/{op}", [FLOAT, FLOAT], FLOAT) for op in ("add", "sub", "mul", "div", "rem", "min", "max", "atan2")),
    *((f"math/{op}", [FLOAT], FLOAT) for op in ("abs", "floor", "fract", "sqrt", "neg", "sin", "saturate", "log")),
    *((f"math/{op}", [FLOAT3, FLOAT3], FLOAT3) for op in ("add", "mul", "cross")),
    ("math/dot", [FLOAT3, FLOAT3], FLOAT),
    ("math/combine3", [FLOAT, FLOAT, FLOAT], FLOAT3),
    ("math/length", [FLOAT3], FLOAT),
    *((f"math/{op}", [INT, INT], BOOL) for op in ("lt", "eq", "ge")),
    *((f"math/{op}", [FLOAT, FLOAT], BOOL) for op in ("lt", "eq", "gt")),
    *((f"math/{op}", [BOOL, BOOL], BOOL) for op in ("and", "or", "xor")),
    ("math/not", [BOOL], BOOL),
    ("math/isNaN", [FLOAT], BOOL),
    ("type/intToFloat", [INT], FLOAT),
    ("type/floatToInt", [FLOAT], INT),
    ("type/boolToInt", [BOOL], INT),
    *(("math/select", [BOOL, kind, kind], kind) for kind in (BOOL, INT, FLOAT, FLOAT3)),
]


class Maker:
    """One document, made from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.nodes: list[dict[str, Any]] = []
        self.declarations: list[str] = []
        # There is always a float, which can be on its way from one value to another.
        self.kinds = [FLOAT, *self.chance.choices([BOOL, INT, INT, FLOAT, FLOAT3], k=self.chance.randint(2, 6))]
        self.sources: dict[int, list[dict[str, Any]]] = {kind: [] for kind in (BOOL, INT, FLOAT, FLOAT3)}
        self.brackets = self.chance.choice(["{}", "[]"])
        self.events = [{"n": INT, "x": FLOAT} if self.chance.random() < 0.6 else {} for _ in range(3)]
        self.loops: list[int] = []

    def document(self) -> dict[str, Any]:
        """The document: values first, then flows, of which each may lead to those after it."""
        chance = self.chance
        flows = [self._flow_op() for _ in range(chance.randint(6, 26))]
        # Flow nodes stand first, so that their outputs can be named; what their inputs are is said afterwards.
        made = [self._node(op) for op in flows]
        for op, node in zip(flows, made, strict=True):
            self._offer(op, node)
        for _ in range(chance.randint(0, 25)):
            self._value_node()
        for place, (op, node) in enumerate(zip(flows, made, strict=True)):
            self._fill(op, self.nodes[node], [*made[place + 1 :]], flows[place + 1 :])
        for _ in range(chance.randint(1, 3)):
            start = self._node("event/onStart")
            self._lead(self.nodes[start], "out", made, flows)
        if chance.random() < 0.2:
            tick = self._node("event/onTick")
            later = made[-4:]
            self._lead(self.nodes[tick], "out", later, flows[-4:])
            for name in ("timeSinceStart", "timeSinceLastTick"):
                self.sources[FLOAT].append({"node": tick, "socket": name})
        for event in range(len(self.events)):
            node = self._node("event/receive", event=[event])
            # An event is received by what stands behind all that could send it.
            behind = max((i for i, op in enumerate(flows) if op == f"event/send {event}"), default=-1) + 1
            self._lead(self.nodes[node], "out", made[behind:], flows[behind:])
        variables = [{"id": f"v{i}", "type": kind, "value": _INITIAL[kind]} for i, kind in enumerate(self.kinds)]
        variables += [{"id": f"loop{i}", "type": INT, "value": [0]} for i in range(len(self.loops))]
        graph = {
            "types": [{"signature": each} for each in TYPES],
            "variables": variables,
            "events": [
                {"id": f"e{i}", "values": {name: {"type": kind, "value": [1]} for name, kind in each.items()}}
                for i, each in enumerate(self.events)
            ],
            "declarations": [{"op": op} for op in self.declarations],
            "nodes": self.nodes,
        }
        scene = [{"name": "a", "children": [1]}, {"translation": [1, 0, 0]}, {}]
        return {"asset": {"version": "2.0"}, "nodes": scene, "extensions": {"KHR_interactivity": {"graphs": [graph]}}}

    def _node(self, op: str, **configuration: list[Any]) -> int:
        op = op.partition(" ")[0]
        if op not in self.declarations:
            self.declarations.append(op)
        self.nodes.append(
            {
                "declaration": self.declarations.index(op),
                "configuration": {name: {"value": value} for name, value in configuration.items()},
                "values": {},
                "flows": {},
            }
        )
        return len(self.nodes) - 1

    # --- values ---

    def _value(self, kind: int) -> dict[str, Any]:
        chance = self.chance
        if self.sources[kind] and chance.random() < 0.6:
            return dict(chance.choice(self.sources[kind]))
        constant: dict[int, Any] = {
            BOOL: [chance.random() < 0.5],
            INT: [chance.choice([0, 1, 2, 3, -1, 7, 2**31 - 1])],
            FLOAT: [chance.choice([0.0, 0.25, 1.0, -2.5, 1e9, "Infinity", "NaN"])],
            FLOAT3: [chance.choice([0.0, 1.0, -0.5]) for _ in range(3)],
        }
        return {"type": kind} if chance.random() < 0.05 else {"type": kind, "value": constant[kind]}

    def _value_node(self) -> None:
        chance = self.chance
        choice = chance.random()
        if choice < 0.3:
            variable = chance.randrange(len(self.kinds))
            node = self._node("variable/get", variable=[variable])
            self.sources[self.kinds[variable]].append({"node": node, "socket": "value"})
        elif choice < 0.4:
            node = self._node("pointer/get", pointer=[self._pointer()], type=[FLOAT3])
            self.nodes[node]["values"] = {"index": self._value(INT)} if chance.random() < 0.3 else self._index()
            self.sources[FLOAT3].append({"node": node, "socket": "value"})
            self.sources[BOOL].append({"node": node, "socket": "isValid"})
        elif choice < 0.47:
            kind = chance.choice([INT, FLOAT])
            node = self._node("math/switch", cases=[0, 2])
            names = ("default", "0", "2")
            self.nodes[node]["values"] = {"selection": self._value(INT), **{name: self._value(kind) for name in names}}
            self.sources[kind].append({"node": node, "socket": "value"})
        elif choice < 0.52:
            node = self._node("math/extract3")
            self.nodes[node]["values"] = {"a": self._value(FLOAT3)}
            self.sources[FLOAT] += [{"node": node, "socket": str(each)} for each in range(3)]
        else:
            op, inputs, kind = chance.choice(_TYPED)
            node = self._node(op)
            self.nodes[node]["values"] = {
                name: self._value(each) for name, each in zip(OPERATIONS[op][1], inputs, strict=True)
            }
            self.sources[kind].append({"node": node, "socket": "value"})

    def _pointer(self) -> str:
        return f"/nodes/{self.brackets[0]}index{self.brackets[1]}/translation"

    def _index(self) -> dict[str, Any]:
        return {"index": {"type": INT, "value": [self.chance.randint(0, 3)]}}

    # --- flows ---

    def _flow_op(self) -> str:
        found = self.chance.choices(
            [
                "variable/set",
                "debug/log",
                "flow/sequence",
                "flow/branch",
                "flow/for",
                "flow/while",
                "flow/switch",
                "flow/doN",
                "flow/multiGate",
                "flow/waitAll",
                "flow/setDelay",
                "flow/cancelDelay",
                "flow/throttle",
                "event/send",
                "pointer/set",
                "variable/interpolate",
            ],
            [5, 4, 4, 3, 2, 1, 1, 1, 2, 2, 2, 1, 1, 2, 2, 1],
        )[0]
        return f"{found} {self.chance.randrange(3)}" if found == "event/send" else found

    def _offer(self, op: str, node: int) -> None:
        """What the outputs of a flow node are to others."""
        socket, kind = {
            "flow/for": ("index", INT),
            "flow/doN": ("currentCount", INT),
            "flow/multiGate": ("lastIndex", INT),
            "flow/waitAll": ("remainingInputs", INT),
            "flow/setDelay": ("lastDelayIndex", INT),
            "flow/throttle": ("lastRemainingTime", FLOAT),
        }.get(op, ("", BOOL))
        if socket:
            self.sources[kind].append({"node": node, "socket": socket})

    def _lead(self, node: dict[str, Any], socket: str, targets: list[int], ops: list[str]) -> None:
        if not targets or self.chance.random() < 0.07:
            return
        place = self.chance.randrange(min(len(targets), 5))
        enters = {
            "flow/doN": ["in", "in", "in", "reset"],
            "flow/multiGate": ["in", "in", "in", "reset"],
            "flow/waitAll": ["0", "1", "0", "1", "reset"],
            "flow/setDelay": ["in", "in", "in", "cancel"],
            "flow/throttle": ["in", "in", "reset"],
        }.get(ops[place], ["in"])
        node["flows"][socket] = {"node": targets[place], "socket": self.chance.choice(enters)}

    def _fill(self, op: str, node: dict[str, Any], targets: list[int], ops: list[str]) -> None:
        """What a flow node is configured with, its inputs, and where it leads."""
        chance, values, configuration = self.chance, node["values"], node["configuration"]
        ways = ["out"]
        if op == "variable/set":
            chosen = chance.sample(range(len(self.kinds)), chance.randint(1, min(2, len(self.kinds))))
            configuration["variables"] = {"value": chosen}
            values.update({str(index): self._value(self.kinds[index]) for index in chosen})
        elif op == "debug/log":
            configuration["message"] = {"value": ["said {0} {1}"]}
            values.update({str(index): self._value(chance.choice([BOOL, INT, FLOAT, FLOAT3])) for index in range(2)})
        elif op == "flow/sequence":
            ways = [f"{chance.randrange(1000):03}" for _ in range(chance.randint(0, 4))]
        elif op == "flow/branch":
            values["condition"] = self._value(BOOL)
            ways = ["true", "false"]
        elif op == "flow/switch":
            configuration["cases"] = {"value": [0, 1, -1]}
            values["selection"] = self._value(INT)
            ways = ["0", "1", "-1", "default"]
        elif op == "flow/for":
            configuration["initialIndex"] = {"value": [chance.randint(0, 5)]}
            values["startIndex"] = {"type": INT, "value": [chance.randint(-1, 2)]}
            values["endIndex"] = {"type": INT, "value": [chance.randint(0, 4)]}
            ways = ["loopBody", "completed"]
        elif op == "flow/while":
            self._while(node, targets, ops)
            ways = ["completed"]
        elif op == "flow/doN":
            values["n"] = self._value(INT)
        elif op == "flow/multiGate":
            configuration["isLoop"] = {"value": [chance.random() < 0.5]}
            ways = [f"{chance.randrange(1000):03}" for _ in range(chance.randint(1, 3))]
        elif op == "flow/waitAll":
            configuration["inputFlows"] = {"value": [2]}
            ways = ["out", "completed"]
        elif op in {"flow/setDelay", "flow/throttle"}:
            values["duration"] = self._duration()
            ways = ["out", "err", "done"] if op == "flow/setDelay" else ["out", "err"]
        elif op == "flow/cancelDelay":
            values["delayIndex"] = self._value(INT)
        elif op.startswith("event/send"):
            event = int(op.partition(" ")[2])
            configuration["event"] = {"value": [event]}
            values.update(
                {name: self._value(kind) for name, kind in self.events[event].items() if chance.random() < 0.7}
            )
        elif op == "pointer/set":
            configuration.update({"pointer": {"value": [self._pointer()]}, "type": {"value": [FLOAT3]}})
            values.update({"value": self._value(FLOAT3), **self._index()})
            ways = ["out", "err"]
        elif op == "variable/interpolate":
            self._interpolate(node)
            ways = ["out", "err", "done"]
        for way in ways:
            self._lead(node, way, targets, ops)

    def _duration(self) -> dict[str, Any]:
        if self.chance.random() < 0.1:
            return self._value(FLOAT)
        return {"type": FLOAT, "value": [self.chance.choice([0.0, 0.1, 0.2, 0.25, 0.4, 3.0])]}

    def _while(self, node: dict[str, Any], targets: list[int], ops: list[str]) -> None:
        """A loop over a variable of its own, which its body counts up."""
        loop = len(self.kinds) + len(self.loops)
        self.loops.append(loop)
        get = self._node("variable/get", variable=[loop])
        less, add = self._node("math/lt"), self._node("math/add")
        self.nodes[less]["values"] = {
            "a": {"node": get, "socket": "value"},
            "b": {"type": INT, "value": [self.chance.randint(0, 3)]},
        }
        self.nodes[add]["values"] = {"a": {"node": get, "socket": "value"}, "b": {"type": INT, "value": [1]}}
        count = self._node("variable/set", variables=[loop])
        self.nodes[count]["values"] = {str(loop): {"node": add, "socket": "value"}}
        self._lead(self.nodes[count], "out", targets, ops)
        node["values"]["condition"] = {"node": less, "socket": "value"}
        node["flows"]["loopBody"] = {"node": count, "socket": "in"}

    def _interpolate(self, node: dict[str, Any]) -> None:
        floats = [index for index, kind in enumerate(self.kinds) if kind == FLOAT]
        node["configuration"]["variable"] = {"value": [self.chance.choice(floats)]}
        node["values"].update(
            {
                "value": {"type": FLOAT, "value": [self.chance.choice([0.0, 4.0, -1.0])]},
                "duration": self._duration(),
                "p1": {"type": FLOAT2, "value": [0.25, 0.1]},
                "p2": {"type": FLOAT2, "value": [0.25, 1.0]},
            }
        )


def random_document(seed: int) -> dict[str, Any]:
    """The document of a seed."""
    return Maker(seed).document()
