"""Undoing (W17)."""

from __future__ import annotations

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
    assert caught.value.__notes__[-1] == ("and could not be undone at 0.0.0.3.2.2: ValueError('not on a Friday')")


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
