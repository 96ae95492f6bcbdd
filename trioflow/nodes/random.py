"""Chance, from the run's seed and the path of the activation that asks: the same under every schedule.

An activation that asks again gets the same, until something that it has triggered has come back: then it is drawn anew.
Made for simulations, tests and games, not for secrets.
"""

from __future__ import annotations

import uuid
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect


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
        raise ValueError(f"random.integer: empty range: low ({low}) is greater than high ({high}).")
    return ctx.random.randint(low, high)


@tf.data_node(id="random.boolean", durable="replayed", volatile=True)
def boolean(ctx: tf.DataContext, probability: float = 0.5) -> bool:
    """True with a probability: 0 is never, 1 always. A probability beyond 0 and 1 is an error.

    >>> evaluate("random.boolean", probability=1)
    True
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"random.boolean: expected a probability from 0 to 1, got {probability!r}.")
    return ctx.random.random() < probability


@tf.data_node(id="random.normal", durable="replayed", volatile=True)
def normal(ctx: tf.DataContext, mean: float = 0.0, deviation: float = 1.0) -> float:
    """A number of the normal distribution. A deviation that is negative, infinite or not a number is an error.

    >>> evaluate("random.normal", mean=5, deviation=0)
    5.0
    """
    expect.finite("random.normal", deviation)
    if deviation < 0:
        raise ValueError(f"random.normal: expected a deviation that is not negative, got {deviation!r}.")
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


@tf.data_node(id="random.weighted_choice", durable="replayed", volatile=True)
def weighted_choice(ctx: tf.DataContext, items: list[Any], weights: list[Any]) -> object:
    """One of the items, each as likely as its weight says.

    An empty list, lists of different lengths, negative or infinite weights, and weights that are all 0, are errors.

    >>> evaluate("random.weighted_choice", items=["never", "always"], weights=[0, 1])
    'always'
    """
    found = expect.numbers("random.weighted_choice", weights)
    if len(items) != len(found):
        raise ValueError(f"random.weighted_choice: {len(items)} items have {len(found)} weights.")
    if not all(weight >= 0 for weight in found) or not 0 < sum(found) < float("inf"):
        raise ValueError("random.weighted_choice: expected weights that are not negative, and not all 0.")
    return ctx.random.choices(items, found)[0]


@tf.data_node(id="random.sample", durable="replayed", volatile=True)
def sample(ctx: tf.DataContext, items: list[Any], count: int = 1) -> list[Any]:
    """So many of the items, each place at most once, in any order. More than there are is an error.

    >>> sorted(evaluate("random.sample", items=[1, 2, 3], count=3))
    [1, 2, 3]
    """
    if not 0 <= count <= len(items):
        raise ValueError(f"random.sample: expected a count from 0 to {len(items)}, the number of items, got {count}.")
    return ctx.random.sample(items, count)


@tf.data_node(id="random.shuffle", durable="replayed", volatile=True)
def shuffle(ctx: tf.DataContext, items: list[Any]) -> list[Any]:
    """The items in another order.

    >>> sorted(evaluate("random.shuffle", items=[3, 1, 2]))
    [1, 2, 3]
    """
    return ctx.random.sample(items, len(items))


@tf.data_node(id="random.text", durable="replayed", volatile=True)
def text(ctx: tf.DataContext, length: int = 8, characters: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> str:
    """So many of the characters, each as likely as the others. No characters to choose from is an error.

    >>> len(evaluate("random.text", length=5))
    5
    """
    if not characters:
        raise ValueError("random.text: there are no characters to choose from.")
    return "".join(ctx.random.choices(characters, k=expect.at_most("random.text", length, "characters")))


@tf.data_node(id="random.bytes", durable="replayed", volatile=True)
def bytes_(ctx: tf.DataContext, length: int = 16) -> bytes:
    """So many bytes; none for a negative length.

    >>> len(evaluate("random.bytes", length=4))
    4
    """
    return ctx.random.randbytes(expect.at_most("random.bytes", length, "bytes"))


@tf.data_node(id="random.uuid", durable="replayed", volatile=True)
def uuid_(ctx: tf.DataContext) -> str:
    """A UUID of version 4. Unlike those of other generators it comes again in a run with the same seed.

    >>> len(evaluate("random.uuid"))
    36
    """
    return str(uuid.UUID(int=ctx.random.getrandbits(128), version=4))
