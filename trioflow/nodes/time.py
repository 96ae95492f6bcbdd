"""Clocks. They change by themselves, so each activation that asks gets one answer of its own, and keeps it."""

from __future__ import annotations

import datetime

import trio

import trioflow as tf


@tf.data_node(id="time.now", volatile=True)
def now() -> datetime.datetime:
    """The date and time, with the zone UTC. Not the same in every run."""
    return datetime.datetime.now(datetime.UTC)


@tf.data_node(id="time.monotonic", volatile=True)
def monotonic() -> float:
    """Seconds on trio's clock, from an arbitrary start. Not the same in every run."""
    return trio.current_time()
