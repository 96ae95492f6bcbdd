"""Addresses: how middlewares, breakpoints, settings of streams and the command line name the nodes of a run (A1).

`work` is a node of the outermost graph, `call/work` one in the graph that the node `call` calls. A text with `*` is a
pattern of node types, such as `http.*`, and means all nodes of these types, in whatever graph.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import attrs

from trioflow.errors import did_you_mean

if TYPE_CHECKING:
    from trioflow.semantics.plan import Plan


DEEPEST = 8
"""Graphs in the name of a node; of those that are nested deeper, some in the middle are left out (C8)."""


@attrs.frozen
class Address:
    """Where in a run something happens: a node, as seen from the outermost graph, and the activation.

    `graph` is what comes before the ids of nodes there, such as `call/`; `path` are the numbers of the activation, for
    an evaluation those of the activation that asked first; `attempt` counts from 1.
    """

    graph: str
    node: str
    path: tuple[int, ...]
    attempt: int = 1

    @property
    def name(self) -> str:
        """The node, as seen from the outermost graph: `call/work`."""
        return self.graph + self.node

    def __str__(self) -> str:
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{self.name} at {show_path(self.path)}{again}"


def attempt_mark(attempt: int) -> int:
    """The number in a path that stands for the second attempt of an activation, the third, and so on (A2)."""
    return -2 * attempt


def fired_mark(number: int) -> int:
    """The number in a path below which the node runs that an activation's middleware has fired as the k-th (A4)."""
    return -2 * number - 1


def is_attempt(number: int) -> bool:
    """Whether a number in a path stands for an attempt."""
    return number < 0 and not number % 2


HOST_MARK = -2
"""The number in a path below which the host asks for values of a strand: no attempt has it, for there is no first."""


AGENDA_MARK = -(1 << 24) - 1
"""The number in a path below which a run handles what is due later (B3): no node that a middleware fires has it."""


def show_number(number: int) -> str:
    """A number of a path for people: `~2` for a second attempt, `!0` for the first node that a middleware fired.

    `host` stands for what the host has asked for itself, `later` for what was put off.
    """
    if number >= 0:
        return str(number)
    if number == HOST_MARK:
        return "host"
    if number == AGENDA_MARK:
        return "later"
    return f"~{-number // 2}" if is_attempt(number) else f"!{(-number - 1) // 2}"


def show_path(path: Iterable[int]) -> str:
    """A path for people: `0.1.~2.0`."""
    return ".".join(map(show_number, path)) or "root"


def wire_within(graph: str, wire: str) -> str:
    """A wire as seen from the outermost graph: `call/a.then -> call/b.enter` (G8)."""
    return graph + wire.replace(" -> ", f" -> {graph}")


@attrs.frozen
class Selector:
    """Some nodes of a run, by name or by pattern of type."""

    names: frozenset[str]
    patterns: tuple[str, ...]

    def selects(self, name: str, type_id: str) -> bool:
        """Whether the node of this name (`call/work`) and type is meant."""
        return name in self.names or any(fnmatch.fnmatchcase(type_id, pattern) for pattern in self.patterns)

    def names_node(self, name: str) -> bool:
        """Whether a node is meant by its name alone; in a pattern `*` stands for anything in it, as in `call/*`."""
        return name in self.names or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)

    def problems(self, plan: Plan, who: str) -> list[str]:
        """A sentence for each name that no node of the graph has, or none that can be told from others."""
        problems: list[str] = []
        for name in sorted(self.names):
            if plan.node(name) is None:
                problems.append(
                    f"{who}: there is no node {name!r}.{did_you_mean(name, node_names(plan))} Name a node by its id, "
                    "one in a graph that a node calls as 'call/id', or all nodes of some types by a pattern such as "
                    "'http.*'."
                )
            elif name.count("/") > DEEPEST and plan.node_index.get(name) is None:
                problems.append(
                    f"{who}: node {name!r} is in more than {DEEPEST} graphs, of which names leave out some in the "
                    "middle (C8). Name all nodes of its type by a pattern such as 'http.*'."
                )
        return problems


def selector(names: Collection[str]) -> Selector:
    """What these names mean. Raises `TypeError` for a single text, which would be taken for letters."""
    if isinstance(names, str):
        raise TypeError(f"Expected a list of names of nodes, got the text {names!r}. Write [{names!r}].")
    return Selector(
        frozenset(name for name in names if "*" not in name), tuple(sorted(name for name in names if "*" in name))
    )


def node_names(plan: Plan, most: int = 10_000) -> list[str]:
    """The names of all nodes, those in graphs that are called included, each graph once on its way."""
    found: list[str] = []
    waiting: list[tuple[str, Plan, frozenset[int]]] = [("", plan, frozenset())]
    while waiting and len(found) < most:
        prefix, graph, around = waiting.pop()
        for name, index in graph.node_index.items():
            found.append(prefix + name)
            inner = graph.nodes[index].graph
            if inner is not None and id(inner) not in around:
                waiting.append((f"{prefix}{name}/", inner, around | {id(graph)}))
    return found


def prefixes(selectors: Iterable[Selector]) -> frozenset[str]:
    """The graphs in which a name may mean a node: what comes before its id, which may itself have a slash."""
    return frozenset(name[:end] for each in selectors for name in each.names for end in (0, *_ends(name)))


def _ends(name: str) -> Iterable[int]:
    return (place + 1 for place, char in enumerate(name) if char == "/")
