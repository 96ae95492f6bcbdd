"""Node types of jobs whose workers are killed: an effect in a file, and one in the database of the journal."""

from __future__ import annotations

import os

import trio

import trioflow as tf

VERSION = os.environ.get("CAMPAIGN_VERSION", "1")


@tf.exec_node(id="campaign.work", version=VERSION)
async def work(job: str, number: int) -> int:
    await trio.sleep(0.02 * (number % 3))
    with open(os.environ["CAMPAIGN_WORLD"], "a") as world:
        world.write(f"{job} {number}\n")
    return number


@tf.exec_node(id="campaign.enter", durable="transaction", version=VERSION)
def enter(db: tf.Transaction, job: str) -> None:
    db.execute(f"insert into ledger values('{job}')")


@tf.exec_node(id="campaign.hold")
async def hold(job: str) -> None:
    with open(os.environ["CAMPAIGN_WORLD"], "a") as world:
        world.write(f"{job} at {os.getpid()}\n")
    while not os.path.exists(os.environ["CAMPAIGN_WORLD"] + job):
        await trio.sleep(0.02)
