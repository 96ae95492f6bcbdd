"""What a middleware gets of one activation or evaluation, to run its body, again, isolated, or to answer (A1-A9).

A body with middlewares around it is a chain: the first is outermost, the innermost runs the body. Each attempt but the
first has a context of its own, whose path has a mark, so that nothing of one attempt meets what another has left (A2).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import MiddlewareError, UnknownName, did_you_mean
from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.moving import reason_to_stay
from trioflow.model.node_type import FunctionBody
from trioflow.model.sockets import UNSET, ExecOut, Unset
from trioflow.model.values import NO_VALUES, frozen, own_copy
from trioflow.runtime.base.failure import adopt, mark_origin
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.names import variable_slot
from trioflow.runtime.base.records import Strand
from trioflow.runtime.base.turns import pass_dispatch
from trioflow.runtime.base.wraps import Wrapping
from trioflow.runtime.base.writes import write_outputs
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.context import EvaluationContext
from trioflow.runtime.demand.evaluation import values_of_outputs
from trioflow.runtime.demand.inputs import kept_inputs
from trioflow.runtime.dispatch import apart, tell_failed, too_deep
from trioflow.runtime.wrapping.portable import Portable, PortableCall, Returned
from trioflow.semantics.address import Address
from trioflow.semantics.coercion import Mismatch, coercer_for
from trioflow.semantics.events import Event, MergeConflict, NodeCompleted, NodeSkipped, NodeStarted, Told
from trioflow.semantics.join import Join
from trioflow.semantics.plan import PlanInput, PlanNode, Target
from trioflow.semantics.store import new_cell
from trioflow.semantics.written import Written, written_since

if TYPE_CHECKING:
    from trioflow.model.context import DataContext
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType

EventKind = type[Event]
AnyContext = BodyContext | EvaluationContext
Body = Callable[[Any], Coroutine[Any, Any, Any]]


class Outcome:
    """What a body did, or what a middleware answered in its place, as plain data (A6).

    It is gathered when it is first read, which must be before the activation closes; so nothing is gathered that nobody
    wants. What a body dispatched, in whatever way, is not told here, only that it did: such an outcome can neither be
    shipped nor cached.
    """

    __slots__ = ("_by", "_data", "_of", "_result", "_since", "dispatched", "exit", "skipped")

    _result: Any
    """What the body has returned."""
    _since: int
    """What was written since then is what the body has written."""

    def __init__(
        self, of: AnyContext, exit: str | None, data: Written | None, *, skipped: BaseException | None = None
    ) -> None:
        # Of which activation or evaluation it is; no other can end with it.
        self._of = of
        # In which context the body has run; None if it has not: then all is in the data.
        self._by: AnyContext | None = None
        self._data: Written | None = data
        self.exit = exit
        """The exec output at which control goes on; None if it ends here, and for data nodes."""
        self.dispatched = False
        """Whether the body triggered, emitted, published or started branches."""
        self.skipped = skipped
        """The error because of which the activation ends as skipped."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The values written to data outputs, by name."""
        return self._gathered.outputs

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables that were written, with what they are now. Those that the nodes below wrote are among them."""
        return self._gathered.variables

    @property
    def state(self) -> Mapping[str, Any]:
        """The node's state that was written, with what it is now; `UNSET` if it was deleted."""
        return self._gathered.state

    @property
    def written(self) -> Written:
        """All of these at once."""
        return self._gathered

    @property
    def _gathered(self) -> Written:
        if self._data is None:
            by = self._by
            assert by is not None
            if isinstance(by, EvaluationContext):
                self._data = Written(_results(by.plan, by, self._result))
            else:
                variables = by.strand.frame.plan.variable_index
                self._data = written_since(self._since, by.strand.store, by.plan, variables)
        return self._data

    def _seen_from(self, context: AnyContext) -> Outcome:
        """The same for who made the attempt, whose context lives on."""
        self._of = context
        if self._by is not None and isinstance(context, BodyContext):
            self._by = context
        return self

    def __repr__(self) -> str:
        return f"<outcome: {'skipped' if self.skipped else self.exit or 'ends here'}>"


