"""Failures: where they arose, and what a run ends with (R4, E2)."""

from __future__ import annotations

import dataclasses

import attrs
import pytest
import trio
from support import Fail, Note, chain, increment

import trioflow as tf
from trioflow.errors import Unwind
from trioflow.runtime.base.failure import arose_with, escaped, leaves, origin_node


@pytest.fixture
def marked(bench):
    """A failure that arose in a node."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Fail, "fail"))
    return bench.fails(ValueError, g.graph)


def test_leaves():
    """The leaves of nested groups come in their order, without recursion."""
    a, b, c = ValueError("a"), KeyError("b"), OSError("c")
    assert [*leaves(ExceptionGroup("", [ExceptionGroup("", [a, b]), c]))] == [a, b, c]
    assert [*leaves(a)] == [a]


def test_origin_node(marked):
    """A failure knows the node that it arose in, its type, and the path, also in a group beside others (E2)."""
    node, type_id, path = origin_node(ExceptionGroup("", [KeyError("elsewhere"), marked]))
    assert (node, type_id, str(path)) == ("fail", "test.fail", "0.1")
    assert origin_node(ValueError("nowhere")) is None


def test_arose_with(marked):
    """A group arose where the first of its failures did, if that arose in a node (E2)."""
    group = ExceptionGroup("", [KeyError("elsewhere"), marked])
    arose_with(group, marked)
    assert group.__trioflow_origin__ == marked.__trioflow_origin__
    unmarked = ExceptionGroup("", [KeyError("elsewhere")])
    arose_with(unmarked, unmarked.exceptions[0])
    assert not hasattr(unmarked, "__trioflow_origin__")


def test_failure_in_a_group_of_a_body(bench):
    """A body that puts a failure from below into a group of its own hides nothing of where it arose (E2)."""

    class Groups(tf.Node, id="failure.groups"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            try:
                await ctx.trigger(self.then)
            except ValueError as error:
                raise ExceptionGroup("more", [error]) from error

    with tf.build() as g:
        start, groups, fail = g.add(tf.nodes.Start), g.add(Groups, "groups"), g.add(Fail, "fail")
        g.connect(start.then, groups.enter)
        g.connect(groups.then, fail.enter)
    bench.fails(ExceptionGroup, g.graph)
    failed = [event for event in bench.log if isinstance(event, tf.events.NodeFailed)]
    assert [(event.node, str(event.origin)) for event in failed] == [("fail", "0.1.0"), ("groups", "0.1.0")]


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    reason: str


@attrs.frozen(eq=False)
class Closed(Exception):
    reason: str


@pytest.mark.parametrize("kind", [Frozen, Closed])
@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
def test_failure_that_nobody_can_write_to(kind, observers):
    """It is raised as it is, with a note of the node that it arose in, and of no other (R4, E2)."""

    @tf.data_node(id="failure.closed")
    def closed() -> int:
        raise kind("why")

    with tf.build() as g:
        value = g.add(increment, x=g.add(closed, "closed").result)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=value.result))
    with pytest.raises(kind) as caught:
        trio.run(lambda: tf.run(g.graph, observers=observers))
    assert (caught.value.reason, caught.value.__notes__) == (
        "why",
        ["in node 'closed' (failure.closed), activation 0.1"],
    )


class Freezes(tf.Node, id="failure.freezes"):
    """Fails as frozen as can be, where the run tells it to."""

    enter = tf.ExecIn()
    where = tf.DataIn(str)

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.fails_in = ctx.node.inputs["where"]
        self.fail("setup")

    async def execute(self, ctx: tf.Context) -> None:
        self.fail("execute")

    async def teardown(self) -> None:
        self.fail("teardown")

    def fail(self, where: str) -> None:
        if self.fails_in == where:
            raise Frozen(where)


@pytest.mark.parametrize("where", ["setup", "execute", "teardown"])
def test_failure_of_a_node_that_nobody_can_write_to(bench, where):
    """So it is wherever a node fails, and the activation is told as failed (R1, R4, E1)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Freezes, "freezes", where=where))
    error = bench.fails(Frozen, g.graph)
    assert (error.reason, len(error.__notes__)) == (where, 2 if where == "execute" else 1)  # with which inputs
    assert len(bench.log.rows("failed")) == (where == "execute")


def test_unwinds_that_nobody_catches():
    """What was meant for a body that is not there is an error of the node; beside other failures they count (T7, R4)."""
    lost = escaped(BaseExceptionGroup("", [Unwind("first"), Unwind("second")]))
    assert isinstance(lost, tf.NodeError)
    assert str(lost).startswith("A node raised Unwind('first') to get back to a body above it")
    assert isinstance(lost.__cause__, Unwind)
    other = ValueError("other")
    found = escaped(BaseExceptionGroup("", [Unwind("first"), other]))
    assert [*leaves(found)] == [other]


def test_skipped_with_its_type(bench):
    """A failure that a middleware lets pass as skipped says where it arose, and in a node of which type (E2)."""

    class Skips(tf.Middleware):
        def applies(self, node, node_type):
            return node_type.id == "test.note"

        async def __call__(self, invocation):
            error = ValueError("not now")
            outcome = invocation.skip(error)
            self.notes = error.__notes__
            return outcome

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "note"))
    skips = Skips()
    bench.run(g.graph, middleware=[skips])
    assert skips.notes == ["in node 'note' (test.note), activation 0.1"]
