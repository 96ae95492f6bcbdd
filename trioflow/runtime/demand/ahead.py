"""Evaluations ahead: eager inputs of one node that await are evaluated at once (D12).

The demand goes on as it would without: one input after the other. When it has to wait, it lets `Ahead` begin what will
be demanded next, each body in a task beside it. Nobody sees anything of these until the demand gets there and takes
them up: then they are told, remembered and shared, as if they had been begun there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from time import perf_counter
from typing import Any

import trio

from trioflow.model.node_type import FunctionBody
from trioflow.model.unfinished import Unfinished
from trioflow.runtime.base.cells import LAZY, NOTHING
from trioflow.runtime.base.failure import collapse, leaves, note
from trioflow.runtime.base.inputs import constant, is_current, kept, output_of, value_of
from trioflow.runtime.base.records import Asking, RunState
from trioflow.runtime.base.task import hot_task, left_open
from trioflow.runtime.base.turns import take_turn, turn_of
from trioflow.runtime.demand.context import VERIFYING, Begun, EvaluationContext, Resolving
from trioflow.runtime.demand.evaluation import as_body, made, values_of_outputs
from trioflow.runtime.demand.lazy import picking
from trioflow.semantics.events import EvaluationAhead, EvaluationForgotten, EvaluationReady
from trioflow.semantics.memo import Evaluation, recall, youngest
from trioflow.semantics.plan import CONSTANT, NODE, PORT, SLOT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import Cell

_NO_RESULTS = (trio.Cancelled, KeyboardInterrupt, SystemExit, GeneratorExit)
"""What is not for whoever takes an evaluation up, but ends what is around it."""


def serves(begun: Begun, ahead: Ahead | None, activation: Asking) -> bool:
    """Whether a demand of this activation, with these inputs at once, can take it up."""
    return begun.ahead is ahead or (begun.ended.is_set() and _fits(begun, activation))


def _fits(begun: Begun, activation: Asking) -> bool:
    """Whether its questions have the same answers here: it has asked for nothing that is not at hand."""
    context = begun.resolving.context
    return context is None or all(_at_hand(activation, asks) is cell for asks, cell in context.pulled)


def _at_hand(activation: Asking, asks: PlanInput | int) -> Cell | None:
    """The cell that answers a question, if neither a data node must be asked for it nor who calls this graph.

    For these a copy of inputs.current.
    """
    strand = activation.strand
    store = strand.store
    if isinstance(asks, int):
        return store.cells[asks]  # type: ignore[no-any-return]
    if asks.source is SLOT:
        return store.cells[asks.slot] or constant(store, asks)
    if asks.source is CONSTANT:
        return constant(store, asks)
    if asks.source is PORT and strand.caller is not None and strand.caller.context is not None:
        return strand.caller.cells.get(asks.output)
    return None


def _rest(begin: Callable[[], Awaitable[Any]], _context: EvaluationContext) -> Coroutine[Any, Any, Any]:
    """What there is to wait for, as a body like others."""
    return as_body(begin())


class Ahead:
    """The eager inputs of one node while they are resolved at once, and what was begun ahead because of them.

    `active` from the first look on, if there was anything to begin or to wait for: then a nursery is open, which
    `close` must close. `node` and those behind it are of the graph in which `activation` asks.
    """

    __slots__ = (
        "_activation", "_begun", "_consumers", "_lacking", "_manager", "_node", "_nursery", "_order", "_places",
        "_ready", "_run_state", "_stalled", "_there", "active",
    )  # fmt: skip

    def __init__(self, activation: Asking, node: PlanNode) -> None:
        self._activation = activation
        self._run_state: RunState = activation.strand.run
        self._node = node
        self._manager: Any = None
        self._nursery: trio.Nursery | None = None
        self._begun: list[Begun] = []
        # The data nodes behind the inputs, in the order in which they are demanded, and their places in it.
        self._order: list[PlanNode] | None = None
        self._places: dict[PlanNode, int] = {}
        # Those that are there, how many sources the others lack, and who lacks a source.
        self._there: dict[PlanNode, Evaluation] = {}
        self._lacking: dict[PlanNode, int] = {}
        self._consumers: dict[PlanNode, list[PlanNode]] = {}
        # The places of nodes of which all inputs are there; of those that could not be begun all the same.
        self._ready: list[int] = []
        self._stalled: list[int] = []
        self.active = False

    async def look(self, stack: Sequence[Resolving], resolving: Resolving) -> None:
        """Begin ahead what can be begun. `resolving` is about to run or to wait, for those on the `stack`."""
        if self._order is None:
            self._order = self._find_order()
            on_their_way = {each.node for each in stack} | {resolving.node}
            if all(node in self._there or node in on_their_way for node in self._order):
                return
            self.active = True
            self._manager = trio.open_nursery(strict_exception_groups=True)
            self._nursery = await self._manager.__aenter__()
        if self.active:
            await self._begin_ready()

    def arrived(self, node: PlanNode, evaluation: Evaluation) -> None:
        """The demand itself has resolved a node."""
        if evaluation.verified is not None:
            self._is_there(node, evaluation)

    async def close(self) -> None:
        """Cancel and forget what was begun and not taken up, and wait for its end."""
        self.active = False
        for begun in self._begun:
            if begun.hidden and begun.ended.is_set():
                self._forget(begun)
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()
            try:
                await self._manager.__aexit__(None, None, None)
            except BaseException as error:
                raise collapse(error) from None

    # --- what can be begun -------------------------------------------------------------------------------------------

    def _find_order(self) -> list[PlanNode]:
        found: dict[PlanNode, None] = {}
        seen = {self._node}
        stack = [(self._node, self._sources(self._node))]
        while stack:
            node, sources = stack[-1]
            source = next(sources, None)
            if source is None:
                stack.pop()
                found[node] = None
            elif source not in seen:
                seen.add(source)
                stack.append((source, self._sources(source)))
        del found[self._node]
        self._places = {node: place for place, node in enumerate(found)}
        for place, node in enumerate(found):
            lacking = {source for source in self._sources(node) if source not in self._there}
            self._lacking[node] = len(lacking)
            for source in lacking:
                self._consumers.setdefault(source, []).append(node)
            if not lacking:
                self._ready.append(place)  # in order, so it is a heap
        return list(found)

    def _sources(self, node: PlanNode) -> Iterator[PlanNode]:
        """The data nodes directly behind the eager inputs of a node that have to be evaluated."""
        activation = self._activation
        store = activation.strand.store
        for planned in node.inputs:
            if planned.socket.lazy:
                continue
            if planned.source is STATIC:
                if kept(store, planned) is None:
                    yield planned.upstream
            elif planned.source is NODE:
                evaluation = store.cells[planned.slot]
                if is_current(activation, planned.upstream, evaluation):
                    self._there[planned.upstream] = evaluation
                else:
                    yield planned.upstream

    def _is_there(self, node: PlanNode, evaluation: Evaluation) -> None:
        if node in self._there or node not in self._places:
            return
        self._there[node] = evaluation
        for consumer in self._consumers.get(node, ()):
            self._lacking[consumer] -= 1
            if not self._lacking[consumer]:
                heappush(self._ready, self._places[consumer])

    async def _begin_ready(self) -> None:
        assert self._order is not None
        run = self._run_state
        for place in self._stalled:
            heappush(self._ready, place)
        self._stalled = []
        while self._may_begin:
            if run.schedule is None and perf_counter() > run.turn_due:  # T2: there may be many functions to call
                await take_turn(run)
                if not self._may_begin:
                    break
            place = heappop(self._ready)
            node = self._order[place]
            if node not in self._there and not self._begin(node):
                self._stalled.append(place)

    @property
    def _may_begin(self) -> bool:
        run = self._run_state
        return self.active and bool(self._ready) and run.ahead_running < run.options.max_ahead

    def _begin(self, node: PlanNode) -> bool:
        """Begin a node of which all inputs are there; whether it needs not be looked at again."""
        activation = self._activation
        run = self._run_state
        graph = activation.strand.frame
        used = self._cells(node)
        if used is None:
            return False
        holder = youngest(used, graph.root_cell)
        known = recall(holder, graph.base + node.index, used)
        while known is not None and not isinstance(known, Evaluation):
            cell = _at_hand(activation, known.asks)
            if cell is None:
                return False
            known = known.answered(cell)
        if known is not None:
            self._is_there(node, known)
            return True
        resolving = Resolving(activation, node)
        resolving.used = used
        resolving.holder = holder
        resolving.phase = VERIFYING
        key = resolving.key
        if node.graph is not None or key in run.in_progress or key in run.ahead:
            return False
        begun = resolving.begun = run.ahead[key] = Begun(self, resolving, key)
        self._begun.append(begun)
        run.tell(EvaluationAhead, activation, node.id)
        make = graph.bodies[node.index]
        if make is None:
            make = self._call(begun)
        if make is not None:
            context = resolving.context = EvaluationContext(activation, resolving)
            run.ahead_running += 1
            assert self._nursery is not None
            self._nursery.start_soon(self._run, begun, make, context, name=f"{node.id} ahead")
        return True

    def _cells(self, node: PlanNode) -> list[Cell] | None:
        """The cells of its eager inputs; None if one is missing, or comes from outside and was not asked for yet."""
        activation = self._activation
        store = activation.strand.store
        used: list[Cell] = []
        for planned in node.inputs:
            source = planned.source
            cell: Cell | None
            if planned.socket.lazy:
                cell = LAZY
            elif source is NODE or source is STATIC:
                evaluation = self._there.get(planned.upstream)
                if evaluation is not None:
                    cell = output_of(evaluation, store, planned)
                else:
                    cell = kept(store, planned) if source is STATIC else None
            else:
                cell = _at_hand(activation, planned)
            if cell is None or cell is NOTHING:
                return None
            used.append(cell)
        if node.volatile:
            used.append(activation.moment)  # D6
        return used

    # --- what runs ahead ---------------------------------------------------------------------------------------------

    def _call(self, begun: Begun) -> Any:
        """Call a function: it has ended at once, or gives a body that does what is left."""
        resolving = begun.resolving
        node = resolving.node
        body = node.type.body
        assert isinstance(body, FunctionBody)
        try:
            if body.may_pick:
                return picking
            observed = self._run_state.observed
            begun.began = None if observed is None else observed.now()
            values = [*map(value_of, node.inputs, resolving.used)]
            if body.is_async:
                return partial(_rest, lambda: body.function(*values))
            self._has_made(begun, body.function(*values))
        except Unfinished as unfinished:
            return partial(_rest, unfinished.rest)
        except StopIteration as error:  # as it is where a coroutine raises it
            begun.failure = RuntimeError(f"data node {node.id!r} raised StopIteration")
            begun.failure.__cause__ = error
        except Exception as error:
            begun.failure = error
        self._is_ready(begun)
        begun.ended.set()
        begun.idle.set()
        return None

    async def _run(self, begun: Begun, make: Any, context: EvaluationContext) -> None:
        """Run a body in a task of its own."""
        run = self._run_state
        node = begun.resolving.node
        task = hot_task()
        who = f"Data node {node.id!r} ({node.type.id})"
        cut_off = True
        try:
            with begun.scope:
                scopes = task._cancel_status
                try:
                    if run.schedule is not None:
                        await turn_of(run, "a", self._activation, node)
                    begun.began = None if run.observed is None else run.observed.now()
                    begun.result = await make(context)
                    if task._cancel_status is not scopes:
                        raise await left_open(task, scopes, who)
                    if begun.hidden:
                        self._has_made(begun, begun.result)
                except BaseException as error:
                    if task._cancel_status is not scopes:
                        note(error, str(await left_open(task, scopes, who)))
                    if all(isinstance(leaf, _NO_RESULTS) for leaf in leaves(error)):
                        raise
                    begun.failure = error
                cut_off = False
        finally:
            if begun.hidden:
                run.ahead_running -= 1
                if cut_off or not self.active:
                    self._forget(begun)
                else:
                    self._is_ready(begun)
            begun.ended.set()
            begun.idle.set()
        if begun.hidden and self.active:
            await self._begin_ready()

    def _has_made(self, begun: Begun, result: Any) -> None:
        """A body has ended before its turn: what comes of it is there for those behind it."""
        resolving = begun.resolving
        begun.values = values_of_outputs(resolving.node, resolving.context, result)
        begun.evaluation = made(resolving, begun.values)
        self._is_there(resolving.node, begun.evaluation)

    def _is_ready(self, begun: Begun) -> None:
        """A body has ended before its turn, well or not."""
        run = self._run_state
        begun.lasted = run.lasted(begun.began)
        run.tell(EvaluationReady, self._activation, begun.resolving.node.id)

    def _forget(self, begun: Begun) -> None:
        run = self._run_state
        resolving = begun.resolving
        if run.ahead.get(begun.key) is begun:
            del run.ahead[begun.key]
        if resolving.context is not None:
            resolving.context.close()
        run.tell(EvaluationForgotten, self._activation, resolving.node.id)
