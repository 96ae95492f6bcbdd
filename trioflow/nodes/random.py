"""Chance, from the run's seed and the path of the activation that asks: the same under every schedule.

An activation that asks again gets the same, until something that it has triggered has come back: then it is drawn anew.
Made for simulations, tests and games, not for secrets.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._slices import SLICE, TURN, Steps, batches, copied, gathered, mapped, parts, sliced

_DRAWN = 5_000
"""Characters or bytes that are drawn in one go."""


def sizes(count: int) -> Iterator[int]:
    """Sizes of pieces that are so many together; all that fits into one piece is in one."""
    return (min(_DRAWN, count - start) for start in range(0, max(count, 1), _DRAWN))


def _drawn(ctx: tf.DataContext, items: list[Any], count: int) -> Steps[list[Any]]:
    """So many items, each place at most once."""
    if len(items) <= SLICE:
        return ctx.random.sample(items, count)
    pool = yield from copied(items)
    for place in range(count):  # Fisher and Yates: each place gets one of what is left
        other = ctx.random.randrange(place, len(pool))
        pool[place], pool[other] = pool[other], pool[place]
        if place and not place % SLICE:
            yield TURN
    return (yield from copied(pool[:count]))


def _summed(weights: list[int | float]) -> Steps[list[float]]:
    return (yield from gathered(batches(itertools.accumulate(weights))))


@tf.data_node(id="random.uniform", durable="replayed", volatile=True)
def uniform(ctx: tf.DataContext, low: float = 0.0, high: float = 1.0) -> float:
    """A number between the two. Infinity and not-a-number are errors; the bounds may be in any order.

    >>> 2.0 <= evaluate("random.uniform", low=2, high=3) <= 3.0
    True
    """
    expect.finite("random.uniform", low)
    expect.finite("random.uniform", high)
    return ctx.random.uniform(low, high)


@tf.data_node(id="random.integer", durable="replayed", volatile=True)
def integer(ctx: tf.DataContext, low: int = 0, high: int = 100) -> int:
    """A whole number from `low` to `high`, both included. Bounds in the wrong order are an error.

    >>> evaluate("random.integer", low=1, high=6) in range(1, 7)
    True
    """
    if low > high:
        raise ValueError(
            f"random.integer: empty range: low ({expect.short(low)}) is greater than high ({expect.short(high)})."
        )
    return ctx.random.randint(low, high)


@tf.data_node(id="random.boolean", durable="replayed", volatile=True)
def boolean(ctx: tf.DataContext, probability: float = 0.5) -> bool:
    """True with a probability: 0 is never, 1 always. A probability beyond 0 and 1 is an error.

    >>> evaluate("random.boolean", probability=1)
    True
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"random.boolean: expected a probability from 0 to 1, got {expect.short(probability)}.")
    return ctx.random.random() < probability


@tf.data_node(id="random.normal", durable="replayed", volatile=True)
def normal(ctx: tf.DataContext, mean: float = 0.0, deviation: float = 1.0) -> float:
    """A number of the normal distribution. A deviation that is negative, infinite or not a number is an error.

    >>> evaluate("random.normal", mean=5, deviation=0)
    5.0
    """
    expect.finite("random.normal", deviation)
    if deviation < 0:
        raise ValueError(f"random.normal: expected a deviation that is not negative, got {expect.short(deviation)}.")
    return ctx.random.gauss(mean, deviation)


@tf.data_node(id="random.exponential", durable="replayed", volatile=True)
def exponential(ctx: tf.DataContext, mean: float = 1.0) -> float:
    """A waiting time of the exponential distribution. A mean that is not more than 0 is an error.

    >>> evaluate("random.exponential", mean=10) >= 0
    True
    """
    expect.positive("random.exponential", "mean", mean)
    return ctx.random.expovariate(1.0) * mean


@tf.data_node(id="random.choice", durable="replayed", volatile=True)
def choice(ctx: tf.DataContext, items: list[Any]) -> object:
    """One of the items. Of an empty list it is an error.

    >>> evaluate("random.choice", items=["heads", "tails"]) in ("heads", "tails")
    True
    """
    if not items:
        raise IndexError("random.choice: the list is empty.")
    return ctx.random.choice(items)


@sliced(id="random.weighted_choice", durable="replayed", volatile=True)
def weighted_choice(ctx: tf.DataContext, items: list[Any], weights: list[Any]) -> Steps[object]:
    """One of the items, each as likely as its weight says.

    An empty list, lists of different lengths, negative or infinite weights, and weights that are all 0, are errors.

    >>> evaluate("random.weighted_choice", items=["never", "always"], weights=[0, 1])
    'always'
    """
    found: list[int | float] = yield from expect.numbers("random.weighted_choice", weights)
    if len(items) != len(found):
        raise ValueError(f"random.weighted_choice: {len(items)} items have {len(found)} weights.")
    try:
        sums: list[float] = yield from _summed(found)
    except OverflowError:
        sums = []
    if not sums or min((yield from mapped(min, [*parts(found)], 1))) < 0 or not 0 < sums[-1] < float("inf"):
        raise ValueError("random.weighted_choice: expected weights that are not negative, and not all 0.")
    return ctx.random.choices(items, cum_weights=sums)[0]


@sliced(id="random.sample", durable="replayed", volatile=True)
def sample(ctx: tf.DataContext, items: list[Any], count: int = 1) -> Steps[list[Any]]:
    """So many of the items, each place at most once, in any order. More than there are is an error.

    >>> sorted(evaluate("random.sample", items=[1, 2, 3], count=3))
    [1, 2, 3]
    """
    if not 0 <= count <= len(items):
        raise ValueError(
            f"random.sample: expected a count from 0 to {len(items)}, the number of items, got {expect.short(count)}."
        )
    return (yield from _drawn(ctx, items, count))


@sliced(id="random.shuffle", durable="replayed", volatile=True)
def shuffle(ctx: tf.DataContext, items: list[Any]) -> Steps[list[Any]]:
    """The items in another order.

    >>> sorted(evaluate("random.shuffle", items=[3, 1, 2]))
    [1, 2, 3]
    """
    return (yield from _drawn(ctx, items, len(items)))


@sliced(id="random.text", durable="replayed", volatile=True)
def text(ctx: tf.DataContext, length: int = 8, characters: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> Steps[str]:
    """So many of the characters, each as likely as the others. No characters to choose from is an error.

    >>> len(evaluate("random.text", length=5))
    5
    """
    if not characters:
        raise ValueError("random.text: there are no characters to choose from.")
    count = expect.at_most("random.text", length, "characters")
    return "".join((yield from gathered(("".join(ctx.random.choices(characters, k=size)),) for size in sizes(count))))


@sliced(id="random.bytes", durable="replayed", volatile=True)
def bytes_(ctx: tf.DataContext, length: int = 16) -> Steps[bytes]:
    """So many bytes; none for a negative length.

    >>> len(evaluate("random.bytes", length=4))
    4
    """
    count = expect.at_most("random.bytes", length, "bytes")
    return b"".join((yield from gathered((ctx.random.randbytes(size),) for size in sizes(count))))


@tf.data_node(id="random.uuid", durable="replayed", volatile=True)
def uuid_(ctx: tf.DataContext) -> str:
    """A UUID of version 4. Unlike those of other generators it comes again in a run with the same seed.

    >>> len(evaluate("random.uuid"))
    36
    """
    return str(uuid.UUID(int=ctx.random.getrandbits(128), version=4))