def _results(node: PlanNode, context: EvaluationContext, result: Any) -> Mapping[str, Any]:
    outputs = zip(node.type.outputs, values_of_outputs(node, context, result), strict=True)
    return {socket.name: own_copy(value) for socket, value in outputs if value is not UNSET}


class Wrapper(Wrapping, Protocol):
    """A middleware, as far as an invocation knows it."""

    async def __call__(self, invocation: Invocation) -> Outcome: ...


class Invocation:
    """One activation or evaluation, seen from a middleware, which returns the `Outcome` of running it, or an answer."""

    __slots__ = ("_attempts", "_context", "_inner", "_middleware")

    def __init__(self, context: AnyContext, inner: _Layer, middleware: Wrapper) -> None:
        self._context = context
        self._inner = inner
        self._middleware = middleware
        self._attempts = 0

    # --- looking ---

    @property
    def kind(self) -> Literal["activation", "evaluation"]:
        """Whether an exec node is dispatched or a data node evaluated."""
        return "activation" if isinstance(self._context, BodyContext) else "evaluation"

    @property
    def node(self) -> GraphNode:
        """The node of the graph."""
        return self._context.node

    @property
    def type(self) -> NodeType:
        """The node's type."""
        return self._context.plan.type

    @property
    def context(self) -> DataContext:
        """The context of an activation's first attempt; of an evaluation, one for middlewares."""
        return self._context

    @property
    def address(self) -> Address:
        """Node, path and attempt: the attempt that runs or ran last, of this middleware's; 1 before the first (A1)."""
        frame = self._context.strand.frame
        return Address(frame.prefix, self.node.id, self._context.path, max(1, self._attempts))

    # --- acting ---

    async def inputs(self) -> Mapping[str, Any]:
        """The values of the eager inputs, by name, resolved once for all attempts: the body gets the same (A5).

        A cancellation point. Raises what resolving them raises (D7).
        """
        await checkpoint_if_cancelled()
        context = self._context
        node = context.plan
        cells = context.used if isinstance(context, EvaluationContext) else await kept_inputs(context, node)
        return {
            planned.socket.name: value_of(planned, cell)
            for planned, cell in zip(node.inputs, cells, strict=False)
            if not planned.socket.lazy
        }

    def __call__(self, *, isolated: bool = False) -> Coroutine[Any, Any, Outcome]:
        """Run the body, or the next middleware, and return what it did. Raises what it raises.

        Whoever calls again makes another attempt: with a context, a path, random numbers and a moment of its own (A2).
        A failed attempt leaves what it wrote. `isolated` makes the attempt a fork, whose writes are joined if it
        succeeds and dropped if it fails (A3); for a data node, which writes nothing, it makes no difference. A
        cancellation point if the body is one. Raises `MiddlewareError` for `isolated` without `Middleware.isolates`.
        """
        if isolated and not self._middleware.isolates:
            raise self._error(
                "isolates an attempt, but does not say so beforehand. Write `isolates = True` in its class, so that "
                "nodes which can't be isolated are refused before the run"
            )
        self._attempts += 1
        if self._attempts == 1 and not isolated:
            return self._inner(self._context)
        return self._again(isolated=isolated)

    async def _again(self, *, isolated: bool) -> Outcome:
        """Another attempt, or the first one in a fork."""
        context = self._context
        if self._attempts == 1 and isinstance(context, EvaluationContext):
            return await self._inner(context)
        if isinstance(context, EvaluationContext):
            if context.begun is not None:
                await context.begun.its_turn()  # D12: it begins a moment
            evaluation = context.attempt()
            try:
                return (await self._inner(evaluation))._seen_from(context)
            finally:
                evaluation.close()
        strand = context.strand.isolated() if isolated else context.strand
        attempt = context.alias(strand) if self._attempts == 1 else context.attempt(strand)
        try:
            outcome = await (self._isolated(context, attempt) if isolated else self._inner(attempt))
            return outcome._seen_from(context)
        finally:
            if attempt.index == context.index:
                context.count = attempt.count  # what comes next is numbered after what it has dispatched
            del attempt.strand

    async def _isolated(self, context: BodyContext, attempt: BodyContext) -> Outcome:
        """Run an attempt in the fork that is its strand, and join that if it succeeds."""
        outcome = await _run_apart(context, attempt.strand, self._inner(attempt))
        outcome.outputs  # noqa: B018 - gathered while the fork's store is there
        joining = Join(context.strand.store)
        conflicts = joining.add(attempt.strand.store)
        joining.commit()
        for each in conflicts:
            context.run.tell(MergeConflict, context, self.node.id, each.variable, each.kept, each.lost)
        return outcome

    def answer(
        self,
        outputs: Mapping[str, Any] = NO_VALUES,
        exit: str | ExecOut | Unset | None = UNSET,
        *,
        variables: Mapping[str, Any] = NO_VALUES,
        state: Mapping[str, Any] = NO_VALUES,
    ) -> Outcome:
        """An outcome in place of the body's; the middleware returns it (A4). The same for all kinds of bodies.

        What it says is written when the middlewares are through. `exit` is the exec output at which control goes on; it
        may be left out if there is one or none, and None ends here. State that is `UNSET` is deleted. Raises
        `MiddlewareError`, which names the middleware and everything that the node type does not allow: sockets that it
        does not declare, values of other types, outputs that its function would return and that are missing.
        """
        node_type = self.type
        problems = [*_wrong_outputs(self._context, outputs), *_wrong_variables(self._context, variables)]
        name = exit.name if isinstance(exit, ExecOut) else exit
        exits = [each.name for each in node_type.exec_outputs]
        if name is UNSET:
            if len(exits) > 1:
                problems.append(f"it has the exec outputs {', '.join(exits)}: say at which it goes on, or exit=None")
            name = exits[0] if exits else None
        elif name is not None and name not in exits:
            problems.append(_undeclared("there is no exec output", name, exits))
        if isinstance(self._context, EvaluationContext) and (variables or state):
            problems.append("a data node sets no variables and keeps no state")
        if problems:
            raise self._error("answers in a way that its type does not allow: " + "; ".join(problems))
        assert not isinstance(name, Unset)
        return Outcome(self._context, name, Written(frozen(outputs), frozen(variables), frozen(state)))

    def skip(self, error: Exception) -> Outcome:
        """The outcome that lets the activation end as *skipped* because of this error; the middleware returns it (E1).

        The event says where the error arose. Raises `TypeError` for an evaluation, which can't be without a result.
        """
        if not isinstance(self._context, BodyContext):
            raise TypeError(f"Data node {self.node.id!r} can't be skipped: whoever asked for its value needs one.")
        context = self._context
        mark_origin(error, context.run, context.where, context.plan.id, context.plan.type.id)
        return Outcome(context, None, Written(), skipped=error)

    async def fire(self, node: str, inputs: Mapping[str, Any] = NO_VALUES) -> Outcome:
        """Run another exec node of this graph below this activation, with these values for its data inputs (A4).

        Other inputs are what they are there. It is a step like any other, at a path with a mark of its own. It is
        entered through its first exec input, and what it hands over to is told in the outcome, not dispatched. Raises
        what its body raises, `MiddlewareError` for a node that is not there, is a data node or a boundary of the graph,
        for unknown inputs and values of other types, `DepthExceeded` (T9), `TypeError` in an evaluation, which may not
        act (D8).
        """
        context = self._context
        if not isinstance(context, BodyContext):
            raise TypeError(f"Data node {self.node.id!r} can't fire {node!r}: evaluations have no effects (D8).")
        plan = context.strand.frame.plan
        index = plan.node_index.get(node)
        if index is None:
            known = [each.id for each in plan.nodes if each.type.is_exec and not isinstance(each.type.body, Boundary)]
            raise self._error(
                f"fires {node!r}, but there is no such node in its graph.{did_you_mean(node, known)} It can fire: "
                f"{', '.join(known)}. Name one of them, or add a node {node!r} that no wire leads to"
            )
        target = plan.nodes[index]
        if not target.type.is_exec:
            raise self._error(
                f"fires {node!r}, but that is a data node, which does nothing. Ask for its value: wire it to an input "
                "of the node, or fire an exec node that has it"
            )
        if isinstance(target.type.body, Boundary):
            raise self._error(
                f"fires {node!r}, but that is the boundary of the graph, which has no body. Fire a node inside"
            )
        return await _fire(context, target, self._given(target, inputs))

    def tell(self, event: Event) -> None:
        """Tell observers an event of this node, in order with the rest (A8).

        It is of a class of yours, or one of `trioflow.events`, made with its own fields alone: what every event has is
        filled in.
        """
        context = self._context
        line = context if isinstance(context, BodyContext) else context.line
        if isinstance(context, EvaluationContext) and context.begun is not None and context.begun.hidden:
            context.begun.told.append(event)  # D12
            return
        context.run.tell_of(event, context.strand, line, context.plan.id)

    async def sleep(self, seconds: float) -> None:
        """Wait, as a policy does between attempts. A checkpoint; in a run that is kept it is a timer (J10)."""
        context = self._context
        if isinstance(context, BodyContext):
            await context.sleep_between(self._attempts, seconds)
        else:
            await trio.sleep(seconds)

    def time_limit(
        self, seconds: float, of: Literal["attempt", "total"] = "total"
    ) -> AbstractContextManager[trio.CancelScope]:
        """Cancel what is inside after so long, this attempt or all; the scope says whether that has happened.

        In a run that is kept it is a timer (J10) as soon as anything inside waits for a timer or a signal: the time
        goes on while no process has the run.
        """
        context = self._context
        if not isinstance(context, BodyContext):
            return trio.move_on_after(seconds)
        limited: AbstractContextManager[trio.CancelScope] = context.policy_limit(of, seconds)
        return limited

    @property
    def decided(self) -> bool:
        """Whether it was decided before that there is another attempt after this one: the run is replayed (J23).

        Then what policies remember of that has been restored, and is not to be counted again.
        """
        context = self._context
        return isinstance(context, BodyContext) and context.slept_between(self._attempts)

    @property
    def is_kept(self) -> bool:
        """Whether the run is kept in a journal, so that `refusal`, `known` and `decided` may have something to say."""
        return self._context.is_kept

    @property
    def known(self) -> bool:
        """Whether it is known what the next attempt comes to: the run is replayed, as for `decided` (J23)."""
        context = self._context
        return isinstance(context, BodyContext) and context.knows_attempt(self._attempts + 1)

    @property
    def again(self) -> bool:
        """Whether the body was run before, and is run again with what was recorded below it (J6): see `known`."""
        context = self._context
        return isinstance(context, BodyContext) and context.is_run_again()

    def refusal(self, by: str) -> Any:
        """The reason that the policy `by` gave to `refuse` before a resume; None if it did not refuse (J23)."""
        context = self._context
        return context.refusal(by) if isinstance(context, BodyContext) else None

    def refuse(self, by: str, why: Any) -> None:
        """Record that the policy named `by` refuses to run the body; `why` is plain data (J23).

        In a run that is not kept in a journal it does nothing.
        """
        context = self._context
        if isinstance(context, BodyContext):
            context.refuse(by, why)

    def wanted(self, kind: EventKind) -> bool:
        """Whether an observer wants events of a kind. Ask before you make many of them for `tell`."""
        watch = self._context.strand.run.observed
        return watch is not None and watch.call_for(kind) is not None

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._context.run.id

    @property
    def random_key(self) -> str:
        """What random numbers of this activation or evaluation are made of: the same under every schedule (R6)."""
        return self._context.random_key

    def portable(self) -> Portable | PortableCall | str:
        """What another process needs to run the body, or in a sentence why it can't leave this one (A9).

        Arguments are those of `inputs()`, which must have been awaited for an exec node. For a call of a graph it is a
        `PortableCall`.
        """
        context = self._context
        reason = reason_to_stay(context.plan.type)
        if reason is not None:
            return reason
        cells = context.used if isinstance(context, EvaluationContext) else context.kept
        if cells is None:
            return "its inputs are not resolved yet: await invocation.inputs() before"
        if isinstance(context, BodyContext) and isinstance(context.plan.type.body, GraphBody):
            return PortableCall.of(context, cells)
        return Portable.of(context.plan, cells, context.random_key, context.path)

    def take_back(self, returned: Returned) -> Outcome:
        """The outcome of a call that was carried out elsewhere: what it told is told here, what it counted is counted.

        Raises what it failed with, which arose where it did (E2).
        """
        run, strand = self._context.run, self._context.strand
        watch = run.observed
        if watch is not None:
            began = watch.now() - returned.elapsed
            for each in returned.told:
                at = began + each.time
                number = strand.number if not each.strand else run.forks + each.strand
                told = Told(run.id, each.path.graph, number)
                watch.tell_again(each.received(at), told, at, each.path, each.node)
        run.fuel -= returned.steps + returned.evaluations
        run.evaluations += returned.evaluations
        run.forks += returned.forks
        run.ended_forks += returned.forks
        if returned.error is not None:
            adopt(returned.error, run)
            raise returned.error
        return self.answer(returned.outputs, returned.exit)

    # --- inside ---

    def _given(self, target: PlanNode, inputs: Mapping[str, Any]) -> dict[int, Any]:
        problems: list[str] = []
        given: dict[int, Any] = {}
        for name, value in frozen(inputs).items():  # R7
            place = target.type.input_index.get(name)
            if place is None:
                known = [each.name for each in target.type.inputs]
                problems.append(_undeclared("it has no data input", name, known))
                continue
            coercer = target.inputs[place].coercer
            try:
                given[place] = value if coercer is None or value is None else coercer(value)
            except Mismatch as error:
                problems.append(f"input {name!r}: {error}")
        if problems:
            raise self._error(f"fires {target.id!r} with inputs that it can't take: {'; '.join(problems)}")
        return given

    def _error(self, what: str) -> MiddlewareError:
        name = self.address.name
        return MiddlewareError(f"{self._middleware!r}, around node {name!r} ({self.type.id}), {what}.")


