"""Node types that other processes can import."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import trio

import trioflow as tf
from trioflow.model.unfinished import Unfinished

ELSEWHERE = tf.Policy(run_on="processes")


@tf.data_node(id="remote.square", policy=ELSEWHERE)
def square(x: int) -> int:
    return x * x


@tf.data_node(id="remote.total")
def total(x0: int, x1: int, x2: int, x3: int, x4: int, x5: int, x6: int, x7: int) -> int:
    return x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7


@tf.data_node(id="remote.sliced")
def sliced(x: int) -> int:
    async def rest() -> int:
        return x + 1

    raise Unfinished(rest)


@tf.data_node(id="remote.pid", policy=ELSEWHERE)
def pid() -> int:
    return os.getpid()


@tf.data_node(id="remote.slow", policy=ELSEWHERE)
def slow(x: float) -> float:
    time.sleep(x)
    return x


@tf.data_node(id="remote.holds", policy=ELSEWHERE)
def holds(x: str) -> int:
    new = Path(f"{x}.new")
    new.write_text(str(os.getpid()))
    new.rename(x)
    time.sleep(60)
    return 0


class Both(NamedTuple):
    low: int
    high: int


@tf.exec_node(id="remote.both", policy=ELSEWHERE)
async def both(ctx: tf.Context, a: int, b: int) -> Both:
    await trio.sleep(0)
    ctx.report_progress(1, 2, "half")
    ctx.emit_feedback(f"{ctx.random.random():.6f} {ctx.path} {len(ctx.key)}")
    return Both(min(a, b), max(a, b))


@tf.exec_node(
    id="remote.chooses", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", keep=1000)), exits=["small", "then"]
)
def chooses(size: int) -> tuple[str, bytes]:
    return ("then" if size > 10 else "small"), bytes(size)


@tf.exec_node(id="remote.fails", policy=ELSEWHERE)
async def fails(ctx: tf.Context, message: str) -> None:
    ctx.emit_feedback("soon")
    raise ValueError(message)


class Odd(Exception):
    """An error that can't be sent: it takes more than it gives."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


@tf.data_node(id="remote.odd", policy=ELSEWHERE)
def odd(x: int) -> int:
    raise Odd(x, x)


@tf.exec_node(id="remote.asks", policy=ELSEWHERE)
async def asks(ctx: tf.Context) -> None:
    ctx.get_variable("x")


def dies_until(file: str, times: int) -> int:
    """Ends its process, the first times that it is called."""
    with Path(file).open("a") as log:
        log.write(f"{os.getpid()}\n")
    count = len(Path(file).read_text().splitlines())
    if count <= times:
        os._exit(7)
    return count


@tf.data_node(id="remote.dies", policy=ELSEWHERE)
def dies(file: str, times: int) -> int:
    return dies_until(file, times)


@tf.exec_node(id="remote.dies_acting", policy=ELSEWHERE)
async def dies_acting(file: str, times: int) -> int:
    return dies_until(file, times)


@tf.exec_node(id="remote.leaves", policy=ELSEWHERE)
async def leaves() -> None:
    raise SystemExit(3)


@tf.data_node(id="remote.given", policy=ELSEWHERE)
def given(x: tf.FromServices[dict]) -> int:
    return len(x)


@tf.exec_node(id="remote.drawn")
async def drawn(ctx: tf.Context, x: int) -> float:
    """Another number for each item, of which it fails for those below 0."""
    if x < 0:
        raise ValueError(f"no {x}")
    if x == 100:
        raise Odd(x, x)
    ctx.emit_feedback(f"{ctx.random.random():.6f} {ctx.key} {ctx.attempt_key}")
    return ctx.random.random()


@tf.data_node(id="remote.large", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", keep=1000)))
def large(size: int) -> bytes:
    return bytes(size)


@tf.data_node(id="remote.length", policy=ELSEWHERE)
def length(data: bytes, other: bytes) -> int:
    return len(data) + len(other)


@tf.exec_node(id="remote.makes", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", keep=1000)))
def makes(size: int) -> bytes:
    return bytes(size)


@tf.data_node(id="remote.here")
def here(data: bytes) -> int:
    return len(data)


@tf.exec_node(id="remote.small", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", batch=8)))
def small(x: int) -> int:
    return os._exit(7) if x < 0 else x + 1


@tf.exec_node(id="remote.slept", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", batch=8)))
def slept(x: float) -> float:
    time.sleep(x)
    return x


@tf.data_node(id="remote.lies", policy=tf.Policy(run_on=tf.RunOnPolicy("processes", keep=0)))
def lies() -> bytes:
    return "no bytes"  # type: ignore[return-value]
