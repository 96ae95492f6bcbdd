"""What nodes that run other people's things cost over the work itself, of many activations the quickest."""

from __future__ import annotations

import time

import httpx
import pytest
from loopback import loopback

import trioflow as tf
from trioflow.persons import OpenAIPerson

pytestmark = [pytest.mark.slow, pytest.mark.timed, pytest.mark.unmeasured]
REGISTRY = tf.Registry.standard(allow=["scripts"])
TIMES = 60


async def quickest(services, type_id, config=None, **given):
    """The seconds that the quickest of many activations has taken."""
    with tf.build(REGISTRY) as g:
        loop = g.add("flow.for_each", items=[*range(TIMES)])
        node = g.add(type_id, "node", config=config or {}, **given)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, node.enter)
    began, taken = [], []

    def see(event):
        if event.node == "node":
            (began if type(event).__name__ == "NodeStarted" else taken).append(time.perf_counter())

    watch = tf.observe(see, kinds=["NodeStarted", "NodeCompleted"])
    await tf.run(g.graph, registry=REGISTRY, services=services, observers=[watch])
    assert len(began) == len(taken) == TIMES
    return min(after - before for before, after in zip(began, taken, strict=True))


@pytest.mark.parametrize(("where", "most"), [("process", 1e-3), ("here", 50e-6)])
async def test_a_warm_script(where, most):
    """At most a millisecond in a process, and 50 us in this one."""
    scripts = {tf.Scripts: tf.Scripts(here=True)}
    assert await quickest(scripts, "script.python", code="return 1", where=where) <= most


async def test_a_person():
    """At most 200 us over the same call by hand."""

    async def answering(exchange):
        await exchange.answer({"choices": [{"message": {"content": "yes"}}]})

    body = {"model": "m", "messages": [{"role": "user", "content": "Is it?"}]}
    by_hand = []
    async with (
        loopback(answering) as server, httpx.AsyncClient() as client, OpenAIPerson("m", base_url=server.url) as person
    ):  # fmt: skip
        for _ in range(TIMES):
            began = time.perf_counter()
            (await client.post(f"{server.url}/chat/completions", json=body)).json()
            by_hand.append(time.perf_counter() - began)
        persons = {tf.Persons: tf.Persons({"alice": person})}
        asked = await quickest(persons, "person.ask", prompt="Is it?", memory="none")
    assert asked <= min(by_hand) + 200e-6
