"""Calls: graphs as the bodies of nodes (C1-C8), and the setup and teardown of the nodes of any graph (R1).

A call of an exec graph is a run inside the run: a frame of its own with a store of its own, in the strand of whoever
calls. A data graph is evaluated as any data node is; what its inner nodes have computed hangs on the cells that it is
made of. Both keep to the stacks of `drive` and `demand`, so recursion costs neither Python's stack nor nurseries.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import trio

from trioflow.errors import DepthExceeded, TeardownTimeout
from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.context import Services, SetupContext
from trioflow.model.node_type import FunctionBody, Node, NodeType
from trioflow.runtime import demand
from trioflow.runtime.bodies import AnyBody, data_body, exec_body
from trioflow.runtime.dispatch import cross
from trioflow.runtime.exits import leave, write_outputs
from trioflow.runtime.failure import is_cancellation, note
from trioflow.runtime.frame import DataFrame, ExecFrame, GraphFrame, new_store
from trioflow.runtime.invocation import wrapped
from trioflow.runtime.ports import NOTHING, Caller, View, typed, value_of
from trioflow.runtime.strand import new_strand
from trioflow.runtime.task import hot_task, left_open
from trioflow.semantics.events import LimitReached

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from trioflow.model.graph import GraphNode, StreamSettings
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.demand import DataActivation
    from trioflow.runtime.middleware import Middleware
    from trioflow.runtime.state import RunState
    from trioflow.semantics.plan import Plan, PlanNode, Target

# --- bodies ----------------------------------------------------------------------------------------------------------


class Template:
    """The bodies of a graph's nodes, as all frames start with them.

    A body is put together when its node is first needed, so that a node that is never reached costs nothing. Functions
    and calls have the same body in all frames. Instances of classes belong to a frame, and are made where they are
    first needed; but for classes that are `living`, which may do something when they are made, set up or torn down:
    theirs are made when the frame is.
    """

    __slots__ = ("_middlewares", "_settings", "bodies", "living")

    def __init__(
        self, plan: Plan, middlewares: Mapping[int, Sequence[Middleware]], settings: Mapping[int, StreamSettings]
    ) -> None:
        self._middlewares = middlewares
        self._settings = settings
        # Decided once for each type: a graph has many nodes of few types.
        types = {node.type for node in plan.nodes}
        living = {each for each in types if _lives(each)}
        self.living = [node for node in plan.nodes if node.type in living] if living else []
        starts = {each: _first_body(each) for each in types}
        self.bodies: list[AnyBody | None] = [starts[node.type] for node in plan.nodes]
        for node in plan.nodes:
            if node.to_resolve and node.type.is_exec and self.bodies[node.index] is first_alone:
                self.bodies[node.index] = first_resolving
        for index in middlewares:
            self.bodies[index] = first

    def body(self, node: PlanNode, instance: Node | None) -> AnyBody:
        """The body of a node, which is a function, a graph or an instance of a class."""
        middlewares = self._middlewares.get(node.index, ())
        is_exec = node.type.is_exec
        body: AnyBody
        if isinstance(node.type.body, GraphBody):
            body = _exec_call(node, again=bool(middlewares)) if is_exec else _data_call(node)
        elif is_exec:
            body = exec_body(node, instance, self._settings.get(node.index), again=bool(middlewares))
        else:
            body = data_body(node, instance)
        return wrapped(body, middlewares)

    def alone(self, node: PlanNode, frame: GraphFrame) -> AnyBody:
        """The body of a node with inputs of its own, which a middleware fires (A4)."""
        cls: Any = node.type.body
        instance: Node | None = None
        if isinstance(cls, type):
            instance = frame.instances[node.index]
            if instance is None:
                instance = frame.instances[node.index] = cls()
        return self.body(node, instance)


def _first_body(node_type: NodeType) -> AnyBody | None:
    """What nodes of a type have for a body at first; None if they are not dispatched, or calling a function will do."""
    body = node_type.body
    if isinstance(body, Boundary):
        return leave if body is Boundary.LEAVE and node_type.is_exec else None
    if isinstance(body, type) and not node_type.streams:
        return first_alone
    return None if isinstance(body, FunctionBody) and body.is_plain and not node_type.is_exec else first


def first(context: Activation | DataActivation) -> Coroutine[Any, Any, Any]:
    """The body of a node that was not needed yet."""
    node = context.plan
    frame = context.strand.frame
    template = frame.template
    cls = node.type.body
    if isinstance(cls, type):
        instance = frame.instances[node.index]
        if instance is None:
            instance = frame.instances[node.index] = cls()
        body = frame.bodies[node.index] = template.body(node, instance)
    else:
        body = frame.bodies[node.index] = template.bodies[node.index] = template.body(node, None)
    return body(context)


def first_alone(context: Any) -> Coroutine[Any, Any, Any]:
    """The same where the body is the method of an instance, and nothing around it.

    Most nodes of a large graph may be of this kind or the next, and needed once. So what is called is not kept yet:
    each object that is makes the garbage collector look sooner at all that the process has.
    """
    return _instance(context).execute(context)


async def first_resolving(activation: Activation) -> Any:
    """The same with inputs to be resolved before (D7)."""
    instance = _instance(activation)
    node = activation.plan
    for planned in node.to_resolve:
        await demand.resolve(activation, node, planned)
    return await instance.execute(activation)


def _instance(context: Any) -> Node:
    node = context.plan
    frame = context.strand.frame
    cls: Any = node.type.body
    instance: Node | None = frame.instances[node.index]
    if instance is None:
        frame.instances[node.index] = instance = cls()
        assert instance is not None
    frame.bodies[node.index] = second
    return instance


def second(context: Activation | DataActivation) -> Coroutine[Any, Any, Any]:
    """The body of such a node when it is needed again."""
    node = context.plan
    frame = context.strand.frame
    body = frame.bodies[node.index] = frame.template.body(node, frame.instances[node.index])
    return body(context)


def _lives(node_type: NodeType) -> bool:
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


def template_of(plan: Plan, run: RunState, prefix: str) -> Template:
    """The template of a graph in a run. It is made once for all runs, and once more for each that adds to it.

    And once more for each graph in which something is addressed by the name of a node there (A1).
    """
    template: Template | None
    if run.wraps is None:
        template = plan.cache.get("template")
        if template is None:
            template = plan.cache["template"] = Template(plan, {}, {})
        return template
    key = (plan, prefix if prefix in run.wraps.prefixes else None)
    template = run.templates.get(key)
    if template is None:
        template = run.templates[key] = Template(plan, *run.wraps.within(plan, prefix))
    return template


def start(frame: GraphFrame, run: RunState) -> None:
    """Give a frame the bodies that it starts with."""
    template = frame.template = template_of(frame.plan, run, frame.prefix)
    frame.bodies = template.bodies.copy()
    frame.instances = [None] * len(frame.bodies)


# --- calls -----------------------------------------------------------------------------------------------------------


def _exec_call(node: PlanNode, *, again: bool) -> AnyBody:
    """The body of a node that calls an exec graph (C3); `again` if it may be called several times in one (A5)."""
    eager = [(place, planned) for place, planned in enumerate(node.inputs) if not planned.socket.lazy]
    exits = node.type.exec_outputs

    async def body(activation: Activation) -> Any:
        plan = node.graph
        assert plan is not None
        run = activation.run
        outer = activation.strand
        kept = await demand.kept_inputs(activation, node) if again else None
        inputs = [  # D7
            (place, planned, kept[place] if kept else await demand.resolve(activation, node, planned))
            for place, planned in eager
        ]
        frame = ExecFrame(plan, run.new_base(plan), activation)
        store = new_store(plan, run, frame.prefix)
        frame.strand = new_strand(run, store, outer.nurseries, frame, Caller(node, outer), outermost=outer.outermost)
        if plan.enter is not None:
            for place, planned, cell in inputs:
                store.write(plan.enter.first_output + place, value_of(planned, cell), cell.origin)
        start(frame, run)
        living = frame.template.living
        try:
            if living:
                await set_up(frame, living, run)
            targets = _first_targets(plan, activation.entered)
            if targets:
                try:
                    await cross(activation, frame.strand, targets)
                finally:
                    activation.come_back()  # D6
            await write_outputs(View(activation, frame.strand), frame)
        except BaseException as error:
            failure = combined(error, await tear_down(frame, run), "call")
            if failure is not error and failure is not None:
                raise failure from error
            raise
        if frame.set_up:
            failure = combined(None, await tear_down(frame, run), "call")
            if failure is not None:
                raise failure
        reached = store.cells[plan.exit_slot] if exits else None
        return None if reached is None else exits[reached.value]  # C5, T6

    return body


def _first_targets(plan: Plan, entry: str | None) -> Sequence[Target]:
    """Where a call starts: behind its entry, or if the calling node is an initiator, at the graph's own initiators."""
    if entry is None:
        return plan.initiators
    assert plan.enter is not None
    return plan.enter.targets[plan.enter.type.exec_output_index[entry]]