_new_outcome: Any = Outcome.__new__
_new_invocation: Any = Invocation.__new__

_Layer = Callable[[AnyContext], Coroutine[Any, Any, Outcome]]

_MANY = 4
"""Of more middlewares each body is a segment of its own: several levels of them would take much of Python's stack."""


def wrapped(node: PlanNode, body: Body, middlewares: Sequence[Wrapper]) -> Body:
    """A body with the middlewares around it, the first outermost. What comes out is what the engine takes of a body."""
    first = middlewares[0]
    if not node.type.is_exec:
        return _evaluation(_around_all(_evaluated(body), middlewares[1:]), first)
    layer = _activated(body)
    if len(middlewares) > _MANY:
        layer = _apart(layer)
    return _activation(_around_all(layer, middlewares[1:]), first)


def _around_all(layer: _Layer, middlewares: Sequence[Wrapper]) -> _Layer:
    for middleware in reversed(middlewares):
        layer = _around(layer, middleware)
    return layer


def _activation(inner: _Layer, first: Wrapper) -> Body:
    async def outermost(context: BodyContext) -> Any:
        invocation: Invocation = _new_invocation(Invocation)  # as its `__init__` does: this is once per activation
        invocation._context = context
        invocation._inner = inner
        invocation._middleware = first
        invocation._attempts = 0
        outcome = await first(invocation)
        if not isinstance(outcome, Outcome) or outcome._of is not context:
            raise _no_outcome(invocation, outcome)
        if outcome._by is context and outcome.skipped is None:
            return outcome._result  # as mostly
        return _conclude(context, outcome)

    return outermost


