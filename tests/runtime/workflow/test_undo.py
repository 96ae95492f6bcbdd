"""Undoing (W17)."""

from __future__ import annotations

import attrs
import pytest
import trio

import trioflow as tf


@tf.exec_node
def charge(amount: int, journal: tf.FromServices[list]) -> int:
    """Charge an amount."""
    journal.append(f"charge {amount}")
    return amount


@tf.exec_node
async def refund(charged: int, journal: tf.FromServices[list], ctx: tf.Context) -> None:
    """Give it back."""
    await trio.sleep(1)
    journal.append(f"refund {charged} because of {ctx.payload}")
    if charged == 13:
        raise ValueError("not on a Friday")


@tf.exec_node
def mail(journal: tf.FromServices[list]) -> None:
    """Fail."""
    raise OSError("no mail")


def saga(*amounts, on_error="fail"):
    with tf.workflow(on_error=on_error) as w:
        last = None
        for place, amount in enumerate(amounts):
            step = w.add(charge, f"charge {place}", amount=amount, undo=f"refund {place}")
            w.add(refund, f"refund {place}", charged=step.result)
            if last is not None:
                w.after(last, step)
            last = step
        w.after(last, w.add(mail, "mail"))
    return w.graph


@pytest.mark.parametrize("on_error", ["fail", "collect"])
async def test_a_saga(on_error, autojump_clock):
    """What was done is undone, the last first, each with what it gave; then the failure goes on (W17)."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no mail"):
        await tf.run(saga(7, 5, on_error=on_error), services={list: journal})
    assert journal == ["charge 7", "charge 5", "refund 5 because of no mail", "refund 7 because of no mail"]


async def test_what_can_not_be_undone_is_noted(autojump_clock):
    """The rest is undone all the same (W17)."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no mail") as caught:
        await tf.run(saga(7, 13, 5), services={list: journal})
    assert journal[3:] == [f"refund {amount} because of no mail" for amount in (5, 13, 7)]
    assert caught.value.__notes__[-1] == (
        "and could not be undone: 'charge 1' at 0.0.2.2.0: ValueError('not on a Friday')"
    )


async def test_a_cancellation_undoes_nothing(autojump_clock):
    """Nothing that was done is taken back, and undoing itself can be cancelled (W17)."""
    journal: list[str] = []
    with trio.move_on_after(1.5):
        await tf.run(saga(7, 5), services={list: journal})
    assert journal[2:] == ["refund 5 because of no mail"]


async def test_what_was_done_in_a_scope(autojump_clock):
    """The items of a stream are undone with the workflow, the last first (W13, W17)."""
    journal: list[str] = []
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=[1, 2, 3])
        step = w.add(charge, "charge", amount=each.item, undo="refund")
        w.add(refund, "refund", charged=step.result)
        w.connect(each.body, step)
        w.connect(each.done, w.add(mail, "mail"))
    with pytest.raises(OSError, match="no mail"):
        await tf.run(w.graph, services={list: journal})
    assert [line.split()[1] for line in journal] == ["1", "2", "3", "3", "2", "1"]


# --- on the way (flow.undo) ---


@tf.exec_node
async def book(what: str, journal: tf.FromServices[list], seconds: float = 0) -> str:
    """Book something."""
    await trio.sleep(seconds)
    journal.append(f"book {what}")
    return what


@tf.exec_node
def cancel(what: str, journal: tf.FromServices[list]) -> None:
    """Cancel what was booked."""
    journal.append(f"cancel {what}")
    if what == "boat":
        raise OSError("no answer")


def trip(*places: str, fails: bool = False, **undo):
    """Start books places one after the other, and a hotel beside it that takes longer; then the places are undone."""
    with tf.workflow(implicit=False) as w:
        before = w.add(tf.nodes.Start, "start")
        hotel = w.add(book, "hotel", what="hotel", seconds=1.0, undo="no hotel")
        w.add(cancel, "no hotel", what=hotel.result)
        w.after(before, hotel)
        for place in places:
            step = w.add(book, place, what=place, undo=f"no {place}")
            w.add(cancel, f"no {place}", what=step.result)
            w.after(before, step)
            before = step
        back = w.add(tf.nodes.Undo, "back", **undo)
        w.after(before, back)
        told = w.add(tf.nodes.SetVariable, "told", name="count", value=back.count)
        w.connect(back.then, told)
        w.after(hotel, told)
        w.variable("count", "int", 0)
        if fails:
            w.after(told, w.add(mail, "mail"))
    return w.graph


async def test_what_was_done_on_the_way(autojump_clock):
    """A node undoes what it comes after, the last first, and what is beside it stays as it is (W17)."""
    journal: list[str] = []
    result = await tf.run(trip("train", "bus"), services={list: journal})
    assert journal == ["book train", "book bus", "cancel bus", "cancel train", "book hotel"]
    assert result.variables == {"count": 2}


