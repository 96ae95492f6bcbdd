"""Graphs of LangGraph: those that users write leave the same state here and there, and the same nodes fire."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import types
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.formats.langgraph import from_langgraph, state_of
from trioflow.testing import EventLog

pytestmark = [pytest.mark.outside, pytest.mark.unmeasured, pytest.mark.filterwarnings("ignore")]
langgraph = pytest.importorskip("langgraph", reason="LangGraph is not installed: pip install langgraph")


def ran(compiled, given):
    """The state that a run leaves, and how often each node has fired."""
    imported, log = from_langgraph(compiled), EventLog()
    result = trio.run(lambda: tf.run(imported.graph, variables={"input": given}, observers=[log]))
    fired = Counter(node for _, node, _ in log.rows("started") if node in compiled.builder.nodes)
    return state_of(imported.graph, result.variables), fired


def plain(state):
    """A state without what differs: the order in which concurrent nodes have written, and ids of messages."""
    if "messages" in state:
        return [each.content for each in state["messages"]]
    return {key: sorted(map(str, value)) if isinstance(value, list) else value for key, value in state.items()}


def graphs():
    from formats.langgraph.graphs import GRAPHS

    return {each.__name__: each for each in GRAPHS}


@pytest.mark.parametrize("name", [*graphs()])
def test_what_users_write(name):
    builder, given, expected = graphs()[name]()
    compiled = builder.compile()
    theirs = asyncio.run(compiled.ainvoke(given))
    ours, _ = ran(compiled, given)
    wanted = expected if isinstance(expected, list) else plain(expected)
    assert plain(ours) == plain(theirs)
    assert plain(ours) == wanted if isinstance(wanted, list) else plain(ours).items() >= wanted.items()


def drawn(seed):
    """A graph in layers, so that all ways to a node are of one length: edges, routers and joins that wait for all."""
    from formats.langgraph.graphs import END, START, State, StateGraph, logs

    chance = random.Random(seed)
    layers = [[f"n{layer}_{index}" for index in range(chance.randint(1, 4))] for layer in range(chance.randint(1, 5))]
    builder = StateGraph(State)
    for name in (each for layer in layers for each in layer):
        builder.add_node(name, logs(name))
    for name in layers[0]:
        if name == layers[0][0] or chance.random() < 0.6:
            builder.add_edge(START, name)
    for before, after in pairwise(layers):
        waiting = chance.choice(after) if len(before) > 1 and chance.random() < 0.4 else None
        if waiting is not None:
            builder.add_edge(chance.sample(before, chance.randint(2, len(before))), waiting)
        others = [each for each in after if each != waiting]
        for name in before if others else ():
            if chance.random() < 0.4:
                ways = chance.sample(others, chance.randint(1, len(others)))
                taken = chance.sample([*ways, END], chance.randint(1, len(ways)))
                builder.add_conditional_edges(name, lambda state, taken=taken: taken, [*ways, END])
            else:
                for target in chance.sample(others, chance.randint(0, len(others))):
                    builder.add_edge(name, target)
    return builder.compile()


def test_drawn_graphs():
    """The same multisets of firings; TRIOFLOW_DRAWN says how many graphs, 40 if it does not."""
    for seed in range(int(os.environ.get("TRIOFLOW_DRAWN", "40"))):
        compiled = drawn(seed)
        theirs = compiled.invoke({})
        _, fired = ran(compiled, {})
        assert (seed, fired) == (seed, Counter(theirs.get("log", ())))


def test_the_page(capsys, monkeypatch):
    """The snippet of docs/langgraph.md prints what stands below it."""
    page = (Path(__file__).parents[3] / "docs" / "langgraph.md").read_text(encoding="utf-8")
    (snippet,), (printed,) = (
        re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) for kind in ("py", "text")
    )
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # annotations are looked up there
    exec(compile(snippet, "langgraph.md", "exec", dont_inherit=True), vars(module))
    assert capsys.readouterr().out == printed
