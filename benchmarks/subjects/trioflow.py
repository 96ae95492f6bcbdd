"""trioflow: graphs built and planned beforehand, no observers unless they are what is asked about."""

from __future__ import annotations

import importlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import trio
import trio.testing

import trioflow as tf
from trioflow import examples
from trioflow.cli.trace import Trace
from trioflow.policies.machines.leases import Leases

DISTRIBUTION = "trioflow"
RUNNER = "trio"
CANNOT: dict[str, str] = {}

Run = Callable[[], Awaitable[Any]]


class _Loop(tf.Node, id="bench.loop"):
    """Triggers its body `times` times."""

    enter = tf.ExecIn()
    times = tf.DataIn(int)
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(await ctx.get_input(self.times)):
            await ctx.trigger(self.body)


class _Step(tf.Node, id="bench.step"):
    """Does nothing and hands over."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class _Count(tf.Node, id="bench.count"):
    """Hands over until it was entered `times` times: a loop made of a wire."""

    enter = tf.ExecIn()
    again = tf.ExecOut()
    done = tf.ExecOut()

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.left = ctx.services.get("times")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        self.left -= 1
        return self.again if self.left > 0 else self.done


class _Await(tf.Node, id="bench.await"):
    """Awaits what comes next, instead of handing over to it."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.trigger(self.then)


class _Ask(tf.Node, id="bench.ask"):
    """Asks for its input `times` times."""

    enter = tf.ExecIn()
    value = tf.DataIn(object)
    times = tf.DataIn(int)

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(await ctx.get_input(self.times)):
            await ctx.get_input(self.value)


class _Change(tf.Node, id="bench.change"):
    """Changes its output and asks for what depends on it, again and again; tells seconds per change."""

    enter = tf.ExecIn()
    value = tf.DataIn(object, lazy=True)
    leaf = tf.DataOut(int)
    seconds = tf.DataOut(float)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.leaf, 0)
        await ctx.get_input(self.value)
        changes = 0
        started = now = time.perf_counter()
        while changes < 2 or (changes < 100 and now < started + 0.3):
            changes += 1
            ctx.set_output(self.leaf, changes)
            await ctx.get_input(self.value)
            now = time.perf_counter()
        ctx.set_output(self.seconds, (now - started) / changes)


class _Emit(tf.Node, id="bench.emit"):
    """Emits `times` items."""

    enter = tf.ExecIn()
    times = tf.DataIn(int)
    item = tf.DataOut(int)
    body = tf.ExecOut()
    items = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(await ctx.get_input(self.times)):
            await ctx.emit(self.item, number)


class _Listen(tf.Node, id="bench.listen"):
    """Emits `times` items, at most 100 at a time, and keeps nothing of them."""

    enter = tf.ExecIn()
    times = tf.DataIn(int)
    item = tf.DataOut(int)
    body = tf.ExecOut()
    items = tf.Stream(item, fires=body, mode="concurrent", limit=100, discard=True)

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(await ctx.get_input(self.times)):
            await ctx.emit(self.item, number)


class _Sleep(tf.Node, id="bench.sleep"):
    """Sleeps for 10 ms."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        await trio.sleep(0.01)


class _Together(tf.Node, id="bench.together"):
    """Waits until `times` of its activations have begun."""

    enter = tf.ExecIn()

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.missing = ctx.services.get("times")
        self.all_are_here = trio.Event()

    async def execute(self, ctx: tf.Context) -> None:
        self.missing -= 1
        if not self.missing:
            self.all_are_here.set()
        await self.all_are_here.wait()


class _Forever(tf.Node, id="bench.forever"):
    """Sleeps until it is cancelled, and has something to tear down."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        await trio.sleep_forever()

    async def teardown(self) -> None:
        await trio.lowlevel.checkpoint()


class _Busy(tf.Node, id="bench.busy"):
    """Triggers its body until it is told to stop."""

    enter = tf.ExecIn()
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        stopped = ctx.services.get("stopped")
        while not stopped:
            await ctx.trigger(self.body)