async def test_nothing_is_undone_twice(autojump_clock):
    """What was undone on the way is not undone when the workflow fails (W17)."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no mail"):
        await tf.run(trip("train", fails=True), services={list: journal})
    assert journal == ["book train", "cancel train", "book hotel", "cancel hotel"]


async def test_of_one_node(autojump_clock):
    """Only what that node did is undone; a name that has no undo is an error that says which have (W17)."""
    journal: list[str] = []
    await tf.run(trip("train", "bus", node="train"), services={list: journal})
    assert journal[:3] == ["book train", "book bus", "cancel train"]
    with pytest.raises(tf.UnknownName, match="undoes 'tram', and no node of that name.* These have: hotel, train"):
        await tf.run(trip("train", node="tram"), services={list: journal})


async def test_undoing_on_the_way_that_fails(autojump_clock):
    """The others are undone all the same; then it fails: with one failure, or a group of several (W17)."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no answer"):
        await tf.run(trip("boat", "train"), services={list: journal})
    assert journal[:4] == ["book boat", "book train", "cancel train", "cancel boat"]
    with tf.workflow() as w:
        one = w.add(book, "one", what="boat", undo="no boat")
        two = w.add(book, "two", what="boat", undo="no boat")
        w.add(cancel, "no boat", what="boat")
        back = w.add(tf.nodes.Undo, "back")
        w.connect(one, back)
        w.connect(two, back)
    with pytest.raises(ExceptionGroup, match="2 firings could not be undone") as caught:
        await tf.run(w.graph, services={list: journal})
    assert len(caught.value.exceptions) == 2


async def test_items_on_the_way(autojump_clock):
    """What was done in the scopes of a firing belongs to it (W13, W17)."""
    journal: list[str] = []
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=["a", "b"])
        step = w.add(book, "book", what=each.item, undo="cancel")
        w.add(cancel, "cancel", what=step.result)
        w.connect(each.body, step)
        w.connect(each.done, w.add(tf.nodes.Undo, "back"))
    await tf.run(w.graph, services={list: journal})
    assert journal == ["book a", "book b", "cancel b", "cancel a"]


async def test_undo_is_for_workflows():
    """In a graph that calls there is no past to undo (W17)."""
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(tf.nodes.Undo, "back").enter)
    with pytest.raises(tf.NodeError, match="'back' undoes what a workflow did"):
        await tf.run(g.graph)


# --- what has not completed (undo_from) ---


@tf.exec_node
async def wait(seconds: float) -> None:
    """Wait."""
    await trio.sleep(seconds)


@tf.exec_node
async def reserve(what: str, journal: tf.FromServices[list], ctx: tf.Context, seconds: float = 0.0) -> str:
    """Begin to reserve something, and fail where that is nothing."""
    journal.append(f"reserve {what}")
    ctx.set_output("result", what)
    await trio.sleep(seconds)
    if what == "nothing":
        raise LookupError("nothing is left")
    return what


def reservation(*, seconds: float = 0.0, what: str = "room", undo_from="started", fails: bool = True, **settings):
    """Reserve something, and beside it send a mail that fails after half a second."""
    with tf.workflow(implicit=False, **settings) as w:
        room = w.add(reserve, "room", what=what, seconds=seconds, undo="release", undo_from=undo_from)
        w.add(cancel, "release", what=room.result)
        pause = w.add(wait, "pause", seconds=0.5)
        if fails:
            w.after(pause, w.add(mail, "mail"))
    return w.graph


@pytest.mark.parametrize(("undo_from", "undone"), [("started", ["cancel nothing"]), ("completed", [])])
async def test_what_has_failed(undo_from, undone):
    """A firing that has failed is undone, if it is to be from its start on (W21)."""
    journal: list[str] = []
    with pytest.raises(LookupError, match="nothing is left"):
        await tf.run(reservation(what="nothing", undo_from=undo_from), services={list: journal})
    assert journal == ["reserve nothing", *undone]


