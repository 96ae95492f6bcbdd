"""What a node leads to in its graph: whether an attempt of it may be isolated (A3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.model.composition import Boundary
from trioflow.semantics.topology import may_call

if TYPE_CHECKING:
    from trioflow.semantics.plan import Plan, PlanNode

_PUBLISHING = frozenset({"publish"})


def leads_out(plan: Plan, node: PlanNode) -> str | None:
    """Why what a node dispatches may leave its graph, which a fork can't (C6, C7); None if it does not."""
    callbacks = {each.name for each in plan.interface.exits if each.callback}
    if not callbacks and not plan.shared:
        return None
    reached = {node.index: node}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if plan.shared and may_call(each.type, _PUBLISHING):
            return f"{each.id!r} may publish a shared event, which is heard in the graph around; a fork can't go there"
        for target in (target for targets in each.targets for target in targets):
            if target.node.type.body is Boundary.LEAVE:
                if target.entered in callbacks:
                    return f"it leads to the callback exit {target.entered!r}, which goes out; a fork can't go there"
            elif target.node.index not in reached:
                reached[target.node.index] = target.node
                waiting.append(target.node)
    return None
