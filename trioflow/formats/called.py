"""Documents that others call: an interface for a graph whose format declares none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from trioflow.model.graph import Connection, Endpoint, Entry, Exit, GraphNode, Input, Interface, Output


def add_interface(
    nodes: list[GraphNode],
    connections: list[Connection],
    *,
    starts: Sequence[tuple[str, str]],
    results: Sequence[tuple[str, Endpoint]],
    ends: Iterable[Endpoint],
    single: bool = False,
) -> Interface:
    """Let a workflow be called: add what enters and leaves it, with `input` and `result`.

    `starts` are the nodes that are entered, each with the node whose input `input` gets what the caller gives.
    `results` are names and values: with `single` the only one is the result, else a dictionary of all is. `ends` are
    exec outputs: when nothing behind any of them can come any more, the call goes on.
    """
    taken = {node.id for node in nodes}

    def free(stem: str) -> str:
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem} {number}"
        taken.add(name)
        return name

    enter, leave, end = free("enter"), free("leave"), free("end")
    for node_id, inputs in starts:
        connections.append(Connection(Endpoint(enter, "enter"), Endpoint(node_id, "enter")))
        if inputs in taken:
            connections.append(Connection(Endpoint(enter, "input"), Endpoint(inputs, "input")))
        place = next(place for place, node in enumerate(nodes) if node.id == node_id)
        nodes[place] = attrs.evolve(nodes[place], initiator=True)  # where it is run by itself
    nodes += [
        GraphNode(enter, "graph.enter"),
        GraphNode(end, "state.keep", {"value": None}),
        GraphNode(leave, "graph.leave"),
    ]
    result = results[0][1] if len(results) == 1 and single else None
    if result is None and results:
        names = {f"in_{number}": name for number, (name, _) in enumerate(results, 1)}
        collect = free("results")
        nodes.append(GraphNode(collect, "value.collect", config={"inputs": names}))
        for name, (_, value) in zip(names, results, strict=True):
            connections.append(Connection(value, Endpoint(collect, name)))
        result = Endpoint(collect, "result")
    if result is not None:
        connections.append(Connection(result, Endpoint(end, "value")))
    connections += [Connection(each, Endpoint(end, "enter")) for each in ends]
    connections += [
        Connection(Endpoint(end, "then"), Endpoint(leave, "then")),
        Connection(Endpoint(end, "kept"), Endpoint(leave, "result")),
    ]
    return Interface(
        entries=[Entry("enter")], exits=[Exit("then")], inputs=[Input("input", "any", {})], outputs=[Output("result")]
    )