@pytest.mark.parametrize(("undo_from", "undone"), [("started", ["cancel room"]), ("completed", [])])
async def test_what_was_cut_off(undo_from, undone, autojump_clock):
    """So is one that was cancelled, because another has failed, with what it had left until then (W21)."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no mail"):
        await tf.run(reservation(seconds=9, undo_from=undo_from), services={list: journal})
    assert journal == ["reserve room", *undone]


async def test_what_never_began(autojump_clock):
    """A firing whose body was not run has nothing to undo (W21, W16)."""
    journal: list[str] = []
    with tf.workflow(limit=1, implicit=False) as w:
        w.add(mail, "mail")
        w.add(reserve, "room", what="room", undo="release", undo_from="started")
        w.add(cancel, "release", what="room")
    with pytest.raises(OSError, match="no mail"):
        await tf.run(w.graph, services={list: journal})
    assert journal == []


async def test_what_was_retried(autojump_clock):
    """However many attempts it had, it is one firing (W21)."""
    journal: list[str] = []
    with tf.workflow() as w:
        room = w.add(reserve, what="nothing", undo="release", undo_from="started", policy=tf.Policy(retry=3))
        w.add(cancel, "release", what=room.result)
    with pytest.raises(LookupError):
        await tf.run(w.graph, services={list: journal})
    assert journal == ["reserve nothing"] * 3 + ["cancel nothing"]


async def test_a_failure_that_a_wire_took_is_undone_on_the_way(autojump_clock):
    """`flow.undo` after a firing that has failed undoes it (W21, W17)."""
    journal: list[str] = []
    with tf.workflow() as w:
        room = w.add(reserve, "room", what="nothing", undo="release", undo_from="started")
        w.add(cancel, "release", what=room.result)
        back = w.add(tf.nodes.Undo, "back")
        w.connect(room, back, on="failed")
    await tf.run(w.graph, services={list: journal})
    assert journal == ["reserve nothing", "cancel nothing"]


async def test_what_was_done_in_a_scope_that_was_cut_off(autojump_clock):
    """What an item has done that was cancelled by the failure of another is undone with the workflow (W17)."""
    journal: list[str] = []
    with tf.workflow() as w:
        each = w.add(tf.nodes.ParallelForEach, "each", items=[1, 20])
        step = w.add(charge, "charge", amount=each.item, undo="refund")
        w.add(refund, "refund", charged=step.result)
        w.connect(each.body, step)
        pause = w.add(wait, "pause", seconds=each.item)
        w.connect(step, pause)
        w.connect(pause, w.add(mail, "mail"))
    with pytest.raises(OSError, match="no mail"):
        await tf.run(w.graph, services={list: journal})
    assert sorted(journal[:2]) == ["charge 1", "charge 20"]
    assert journal[2:] == ["refund 1 because of no mail", "refund 20 because of no mail"]


# --- after a cancellation (undo_on) ---

EVERY = ("failed", "cancelled", "timeout")


async def test_a_cancellation_that_is_undone(autojump_clock):
    """What was done is undone although everything is cancelled, within the time that there is for that (W22)."""
    journal: list[str] = []
    graph = reservation(seconds=9, fails=False, undo_on=EVERY)
    with trio.move_on_after(1) as limit:
        await tf.run(graph, services={list: journal})
    assert limit.cancelled_caught
    assert journal == ["reserve room", "cancel room"]


@tf.exec_node
async def pay(amount: int, journal: tf.FromServices[list]) -> int:
    """Pay an amount, and wait."""
    journal.append(f"pay {amount}")
    await trio.sleep(1)
    return amount


def payments(undo_on, **settings):
    """Three payments one after the other, then it goes on for an hour; each takes a second to be given back."""
    with tf.workflow(undo_on=undo_on, **settings) as w:
        last = None
        for amount in (1, 2, 3):
            step = w.add(pay, f"pay {amount}", amount=amount, undo=f"refund {amount}")
            w.add(refund, f"refund {amount}", charged=step.result)
            if last is not None:
                w.after(last, step)
            last = step
        w.after(last, w.add(wait, "wait", seconds=3600.0))
    return w.graph


@pytest.mark.parametrize(
    ("undo_on", "by_run", "by_host"),
    [(["cancelled"], False, True), (["timeout"], True, False), (EVERY, True, True), (["failed"], False, False)],
)
async def test_what_has_cancelled_it(undo_on, by_run, by_host, autojump_clock):
    """A time limit is one reason, whoever else cancels it another (W22)."""
    graph = payments(undo_on)
    journal: list[str] = []
    with pytest.raises(tf.LimitExceeded):
        await tf.run(graph, services={list: journal}, options=tf.RunOptions(timeout=10))
    back = ["refund 3 because of None", "refund 2 because of None", "refund 1 because of None"]
    assert journal[3:] == (back if by_run else [])
    journal = []
    async with tf.open_run(graph, services={list: journal}) as run:
        await trio.sleep(10)
        run.cancel()
    assert journal[3:] == (back if by_host else [])


async def test_a_time_limit_of_who_calls_it(autojump_clock):
    """A policy's time limit cancels a workflow that is called: it undoes what it did before that fails (W22)."""
    journal: list[str] = []
    inner = payments(["timeout"])
    inner = attrs.evolve(
        inner,
        interface=tf.Interface(entries=[tf.Entry("enter")]),
        nodes=[*inner.nodes, tf.GraphNode("in", "graph.enter")],
        connections=[*inner.connections, tf.Connection(tf.Endpoint("in", "enter"), tf.Endpoint("pay 1"))],
    )
    nodes = [
        tf.GraphNode("start", "flow.start"),
        tf.GraphNode("call", "graph:payments", policy=tf.Policy(timeout=5)),
    ]
    wires = [tf.Connection(tf.Endpoint("start", "then"), tf.Endpoint("call", "enter"))]
    with pytest.raises(tf.NodeTimeout):
        await tf.run(tf.Graph(nodes=nodes, connections=wires, graphs={"payments": inner}), services={list: journal})
    assert journal[3:] == [f"refund {amount} because of None" for amount in (3, 2, 1)]


