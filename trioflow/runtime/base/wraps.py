"""What a host puts around the nodes of a run: middlewares and settings of streams, by names of nodes (A1, A3, A7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from trioflow.errors import MiddlewareError, UnknownName
from trioflow.model.composition import Boundary
from trioflow.model.graph import GraphNode, StreamSettings
from trioflow.model.node_type import NodeType
from trioflow.semantics.address import Selector, prefixes, selector
from trioflow.semantics.plan import Plan, PlanNode
from trioflow.semantics.reach import leads_out


class Wrapping(Protocol):
    """A middleware, as far as it says which nodes it is for."""

    nodes: Collection[str] | None
    names: Collection[str]
    isolates: bool

    def applies(self, node: GraphNode, node_type: NodeType) -> bool: ...
    def around(self, plan: Plan, node: PlanNode, name: str) -> Sequence[Any]: ...


W = TypeVar("W", bound=Wrapping)


class Wraps(Generic[W]):
    """The middlewares and stream settings of one run, with what their names mean."""

    __slots__ = ("_middlewares", "_streams", "prefixes")

    def __init__(self, plan: Plan, middlewares: Sequence[W], streams: Mapping[str, StreamSettings]) -> None:
        problems: list[str] = []
        self._middlewares: list[tuple[W, Selector | None]] = []
        for middleware in middlewares:
            meant = None if middleware.nodes is None else selector(middleware.nodes)
            if meant is not None:
                problems += meant.problems(plan, type(middleware).__name__)
            self._middlewares.append((middleware, meant))
        named = {name: selector([name]) for name in streams}
        problems += [problem for each in named.values() for problem in each.problems(plan, "RunOptions.streams")]
        if problems:
            raise UnknownName("\n".join(problems))
        # Those of a name come after those of a pattern, and count.
        self._streams = sorted(
            ((named[name], settings) for name, settings in streams.items()), key=lambda each: bool(each[0].names)
        )
        selectors = [meant for _, meant in self._middlewares if meant is not None]
        told_apart = [selector(middleware.names) for middleware in middlewares if middleware.names]
        self.prefixes = prefixes([*selectors, *told_apart, *named.values()])
        isolated = [
            f"{each!r} isolates the attempts of node {name!r}, but {reason}."
            for middleware, meant in self._middlewares
            if middleware.isolates
            for name, graph, node in self._nodes(plan)
            for each in _around(middleware, meant, graph, node, name)
            if each.isolates and (reason := leads_out(graph, node)) is not None
        ]
        if isolated:
            raise MiddlewareError("\n".join(isolated))

    def within(self, plan: Plan, prefix: str) -> tuple[dict[int, list[W]], dict[int, StreamSettings]]:
        """The middlewares and stream settings of the nodes of one graph, by the index of the node."""
        middlewares: dict[int, list[W]] = {}
        settings: dict[int, StreamSettings] = {}
        for node in plan.nodes:
            if isinstance(node.type.body, Boundary):
                continue
            name = prefix + node.id
            found = [inner for each, meant in self._middlewares for inner in _around(each, meant, plan, node, name)]
            if found:
                middlewares[node.index] = found
            if node.streams:
                for meant, each in self._streams:
                    if meant.selects(name, node.type.id):
                        settings[node.index] = each
        return middlewares, settings

    def addresses(self, middleware: Wrapping, plan: Plan) -> list[str]:
        """The names of the nodes that a middleware is for; those of a graph that is called in several places once."""
        (meant, *_) = (meant for each, meant in self._middlewares if each is middleware)
        return [name for name, graph, node in self._nodes(plan) if _around(middleware, meant, graph, node, name)]

    def _nodes(self, plan: Plan) -> Iterator[tuple[str, Plan, PlanNode]]:
        """All nodes with bodies of their own, with their names and graphs.

        Graphs that are called from many places have a great many names: each graph comes once, by the first of them,
        and once more for each that a name of somebody leads to or through.
        """
        led_through = {prefix[: end + 1] for prefix in self.prefixes for end, char in enumerate(prefix) if char == "/"}
        known: set[tuple[int, str | None]] = set()
        waiting: list[tuple[str, Plan]] = [("", plan)]
        for prefix, graph in waiting:
            place = (id(graph), prefix if prefix in led_through else None)
            if place in known:
                continue
            known.add(place)
            for index in graph.node_index.values():
                node = graph.nodes[index]
                if not isinstance(node.type.body, Boundary):
                    yield prefix + node.id, graph, node
                if node.graph is not None:
                    waiting.append((f"{prefix}{node.id}/", node.graph))


def _around(middleware: W, meant: Selector | None, plan: Plan, node: PlanNode, name: str) -> Sequence[W]:
    """What a middleware puts around a node; nothing if it is not for it."""
    if (meant is None or meant.selects(name, node.type.id)) and middleware.applies(node.graph_node, node.type):
        return middleware.around(plan, node, name)
    return ()
