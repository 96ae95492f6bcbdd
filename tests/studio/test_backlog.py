"""Readers get every frame once, in order, whenever they come; one that is too late gets the whole state."""

from __future__ import annotations

import json

import pytest
import trio

from trioflow.studio import backlog as module
from trioflow.studio.backlog import Backlog


def parts(text):
    """(id, kind, data) of each message in what was sent at once."""
    found = []
    for message in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in message.splitlines())
        found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


async def read(backlog, count, last=""):
    found = []
    async with trio.open_nursery() as nursery:  # so that nobody waits for what never comes
        with trio.fail_after(60):
            reader = backlog.read(last)
            async for text in reader:
                found += parts(text)
                if len(found) >= count:
                    break
            await reader.aclose()
        nursery.cancel_scope.cancel()
    return found


@pytest.mark.parametrize("place", range(8))
async def test_reconnecting_at_each_frame_is_gapless(place):
    """Whoever comes again with the id of the last frame that it had gets the next one."""
    backlog = Backlog(dict)
    for number in range(8):
        backlog.add({"steps": number})
    found = await read(backlog, 8 - place, f"0-{place}")
    assert [data["steps"] for _, _, data in found] == [*range(place, 8)]
    assert {kind for _, kind, _ in found} == {"frame"}


@pytest.mark.parametrize("last", ["", "0-3", "0-9999", "7-650", "nonsense", "0-²"])
async def test_who_comes_too_late_gets_the_state(last):
    """What is no longer kept, was never sent, or is of another run is made up for by the state."""
    backlog = Backlog(lambda: {"steps": 700})
    for number in range(700):
        backlog.add({"steps": number})
    assert await read(backlog, 1, last) == [("0-700", "hello", {"steps": 700})]


async def test_a_new_run_begins_with_the_state():
    """A reader of the run before is told the new state, and never gets frames of two runs glued together."""
    backlog = Backlog(lambda: {"epoch": 2})
    backlog.add({"steps": 1})
    reader = backlog.read("0-0")
    assert parts(await anext(reader))[0][1:] == ("frame", {"steps": 1})
    backlog.begin_anew()
    backlog.add({"steps": 5})
    assert parts(await anext(reader)) == [("1-2", "hello", {"epoch": 2})]
    await reader.aclose()


async def test_a_slow_reader_holds_up_nobody():
    """One that does not read while more comes than is kept gets the state; others have had all."""
    backlog = Backlog(lambda: {"all": True})
    slow = backlog.read("0-0")
    backlog.add({"steps": 0})
    assert parts(await anext(slow))[0][1] == "frame"
    for number in range(1000):
        backlog.add({"steps": number})
    assert parts(await anext(slow)) == [("0-1001", "hello", {"all": True})]
    await slow.aclose()


async def test_an_idle_stream_says_that_it_is_there(monkeypatch):
    """A comment comes from time to time, so that no proxy takes the stream for dead; frames come at once after it."""
    monkeypatch.setattr(module, "HEARTBEAT", 0.01)
    backlog = Backlog(dict)
    reader = backlog.read("0-0")
    assert await anext(reader) == ": still here\n\n"
    backlog.add({"steps": 1})
    assert parts(await anext(reader))[0][2] == {"steps": 1}
    await reader.aclose()