def _evaluation(inner: _Layer, first: Wrapper) -> Body:
    layer = _around(inner, first)

    async def outermost(context: EvaluationContext) -> Any:
        try:
            outcome = await layer(context)
        except BaseException:
            context.concludes(None)
            raise
        return _conclude_evaluation(context, outcome)

    return outermost


def _around(inner: _Layer, middleware: Wrapper) -> _Layer:
    async def layer(context: AnyContext) -> Outcome:
        invocation = Invocation(context, inner, middleware)
        outcome = await middleware(invocation)
        if not isinstance(outcome, Outcome) or outcome._of is not context:
            raise _no_outcome(invocation, outcome)
        return outcome

    return layer


def _activated(body: Body) -> _Layer:
    async def layer(context: Any) -> Outcome:
        since = context.strand.run.next_serial()
        count = context.count
        result = await body(context)
        outcome: Outcome = _new_outcome(Outcome)
        outcome._of = outcome._by = context
        outcome._since = since
        outcome._result = result
        outcome._data = outcome.skipped = None
        if result is None:
            outcome.exit = None
        else:
            if result not in context.plan.type.exec_output_index:
                context.targets_of(result)  # T4: it fails here, so that a middleware sees it
            outcome.exit = result if isinstance(result, str) else result.name
        outcome.dispatched = context.count > count
        return outcome

    return layer


