"""The life of nodes: instances are made and set up before, and torn down after their graph is executed (R1)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import trio

from trioflow.errors import TeardownTimeout
from trioflow.model.context import SetupContext
from trioflow.model.node_type import Node, NodeType
from trioflow.runtime.base.failure import is_cancellation, note
from trioflow.runtime.base.records import GraphFrame, RunState
from trioflow.runtime.base.task import hot_task, left_open
from trioflow.semantics.plan import PlanNode

if TYPE_CHECKING:
    from trioflow.model.context import Services
    from trioflow.model.graph import GraphNode


class _Setup(SetupContext):
    __slots__ = ("_node", "_services")

    def __init__(self, node: GraphNode, services: Services) -> None:
        self._node = node
        self._services = services

    @property
    def node(self) -> GraphNode:
        return self._node

    @property
    def services(self) -> Services:
        return self._services


def is_living(node_type: NodeType) -> bool:
    """Whether something can happen, or fail, when an instance is made, set up or torn down."""
    if not isinstance(node_type.body, type):
        return False
    cls: Any = node_type.body
    return (
        inspect.isabstract(cls)
        or cls.__init__ is not object.__init__
        or cls.__new__ is not object.__new__
        or cls.setup is not Node.setup
        or cls.teardown is not Node.teardown
    )


async def set_up(frame: GraphFrame, nodes: Sequence[PlanNode], run: RunState) -> None:
    """R1: make and set up instances of classes, in document order."""
    task = hot_task()
    scopes = task._cancel_status
    for node in nodes:
        cls = node.type.body
        assert isinstance(cls, type)
        name = frame.prefix + node.id
        try:
            instance = cls()
            if cls.setup is not Node.setup:
                await instance.setup(_Setup(node.graph_node, run.services))
                if task._cancel_status is not scopes:
                    raise await left_open(task, scopes, "Its `setup`")
        except BaseException as error:
            if not is_cancellation(error):
                note(error, f"while node {name!r} ({node.type.id}) was set up")
            raise
        frame.instances[node.index] = instance
        if cls.teardown is not Node.teardown:
            frame.set_up.append((name, instance))
        frame.bodies[node.index] = frame.template.body(node, instance)


async def tear_down(frame: GraphFrame, run: RunState) -> list[Exception]:
    """R1: in reverse order, always, whatever was cancelled, within the grace period."""
    errors: list[Exception] = []
    late: list[str] = []
    task = hot_task()
    grace = run.options.grace
    deadline = trio.current_time() + grace
    while frame.set_up:
        node, instance = frame.set_up.pop()
        # One scope for each, so that a node that hangs takes no other's teardown away.
        with trio.CancelScope(deadline=deadline, shield=True) as scope:
            scopes = task._cancel_status
            try:
                await instance.teardown()
                if task._cancel_status is not scopes:
                    raise await left_open(task, scopes, "Its `teardown`")
            except Exception as error:
                note(error, f"while node {node!r} was torn down")
                errors.append(error)
        if scope.cancelled_caught:
            late.append(node)
    if late:
        errors.append(
            TeardownTimeout(
                f"Teardown took longer than the grace period of {grace:g} s and was cut off in: {', '.join(late)}. "
                "Raise RunOptions(grace=...) or make teardown faster."
            )
        )
    return errors


def combined(failure: BaseException | None, errors: list[Exception], what: str) -> BaseException | None:
    """R1: no error hides another; they take the place of a cancellation (R5)."""
    if not errors:
        return failure
    if failure is None or is_cancellation(failure):
        return errors[0] if len(errors) == 1 else ExceptionGroup("several nodes failed to tear down", errors)
    return BaseExceptionGroup(f"the {what} ended badly, and so did its teardown", [failure, *errors])
