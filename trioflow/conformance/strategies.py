"""Random requests: scripted graphs, options, schedules and what the host does meanwhile.

They come from Hypothesis (`requests()`, for tests of one's own: it shrinks) or by number (`request_number(7)`, for long
campaigns: no two are alike, each can be made again by its number, and `shrinking.py` makes them small).

Graphs are valid by construction, and biased towards what goes wrong in engines: a data node that everybody asks for,
loops whose data depends on the index, forks that read and write the same variables, emits inside emits, failures and
cancellations inside forks. What they reach is measured by `situations` and held by a test.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import hypothesis.strategies as st

from trioflow.conformance.capabilities import EVERY

__all__ = ["choices", "graphs", "request_number", "requests", "situations"]


class Source(Protocol):
    """Where decisions come from."""

    def number(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        ...


class _Drawn:
    """Decisions that Hypothesis makes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def number(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))


class _Rolled:
    """Decisions that follow from a number."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)


POLICIES = ("last", "last", "last", "sum", "append", "union", "min", "max", "max", "first", "error")
_LIST_POLICIES = frozenset({"append", "union"})


class _Writer:
    """Draws one graph."""

    def __init__(self, source: Source, capabilities: frozenset[str] = EVERY) -> None:
        self.number = source.number
        self.can = capabilities
        self._budget = 0
        self.exec_ids: list[str] = []
        self.data_ids: list[str] = []
        self.numbers: list[str] = []
        self.lists: list[str] = []
        self.events: list[str] = []
        self.failing = "failure" in self.can and self.chance(3)
        # Whether there are inputs that can be evaluated at once (D12).
        self._ahead = "ahead" in self.can and self.chance(3)
        self._limited = False
        # What fails while its strand is cleaned up.
        self._last_words: list[list[Any]] = []

    def chance(self, of: int) -> bool:
        """True once in so many times."""
        return self.number(0, of - 1) == of - 1

    def one(self, items: Sequence[Any]) -> Any:
        """One of several, the first when shrunk."""
        return items[self.number(0, len(items) - 1)]

    def graph(self) -> dict[str, Any]:
        """A whole graph document."""
        variables = [self._variable(f"v{place}") for place in range(self.number(1, 3))]
        self.events = ["ping"] if "event" in self.can and self.chance(4) else []
        self.exec_ids = [f"n{place}" for place in range(self.number(2, 5))]
        fewest, most = (5, 7) if self._ahead else (0, 4)
        self.data_ids = [f"d{place}" for place in range(self.number(fewest, most) if "data" in self.can else 0)]
        listeners = [f"l{place}" for place in range(self.number(1, 2))] if self.events else []
        nodes = [self._exec(place) for place in range(len(self.exec_ids))]
        nodes += [self._listener(node) for node in listeners]
        if self._limited:  # several that are over at the same moment would fail at once, and any be the first (E2)
            for ops in self._last_words:
                del ops[0]
        data = [self._data(node) for node in self.data_ids]
        connections = self._control([*self.exec_ids, *listeners], nodes) + self._values(nodes, data)
        return {
            "trioflow": "1.0", "nodes": [*nodes, *data], "connections": connections, "variables": variables,
            "events": [{"name": name} for name in self.events],
        }  # fmt: skip

    def _variable(self, name: str) -> dict[str, Any]:
        merge = self.one(POLICIES)
        if merge in _LIST_POLICIES:
            self.lists.append(name)
            return {"name": name, "type": "list", "default": [], "merge": merge}
        self.numbers.append(name)
        return {"name": name, "type": "int", "default": 0, "merge": merge}

    def _exec(self, place: int) -> dict[str, Any]:
        last = place == len(self.exec_ids) - 1 and place > 1
        strict = last and "failure" in self.can
        kind = self.one(["script.exec"] * 8 + ["script.strict"] * strict + ["script.endless"] * ("stream" in self.can))
        node: dict[str, Any] = {"id": self.exec_ids[place], "type": kind, "inputs": {}}
        if place == 0 or (place == 1 and self.chance(5)):
            node["initiator"] = True
        self._budget = 9
        streams = kind != "script.strict" and "stream" in self.can
        if streams and (self.chance(2) or (place == 0 and self.chance(2))):
            stream: dict[str, Any] = {"mode": "concurrent"}
            node["stream"] = stream
            if self.chance(3):
                stream["limit"] = self.number(1, 2)
            if self.failing and not self.chance(4):
                stream["on_error"] = "collect"
        elif streams and self.failing and self.chance(4):
            node["stream"] = {"on_error": "collect"}
        inputs = ["a", "b"] if kind != "script.strict" else ["n", "m"]
        outputs = ["x", "y"]
        leads = place < len(self.exec_ids) - 1 or self.chance(4)
        node["inputs"]["script"] = self._script(inputs, outputs, streams=streams, leads=leads, first=place == 0)
        if kind == "script.strict":
            node["inputs"] |= {"n": 1, "m": 2}
        elif kind == "script.exec" and "life" in self.can and self.chance(8):
            node["inputs"]["life"] = [self.one(["ok"] * 9 + ["fail"] * self.failing) for _ in range(2)]
        return node

    def _listener(self, node: str) -> dict[str, Any]:
        self._budget = 4
        script = self._script(["a", "b"], ["x", "y"], streams=False, leads=self.chance(3), first=False)
        return {
            "id": node, "type": "script.listen",
            "inputs": {"event": "ping", "script": [["payload"], *([["feedback"]] if self.chance(2) else []), *script]},
        }  # fmt: skip

    def _data(self, node: str) -> dict[str, Any]:
        joins = self._ahead and node == self.data_ids[-1]
        kind = "script.data" if joins else self.one(["script.data"] * 7 + ["script.volatile", "script.number"])
        ops: list[Any] = []
        if kind == "script.number":
            ops = [["get", "n"], ["add", self.number(0, 3)]]
            inputs: dict[str, Any] = {"n": self.number(0, 2)}
        else:
            inputs = {}
            every = [["a"], ["a", "b"], ["c"], ["a", "c"], ["c", "d"], ["b", "c", "d"], ["a", "b", "c"]]
            asked = ["a", "b"] if joins else self.one(every + [["a", "b"]] * 14 if self._ahead else every)
            for socket in asked:
                get: list[Any] = ["tryget", socket, 7] if self.chance(6) else ["get", socket]
                ops += [["keep"], get, ["mix"]]
            if self.chance(3):
                ops += [["keep"], ["getvar", self.one([*self.numbers, *self.lists])], ["mix"]]
            if self.chance(3):
                lazy = [["get", "c"], ["keep"], ["get", "d"], ["mix"]] if self.chance(2) else [["get", "d"]]
                ops += [["if", lazy, [["add", 3]]]]
            if "time" in self.can and self.chance(2 if self._ahead else 4):
                ops.insert(self.number(0, len(ops)), ["sleep", self.number(0, 2)])
            if self.failing and self.chance(3):
                ops += (
                    [["if", [["fail", "odd"]], []]]
                    if self.chance(2)
                    else [["mul", 500002], ["add", -1], ["if", [["fail", "data"]], []]]
                )
            elif self.failing and self.chance(4):
                ops = [["try", ops, [["add", 1]], []]]
            if "failure" in self.can and self.chance(30):
                ops += [["setvar", self.numbers[0]]] if self.numbers else [["feedback"]]
        ops += [["set", "x"], ["add", 1], ["set", "x"]] if self.chance(8) else [["set", "x"]]
        if kind != "script.number" and self.chance(6):
            ops += [["add", 1], ["set", "y"]]
        return {"id": node, "type": kind, "inputs": {**inputs, "script": ops}}

    def _control(self, sources: Sequence[str], nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        kinds = {node["id"]: node["type"] for node in nodes}
        wires: list[dict[str, str]] = []
        for source in sources:
            place = self.exec_ids.index(source) if source in self.exec_ids else 0
            ways = {"script.exec": ["body", "o0", "o1", "done", "o2"], "script.endless": ["body", "o0", "o1"]}
            for way in ways.get(kinds[source], ["o0", "o1"]):
                used = _mentions(next(node for node in nodes if node["id"] == source)["inputs"]["script"], way)
                if self.chance(8) if used else not self.chance(6):
                    continue
                for _ in range(2 if self.chance(5) else 1):
                    further = self.exec_ids[place + 1 :]
                    if not further and "limit" not in self.can:
                        continue
                    further = further or self.exec_ids
                    target = self.one(self.exec_ids if "limit" in self.can and self.chance(25) else further)
                    entry = "again" if kinds[target] == "script.exec" and self.chance(4) else "enter"
                    wires.append({"from": f"{source}.{way}", "to": f"{target}.{entry}"})
        return wires

    def _values(self, nodes: Sequence[dict[str, Any]], data: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
        wires: list[dict[str, str]] = []
        hot = self.data_ids[-1] if self.data_ids else None
        items = [f"{node['id']}.item" for node in nodes if node["type"] in ("script.exec", "script.endless")]
        written = [f"{node['id']}.{self.one(['x', 'x', 'y'])}" for node in nodes]
        for node in nodes:
            for socket in ("n", "m") if node["type"] == "script.strict" else ("a", "b"):
                if self.chance(3) and not (self._ahead and node is nodes[0]):
                    continue
                sources = (
                    [f"{hot}.x"] * (16 if self._ahead else 4) + [f"{each}.x" for each in self.data_ids] if hot else []
                )
                wires.append({"from": self.one([*sources, *items[:1], *written]), "to": f"{node['id']}.{socket}"})
        for place, node in enumerate(data):
            for socket in ("n",) if node["type"] == "script.number" else ("a", "b", "c", "d"):
                if not _mentions(node["inputs"]["script"], socket) or self.chance(6):
                    continue
                earlier = [f"{each}.x" for each in self.data_ids[:place]]
                sources = [*items, *written, *earlier * 2]
                if self._ahead and socket in ("a", "b") and not self.chance(5):
                    # The inputs of the later ones come from different data nodes, those of the earlier ones from none.
                    middle = place // 2 if place > len(data) // 2 else 0
                    sources = (earlier[:middle] if socket == "a" else earlier[middle:]) if middle else sources[:1]
                wires.append({"from": self.one(sources), "to": f"{node['id']}.{socket}"})
        return wires

    def _script(
        self, inputs: Sequence[str], outputs: Sequence[str], *, streams: bool, leads: bool, first: bool
    ) -> list[Any]:
        self._inputs, self._outputs, self._streams, self._leads = inputs, outputs, streams, leads
        self._first = first
        self._calm = False  # nothing fails on purpose in a `finally` (spec/INTERPRETING.md, 5)
        ops: list[Any] = []
        if first:
            ops += [["const", self.number(1, 4)], ["set", "x"]]
            ops += [["get", "b"]] if self._ahead and self.chance(2) else []
            ops += self._opening()
        ops += self._block(0)
        if first and self.failing and not self.chance(3):
            ops = [["try", ops, [["feedback"]], self._finally(1)]]
        if leads and self.chance(3):
            ops.append(["return", self.one(["o0", "o1"])])
        return ops

    def _opening(self) -> list[Any]:
        """How a graph begins: mostly with something that starts several others."""
        inner = self._block(2, least=0)
        way = self.number(0, 3)
        if way == 0 and self._leads and "fork" in self.can:
            return [["branches", [self.one(["o0", "o1"]) for _ in range(self.number(2, 3))], inner]]
        if way == 1 and self._leads:
            return [["loop", self.number(2, 3), [["set", "x"], ["trigger", "o0"], *inner]]]
        return [["loop", self.number(2, 3), [["emit"], *inner]]] if self._streams and way > 1 else inner

    def _block(self, depth: int, least: int = 1) -> list[Any]:
        ops: list[Any] = []
        for _ in range(self.number(least, 4 if depth == 0 else 2)):
            if self._budget > 0:
                ops += self._operation(depth)
        return ops

    def _operation(self, depth: int) -> list[Any]:
        self._budget -= 1
        kinds = ["get"] * 3 + ["variable"] * 4 + ["feedback", "number", "output", "entered"]
        kinds += ["sleep"] * ("time" in self.can) + ["state"] * ("state" in self.can)
        if self._leads:
            kinds += ["trigger"] * 3
            if depth < 3 and "fork" in self.can:
                kinds += ["branches"] * 2
            kinds += ["twice"] * (self.failing and not self._first)
        if self._streams:
            kinds += ["emit"] * 2 + ["join"]
        if depth < 3:
            kinds += ["loop", "if"] + ["within"] * ("time" in self.can) + ["try"] * 2 * self.failing
        if self.events:
            kinds += ["publish"] * 2
        if self.failing and not self._calm and not self._first:
            kinds += ["fail"] * 2
        if self.failing and self._streams:
            kinds += ["failures"]
        kind = self.one(kinds)
        write: Callable[[int], list[Any]] = getattr(self, "_op_" + kind)
        return write(depth)

    def _op_get(self, depth: int) -> list[Any]:
        socket = self.one(self._inputs)
        get = ["tryget", socket, 5] if self.chance(6) else ["get", socket]
        return [["keep"], get, ["mix"]] if self.chance(2) else [get, ["feedback"]]

    def _op_feedback(self, depth: int) -> list[Any]:
        return [["now"], ["feedback"]] if "time" in self.can and self.chance(6) else [["feedback"]]

    def _op_number(self, depth: int) -> list[Any]:
        return [self.one([["add", 1], ["mul", 3], ["const", 2], ["const", "text"], ["const", None], ["const", True]])]

    def _op_variable(self, depth: int) -> list[Any]:
        if self.lists and (not self.numbers or self.chance(3)):
            name = self.one(self.lists)
            return [["appendvar", name]] if self.chance(2) else [["getvar", name], ["add", 0]]
        name = self.one(self.numbers)
        if self.failing and self.chance(8):
            return [["const", True], ["setvar", name]]  # which is not a number (D11)
        return [self.one([["addvar", name], ["getvar", name], ["setvar", name] if self.failing else ["addvar", name]])]

    def _op_output(self, depth: int) -> list[Any]:
        return [["set", self.one(self._outputs)]]

    def _op_sleep(self, depth: int) -> list[Any]:
        return [["sleep", self.number(0, 3)]]

    def _op_state(self, depth: int) -> list[Any]:
        return [["getstate", "k"], ["add", 1], ["setstate", "k"]]

    def _op_trigger(self, depth: int) -> list[Any]:
        ways = ["o0", "o1", "body"] if self._streams else ["o0", "o1"]
        if self.failing and self.chance(20):
            return [["trigger", "nowhere"]]
        if self._streams and self.chance(12):
            return [["trigger", "done"]]
        return [["trigger", self.one(ways), ["x"]] if self.chance(2) else ["trigger", self.one(ways)]]

    def _op_twice(self, depth: int) -> list[Any]:
        return [["twice", "o0"]]

    def _op_branches(self, depth: int) -> list[Any]:
        ways = [self.one(["o0", "o1", "o0"]) for _ in range(self.number(1, 3))]
        if self.failing and self.chance(20):
            ways.append("nowhere")
        return [["branches", ways, self._block(depth + 1, 0)]]

    def _op_emit(self, depth: int) -> list[Any]:
        return [["loop", self.number(1, 3), [["emit"]]]] if self.chance(2) else [["emit"]]

    def _op_join(self, depth: int) -> list[Any]:
        return [["join"]]

    def _op_failures(self, depth: int) -> list[Any]:
        return [["failures"], ["feedback"]]

    def _op_loop(self, depth: int) -> list[Any]:
        ops = self._block(depth + 1)
        return [["loop", self.number(1, 3), [["set", "x"], *ops] if self.chance(2) else ops]]

    def _op_if(self, depth: int) -> list[Any]:
        return [["if", self._block(depth + 1), self._block(depth + 1, 0)]]

    def _op_within(self, depth: int) -> list[Any]:
        self._limited = True
        ops = self._block(depth + 1)
        if self.chance(2):
            ops.insert(self.number(0, len(ops)), ["sleep", self.number(1, 4)])
        return [["within", self.number(1, 3), ops], ["feedback"]]

    def _op_try(self, depth: int) -> list[Any]:
        catch = [["feedback"], *self._block(depth + 1, 0)]
        return [["try", self._block(depth + 1), catch, self._finally(depth)]]

    def _finally(self, depth: int) -> list[Any]:
        before, self._leads, self._calm = (self._leads, self._calm), False, True
        ops = self._block(depth + 1, 0)
        self._leads, self._calm = before
        if self.failing and self.chance(4):
            # It fails even where a strand is being cancelled, because it is no cancellation point (R4).
            ops.insert(0, ["set", "nowhere"])
            self._last_words.append(ops)
        return ops

    def _op_publish(self, depth: int) -> list[Any]:
        return [["publish", "ping"]]

    def _op_fail(self, depth: int) -> list[Any]:
        return [["fail", self.one(["one", "two"])]]

    def _op_entered(self, depth: int) -> list[Any]:
        return [["entered"], ["feedback"]]

    def options(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """How to run it."""
        if "limit" not in self.can:
            return {"parallel_initiators": True} if "fork" in self.can and self.chance(3) else {}
        options: dict[str, Any] = {"max_steps": self.number(5, 30) if self.chance(15) else 50}
        if "fork" in self.can and self.chance(6):
            options["parallel_initiators"] = True
        if "time" in self.can and self.chance(10):
            options["timeout"] = self.number(1, 6)
        if self.chance(6):
            options["max_depth"] = self.number(2, 6)
        if self.chance(12):
            options["max_nesting"] = self.number(1, 3)
        if self.chance(12):
            options["max_strands"] = self.number(1, 5)
        if self._ahead:
            options["max_ahead"] = self.one([1, 2, 2, 3, 4, 9])
        if "stream" in self.can and self.chance(8):
            settings: dict[str, Any] = {"mode": self.one(["sequential", "concurrent"]), "limit": self.number(0, 2)}
            streaming = [each["id"] for each in graph["nodes"] if each["type"] in ("script.exec", "script.endless")]
            options["streams"] = {self.one(streaming): settings} if streaming else {}
        return options

    def choices(self) -> list[int]:
        """A schedule: anything, or mostly the first label with a few switches."""
        if self.chance(2):
            return [self.number(0, 5) for _ in range(self.number(0, 40))]
        return [
            number
            for _ in range(self.number(0, 4))
            for number in [0] * self.number(0, 12) + [self.number(1, 4)]
        ]  # fmt: skip

    def actions(self, graph: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the host does meanwhile."""
        actions: list[dict[str, Any]] = []
        if self.chance(3):  # a gate that is closed anew while there are permits, or while those who got them wait
            at = self.number(0, 6)
            for kind in self.one([("pause", "step", "resume", "pause"), ("pause", "step", "step")]):
                actions.append({"at": at, "do": kind, **({"count": self.number(1, 2)} if kind == "step" else {})})
                at += self.number(0, 2)
        if self.chance(3):  # one strand is stepped, by paths at which something is likely to wait
            at = self.number(0, 3)
            actions.append({"at": at, "do": "pause"})
            for _ in range(self.number(2, 4)):
                at += self.number(1, 2)
                actions.append({"at": at, "do": self.one(_BY_PATH), "path": self.one(_PATHS)})
        if self.events and self.chance(2):  # events that wait for each other (B1)
            at = self.number(0, 6)
            actions += [{"at": at, "do": "publish", "event": "ping", "payload": place} for place in range(3)]
        for _ in range(self.number(1, 4)):
            kinds = ["pause", "step", "resume", "breakpoint", "cancel", *(["publish"] * 3 if self.events else [])]
            action: dict[str, Any] = {"at": self.number(0, 10), "do": self.one(kinds)}
            if action["do"] == "step":
                action["count"] = self.number(1, 2)
            elif action["do"] == "breakpoint":
                action |= self._breakpoint(graph)
            elif action["do"] == "publish":
                action |= {"event": "ping", "payload": self.number(0, 5)}
            actions.append(action)
        return actions

    def _breakpoint(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """On a node, or on a wire that leads to one."""
        wires = [each for each in graph["connections"] if each["to"].rpartition(".")[2] in _ENTRIES]
        if wires and self.chance(3):
            wire = self.one(wires)
            return {"do": "wire-breakpoint", "wire": f"{wire['from']} -> {wire['to']}"}
        return {"node": self.one(self.exec_ids)}


_ENTRIES = ("enter", "again")
_BY_PATH = ("step-into", "step-over", "step-out")
_PATHS = ([0, 0], [0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0])


def _mentions(operations: Sequence[Any], name: str) -> bool:
    """Whether a script names this socket."""
    return any(
        name in each if isinstance(each, list) and name in each else isinstance(each, list) and _mentions(each, name)
        for each in operations
    )


@st.composite
def graphs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """Valid graph documents of the scripted node types."""
    return _Writer(_Drawn(draw)).graph()


@st.composite
def requests(draw: Callable[[st.SearchStrategy[Any]], Any], *, with_actions: bool | None = None) -> dict[str, Any]:
    """Requests at level 3: a graph, start values, options, choices, actions."""
    return _request(_Writer(_Drawn(draw)), with_actions)


def request_number(
    number: int, seed: int | str = 0, *, capabilities: frozenset[str] = EVERY, with_actions: bool | None = None
) -> dict[str, Any]:
    """The request of this number in the campaign of this seed; always the same.

    It mostly needs no more than the capabilities (spec/INTERPRETING.md, 2); what a run fails with may need more.
    """
    writer = _Writer(_Rolled(f"{seed}/{number}"), capabilities)
    return _request(writer, with_actions if "action" in capabilities else False)


@st.composite
def choices(draw: Callable[[st.SearchStrategy[Any]], Any]) -> list[int]:
    """Schedules: anything, or mostly the first label with a few switches."""
    return _Writer(_Drawn(draw)).choices()


def _request(writer: _Writer, with_actions: bool | None) -> dict[str, Any]:
    graph = writer.graph()
    request: dict[str, Any] = {"graph": graph, "options": writer.options(graph), "choices": writer.choices()}
    if writer.numbers and writer.chance(6):
        request["variables"] = {writer.numbers[0]: writer.number(1, 9)}
    if with_actions or (with_actions is None and writer.chance(4)):
        request["actions"] = writer.actions(graph)
    return request


def situations(request: Mapping[str, Any], answer: Mapping[str, Any]) -> set[str]:
    """What a request brought about, by name, read off its answer at level 3."""
    steps = answer["steps"]
    trace = answer["trace"]
    enabled = [step["enabled"] for step in steps if step["do"] == "release"]
    kinds = [told["event"] for told in trace]
    found = {
        "choice": any(len(labels) > 1 for labels in enabled),
        "many choices": sum(len(labels) > 1 for labels in enabled) > 2,
        "wide choice": any(len(labels) > 2 for labels in enabled),
        "shared evaluation": any(
            len({label.split()[2] for label in labels if label[0] == "e"}) < sum(label[0] == "e" for label in labels)
            for labels in enabled
        ),
        "waited for an evaluation": _asked_again(steps),
        "nested fork": _nested_forks(trace),
        "conflict": "conflict" in kinds,
        "failure": "failed" in kinds,
        "failure in a fork": _in_fork(trace, "failed"),
        "cancelled activation": "cancelled" in kinds,
        "cancelled evaluation": "unevaluated" in kinds,
        "collected failure": "failed" in kinds and answer["status"] == "completed",
        "time": any(step["do"] == "time" for step in steps),
        "action": any(step["do"] == "action" for step in steps),
        "gate": any(label[0] == "g" for labels in enabled for label in labels),
        "cut off": any(label[0] == "m" for labels in enabled for label in labels),
        "event handled": any(told["event"] == "started" and told["node"].startswith("l") for told in trace),
        "many evaluations": kinds.count("evaluated") > 3,
        "limit": bool({"steps", "depth", "nesting", "strands", "timeout"} & set(answer["errors"])),
        "merged": any(kind == "joined" for kind in kinds),
        "completed": answer["status"] == "completed",
        "life": bool(answer["life"]),
        "ten steps": len(steps) > 10,
        "ahead": any(label[0] == "a" for labels in enabled for label in labels),
        "several ahead": any(sum(label[0] == "a" for label in labels) > 1 for labels in enabled),
        "taken up": _taken_up(steps),
        "ahead in vain": _in_vain(steps),
    }
    return {name for name, is_so in found.items() if is_so}


def _asked_again(steps: Sequence[Mapping[str, Any]]) -> bool:
    chosen = [step["chosen"] for step in steps if step["do"] == "release" and step["chosen"][0] == "e"]
    return len(chosen) > len(set(chosen))


def _taken_up(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what was begun ahead was told later."""
    begun: set[str] = set()
    for step in steps:
        told = {each.partition(" ")[2] for each in step["events"] if each.startswith("evaluating")}
        if begun & told:
            return True
        if step["do"] == "release" and step["chosen"][0] == "a":
            begun.add(step["chosen"][2:])
    return False


def _in_vain(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something was begun ahead, and never told for whoever began it."""
    begun = {step["chosen"][2:] for step in steps if step["do"] == "release" and step["chosen"][0] == "a"}
    told = {each.partition(" ")[2] for step in steps for each in step["events"] if each.startswith("evaluating")}
    return not begun <= told


def _forks(trace: Sequence[Mapping[str, Any]]) -> list[tuple[int, ...]]:
    return [tuple(told["path"]) for told in trace if told["event"] == "forked"]


def _nested_forks(trace: Sequence[Mapping[str, Any]]) -> bool:
    forks = _forks(trace)
    return any(inner[: len(outer)] == outer for outer in forks for inner in forks if inner != outer)


def _in_fork(trace: Sequence[Mapping[str, Any]], kind: str) -> bool:
    forks = _forks(trace)
    return any(tuple(told["path"][: len(fork)]) == fork for told in trace if told["event"] == kind for fork in forks)