def _evaluated(body: Body) -> _Layer:
    async def layer(context: Any) -> Outcome:
        own = context.for_body()
        try:
            result = await body(own)
        except BaseException:
            context.asked_in_vain(own)
            raise
        finally:
            own.close()
        outcome = Outcome(context, None, None)
        outcome._by = own
        outcome._result = result
        return outcome

    return layer


def _apart(inner: _Layer) -> _Layer:
    async def layer(context: Any) -> Outcome:
        return await _run_apart(context, context.strand, inner(context))

    return layer


async def _run_apart(context: BodyContext, strand: Strand, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run this as a segment of its own in a strand, and hand its outcome on."""
    outcomes: list[Outcome] = []

    async def segment() -> None:
        outcomes.append(await work)

    try:
        await apart(context, strand, segment())
    finally:
        work.close()  # if it was never begun
    return outcomes[0]


def _no_outcome(invocation: Invocation, outcome: object) -> MiddlewareError:
    if not isinstance(outcome, Outcome):
        return invocation._error(
            f"returned {type(outcome).__name__} instead of an Outcome. Return what `await invocation()`, "
            "`invocation.answer(...)` or `invocation.skip(...)` gives"
        )
    return invocation._error(
        "returned the outcome of another activation or evaluation. Answer with what it says: "
        "`invocation.answer(outcome.outputs, outcome.exit)`"
    )


def _conclude(context: BodyContext, outcome: Outcome) -> Any:
    """Give the engine what came of an activation: what the body returned, or what a middleware answered."""
    if outcome.skipped is not None:
        plan = context.plan
        context.rarely.skipped = (
            outcome.skipped,
            mark_origin(outcome.skipped, context.run, context.where, plan.id, plan.type.id),
        )
        return None
    if outcome._by is not None:
        return outcome._result
    write_outputs(context, outcome.outputs)
    for name, value in outcome.variables.items():
        context.set_variable(name, value)
    for name, value in outcome.state.items():
        if value is UNSET:
            context.state.pop(name, None)
        else:
            context.state[name] = value
    return outcome.exit


def _conclude_evaluation(context: EvaluationContext, outcome: Outcome) -> Any:
    """The same of an evaluation."""
    by = outcome._by
    if by is not None:
        assert isinstance(by, EvaluationContext)
        context.concludes(by)
        return outcome._result
    context.concludes(None)
    body = context.plan.type.body
    values = [outcome.outputs.get(socket.name, UNSET) for socket in context.plan.type.outputs]
    if not isinstance(body, FunctionBody):
        context.outputs = values
        return None
    return values if body.result == "fields" else values[0]


async def _fire(context: BodyContext, node: PlanNode, given: Mapping[int, Any]) -> Outcome:
    """Run a node below an activation, as a dispatch does with the same checks and events (T2, E1)."""
    strand = context.strand
    run = strand.run
    fired = node.with_inputs({place: _constant(node, place, value) for place, value in given.items()})
    entered = node.type.exec_inputs[0].name if node.type.exec_inputs else None
    await checkpoint_if_cancelled()
    run.fuel -= 1
    if run.fuel < 0 or context.depth >= run.max_depth or (run.stops is not None and node in run.stops):
        await pass_dispatch(run, strand, context, Target(node, entered))
    if context.depth >= run.max_depth:
        raise too_deep(run, context)  # T9
    activation = context.fires(Target(fired, entered))
    began = None if run.observed is None else run.observed.now()
    run.tell(NodeStarted, activation, node.id, entered)
    since = run.next_serial()

    async def work() -> Outcome:
        result = await strand.frame.template.alone(fired, strand.frame)(activation)
        if result is not None:
            activation.targets_of(result)  # T4
        name = result if result is None or isinstance(result, str) else result.name
        outcome = Outcome(activation, name, None)
        outcome._by = activation
        outcome._since = since
        outcome._result = result
        outcome.dispatched = activation.count > 0
        return outcome

    try:
        outcome = await _run_apart(context, strand, work())
        if activation.skipped is not None:
            outcome.skipped = activation.skipped[0]
            run.tell(NodeSkipped, activation, node.id, *activation.skipped, run.lasted(began))
        else:
            run.tell(NodeCompleted, activation, node.id, outcome.exit, began)
        outcome.outputs  # noqa: B018 - gathered before its context is dead
    except BaseException as error:
        tell_failed(run, activation, error, began)
        raise
    finally:
        del activation.strand
    return outcome


def _constant(node: PlanNode, place: int, value: Any) -> PlanInput:
    old = node.inputs[place]
    return PlanInput(node.id, old.socket, new_cell(value, -1, f"={node.id}.{old.socket.name}"), old.coercer)


def _undeclared(what: str, name: object, known: Sequence[str]) -> str:
    return f"{what} {name!r}.{did_you_mean(str(name), known)} It declares: {', '.join(known) or 'none'}"


def _wrong_outputs(context: AnyContext, outputs: Mapping[str, Any]) -> list[str]:
    node_type = context.plan.type
    converters: Any = {}
    problems: list[str] = []
    known = [socket.name for socket in node_type.outputs]
    for name, value in outputs.items():
        place = node_type.output_index.get(name)
        if place is None:
            problems.append(_undeclared("there is no data output", name, known))
            continue
        coercer = coercer_for(node_type.outputs[place].type, converters)
        try:
            if coercer is not None and value is not None:
                coercer(value)
        except Mismatch as error:
            problems.append(f"output {name!r}: {error}")
    if isinstance(node_type.body, FunctionBody):
        problems += [f"output {name!r} is missing" for name in known if name not in outputs]
    return problems


def _wrong_variables(context: AnyContext, variables: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    plan = context.strand.frame.plan
    for name, value in variables.items():
        try:
            slot = variable_slot(context.strand.frame.plan, name)
            coercer = plan.variable_coercers[slot]
            if coercer is not None and value is not None:
                coercer(value)
        except (UnknownName, Mismatch) as error:
            problems.append(f"variable {name!r}: {error}")
    return problems
