"""Small bodies that are sent together, and what happens to the others where one of them ends badly."""

from __future__ import annotations

import pytest
import remote_bodies as bodies
import trio
from remote_graphs import NOTES, note
from remote_places import Near, near

import trioflow as tf
from trioflow.remote import Placement, Processes, WorkerDied
from trioflow.remote.batching import Batches
from trioflow.remote.places import PlaceDied


def graph(body, items, policy=None, **loop):
    """All of these at once, each noted."""
    with tf.build() as g:
        each = g.add("flow.parallel_for_each", "each", items=[*items], **loop)
        made = g.add(body, "small", x=each.item)
        if policy is not None:
            g.configure(made, policy=policy)
        noted = g.add(note, "note", value=made.result)
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, made.enter)
        g.connect(made.then, noted.enter)
    return g.graph


async def run(made, services, **settings):
    NOTES.clear()
    with trio.fail_after(60):
        return await tf.run(made, services=services, **settings)


async def test_together():
    """What waits goes in one message, its share at most; results are those of each."""
    place, services = near()
    await run(graph(bodies.small, range(40)), services)
    assert sorted(NOTES) == [*range(1, 41)]
    assert place.calls < 16
    place, services = near()
    await run(graph(bodies.small, [1]), services)
    assert (NOTES, place.calls) == ([2], 1)


AGAIN = tf.Policy(run_on=tf.RunOnPolicy("processes", batch=8, retry_on_death=1))


async def failed(made, services):
    return (await run(made, services)).outputs["each"]["failures"]


async def test_their_process_dies():
    """Nobody knows what each has done by then; those that may be sent again are, each alone."""
    died = PlaceDied("a process has died", started=True)
    _, services = near(died, died)
    failures = await failed(graph(bodies.small, [1, 2, 3], on_error="collect"), services)
    assert len(failures) > 1 and all(isinstance(each, WorkerDied) for each in failures)
    place, services = near(died, died)
    assert await failed(graph(bodies.small, [1, 2, 3], AGAIN, on_error="collect"), services) == []
    assert sorted(NOTES) == [2, 3, 4] and place.calls == 5


@pytest.mark.slow
async def test_one_that_kills_its_process():
    """It does not take the others with it."""
    services = {Placement: Placement(processes=Processes(1))}
    await run(graph(bodies.small, [1]), services)
    (failure,) = await failed(graph(bodies.small, [1, -1, 2], AGAIN, on_error="collect"), services)
    assert isinstance(failure, WorkerDied) and sorted(NOTES) == [2, 3]


class Slow(Near):
    """Takes a second for each message."""

    workers = 1
    ended = 0

    async def call(self, call, asked):
        self.calls += 1
        try:
            await trio.sleep(1)
        finally:
            self.ended += 1
        return await trio.to_thread.run_sync(bodies_answer, call)


def bodies_answer(call):
    import pickle

    from trioflow.remote.calling import Batch

    try:
        batch = pickle.loads(call)
    except pickle.UnpicklingError:
        return call
    assert isinstance(batch, Batch)
    return pickle.dumps([*batch.calls])


async def asked(batches, number, came, scope=None):
    with scope or trio.CancelScope():
        try:
            came.append(await batches.call(b"%d" % number))
        except PlaceDied as error:
            came.append(str(error))


@pytest.mark.parametrize("who", [1, 2], ids=["who leads", "who follows"])
@pytest.mark.parametrize("within", [0.2, 5.0])
async def test_one_is_cancelled(autojump_clock, who, within):
    """The others come to their end, if that is soon; else they are ended, too."""
    place, came, scope = Slow(), [], trio.CancelScope()
    batches = Batches(place, tf.RunOnPolicy("processes", batch=8, kill_within=within))
    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            nursery.start_soon(asked, batches, number, came, scope if number == who else None)
        await trio.sleep(0.5)
        scope.cancel()
    others = [b"%d" % number for number in (1, 2, 3) if number != who]
    assert sorted(came) == (others if within == 5.0 else ["another body of its batch was cancelled"] * 2)
    assert (place.calls, place.ended, batches.sent) == (1, 1, 1)
    came.clear()
    await asked(batches, 4, came)
    assert came == [b"4"]


async def test_all_are_cancelled(autojump_clock):
    """Then it ends at once; those that still wait are not sent."""
    place, came, scopes = Slow(), [], [trio.CancelScope() for _ in range(4)]
    batches = Batches(place, tf.RunOnPolicy("processes", batch=2))
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(asked, batches, number, came, scopes[number])
        await trio.sleep(0.5)
        for number in (3, 2, 1, 0):
            scopes[number].cancel()
    assert trio.current_time() - began == pytest.approx(0.5, abs=0.3) and came == []
    assert place.calls == 1
    await asked(batches, 4, came)
    assert came == [b"4"]


async def test_cancelled_before_anything_is_sent(autojump_clock):
    place, came = Slow(), []
    batches = Batches(place, tf.RunOnPolicy("processes", batch=2))
    scope = trio.CancelScope()
    scope.cancel()
    await asked(batches, 1, came, scope)
    await asked(batches, 2, came)
    assert came == [b"2"]
