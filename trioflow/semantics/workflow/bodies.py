"""Checks of what loops run in a workflow: each round is a scope of its own, which ends by itself (W13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trioflow.model.node_type import NodeType
from trioflow.semantics.report import Problem, warning
from trioflow.semantics.topology import may_await
from trioflow.semantics.wiring import Wiring
from trioflow.semantics.workflow.net import Net, NetNode, Wire

_BODY = "body"
"""What exec outputs are called that a node awaits, and then goes on at another."""


def check_bodies(wiring: Wiring, net: Net) -> Iterator[Problem]:
    """Bodies of loops that lead back to the loop, and joins of what is in different scopes."""
    for node in net.nodes.values():
        view = wiring.views[node.place]
        for output in () if view is None else opens_scopes(view.type):
            wires = [wire for wire in node.out if wire.output == output and "completed" in wire.on]
            if not wires:
                continue
            body = net.reached(wire.target for wire in wires)
            if node.place in body and not has_most(net, node.circle):
                yield _comes_back(net, node, output)
            for place in body - {node.place}:
                yield from _meets_nobody(net, node, output, wires, body, net.nodes[place])


def has_most(net: Net, circle: int) -> bool:
    """Whether somebody has said how many turns there are in a circle."""
    return any(net.graph.nodes[node.place].most for node in net.nodes.values() if node.circle == circle)


def opens_scopes(node_type: NodeType) -> list[str]:
    """The exec outputs of a type that are awaited, each time in a scope of its own, as far as that is known."""
    found = [stream.fires.name for stream in node_type.streams]
    if may_await(node_type):
        found += [each.name for each in node_type.exec_outputs if each.name == _BODY and each.name not in found]
    return found


def _comes_back(net: Net, node: NetNode, output: str) -> Problem:
    message = (
        f"What is wired to {output!r} of {node.id!r} leads back to {node.id!r}: each round would begin the loop anew "
        "inside of itself, deeper and deeper."
    )
    cure = (
        "Let the last node there lead nowhere: a round is over when nothing in it is alive, and the loop goes on. If "
        "it is meant to nest, say how deep: `most`."
    )
    return warning("body-comes-back", f"nodes[{node.place}]", message, cure, "W13")


def _meets_nobody(
    net: Net, loop: NetNode, output: str, wires: Iterable[Wire], body: set[int], join: NetNode
) -> Iterator[Problem]:
    """A join that needs tokens from inside a body and from outside: they are in different scopes, and never meet."""
    if join.kind not in ("all", "first") or join.min < 2:
        return
    entries = [wire for node in net.nodes.values() if node.place not in body for wire in node.out]
    without = (loop.place, output)
    outside = net.reached((wire.target for wire in entries if (wire.source, wire.output) != without), without)
    outside |= {node.place for node in net.nodes.values() if not node.into}
    inside = [
        wire for wire in join.into
        if (wire.source, wire.output) == without or (wire.source in body and wire.source not in outside)
    ]  # fmt: skip
    others = len(join.into) - len(inside)
    if inside and others and max(len(inside), others) < join.min:
        message = (
            f"{join.id!r} needs tokens over {join.min} wires, and {inside[0]} is in the body of {loop.id!r}: each "
            "round is a scope of its own, and tokens of different scopes never meet."
        )
        cure = f"Join in the body what is in the body, and wire what comes after the loop from {loop.id!r}."
        yield warning("join-across-scopes", f"nodes[{join.place}]", message, cure, "W13")
