"""Chance, from the run's seed and the path of the activation that asks: the same under every schedule."""

from __future__ import annotations

from typing import Any

import trioflow as tf


@tf.data_node(id="random.uniform", volatile=True)
def uniform(ctx: tf.DataContext, low: float = 0.0, high: float = 1.0) -> float:
    """A number between the two."""
    return ctx.random.uniform(low, high)


@tf.data_node(id="random.integer", volatile=True)
def integer(ctx: tf.DataContext, low: int = 0, high: int = 100) -> int:
    """A whole number from `low` to `high`, both included. Bounds in the wrong order are an error."""
    return ctx.random.randint(low, high)


@tf.data_node(id="random.choice", volatile=True)
def choice(ctx: tf.DataContext, items: list[Any]) -> object:
    """One of the items. Of an empty list it is an error."""
    if not items:
        raise IndexError("random.choice: the list is empty.")
    return ctx.random.choice(items)


@tf.data_node(id="random.shuffle", volatile=True)
def shuffle(ctx: tf.DataContext, items: list[Any]) -> list[Any]:
    """The items in another order."""
    return ctx.random.sample(items, len(items))
