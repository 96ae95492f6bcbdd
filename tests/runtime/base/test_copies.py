"""Copies of a master on hot paths do what it does: `inputs.current` and `writes.write_output`.

A function that reads cells of inputs, or writes outputs, without calling the master must say that it is a copy. Here each
copy is driven through every kind of source, and compared with the master.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.model.sockets import UNSET
from trioflow.testing import run_virtual

STANDARD = tf.Registry.standard(plugins=False)
RUNTIME = Path(tf.__file__).parent / "runtime"
STEPS = RUNTIME.parent / "semantics" / "step.py"
COPY = re.compile(r"cop(?:y|ies) of (inputs\.current|writes\.write_output)")
READS = re.compile(r"cells\[\w+\.(?:there|slot)\]")
WRITES = re.compile(r"store\.write\((?:plan\.)?first_output")
MASTERS = {
    ("base/inputs.py", "current"),
    ("base/inputs.py", "kept"),
    ("base/writes.py", "write_output"),
}
OTHERS = {
    # They look, but not for the value of an input.
    ("base/inputs.py", "from_outside"): "whether its source has an evaluation that is current",
    ("demand/ahead.py", "_sources"): "whether a source has to be evaluated",
    ("demand/inputs.py", "computed"): "whether a static node is there",
    ("demand/static.py", "evaluation_there"): "for all outputs of a static node",
    ("demand/static.py", "keep"): "whether all that a static node needs is there",
    ("demand/evaluation.py", "store_evaluation"): "writes the evaluation of a node",
    ("demand/quick.py", "quickly"): "writes the evaluation of a node",
    ("demand/quick.py", "_is_unset"): "whether an output was left unset",
    ("base/with_inputs.py", "_known"): "for people, without counting as use",
    ("host/inspect.py", "_current"): "for people, without counting as use: a value that is stale has a name there",
    ("host/inspect.py", "_seen_output"): "of outputs",
    ("host/inspect.py", "_evaluation"): "of a node",
    ("host/inspect.py", "_last"): "what was there before",
    ("host/breakpoints.py", "reached"): "whether an output was written again",
}


def functions():
    for path in [*sorted(RUNTIME.rglob("*.py")), STEPS]:
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    path.relative_to(RUNTIME.parent).as_posix().removeprefix("runtime/"),
                    node.name,
                    "\n".join(lines[node.lineno - 1 : node.end_lineno]),
                )


def test_copies_say_so():
    """Whoever reads a cell of an input or writes an output is a master, says that it is a copy, or does something else."""
    found = {(path, name): text for path, name, text in functions() if READS.search(text) or WRITES.search(text)}
    silent = {place for place, text in found.items() if not COPY.search(text)}
    assert silent == MASTERS | {*OTHERS}, sorted(silent ^ (MASTERS | {*OTHERS}))
    assert sum(len(COPY.findall(text)) for text in found.values()) >= 9


# --- every source through every copy --------------------------------------------------------------------------------


@tf.data_node(id="copies.plain")
def plain(x: int = 3) -> int:
    return x


@tf.data_node(id="copies.awaits")
async def awaits(x: int = 3) -> int:
    return x


@tf.data_node(id="copies.unset")
def unset(x: int = 1) -> int:
    return UNSET


class Left(tf.Node):
    """A data node with a body that leaves its output unset."""

    x = tf.DataIn(int, default=1)
    result = tf.DataOut(int)

    async def execute(self, ctx):
        await ctx.get_input(self.x)


@tf.exec_node(id="copies.writes")
def writes(x: int = 8) -> int:
    return x


@tf.exec_node(id="copies.keeps")
def keeps(value: int) -> int:
    return value


def exec_class(name, default, read, *, lazy):
    async def execute(self, ctx):
        await read(self, ctx)
        return self.then

    sockets = {
        "enter": tf.ExecIn(),
        "then": tf.ExecOut(),
        "x": tf.DataIn(int, default=default, lazy=lazy),
        "result": tf.DataOut(int),
    }
    return type(name, (tf.Node,), {**sockets, "execute": execute, "__module__": __name__})


async def resolves(node, ctx):
    ctx.set_output(node.result, await ctx.try_get_input(node.x, "nothing"))


async def asks(node, ctx):
    for _ in range(2):
        ctx.set_output(node.result, await ctx.get_input(node.x))


def consumers(default):
    """A node for each copy, which writes what it got; the first asks the master."""

    def one(x):
        return x

    def two(x, y=0):
        return x + y

    async def later(x):
        return x

    annotations = {"x": int, "y": int, "return": int}
    for function in (one, two, later):
        function.__annotations__ = {name: annotations[name] for name in (*function.__code__.co_varnames, "return")}
        if default is not UNSET:
            function.__defaults__ = (default, 0) if function is two else (default,)
    return {
        "the master": exec_class("Master", default, resolves, lazy=True),
        "get_input": exec_class("Asks", default, asks, lazy=True),
        "an instance": exec_class("Eager", default, asks, lazy=False),
        "a function": tf.exec_node(id="copies.function")(one),
        "a static node with one input": tf.data_node(id="copies.one")(one),
        "a static node with two inputs": tf.data_node(id="copies.two")(two),
        "a node that awaits": tf.data_node(id="copies.later")(later),
    }


SOURCES = {
    "a literal": (None, {"x": 5}, UNSET),
    "a default": (None, {}, 7),
    "an exec node that has written": ("before", {}, UNSET),
    "one that has not": ("never", {}, UNSET),
    "one that has not, and a default": ("never", {}, 7),
    "a static node": (plain, {}, UNSET),
    "a static node that leaves its output unset": (unset, {}, UNSET),
    "one that does, and a default": (unset, {}, 7),
    "a node that awaits": (awaits, {}, UNSET),
    "a node with a body that leaves its output unset": (Left, {}, UNSET),
    "one that does with a body, and a default": (Left, {}, 7),
}


def graph_of(consumer, source, literals):
    with tf.build(STANDARD) as g:
        start, twice = g.add(tf.nodes.Start), g.add(tf.nodes.Sequence)
        nodes = {"before": g.add(writes, "before"), "never": g.add(writes, "never")}
        given = nodes.get(source) if isinstance(source, str) else None if source is None else g.add(source, "source")
        got = g.add(consumer, "got", **(literals if given is None else {"x": given.result}))
        is_exec = got._type.is_exec
        last = got if is_exec else g.add(keeps, "keeps", value=got.result)
        g.connect(start.then, nodes["before"].enter)
        g.connect(nodes["before"].then, twice.enter)
        for way in (twice.first, twice.second):
            g.connect(way, last.enter)
    return g.graph, "got" if is_exec else "keeps"


@pytest.mark.parametrize("watched", [False, True], ids=["unwatched", "watched"])
@pytest.mark.parametrize("name", SOURCES)
def test_each_copy_gets_what_the_master_gets(name, watched):
    """The same value from each kind of source, or the same want of one, first and when it is used again."""
    source, literals, default = SOURCES[name]
    got = {}
    for copy, consumer in consumers(default).items():
        graph, last = graph_of(consumer, source, literals)
        try:
            got[copy] = run_virtual(graph, observers=[lambda _: None] if watched else []).output(last)
        except tf.MissingInput:
            got[copy] = "nothing"
    assert set(got.values()) == {got["the master"]}, got