class _Write(tf.Node, id="bench.write"):
    """Writes an output and a variable."""

    enter = tf.ExecIn()
    value = tf.DataIn(int)
    result = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.result, await ctx.get_input(self.value))
        ctx.set_variable("total", ctx.get_variable("total") + 1)


@tf.data_node(id="bench.one")
def _one() -> int:
    return 1


@tf.data_node(id="bench.increment")
def _increment(value: int) -> int:
    return value + 1


@tf.data_node(id="bench.above")
def _above(a: int, b: int) -> int:
    return max(a, b) + 1


@tf.data_node(id="bench.add")
def _add(a: int = 0, b: int = 1) -> int:
    return a + b


@tf.exec_node(id="bench.take")
def _take(value: int) -> int:
    return value


@tf.exec_node(id="bench.take_ten")
def _take_ten(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, i: int, j: int) -> int:
    return a


def _planned(graph: tf.Graph, size: int, **arguments: Any) -> Callable[[], Awaitable[tf.RunResult]]:
    plan = tf.make_plan(graph, tf.Registry.standard())
    options = tf.RunOptions(max_depth=size + 10)

    async def once() -> tf.RunResult:
        return await tf.run(plan, options=options, services={"times": size}, **arguments)

    return once


def _stepping(graph: tf.Graph, size: int, steps: int, **arguments: Any) -> Run:
    """A run that must take so many steps."""
    once = _planned(graph, size, **arguments)

    async def run() -> int:
        taken = (await once()).statistics.steps
        return size if taken == steps else taken

    return run


def _taking(graph: tf.Graph, size: int, value: int) -> Run:
    """A run whose node `take` must have got a value."""
    once = _planned(graph, size)

    async def run() -> None:
        got = (await once()).output("take")
        assert got == value, got

    return run


# --- control ---


def _loop_graph(size: int) -> tf.Graph:
    with tf.build() as g:
        start, each, step = g.add(tf.nodes.Start), g.add(_Loop, times=size), g.add(_Step)
        g.connect(start.then, each.enter)
        g.connect(each.body, step.enter)
    return g.graph


def loop(size: int) -> Run:
    return _stepping(_loop_graph(size), size, size + 2)


observers_0 = long_loop = loop


def loop_data(size: int) -> Run:
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=size)
        take = g.add(_take, "take", value=g.add(_increment, value=each.index).result)
        g.connect(start.then, each.enter)
        g.connect(each.body, take.enter)
    return _taking(g.graph, size, size)


def chain(size: int) -> Run:
    with tf.build() as g:
        control = g.add(tf.nodes.Start).then
        for _ in range(size):
            step = g.add(_Step)
            g.connect(control, step.enter)
            control = step.then
    return _stepping(g.graph, size, size + 1)


def hand_over(size: int) -> Run:
    with tf.build() as g:
        start, count = g.add(tf.nodes.Start), g.add(_Count)
        g.connect(start.then, count.enter)
        g.connect(count.again, count.enter)
    return _stepping(g.graph, size, size + 1)


def chain_awaited(size: int) -> Run:
    with tf.build() as g:
        control = g.add(tf.nodes.Start).then
        for _ in range(size):
            step = g.add(_Await)
            g.connect(control, step.enter)
            control = step.then
    return _stepping(g.graph, size, size + 1)


def fan_out(size: int) -> Run:
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        for _ in range(size):
            g.connect(start.then, g.add(_Step).enter)
    return _stepping(g.graph, size, size + 1)


# --- data ---


def data_chain(size: int) -> Run:
    with tf.build() as g:
        start, last = g.add(tf.nodes.Start), g.add(_one)
        for _ in range(size - 1):
            last = g.add(_increment, value=last.result)
        g.connect(start.then, g.add(_take, "take", value=last.result).enter)
    return _taking(g.graph, size, size)


