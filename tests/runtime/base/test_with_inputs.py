"""Failures say with which values: those that the graph gives, shortened, and never a secret."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.testing import run_virtual


class Odd:
    def __repr__(self) -> str:
        raise AssertionError("nobody asks")


@tf.exec_node(id="with.fails")
def fails(a: object = None, b: object = None, c: object = None) -> None:
    raise ValueError("no")


class Sends(tf.Node, id="with.sends"):
    enter = tf.ExecIn()
    token = tf.DataIn(str, secret=True)
    url = tf.DataIn(str)

    async def execute(self, ctx: tf.Context) -> None:
        raise ValueError(f"no with {await ctx.get_input(self.token)}")


def notes(node, **inputs):
    with tf.build() as g:
        given = {
            name: g.add(value, name).result if callable(value) and not isinstance(value, type) else value
            for name, value in inputs.items()
        }
        g.connect(g.add("flow.start").then, g.add(node, "node", **given).enter)
    with pytest.raises(ValueError) as caught:
        run_virtual(g.graph, secrets={"TOKEN": "hunter22"})
    return caught.value.__notes__


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        ("text", "'text'"),
        (None, "None"),
        (b"\x00" * 100_000, repr(b"\x00" * 40) + "..."),
        ([1, [2, [3, [4, [5]]]], 6, 7, 8, 9], "[1, [2, [3, [...]]], 6, 7, ...]"),
        ({"k": 1}, "{'k': 1}"),
        (Path("a/b"), repr(Path("a/b"))),
        (datetime.timedelta(1), "datetime.timedelta(days=1)"),
        (10**1000, "<int of 3322 bits>"),
    ],
)
def test_values_are_shortened(value, shown):
    """Whatever their size; literals here."""
    assert notes(fails, a=value)[1:] == [f"with a = {shown}"]


def test_long_texts_are_shortened():
    """A text keeps its beginning and its end."""
    (_, told) = notes(fails, a="x" * 1_000_000)
    assert len(told) < 80


def test_values_of_other_types_are_not_asked():
    """Their own way to show themselves may fail, or take for ever."""
    assert notes(fails, a=lambda: Odd(), b=lambda: [Odd()])[1:] == ["with a = <Odd>, b = [<Odd>]"]


def test_what_comes_through_wires():
    """Values of data nodes; what the graph does not give is left out."""
    assert notes(fails, b=lambda: 7)[1:] == ["with b = 7"]
    assert notes(fails)[1:] == []


def test_secrets_are_not_told():
    """Neither the value nor the name; elsewhere in the notes it is hidden."""
    told = notes(Sends, token={"secret": "TOKEN"}, url="http://hunter22@host")
    assert told[1:] == ["with url = 'http://•••@host'"]


def test_data_nodes_tell_too():
    """A failure of an evaluation says with which inputs."""
    with tf.build() as g:
        ratio = g.add(lambda a, b: a / b, "ratio", a=1, b=g.add(lambda: 0, "zero").result)
        g.connect(g.add("flow.start").then, g.add("debug.print", value=ratio.result).enter)
    with pytest.raises(ZeroDivisionError) as caught:
        run_virtual(g.graph)
    assert caught.value.__notes__[1:] == ["with a = 1, b = 0"]


def test_the_innermost_tells():
    """Who only passes a failure on adds nothing."""
    with tf.build() as g:
        loop = g.add("flow.for", times=2)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, g.add(fails, "fails", a=loop.index).enter)
    with pytest.raises(ValueError) as caught:
        run_virtual(g.graph)
    assert caught.value.__notes__ == ["in node 'fails' (with.fails), activation 0.1.0", "with a = 0"]