def _data_call(node: PlanNode) -> AnyBody:
    """The body of a node that calls a data graph, for one of its outputs (C2)."""

    async def body(context: DataActivation) -> None:
        plan = node.graph
        assert plan is not None
        assert plan.leave is not None
        run = context.run
        outer = context.strand
        frame = outer.frame.calls.get(node.id)
        if frame is None:
            frame = _data_frame(context, plan)
        if not frame.ready:
            await _prepare(frame, run)
        strand = new_strand(
            run, frame.store.fork(), outer.nurseries, frame, Caller(node, outer, context), outermost=outer.outermost
        )
        planned = plan.leave.inputs[node.only]
        view = View(context.line, strand)
        cell = demand.look(view, planned)
        if cell is None:
            cell = await context.fetch(view, planned)
        if cell is not NOTHING:
            context.outputs[node.only] = typed(planned, cell)

    return body


def _data_frame(context: DataActivation, plan: Plan) -> DataFrame:
    run = context.run
    outer = context.strand.frame
    node = context.plan
    if outer.nesting >= run.max_depth:  # T9
        run.tell(LimitReached, context.line, node.id, "depth", run.max_depth)
        raise DepthExceeded(
            f"Data graphs nest deeper than {run.max_depth} at node {outer.prefix + node.id!r} ({node.type.id}). One "
            "that calls itself ends only behind a lazy input that is not asked for; if it does, raise "
            "RunOptions(max_depth=...).",
            limit="depth",
            value=run.max_depth,
        )
    frame = outer.calls[node.id] = DataFrame(plan, run.new_base(plan), outer, node.id, run)
    start(frame, run)
    frame.set_up = outer.set_up
    frame.waiting = [*frame.template.living]
    frame.ready = not frame.waiting
    return frame


async def _prepare(frame: DataFrame, run: RunState) -> None:
    """Set up the nodes of a data graph when it is first asked for; they live as long as the graph around."""
    async with frame.lock:
        while frame.waiting:  # if one is cancelled, the next that asks goes on with it
            await set_up(frame, frame.waiting[:1], run)
            del frame.waiting[0]
        frame.ready = True


# --- the life of nodes -----------------------------------------------------------------------------------------------


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