def data_diamonds(size: int) -> Run:
    with tf.build() as g:
        start, last = g.add(tf.nodes.Start), g.add(_one)
        for _ in range(size // 3):
            left, right = g.add(_increment, value=last.result), g.add(_increment, value=last.result)
            last = g.add(_above, a=left.result, b=right.result)
        g.connect(start.then, g.add(_take, "take", value=last.result).enter)
    return _taking(g.graph, size, 1 + size // 3 * 2)


def data_layers(size: int) -> Run:
    with tf.build() as g:
        start, layer = g.add(tf.nodes.Start), [g.add(_one) for _ in range(10)]
        for _ in range(size // 10 - 1):
            layer = [g.add(_above, a=layer[place].result, b=layer[place - 1].result) for place in range(10)]
        values = dict(zip("abcdefghij", (each.result for each in layer), strict=True))
        g.connect(start.then, g.add(_take_ten, "take", **values).enter)
    return _taking(g.graph, size, size // 10)


def data_reuse(size: int) -> Run:
    with tf.build() as g:
        start, ask = g.add(tf.nodes.Start), g.add(_Ask, value=g.add(_one).result, times=size)
        g.connect(start.then, ask.enter)
    return _planned(g.graph, size)


def data_change(size: int) -> Run:
    with tf.build() as g:
        start, change = g.add(tf.nodes.Start), g.add(_Change, "change")
        layer = [g.add(_increment, value=change.leaf), *(g.add(_one) for _ in range(size - 1))]
        while len(layer) > 1:
            pairs = itertools.zip_longest(layer[::2], layer[1::2], fillvalue=layer[-1])
            layer = [g.add(_above, a=left.result, b=right.result) for left, right in pairs]
        g.connect(layer[0].result, change.value)
        g.connect(start.then, change.enter)
    once = _planned(g.graph, size)

    async def run() -> float:
        return (await once()).output("change", "seconds")

    return run


# --- the common cases ---


def function_loop(size: int) -> Run:
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=size)
        g.connect(start.then, each.enter)
        g.connect(each.body, g.add(_take, "take", value=each.index).enter)
    return _taking(g.graph, size, size - 1)


def function_chain(size: int) -> Run:
    with tf.build() as g:
        control, value = g.add(tf.nodes.Start).then, 1
        for number in range(size):
            take = g.add(_take, "take" if number == size - 1 else f"take {number}", value=value)
            g.connect(control, take.enter)
            control, value = take.then, take.result
    return _taking(g.graph, size, 1)


def _chain_of(size: int, add: Callable[[Any, Any], Any], first: int, last: int) -> Run:
    """A chain of data nodes that are added behind each other, demanded at its end."""
    with tf.build() as g:
        start, value = g.add(tf.nodes.Start), first
        for _ in range(size):
            value = add(g, value).result
        g.connect(start.then, g.add(_take, "take", value=value).enter)
    return _taking(g.graph, size, last)


def math_chain(size: int) -> Run:
    return _chain_of(size, lambda g, value: g.add("math.add", a=value, b=1), 0, size)


def select_chain(size: int) -> Run:
    return _chain_of(size, lambda g, value: g.add("logic.select", condition=True, if_true=value, if_false=0), 1, 1)


@tf.data_node(id="bench.increment_async")
async def _increment_async(value: int) -> int:
    return value + 1


def async_chain(size: int) -> Run:
    return _chain_of(size, lambda g, value: g.add(_increment_async, value=value), 0, size)


def variable_loop(size: int) -> Run:
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, each = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=size)
        g.connect(start.then, each.enter)
        g.connect(each.body, g.add(tf.nodes.UpdateVariable, name="total", value=each.index).enter)
    once = _planned(g.graph, size)

    async def run() -> None:
        total = (await once()).variables["total"]
        assert total == size * (size - 1) // 2, total

    return run


@tf.exec_node(id="bench.take_word")
def _take_word(value: str) -> str:
    return value


def fizzbuzz(size: int) -> Run:
    """The example, whose words are taken instead of printed."""
    document = json.loads((Path(examples.__file__).parent / "fizzbuzz.json").read_text(encoding="utf-8"))
    for node in document["nodes"]:
        if node["id"] == "loop":
            node["inputs"]["times"] = size
        elif node["id"] == "print":
            node["type"] = "bench.take_word"
    registry = tf.Registry.standard()
    registry.add(_take_word)
    plan = tf.make_plan(tf.loads(json.dumps(document)), registry)
    word = "Fizz" * (size % 3 == 0) + "Buzz" * (size % 5 == 0) or str(size)

    async def run() -> None:
        got = (await tf.run(plan)).output("print")
        assert got == word, got

    return run


# --- concurrency ---


def _emitting(stream: Any, body: Any, size: int) -> tf.Graph:
    with tf.build() as g:
        start, each, step = g.add(tf.nodes.Start), g.add(stream, times=size), g.add(body)
        g.connect(start.then, each.enter)
        g.connect(each.body, step.enter)
    return g.graph


def sleepers(size: int) -> Run:
    return _stepping(_emitting(_Emit, _Sleep, size), size, size + 2)


def together(size: int) -> Run:
    return _stepping(_emitting(_Emit, _Together, size), size, size + 2)


def sleepers_virtual(size: int) -> Callable[[], None]:
    run = sleepers(size)

    def on_virtual_clock() -> None:
        trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))

    return on_virtual_clock


