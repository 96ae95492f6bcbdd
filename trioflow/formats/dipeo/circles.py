"""The circles of a diagram's arrows."""

from __future__ import annotations

from trioflow.formats.dipeo.diagram import Diagram


def circles(diagram: Diagram) -> dict[str, frozenset[str]]:  # noqa: C901 - one algorithm
    """The nodes that are in circles, each with all of its circle (Tarjan, without recursion)."""
    after: dict[str, list[str]] = {node.label: [] for node in diagram.nodes}
    for arrow in diagram.arrows:
        after[arrow.source].append(arrow.target)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: dict[str, frozenset[str]] = {}
    for root, targets in after.items():
        if root in index:
            continue
        work = [(root, iter(targets))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(after[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle: list[str] = []
                    while not circle or circle[-1] != node:
                        circle.append(stack.pop())
                        on_stack.discard(circle[-1])
                    if len(circle) > 1 or node in after[node]:
                        found |= dict.fromkeys(circle, frozenset(circle))
    return found
