"""What happens in random workflows, so that a campaign can say that it has met everything it is for (W1-W18, W21).

A comparison says nothing of what never came up. So each situation has a floor, and a campaign that stays below fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

Request = Mapping[str, Any]
Answer = Mapping[str, Any]


@attrs.frozen
class _Seen:
    """A workflow, and what came of it."""

    request: Request
    answer: Answer
    nodes: Mapping[str, Mapping[str, Any]]
    into: Mapping[str, int]
    """How many exec wires lead to each node."""
    fired: Counter[str]
    failed: frozenset[str]
    """The nodes of which a firing has failed."""

    @classmethod
    def of(cls, request: Request, answer: Answer) -> _Seen:
        graph, activations = request["graph"], answer["canonical"]["activations"]
        wires = [wire["to"].partition(".")[0] for wire in graph["connections"] if _is_taken(wire)]
        return cls(
            request,
            answer,
            {node["id"]: node for node in graph["nodes"]},
            Counter(wires),
            Counter(node for _, node, *_ in activations),
            frozenset(node for _, node, _, status, _ in activations if status == "failed"),
        )

    def joins(self, kind: str) -> bool:
        """Whether a node with several wires and this `join` has fired."""
        return any(
            self.into[name] > 1 and node.get("join", "all") == kind and self.fired[name]
            for name, node in self.nodes.items()
        )

    def never_met(self) -> bool:
        """Whether something led to a join that needs several wires, and it never fired."""
        return any(
            self.into[name] > 1 and node.get("min", 1) != 1 and not self.fired[name]
            for name, node in self.nodes.items()
        )

    def leads_on(self, **said: Any) -> bool:
        """Whether a wire that says this leads from a node that has fired to one that has."""
        return any(
            all(str(value) in str(wire.get(name, "")) for name, value in said.items())
            and self.fired[wire["from"].partition(".")[0]]
            and self.fired[wire["to"].partition(".")[0]]
            for wire in self.request["graph"]["connections"]
            if _is_taken(wire)
        )

    def uses(self, **said: Any) -> bool:
        """Whether a node that says one of this has fired."""
        return any(
            self.fired[name] and any(node.get(key) == value for key, value in said.items())
            for name, node in self.nodes.items()
        )

    def undoes_failures(self) -> bool:
        """Whether something was undone, and a node has failed that is to be undone then."""
        begun = {name for name, node in self.nodes.items() if node.get("undo_from") == "started"}
        return self.fired["undo"] > 0 and not self.failed.isdisjoint(begun)

    def writes(self, variable: str) -> bool:
        """Whether something was left in a variable."""
        return bool(self.answer["variables"].get(variable))


def _is_taken(wire: Mapping[str, Any]) -> bool:
    return str(wire["to"]).endswith((".enter", ".again")) and bool(wire.get("enabled", True))


_SITUATIONS: Mapping[str, tuple[int, Callable[[_Seen], bool]]] = {
    "join all": (200, lambda seen: seen.joins("all")),
    "join each": (50, lambda seen: seen.joins("each")),
    "join first": (30, lambda seen: seen.joins("first")),
    "joins not met": (300, _Seen.never_met),
    "joins that fail": (25, lambda seen: "join-unmet" in seen.answer["errors"]),
    "conditions": (40, lambda seen: seen.leads_on(when="out") or seen.leads_on(when="vars")),
    "else": (25, lambda seen: seen.leads_on(**{"else": "True"})),
    "one wire chosen": (150, lambda seen: seen.uses(choose="first")),
    "no way": (2, lambda seen: "no-way" in seen.answer["errors"]),
    "failures": (250, lambda seen: bool(seen.failed)),
    "failures on wires": (100, lambda seen: bool(seen.failed) and seen.leads_on(on="failed")),
    "failures collected": (200, lambda seen: seen.answer["status"] == "failed"),
    "circles": (70, lambda seen: any("most" in node and seen.fired[name] > 1 for name, node in seen.nodes.items())),
    "out of turns": (50, lambda seen: "turns" in seen.answer["errors"]),
    "wires for that": (25, lambda seen: seen.leads_on(on="exhausted")),
    "scopes inside": (70, lambda seen: seen.fired["<scope>"] > 1),
    "undo": (60, lambda seen: seen.fired["undo"] > 0),
    "undo of what failed": (10, _Seen.undoes_failures),
    "conflicts": (60, lambda seen: bool(seen.answer["canonical"]["conflicts"])),
    "limits": (350, lambda seen: bool(seen.request["graph"].get("limit"))),
    "limits of nodes, groups": (300, lambda seen: seen.uses(limit=1, group="g")),
    "queues": (70, lambda seen: seen.uses(queue=1)),
    "priorities": (200, lambda seen: seen.uses(priority="low") or seen.uses(priority="critical")),
    "drawn schedules": (250, lambda seen: bool(seen.request.get("choices"))),
    "variables: sum": (200, lambda seen: seen.writes("total")),
    "variables: append": (180, lambda seen: seen.writes("log")),
    "variables: last": (100, lambda seen: seen.writes("last")),
    "variables: first": (80, lambda seen: seen.writes("first")),
    "variables: max": (90, lambda seen: seen.writes("top")),
}

FLOORS: Mapping[str, int] = {name: floor for name, (floor, _) in _SITUATIONS.items()}
"""Of a thousand random workflows, how many must be of each situation at least."""


def situations(request: Request, answer: Answer) -> Iterator[str]:
    """What has happened in a workflow, by what had to come of it."""
    seen = _Seen.of(request, answer)
    for name, (_, happened) in _SITUATIONS.items():
        if happened(seen):
            yield name