def emit(size: int) -> Run:
    return _stepping(_emitting(_Emit, _Step, size), size, size + 2)


def long_emit(size: int) -> Run:
    return _stepping(_emitting(_Listen, _Step, size), size, size + 2)


def emit_writes(size: int) -> Run:
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, each = g.add(tf.nodes.Start), g.add(_Emit, times=size)
        write = g.add(_Write, value=each.item)
        g.connect(start.then, each.enter)
        g.connect(each.body, write.enter)
    once = _planned(g.graph, size)

    async def run() -> int:
        return (await once()).variables["total"]

    return run


# --- workflow ---


class _Turns(tf.Node, id="bench.turns"):
    """Is followed by what is wired to `again`, `times` times in all, then by what is wired to `done`."""

    enter = tf.ExecIn()
    again = tf.ExecOut()
    done = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        turn = ctx.state["turn"] = ctx.state.get("turn", 0) + 1
        return self.again if turn <= ctx.services.get("times") else self.done


class _AddOne(tf.Node, id="bench.add_one"):
    """Adds to a variable."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_variable("total", ctx.get_variable("total") + 1)
        return self.then


class _GiveUp(tf.Node, id="bench.give_up"):
    """Gives up its turn once."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.lowlevel.checkpoint()
        return self.then


def workflow_chain(size: int) -> Run:
    with tf.workflow() as w:
        before = w.add(tf.nodes.Start)
        for _ in range(size):
            step = w.add(_Step)
            w.connect(before.then, step.enter)
            before = step
    return _stepping(w.graph, size, size + 2)  # one step is the workflow's own


def workflow_layers(size: int) -> Run:
    with tf.workflow() as w:
        layer = [w.add(_Step) for _ in range(10)]
        for _ in range(size // 10 - 1):
            above = [w.add(_Step) for _ in range(10)]
            for place, step in enumerate(above):
                w.connect(layer[place].then, step.enter)
                w.connect(layer[place - 1].then, step.enter)
            layer = above
    return _stepping(w.graph, size, size + 1)


def _fan(size: int, body: type[_Step | _GiveUp]) -> Run:
    with tf.workflow() as w:
        start, end = w.add(tf.nodes.Start), w.add(_Step)
        for _ in range(size):
            step = w.add(body)
            w.connect(start.then, step.enter)
            w.connect(step.then, end.enter)
    return _stepping(w.graph, size, size + 3)


def workflow_fan(size: int) -> Run:
    return _fan(size, _Step)


def workflow_fan_waiting(size: int) -> Run:
    return _fan(size, _GiveUp)


def workflow_loop(size: int) -> Run:
    with tf.workflow() as w:
        turns = w.add(_Turns, most=size + 1)
        w.connect(turns.again, turns.enter)
    return _stepping(w.graph, size, size + 2)


def workflow_rounds(size: int) -> Run:
    with tf.workflow() as w:
        w.variable("total", "int", 0, merge="sum")
        start, turns, after = w.add(tf.nodes.Start), w.add(_Turns, most=size + 1), w.add(_Step)
        w.connect(start.then, turns.enter)
        for _ in range(2):
            add = w.add(_AddOne)
            w.connect(turns.again, add.enter)
            w.connect(add.then, after.enter)
        w.connect(after.then, turns.enter)
    once = _planned(w.graph, size)

    async def run() -> int:
        return (await once()).variables["total"] // 2

    return run


# --- start ---


def import_(size: int) -> Callable[[], float]:
    code = "import time; start = time.perf_counter(); import trioflow; print(time.perf_counter() - start)"

    def run() -> float:
        return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)

    return run


