"""Tokens that can't move, as far as the flows of a scope tell: parallel gateways that wait for what never comes.

Two flows into a parallel gateway never both bring a token if all that leads to both passes a gateway
that takes one way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from trioflow.formats.bpmn.document import FlowNode, Scope

_ONE_WAY = frozenset({"exclusiveGateway", "eventBasedGateway"})


def stuck_in(scope: Scope) -> Iterator[tuple[FlowNode, FlowNode]]:
    """The parallel gateways that can't go on, each with the gateway that is why."""
    joins = [node for node in scope.nodes if node.tag == "parallelGateway" and len(node.incoming) > 1]
    if not joins:
        return
    ways = _Ways(scope)
    for join in joins:
        sources = [*dict.fromkeys(flow.source for flow in join.incoming)]
        for one, other in pairwise(sources):
            found = ways.meeting(one, other)
            if found is not None and found.tag in _ONE_WAY and found not in (one, other):
                yield join, found
                break


class _Ways:
    """Of each element that is reached the nearest that all ways to it pass.

    By Cooper, Harvey and Kennedy, A Simple, Fast Dominance Algorithm (2001).
    """

    def __init__(self, scope: Scope) -> None:
        self._after = {node: [*(flow.target for flow in node.outgoing), *node.boundary] for node in scope.nodes}
        begins = scope.starts or [each for each in scope.nodes if not each.incoming and each.tag != "boundaryEvent"]
        order = self._order(begins)
        self._number = {node: number for number, node in enumerate(order)}
        before: dict[FlowNode, list[FlowNode]] = {node: [] for node in order}
        for node in order:
            for each in self._after[node]:
                before[each].append(node)
        self._nearest: dict[FlowNode, FlowNode | None] = dict.fromkeys(begins)
        changed = True
        while changed:
            changed = False
            for node in reversed(order):
                if node in begins:
                    continue
                found, *others = (each for each in before[node] if each in self._nearest)
                common: FlowNode | None = found
                for each in others:
                    common = self.meeting(common, each)
                if node not in self._nearest or self._nearest[node] is not common:
                    self._nearest[node], changed = common, True

    def meeting(self, one: FlowNode | None, other: FlowNode | None) -> FlowNode | None:
        """The nearest element that all ways to both pass; None if there is none, or nothing leads to one of them."""
        while one is not other:
            if one not in self._number or other not in self._number:
                return None
            if self._number[one] < self._number[other]:
                one = self._nearest[one]
            else:
                other = self._nearest[other]
        return one

    def _order(self, begins: list[FlowNode]) -> list[FlowNode]:
        """What is reached, each behind those that its flows lead to, but in circles."""
        order: list[FlowNode] = []
        seen: set[FlowNode] = set()
        for begin in begins:
            todo = [(begin, iter([begin]))]
            while todo:
                node, others = todo[-1]
                following = next((each for each in others if each not in seen), None)
                if following is None:
                    todo.pop()
                    if todo:
                        order.append(node)
                else:
                    seen.add(following)
                    todo.append((following, iter(self._after[following])))
        return order