async def test_no_time_is_left(autojump_clock):
    """What could not be undone in time is told, the one that was cut off and those that were not begun with (W22)."""
    journal: list[str] = []
    told: list = []
    graph = payments(EVERY, undo_grace="1500ms")
    with trio.move_on_after(10):
        await tf.run(graph, services={list: journal}, observers=[tf.observe(told.append, kinds=["NotUndone"])])
    assert journal[3:] == ["refund 3 because of None"]
    assert [(event.node, event.by, event.error) for event in told] == [
        ("pay 2", "refund 2", None),
        ("pay 1", "refund 1", None),
    ]


async def test_the_host_allows_less(autojump_clock):
    """No graph keeps a cancellation away for longer than the host lets it (W22)."""
    journal: list[str] = []
    with trio.move_on_after(10):
        await tf.run(payments(EVERY), services={list: journal}, options=tf.RunOptions(max_shield=0.5))
    assert trio.current_time() < 10.6
    assert journal[3:] == []


async def test_a_failure_that_is_cancelled_while_it_is_undone(autojump_clock):
    """Undoing goes on, for as long as there is; what is left then is noted on the failure (W22)."""
    journal: list[str] = []
    with tf.workflow(undo_on=EVERY, undo_grace=2.5) as w:
        last = None
        for amount in (1, 2, 3):
            step = w.add(charge, f"charge {amount}", amount=amount, undo=f"refund {amount}")
            w.add(refund, f"refund {amount}", charged=step.result)
            if last is not None:
                w.after(last, step)
            last = step
        w.after(last, w.add(mail, "mail"))
    with trio.move_on_after(0.5), pytest.raises(OSError, match="no mail") as caught:
        await tf.run(w.graph, services={list: journal})
    assert journal[3:] == ["refund 3 because of no mail", "refund 2 because of no mail"]
    assert caught.value.__notes__[-1] == "and was not undone: 'charge 1' at 0.0.1.0.0, for there was no time left"


async def test_a_failure_that_is_not_undone():
    """A graph may undo after a cancellation only (W22)."""
    journal: list[str] = []
    with tf.workflow(undo_on=["cancelled"]) as w:
        step = w.add(charge, "charge", amount=1, undo="refund")
        w.add(refund, "refund", charged=step.result)
        w.after(step, w.add(mail, "mail"))
    with pytest.raises(OSError, match="no mail"):
        await tf.run(w.graph, services={list: journal})
    assert journal == ["charge 1"]


async def test_a_run_that_is_kept_is_gone_on_with(autojump_clock):
    """A cancellation is no end of it, so nothing is undone (W22)."""
    journal: list[str] = []
    store = tf.MemoryJournal()
    with trio.move_on_after(2.5):
        await tf.run(payments(EVERY), services={list: journal}, journal=store, run_id="one")
    assert journal == ["pay 1", "pay 2", "pay 3"]


class Reserve(tf.Node, durable="replayed"):
    """Reserve a room, which takes long."""

    enter = tf.ExecIn()
    room = tf.DataOut(int)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.services.get(list).append("reserve")
        ctx.set_output(self.room, 5)
        await ctx.sleep(9)
        return self.then


async def test_a_run_that_is_kept_goes_on_undoing(autojump_clock):
    """What was cut off and not undone when nobody had the run any more is undone when it is resumed (W21)."""
    journal: list[str] = []
    with tf.workflow(implicit=False) as w:
        room = w.add(Reserve, "room", undo="release", undo_from="started")
        w.add(refund, "release", charged=room.room)
        w.after(w.add(wait, "wait", seconds=0.5), w.add(mail, "mail"))
    store = tf.MemoryJournal()
    for seconds in (0.3, 0.7):
        with trio.move_on_after(seconds):
            await tf.run(w.graph, services={list: journal}, journal=store, run_id="one")
    with pytest.raises(OSError, match="no mail"):
        await tf.run(w.graph, services={list: journal}, journal=store, run_id="one")
    assert journal == ["reserve", "reserve", "reserve", "refund 5 because of no mail"]