def _halves(size: int) -> tf.Graph:
    """Half of its nodes steps in a chain, half of them data nodes in another; the chain begins with an end."""
    with tf.build() as g:
        control = g.add(tf.nodes.Start).then
        value = g.add(_one).result
        for _ in range(size // 2):
            step, added = g.add(_Step), g.add(_add, a=value)
            g.connect(control, step.enter)
            control, value = step.then, added.result
    return g.graph


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _halves(size)

    return run


def plan(size: int) -> Callable[[], None]:
    graph = _halves(size)
    registry = tf.Registry.standard()

    def run() -> None:
        tf.make_plan(graph, registry)

    return run


def load(size: int) -> Callable[[], None]:
    nodes = [{"id": "start", "type": "flow.start"}]
    nodes += [{"id": f"step_{number}", "type": "flow.sequence"} for number in range(size)]
    wires = [{"from": "start.then", "to": "step_0.enter"}]
    wires += [{"from": f"step_{number}.fourth", "to": f"step_{number + 1}.enter"} for number in range(size - 1)]
    text = json.dumps({"trioflow": "1.0", "nodes": nodes, "connections": wires})

    def run() -> None:
        tf.loads(text)

    return run


def first_step(size: int) -> Run:
    with tf.build() as g:
        start, first = g.add(tf.nodes.Start), g.add(_Step)
        g.connect(start.then, first.enter)
        control = g.add(_Step).then
        for _ in range(size - 3):
            step = g.add(_Step)
            g.connect(control, step.enter)
            control = step.then
    return _stepping(g.graph, size, 2)


# --- watching ---


def _observed(size: int, count: int) -> Run:
    class Counter:
        def __init__(self) -> None:
            self.seen = 0

        def __call__(self, event: tf.events.Event) -> None:
            self.seen += 1

    observers = [Counter() for _ in range(count)]
    once = _planned(_loop_graph(size), size, observers=observers)

    async def run() -> None:
        before = observers[-1].seen
        await once()
        assert observers[-1].seen - before >= 2 * size

    return run


def observers_1(size: int) -> Run:
    return _observed(size, 1)


def observers_3(size: int) -> Run:
    return _observed(size, 3)


def observers_file(size: int) -> Run:
    trace = Trace(str(Path(tempfile.mkdtemp()) / "trace.jsonl"))
    return _planned(_loop_graph(size), size, observers=[trace])


# --- policies ---


class _Works(tf.Node, id="bench.works"):
    """Does nothing, and succeeds."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None: ...


def _calls(size: int, **arguments: Any) -> Run:
    with tf.build() as g:
        start, loop, node = g.add(tf.nodes.Start), g.add(_Loop, times=size), g.add(_Works)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
        g.configure(node, policy=arguments.pop("policy", None))
    return _stepping(g.graph, size, size + 2, **arguments)


def policy_none(size: int) -> Run:
    return _calls(size)


def policy_retry(size: int) -> Run:
    return _calls(size, policy=tf.Policy(retry=tf.RetryPolicy(3)))


def policy_breaker(size: int) -> Run:
    return _calls(size, policy=tf.Policy(breaker=tf.BreakerPolicy()))


def policy_limit(size: int) -> Run:
    return _calls(size, policy=tf.Policy(limit=tf.LimitPolicy(3)))


def policy_rate(size: int) -> Run:
    return _calls(size, policy=tf.Policy(rate=tf.RatePolicy("1000000/s")))


def policy_timeout(size: int) -> Run:
    return _calls(size, policy=tf.Policy(timeout="1m"))


def policy_tracker(size: int) -> Run:
    return _calls(size, observers=[tf.Tracker()])


def policy_admit(size: int) -> Callable[[], float]:
    leases = Leases({"a": 1})
    holder = leases.ask((0,), {"a": 1}, 1)
    for number in range(size):
        leases.ask((number + 1,), {"a": 1}, number % 4)

    def run() -> float:
        nonlocal holder
        began = time.perf_counter()
        (following,) = leases.end(holder)
        took = time.perf_counter() - began
        leases.ask(holder.holder, {"a": 1}, 1)  # who had it waits again: there are as many as before
        holder = following
        return took

    return run


# --- latency ---


def _strands(body: Any, size: int) -> tf.Plan:
    """`size` concurrent strands in front of a node, each with a step behind it if it has a body."""
    with tf.build() as g:
        start, each, works = g.add(tf.nodes.Start), g.add(_Emit, times=size), g.add(body)
        g.connect(start.then, each.enter)
        g.connect(each.body, works.enter)
        if body is _Busy:
            g.connect(works.body, g.add(_Step).enter)
    return tf.make_plan(g.graph, tf.Registry.standard())


def cancel(size: int) -> Run:
    planned = _strands(_Forever, size)

    async def run() -> float:
        async with tf.open_run(planned) as running:
            await trio.testing.wait_all_tasks_blocked()
            assert running.statistics().strands == size + 1
            started = time.perf_counter()
            running.cancel()
        return time.perf_counter() - started

    return run


def pause(size: int) -> Run:
    planned = _strands(_Busy, size)
    stopped: list[bool] = []

    async def run() -> float:
        stopped.clear()
        async with tf.open_run(planned, services={"stopped": stopped}) as running:
            while running.statistics().strands <= size:
                await trio.lowlevel.checkpoint()
            started = time.perf_counter()
            running.gate.pause()
            await running.gate.wait_parked()
            seconds = time.perf_counter() - started
            stopped.append(True)
            running.gate.resume()
        return seconds

    return run


def host_gap(size: int) -> Run:
    planned = _strands(_Busy, size)
    stopped: list[bool] = []

    async def run() -> float:
        stopped.clear()
        async with tf.open_run(planned, services={"stopped": stopped}) as running:
            while running.statistics().strands <= size:
                await trio.lowlevel.checkpoint()
            longest = await _longest_gap()
            stopped.append(True)
        return longest

    return run


async def _longest_gap(seconds: float = 0.3) -> float:
    """The longest time between two turns of this task, over a while and some turns."""
    longest = 0.0
    turns = 0
    before = time.perf_counter()
    end = before + seconds
    while before < end or turns < 5:
        await trio.lowlevel.checkpoint()
        now = time.perf_counter()
        longest = max(longest, now - before)
        before = now
        turns += 1
    return longest


# --- the page ---


def _from(module: str, names: Sequence[str]) -> list[Callable[[int], Any]]:
    """Workloads of a module that is imported when one is measured: it needs a server, or databases."""

    def make(name: str) -> Callable[[int], Any]:
        def prepare(size: int) -> Any:
            return getattr(importlib.import_module(f"benchmarks.subjects.{module}"), name)(size)

        return prepare

    return [make(name) for name in names]


studio_none, studio_stop, studio_glance, studio_follow, studio_record = _from(
    "in_studio", ("studio_none", "studio_stop", "studio_glance", "studio_follow", "studio_record")
)
studio_pause, studio_step, studio_load, studio_frame, studio_moment = _from(
    "in_studio", ("studio_pause", "studio_step", "studio_load", "studio_frame", "studio_moment")
)


# --- jobs ---


jobs_put, jobs_put_tens, jobs_done = _from("in_jobs", ("jobs_put", "jobs_put_tens", "jobs_done"))


# --- kept runs ---


effects_plain, effects_memory, effects_file, effects_sqlite, effects_power, effects_postgres = _from(
    "in_journals",
    ("effects_plain", "effects_memory", "effects_file", "effects_sqlite", "effects_power", "effects_postgres"),
)
resume, resume_loop = _from("in_journals", ("resume", "resume_loop"))
