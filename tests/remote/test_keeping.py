"""Large values stay where they were made, for bodies there; everybody else gets them."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
import remote_bodies as bodies
import trio
from remote_graphs import NOTES, note
from remote_places import near

import trioflow as tf
from trioflow.remote import Place, Placement, Processes
from trioflow.remote import keeping as keeping_module
from trioflow.remote.keeping import HeldInFile, Keeper, load


def graph(size=100_000, source=bodies.large, reads=True):
    """A large value, which two bodies there want; and if `reads`, one here."""
    with tf.build() as g:
        large = g.add(source, "large", size=size)
        length = g.add(bodies.length, "length", data=large.result, other=large.result)
        noted = g.add(note, "note", value=length.result)
        start = g.add("flow.start").then
        if source.type.is_exec:
            g.connect(start, large.enter)
            start = large.then
        g.connect(start, noted.enter)
        if reads:
            here = g.add(note, "here", value=g.add(bodies.here, "read", data=large.result).result)
            g.connect(noted.then, here.enter)
    return g.graph


async def run(made, services, **settings):
    NOTES.clear()
    with trio.fail_after(60):
        return await tf.run(made, services=services, **settings)


@pytest.mark.parametrize("source", [bodies.large, bodies.makes, bodies.chooses])
async def test_it_stays(source):
    """What is sent is where it is; the file goes with the last who has it."""
    place, services = near()
    result = await run(graph(source=source, reads=False), services)
    assert NOTES == [200_000] and place.bytes < 10_000
    held = result.outputs.get("large", {}).get("result")
    if source is not bodies.large:
        assert repr(held) == f"<{held.size:,} bytes elsewhere>" and held.size >= 100_000
    del result, held
    gc.collect()
    assert [*Path(place.kept.folder).iterdir()] == []


async def test_it_is_sent_where_it_is_wanted():
    """To those who read it here; if it is small; where a journal keeps it; where nothing can be kept."""
    place, services = near()
    await run(graph(), services)
    assert NOTES == [200_000, 100_000] and place.bytes > 200_000
    place, services = near()
    await run(graph(500, reads=False), services)
    assert NOTES == [1000] and [*Path(place.keeper().folder).iterdir()] == []
    place, services = near()
    journal = tf.MemoryJournal()
    await run(graph(source=bodies.makes, reads=False), services, journal=journal, run_id="r")
    assert NOTES == [200_000] and place.bytes > 200_000
    place, services = near()
    place.keeper = lambda: Place.keeper(place)
    await run(graph(reads=False), services)
    assert NOTES == [200_000] and place.bytes > 200_000


async def test_values_of_other_types_are_sent():
    """They are told as ever."""
    with tf.build() as g:
        lies = g.add(bodies.lies, "lies")
        length = g.add(bodies.length, "length", data=lies.result, other=b"")
        g.connect(g.add("flow.start").then, g.add(note, "note", value=length.result).enter)
    _, services = near()
    with pytest.raises(tf.MiddlewareError, match="output 'result': expected bytes"):
        await run(g.graph, services)


async def test_in_processes():
    """Of this host, in memory that they share."""
    await run(graph(reads=False), {Placement: Placement(processes=Processes(1))})
    assert NOTES == [200_000]


def test_it_goes_with_the_process(tmp_path, monkeypatch):
    """What this process has kept for a run that was killed is removed."""
    monkeypatch.setattr(keeping_module, "_used", set())
    monkeypatch.setattr(keeping_module, "_IN_MEMORY", tmp_path / "none")
    keeper = Keeper.made()
    held = HeldInFile(keeper.keep(b"\x80\x05K\x03."), keeper)
    function, arguments = held.__reduce__()
    assert function is load and load(*arguments) == 3
    keeping_module.remove_left()
    assert not os.path.exists(keeper.folder)
