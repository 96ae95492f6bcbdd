"""What a demand means: data is pulled, never stale, never evaluated twice (D1-D8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.reference.graph import FAILED, LAZY, UNSET, Cell, Failure, Node, dotted, key_of
from trioflow.reference.script import CANCELLATION_POINTS, DATA_EFFECTS, Script
from trioflow.reference.strands import Activation, Cancelled, Evaluation, Run, Steps, Wait, same


def allowed(activation: Activation, effect: tuple[Any, ...]) -> tuple[Any, ...]:
    """D8: a data node only computes; and it ends where it was cancelled (R5)."""
    if effect[0] not in DATA_EFFECTS:
        raise Failure("data-node-effect")
    if effect[0] in CANCELLATION_POINTS:
        activation.strand.check()
    return effect


class Demands(Run):
    """How inputs get their values."""

    def variable(self, activation: Activation, name: str) -> Cell:
        cell = activation.strand.store.read(("var", name))
        if cell is None:
            raise Failure("unknown-name")
        return cell

    def resolve(self, activation: Activation, node: Node, socket: str) -> Steps:
        """The current cell of a data input (D1-D3)."""
        cell = yield from self.find(activation, node, socket)
        if cell is UNSET:
            raise Failure("missing-input")
        return cell

    def find(self, activation: Activation, node: Node, socket: str) -> Steps:
        if (node.id, socket) not in self.graph.constants:
            raise Failure("unknown-socket")
        cell: Cell | None = None
        if (node.id, socket) in self.graph.sources:
            source, output = self.graph.sources[node.id, socket]
            if source.sockets.is_exec:
                cell = activation.strand.store.read(("out", source.id, output))  # D2
            else:
                evaluation = yield from self.demand(activation, source)  # D3
                cell = evaluation.outputs.get(output)
        return cell or self.graph.constants[node.id, socket] or UNSET

    def demand(self, activation: Activation, node: Node) -> Steps:
        """The evaluation of a data node that is current for this activation (D4-D6)."""
        used: list[Cell] = []
        try:
            for socket in node.sockets.inputs:
                used.append((yield from self.resolve(activation, node, socket)))  # noqa: PERF401 - it yields
        except Failure as failure:
            failure.origin = failure.origin if failure.origin is not None else activation.path
            raise
        used += [LAZY] * len(node.sockets.lazy)
        if node.sockets.volatile:
            activation.moment = activation.moment or Cell(None, f"@{dotted(activation.path)}")
            used.append(activation.moment)
        released = False
        while True:
            known = yield from self.recall(activation, node, self.remembered.get(node.id, []), used)
            if known is not None:
                return known
            running = [each for each in self.in_progress.get(node.id, []) if same(each.used, used)]
            if running:  # D5
                leader = running[0]
                yield Wait(condition=leader.has_ended)
                yield from self.park(activation.strand, "e", activation.path, node)
                if leader.failure and (yield from self.recall(activation, node, [leader], used)):
                    raise leader.failure
                released = True
            elif not released:
                yield from self.park(activation.strand, "e", activation.path, node)
                released = True
            else:
                return (yield from self.evaluate(activation, node, used))

    def recall(self, activation: Activation, node: Node, known: Sequence[Evaluation], used: list[Cell]) -> Steps:
        """D4: the one whose inputs are all still the same; what bodies asked for is asked in the same order."""
        asked: list[Cell] = []
        while True:
            begun = [each for each in known if same(each.used, used) and same(each.cells[: len(asked)], asked)]
            if not begun:
                return None
            for each in begun:
                if len(each.pulled) == len(asked):
                    return each
            try:
                asked.append((yield from self.pull(activation, node, begun[0].pulled[len(asked)][0])))
            except Failure:
                return None  # the body will see it

    def pull(self, activation: Activation, node: Node, source: tuple[str, str]) -> Steps:
        kind, name = source
        if kind == "var":
            return self.variable(activation, name)
        return (yield from self.find(activation, node, name))

    def evaluate(self, activation: Activation, node: Node, used: list[Cell]) -> Steps:
        evaluation = Evaluation(used)
        running = self.in_progress.setdefault(node.id, [])
        running.append(evaluation)
        self.tell("evaluating", activation.path, node.id)
        given: dict[str, Any] = {}
        try:
            yield from self.compute(activation, node, evaluation, given)
        except Failure as failure:
            failure.origin = failure.origin if failure.origin is not None else activation.path
            evaluation.failure = failure
            self.tell("unevaluated", activation.path, node.id)
            raise
        except Cancelled:
            self.tell("unevaluated", activation.path, node.id)
            raise
        finally:
            running.remove(evaluation)
            evaluation.ended = True
        key = key_of(node.id, (cell.origin for cell in (*used, *(cell for _, cell in evaluation.pulled))))
        evaluation.outputs = {socket: Cell(value, f"{key}.{socket}") for socket, value in given.items()}
        if FAILED not in evaluation.cells:  # D5
            self.remembered.setdefault(node.id, []).append(evaluation)
        self.tell("evaluated", activation.path, node.id, key)
        return evaluation

    def compute(self, activation: Activation, node: Node, evaluation: Evaluation, given: dict[str, Any]) -> Steps:
        """Carry out the effects of a script of a data node."""
        script = Script(lambda error: error.code if isinstance(error, Failure) else str(error))
        effects = script.run(node.script)
        answer: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = effects.throw(failure) if failure is not None else effects.send(answer)
            except StopIteration:
                return
            answer, failure = None, None
            try:
                kind, *arguments = allowed(activation, effect)
                if kind in ("get", "tryget"):
                    answer = yield from self.ask(activation, node, evaluation, *arguments)
                elif kind == "getvar":
                    cell = self.variable(activation, arguments[0])
                    evaluation.pulled.append((("var", arguments[0]), cell))
                    answer = cell.value
                elif kind == "set":
                    if arguments[0] not in node.sockets.outputs:
                        raise Failure("unknown-socket")
                    given[arguments[0]] = arguments[1]
                elif kind == "sleep":
                    yield from self.on_sleep(activation, arguments[0], node)
                else:
                    answer = yield from getattr(self, "on_" + kind)(activation, *arguments)
            except (Failure, Cancelled) as error:
                failure = error

    def ask(self, activation: Activation, node: Node, evaluation: Evaluation, socket: str, *otherwise: Any) -> Steps:
        if socket in node.sockets.inputs:
            cell: Cell = evaluation.used[node.sockets.inputs.index(socket)]
        else:
            try:
                cell = yield from self.find(activation, node, socket)
            except Failure:
                evaluation.pulled.append((("input", socket), FAILED))
                raise
            evaluation.pulled.append((("input", socket), cell))
        if cell is UNSET:
            if otherwise:
                return otherwise[0]
            raise Failure("missing-input")
        return node.checked(socket, cell)

    # --- what both kinds of nodes may do ---

    def on_fail(self, activation: Activation, text: str) -> Steps:
        yield from ()
        raise Failure(f"fail: {text}")

    def on_now(self, activation: Activation) -> Steps:
        yield from ()
        return self.now

    def on_sleep(self, activation: Activation, ticks: int, node: Node | None = None) -> Steps:
        if ticks:
            yield Wait(until=self.now + ticks)
        yield from self.park(activation.strand, "w", activation.path, node or activation.node)
