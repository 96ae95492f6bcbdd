"""The small examples do what they are there to show."""

from __future__ import annotations

from importlib import resources

import pytest

import trioflow as tf
from trioflow.testing import run_virtual


def example(name: str) -> tf.Graph:
    return tf.loads(resources.files("trioflow.examples").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def test_fizzbuzz_asks_its_data_nodes_anew_in_each_round(capsys):
    """Data nodes inside a loop see each round's index: fifteen rounds, fifteen right words."""
    run_virtual(example("fizzbuzz"))
    expected = ["Fizz" * (i % 3 == 0) + "Buzz" * (i % 5 == 0) or str(i) for i in range(1, 16)]
    assert capsys.readouterr().out.splitlines() == expected


def test_try_catch_goes_on_after_a_failure(capsys):
    """A failure is caught, cleanup runs, the graph goes on."""
    run_virtual(example("try_catch"))
    assert (
        capsys.readouterr().out == "it failed: math.divide: division by zero.\ncleaning up either way\nand on we go\n"
    )


def test_events_reach_every_listener(capsys):
    """Each published event runs both listeners, in document order, before the publisher goes on."""
    result = run_virtual(example("events"))
    assert capsys.readouterr().out.splitlines() == [
        "shipped parcel: 1",
        "shipped parcel: 2",
        "shipped parcel: 3",
        "parcels in all: 3",
    ]
    assert result.variables == {"parcels": 3}


def test_hanoi_calls_itself(capsys):
    """A graph that calls itself moves the tower in as few moves as can be, and counts them."""
    run_virtual(example("hanoi"))
    assert capsys.readouterr().out.splitlines() == [
        "disk 1: left -> right",
        "disk 2: left -> middle",
        "disk 1: right -> middle",
        "disk 3: left -> right",
        "disk 1: middle -> left",
        "disk 2: middle -> right",
        "disk 1: left -> right",
        "7 moves",
    ]


@pytest.mark.parametrize("name", ["census", "events", "fizzbuzz", "hanoi", "try_catch"])
def test_examples_read_like_documents(name):
    """Every example has a title, and survives being read and written."""
    graph = example(name)
    assert graph.metadata["title"]
    assert tf.loads(tf.dumps(graph)) == graph
