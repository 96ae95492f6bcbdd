"""Graphs and runs of a size that naive engines don't survive: time and memory, printed after the table."""

from __future__ import annotations

import time

import pytest
import trio
import workloads as work

import trioflow as tf


def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def test_a_million_hand_overs_take_constant_memory(note):
    graph = work.hand_over()
    few, many = (work.peak(lambda n=n: trio.run(work.run_of(graph, n))) for n in (1_000, 100_000))
    before = work.resident()
    seconds = timed(lambda: trio.run(work.run_of(graph, 1_000_000)))
    grown = work.resident() - before
    note(f"1,000,000 hand-overs: {seconds:.1f} s; the process grew by {grown:,} KB")
    note(f"Python objects at their most: {few / 1024:,.0f} KB in 1,000 hand-overs, {many / 1024:,.0f} KB in 100,000")
    assert many - few < 100_000
    assert grown < 10_000


@pytest.mark.parametrize("levels", [10_000, 90_000])
def test_nested_triggers_need_no_recursion(note, levels):
    run = work.run_of(work.nested(), levels)
    seconds = timed(lambda: trio.run(run))
    note(f"{levels:,} nested triggers: {seconds:.2f} s, {seconds / levels * 1e6:.1f} µs a level")


def test_a_data_chain_of_100_000_needs_no_recursion(note):
    run = work.run_of(work.data_chain(100_000))
    seconds = timed(lambda: trio.run(run))
    note(f"a chain of 100,000 data nodes: {seconds:.2f} s, {seconds / 100_000 * 1e6:.1f} µs a node")


def test_planning_100_000_nodes(note):
    graph = work.wide(100_000)
    registry = tf.Registry.standard()
    validated = timed(lambda: tf.validate(graph, registry))
    planned = timed(lambda: tf.make_plan(graph, registry))
    kept = []
    most = work.peak(lambda: kept.append(tf.make_plan(graph, registry)))
    note(
        f"{len(graph.nodes):,} nodes: validated in {validated:.1f} s, validated and planned in {planned:.1f} s, "
        f"{most / len(graph.nodes):,.0f} bytes a node at the most"
    )
