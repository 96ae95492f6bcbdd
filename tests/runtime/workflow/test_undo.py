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
