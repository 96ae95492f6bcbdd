"""Users check their own node types: good ones pass, and each kind of fault is found, shown and explained."""

from __future__ import annotations

import contextlib
import random
import time
from typing import NamedTuple

import hypothesis.strategies as st
import pytest
import trio

import trioflow as tf
from trioflow.conformance import NodeTypeFault, check_node_type

STANDARD = tf.Registry.standard(plugins=False)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "name",
    [
        "math.add",
        "logic.select",
        "text.join",
        "list.sort",
        "flow.for_each",
        "flow.while",
        "flow.delay",
        "variable.set",
        "dict.append",
        "set.add",
    ],
)
def test_standard_nodes_pass(name):
    check_node_type(STANDARD.get(name))


def faults(node, inputs=None, **options):
    with pytest.raises(NodeTypeFault) as caught:
        check_node_type(node, inputs, **options)
    return {finding.kind: finding for finding in caught.value.findings}


def only(kind, *arguments, **options):
    found = faults(*arguments, **options)
    assert [*found] == [kind], found
    return found[kind]


class Base(tf.Node, abstract=True):
    enter = tf.ExecIn()
    then = tf.ExecOut()


class Resource(Base, id="check.good"):
    """All that a node may do, done well."""

    count = tf.DataIn(int, default=2)
    total = tf.DataOut(int)
    body = tf.ExecOut()

    async def setup(self, ctx):
        await trio.sleep(1)

    async def execute(self, ctx):
        ctx.state["n"] = ctx.state.get("n", 0) + 1
        ctx.set_output(self.total, ctx.state["n"] + await ctx.get_input(self.count))
        ctx.emit_feedback(str(ctx.random.random()))
        with trio.move_on_after(1):
            await trio.sleep(2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
        await ctx.trigger(self.body)
        return self.then

    async def teardown(self):
        await trio.sleep(1)


def test_a_good_node_with_a_life_passes():
    check_node_type(Resource)


def test_the_type_of_an_output():
    """The simplest input that shows it is the one that is shown."""

    @tf.data_node
    def half(n: int) -> int:
        return n if n < 10 else str(n)

    found = only("output type", half)
    assert found.message == "output 'result' is declared as int: expected int, got str '10'"
    assert found.inputs == {"n": 10}


def test_a_socket_that_is_not_declared():
    class Typo(Base, id="check.typo"):
        async def execute(self, ctx):
            await ctx.trigger("than")

    assert "It declares: then." in only("contract", Typo).message


def test_an_output_that_is_not_written():
    class Sometimes(tf.Node, id="check.sometimes"):
        n = tf.DataIn(int)
        x = tf.DataOut(int)

        async def execute(self, ctx):
            if await ctx.get_input(self.n) >= 0:
                ctx.set_output(self.x, 1)

    assert only("output missing", Sometimes).inputs == {"n": -1}
    check_node_type(Sometimes, optional_outputs=["x"])


def changed(node, **options):
    """What a body does to an input in place, as the only finding: what follows from it is left out."""
    found = only("input changed", node, **options)
    assert found.cure == "Copy it first: who else holds the same object sees the change."
    return found.message.removeprefix("the body changed its input ")


def test_an_input_that_is_changed():
    """In functions, whether they act or compute."""

    @tf.data_node
    def last(items: list) -> object:
        return items.pop() if items else None

    @tf.data_node
    async def late(items: tf.Lazy[list[int]]) -> int:
        (await items()).append(1)
        return 1

    @tf.exec_node
    def adds(items: list) -> None:
        items.append(1)

    @tf.exec_node
    async def of_any_type(value) -> None:
        value.append(1)

    assert changed(last) == "'items' in place, from [None] to []"
    assert changed(late) == "'items' in place, from [] to [1, 1]"  # it is evaluated twice
    assert changed(adds) == "'items' in place, from [] to [1]"
    assert changed(of_any_type) == "'value' in place, from [] to [1]"


def test_an_input_that_a_class_changes():
    class Act(Base, id="check.changes"):
        keys = tf.DataIn(dict)

        async def execute(self, ctx):
            (await ctx.get_input(self.keys))["x"] = 1
            raise ValueError("after all")

    class Compute(tf.Node, id="check.computes"):
        numbers = tf.DataIn(set[int])
        count = tf.DataOut(int)

        async def execute(self, ctx):
            numbers = await ctx.get_input(self.numbers)
            numbers.discard(0)
            ctx.set_output(self.count, len(numbers))

    assert changed(Act) == "'keys' in place, from {} to {'x': 1}"
    assert changed(Compute) == "'numbers' in place, from {0} to set()"


def test_what_is_changed_inside_of_an_input():
    @tf.data_node
    def widen(rows: list) -> int:
        for row in rows:
            if isinstance(row, list):
                row.append(0)
        return len(rows)

    assert changed(widen) == "'rows' in place, from [[]] to [[0, 0]]"


def test_a_default_that_is_changed():
    """A default is one object for all nodes of the type."""

    @tf.exec_node
    def grows(items: list = []) -> int:  # noqa: B006
        items.append(1)
        return len(items)

    assert changed(grows, inputs={"items": [tf.UNSET]}) == "'items' in place, from [] to [1]"
    assert grows.type.inputs[0].default == []


def test_a_copy_is_changed():
    """A body may do what it likes with its own."""

    @tf.data_node
    def sort(items: list[int] = []) -> list[int]:  # noqa: B006
        items = [*items]
        items.sort()
        return items

    check_node_type(sort)


def test_results_that_vary():
    @tf.data_node
    def dice(sides: int) -> float:
        return random.random()

    assert "volatile" in only("not deterministic", dice).cure
    check_node_type(dice, deterministic=False)

    @tf.data_node(volatile=True)
    def thrown(sides: int) -> float:
        return random.random()

    check_node_type(thrown)


def test_state_on_the_instance():
    """Another strand sees it."""

    class Counter(Base, id="check.counter"):
        n = tf.DataOut(int)

        def __init__(self):
            self.count = 0

        async def execute(self, ctx):
            self.count += 1
            ctx.set_output(self.n, self.count)

    assert "ctx.state" in only("state", Counter).cure


def test_state_in_a_data_node():
    class Adds(tf.Node, id="check.adds"):
        a = tf.DataIn(int)
        n = tf.DataOut(int)
        count = 0

        async def execute(self, ctx):
            self.count += 1
            ctx.set_output(self.n, self.count)

    assert "gave {'n': 1} and then {'n': 2}" in only("state", Adds).message


def test_a_data_node_that_acts():
    class Acts(tf.Node, id="check.acts"):
        x = tf.DataOut(int)

        async def execute(self, ctx):
            ctx.set_output(self.x, 1)
            ctx.set_variable("checked", 1)

    assert "only computes" in only("contract", Acts).message


def cancelled(**handlers):
    class Sleeper(Base, id="check.sleeper"):
        async def execute(self, ctx):
            await trio.sleep(1)
            await handlers["body"]()

    return only("cancellation", Sleeper).message


def test_a_cancellation_that_is_swallowed():
    """At the checkpoint that swallows it, and at no other."""

    async def swallow():
        with contextlib.suppress(BaseException):
            await trio.sleep(1)

    assert cancelled(body=swallow) == "cancelled at checkpoint 2 of 2, the body returned"


def test_a_cancellation_that_becomes_a_failure():
    async def fail():
        try:
            await trio.sleep(1)
        except BaseException:
            raise ValueError("no") from None

    assert cancelled(body=fail) == "cancelled at checkpoint 2 of 2, the body raised ValueError('no')"


def test_a_cancellation_that_is_ignored_for_ever():
    async def ignore():
        done = False
        while not done:
            with contextlib.suppress(trio.Cancelled):
                await trio.sleep(1)
                done = True

    assert cancelled(body=ignore) == "cancelled at checkpoint 2 of 2, the body went on and on"


def test_a_setup_that_swallows_its_cancellation():
    class Opens(Base, id="check.opens"):
        async def setup(self, ctx):
            with contextlib.suppress(BaseException):
                await trio.sleep(1)

        async def execute(self, ctx):
            return self.then

    assert only("cancellation", Opens).message == "cancelled at checkpoint 1 of setup, the body returned"


def test_a_task_that_is_left_behind():
    class Spawns(Base, id="check.spawns"):
        async def execute(self, ctx):
            trio.lowlevel.spawn_system_task(trio.sleep_forever, name="stray")

    assert only("left behind", Spawns).message == "after an ordinary run, it left behind: task stray; task stray"[:-12]


def test_a_generator_that_is_left_behind():
    async def numbers():
        for number in range(3):
            yield number

    class Reads(Base, id="check.reads"):
        async def execute(self, ctx):
            async for _ in numbers():
                await trio.sleep(1)

    found = only("left behind", Reads)
    assert "cancelled at checkpoint 1 of 3, it left behind: Async generator" in found.message
    assert "aclosing" in found.cure


def test_a_coroutine_that_is_not_awaited():
    class Forgets(Base, id="check.forgets"):
        async def execute(self, ctx):
            trio.sleep(1)

    assert "coroutine 'sleep' was never awaited" in only("left behind", Forgets).message


def test_a_teardown_that_needs_a_dispatch():
    class Closes(Base, id="check.closes"):
        async def execute(self, ctx):
            self.file = []

        async def teardown(self):
            self.file.clear()

    found = only("teardown", Closes)
    assert "set up and never dispatched, teardown raised AttributeError" in found.message


def test_a_teardown_that_hangs():
    class Hangs(Base, id="check.hangs"):
        async def execute(self, ctx):
            pass

        async def teardown(self):
            await trio.sleep_forever()

    assert "grace period" in only("teardown", Hangs).message


def test_a_node_that_refuses_everything():
    """Nothing was checked then, and that is said."""

    @tf.data_node
    def strict(word: str) -> int:
        return {"one": 1, "two": 2}[word]

    assert "refused" in only("nothing checked", strict).message
    check_node_type(strict, {"word": ["one", "two", "three"]})
    check_node_type(strict, {"word": st.sampled_from(["one", "two"])})


def test_all_findings_are_reported_at_once():
    @tf.data_node
    def bad(items: list) -> Both:
        items.append(1)
        return Both("x", 1)

    found = faults(bad)
    assert {"output type", "input changed"} <= set(found)
    with pytest.raises(NodeTypeFault, match="(?s)does not keep its promises:\n- output type: .*with items=.*\n- input"):
        check_node_type(bad)


def test_a_service_is_given():
    @tf.data_node
    def reads(prices: tf.FromServices[dict]) -> int:
        return prices["tea"]

    check_node_type(reads, services=lambda: {dict: {"tea": 3}})
    assert "nothing checked" in faults(reads)


class Both(NamedTuple):
    a: int
    b: int


def test_what_can_not_be_checked():
    with pytest.raises(tf.NodeDefinitionError, match="is not a node type"):
        check_node_type(len)

    with pytest.raises(tf.NodeDefinitionError, match="has no data input 'thong'"):
        check_node_type(Resource, {"thong": []})


# --- what is shared, and what is held ---

SHARED: list[int] = []


@tf.data_node(id="check.shares")
def shares(n: int) -> list:
    return SHARED


@tf.data_node(id="check.shares_inside")
def shares_inside(n: int) -> dict:
    return {"n": n, "inside": (SHARED,)}


class SharesAlways(Base, id="check.shares_always"):
    found = tf.DataOut(list)

    async def execute(self, ctx):
        ctx.set_output(self.found, SHARED)
        return self.then


@pytest.mark.parametrize("node", [shares, shares_inside, SharesAlways])
@pytest.mark.parametrize("deterministic", [True, False])
def test_an_output_that_is_shared(node, deterministic):
    """The same list in every run belongs to nobody and everybody; also inside of what is new."""
    finding = only("output shared", node, deterministic=deterministic)
    assert "is or holds the same list in every run: []" in finding.message
    assert "copy" in finding.cure


def test_what_may_be_handed_on():
    """An input as it came, and a new list each time."""

    @tf.data_node
    def same(items: list) -> list:
        return items

    @tf.data_node
    def new(n: int) -> list:
        return [n]

    check_node_type(same)
    check_node_type(new)


@tf.data_node(id="check.sleeps")
def sleeps(n: int = 0) -> int:
    time.sleep(0.1)
    return n


@tf.exec_node(id="check.computes")
async def computes(n: int = 0) -> int:
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    await trio.sleep(1)
    return n


@pytest.mark.parametrize("node", [sleeps, computes])
def test_a_body_that_blocks(node):
    """Whether it waits or computes: nobody else of the host goes on meanwhile."""
    finding = only("blocking", node, {"n": [1]}, examples=1)
    assert "held the loop for 0." in finding.message
    assert "trio.to_thread.run_sync" in finding.cure


def test_waiting_as_trio_does_blocks_nobody():
    @tf.exec_node
    async def waits(n: int = 0) -> int:
        await trio.sleep(5)
        return n

    check_node_type(waits, {"n": [1]}, examples=1)
