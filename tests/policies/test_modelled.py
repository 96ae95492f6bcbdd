"""Random policies around a node that is called again and again, against a model of them (P1 to P8)."""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest
import trio
import trio.testing
from policies.modelled import Called

import trioflow as tf

CASES = 25
TOLD = ("RetryScheduled", "BreakerChanged", "BreakerBlocked", "FellBack", "Quarantined", "ResourceExhausted")


class Script:
    """What each attempt comes to; what came of each call, and when."""

    def __init__(self, attempts):
        self.attempts, self.came = list(attempts), []


@tf.exec_node(id="model.act")
async def act(script: tf.FromServices[Script]) -> None:
    takes, error = script.attempts.pop(0) if script.attempts else (0.0, None)
    await trio.sleep(takes)
    if error is not None:
        raise ERRORS[error]("by the script")


ERRORS = {"OSError": OSError, "ValueError": ValueError, "ConnectionError": ConnectionError}


class Calls(tf.Node, id="model.calls"):
    """Calls what is wired to `body`, after each of these pauses."""

    enter = tf.ExecIn()
    pauses = tf.DataIn(list)
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        script = ctx.services.get(Script)
        for pause in await ctx.get_input(self.pauses):
            await trio.sleep(pause)
            came = len(script.came)
            try:
                await ctx.trigger(self.body)
            except Exception as error:
                script.came.append(type(error).__name__)
            if len(script.came) == came:
                script.came.append(None)
            script.came[-1] = (round(trio.current_time(), 6), script.came[-1])


@tf.exec_node(id="model.went")
def went(script: tf.FromServices[Script]) -> None:
    script.came.append("then")


def random_case(seed):
    """A policy, the attempts of all calls, and the pauses before each. Times are such that no two things coincide."""
    chance = random.Random(seed)

    def maybe(part, make):
        return make() if chance.random() < part else None

    def seconds(*most):
        return round(chance.choice(most) * chance.uniform(0.5, 1.5), 4)

    policy = tf.Policy(
        timeout=maybe(0.4, lambda: seconds(6, 20)),
        attempt_timeout=maybe(0.4, lambda: seconds(0.5, 1, 2)),
        retry=maybe(0.7, lambda: tf.RetryPolicy(
            chance.randint(1, 5), chance.choice(["none", "fixed", "linear", "exponential"]), seconds(0.1, 1), seconds(4, 20),
            chance.choice([1.5, 2.0]), 0.0, chance.choice([(), ("OSError",), ("Exception",)]), chance.choice([(), ("ConnectionError",)]),
            chance.choice([None, None, 3]),
        )),
        breaker=maybe(0.5, lambda: tf.BreakerPolicy(
            rate=chance.choice([0.3, 0.5, 1.0]), calls=chance.randint(1, 5), window=seconds(1, 10), open=seconds(1, 5), probes=chance.randint(1, 3)
        )),
        rate=maybe(0.4, lambda: tf.RatePolicy(
            chance.choice(["1/s", "3/s", "10/s"]), chance.choice([3, 3, 4, 6]), wait=maybe(0.4, lambda: seconds(0.2, 1)), weight=chance.choice([1, 1, 0.7, 2])
        )),
        priority=maybe(0.4, lambda: chance.choice(["low", "normal", "high", "critical"])),
        skip=chance.random() < 0.2,
        quarantine=maybe(0.2, lambda: chance.randint(1, 4)),
        fallback=maybe(0.25, lambda: tf.FallbackPolicy(exit="then")),
    )  # fmt: skip
    bad = chance.choice([0.2, 0.5, 0.8])
    attempts = [
        (seconds(0.01, 0.3, 1, 3), chance.choice([*ERRORS]) if chance.random() < bad else None) for _ in range(60)
    ]
    return policy, attempts, [seconds(0.01, 0.5, 3) for _ in range(chance.randint(3, 15))]


def modelled(policy, attempts, pauses):
    called = Called(policy, attempts)
    came = []
    for pause in pauses:
        called.now += pause
        what = called.call()
        came.append((round(called.now, 6), what))
    return came, called.log


def ran(policy, attempts, pauses):
    """The same by the engine."""
    with tf.build() as g:
        start, calls = g.add(tf.nodes.Start), g.add(Calls, pauses=pauses)
        node = g.add(act, "act")
        g.connect(start.then, calls.enter)
        g.connect(calls.body, node.enter)
        g.connect(node.then, g.add(went).enter)
        g.configure(node, policy=policy)
    script, log = Script(attempts), []

    def told(event):
        match type(event).__name__:
            case "RetryScheduled":
                more = (event.attempt, round(event.delay, 6))
            case "BreakerChanged":
                more = (event.new,)
            case "FellBack":
                more = (type(event.error).__name__,)
            case _:
                more = ()
        if type(event).__name__ in TOLD:
            log.append((round(event.time, 6), type(event).__name__, *more))

    async def main():
        with trio.fail_after(10_000):
            await tf.run(g.graph, services={Script: script}, observers=[tf.observe(told, kinds=["policies"])])

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return script.came, log


def close(one, other):
    """Whether two logs are the same, but for the last digits of times."""
    if isinstance(one, float) and isinstance(other, float | int):
        return abs(one - other) < 1e-4
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(close, one, other))
    return one == other


def compare(seed):
    """What was told. Raises `AssertionError` with the case, if the engine says something else than the model."""
    case = random_case(seed)
    expected, found = modelled(*case), ran(*case)
    assert close(expected[0], found[0]), (seed, case[0], expected, found)
    assert close(expected[1], found[1]), (seed, case[0], expected, found)
    return [each[1] for each in found[1]] + [f"call: {what}" for _, what in found[0]]


def campaign(first, count):
    found = Counter()
    for seed in range(first, first + count):
        found.update({*compare(seed)})
    return found


@pytest.mark.unmeasured
def test_as_the_model_says():
    """What is told, when, and what comes of each call: the same as without an engine; and all of it comes up."""
    found = campaign(0, CASES)
    assert {*TOLD} <= {*found}
    assert {"call: then", "call: None", "call: OSError", "call: NodeTimeout", "call: CircuitOpen"} <= {*found}


if __name__ == "__main__":  # python -m policies.test_modelled FIRST CASES
    for what, times in sorted(campaign(*map(int, sys.argv[1:])).items()):
        print(f"{what:24}{times:8,} cases")
