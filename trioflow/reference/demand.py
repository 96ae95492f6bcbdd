"""How an input gets its value: pulled, never stale, never evaluated twice (D1-D8, D12, spec/rules/data.md)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.contract.script import CANCELLATION_POINTS, Script
from trioflow.contract.trace import digest
from trioflow.reference.ahead import Ahead, at_hand, at_once, data_source, fits
from trioflow.reference.graph import FAILED, LAZY, UNSET, Cell, Failure, Node, Path
from trioflow.reference.strands import Cancelled, Run, Steps, Strand, Wait

if TYPE_CHECKING:
    from trioflow.reference.control import Activation

Question = tuple[str, str]
"""What a body may ask for: `("input", socket)` or `("var", name)`."""


def find(activation: Activation, node: Node, question: Question) -> Steps:
    """The cell that answers a question of a node, on behalf of this activation (D1-D3, D8)."""
    source = data_source(activation.run.graph, node, question)
    if source is None:
        return at_hand(activation, node, question)
    evaluation = yield demand(activation, source[0])  # D3
    return evaluation.outputs.get(source[1]) or activation.run.graph.constants[node.id, question[1]]


def resolve(activation: Activation, node: Node) -> Steps:
    """The cells of all eager inputs, in order (D7); others than the first ahead, unless some are at once (D12)."""
    run, work = activation.run, _resolve(activation, node)
    if run.options["max_ahead"] and activation.strand.ahead is None and at_once(run.graph, node):
        work = Ahead(activation, node, Evaluation).hold(work)
    return (yield work)


def _resolve(activation: Activation, node: Node) -> Steps:
    cells: list[Cell] = []
    for socket in node.sockets.inputs:
        cells.append((yield find(activation, node, ("input", socket))))
        if cells[-1] is UNSET:
            raise Failure("missing-input")  # D1
    return cells


def demand(activation: Activation, node: Node) -> Steps:
    """The evaluation of a data node that answers for this activation now (D4-D6).

    An answer holds until something is written, so that diamonds take no exponential time. Once an evaluation was not
    remembered that is given up, since such a one, and what stands on it, is made anew each time it is asked for.
    """
    run, strand = activation.run, activation.strand
    verified, asked = strand.store.verified, (activation.moment, node)
    if asked in verified:
        return verified[asked]
    used = (yield resolve(activation, node)) + [LAZY] * len(node.sockets.lazy)
    used += [activation.moment] if node.sockets.volatile else []
    place = (node, *used)
    parked = False
    while (evaluation := (yield recall(activation, node, run.remembered.get(place, ())))) is None:
        leader, begun = run.in_progress.get(place), run.ahead.get(place)
        if leader is None and begun is not None and begun.ahead is not strand.ahead and begun.runs:
            leader = begun  # D12: it is another strand's
        if leader is None and parked:
            evaluation = Evaluation(run, strand, activation.path, node, activation, used)
            if begun is not None and begun.serves(activation):
                evaluation = begun
            yield evaluation.make(place, activation)
            break
        if leader is not None:  # D5
            if strand.ahead is not None:
                strand.ahead.look()
            yield Wait(ready=lambda leader=leader: not leader.runs)  # type: ignore[misc]
        yield strand.park("e", activation.path, node)
        parked = True
        if leader is not None and leader.told and leader.failure and (yield recall(activation, node, [leader])):
            raise leader.failure
    if not run.forgetful:
        verified[asked] = evaluation
    return evaluation


def recall(activation: Activation, node: Node, known: Sequence[Evaluation]) -> Steps:
    """The one whose questions still have the same answers; they are asked as the body would ask (D4, 3).

    What is remembered while an answer is awaited counts, too.
    """
    answers: list[Cell] = []
    while candidates := [each for each in known if each.answers[: len(answers)] == answers]:
        for each in candidates:
            if len(each.answers) == len(answers):
                return each
        try:
            answers.append((yield find(activation, node, candidates[0].questions[len(answers)])))
        except Failure:
            return None  # the body will see it
    return None


@attrs.define(eq=False, slots=False)
class Body:
    """What runs a script; `path` is that of the activation for which it does."""

    run: Run
    strand: Strand
    path: Path
    node: Node

    def perform(self) -> Steps:
        """Run the node's script."""
        return Script(str, self.act).run(self.node.literals["script"])

    def act(self, kind: str, *arguments: Any) -> Steps:
        """Carry out one effect of the script, by the method that is named like it."""
        action = getattr(self, "on_" + kind, None)
        if action is None:
            raise Failure("data-node-effect")  # D8
        if kind in CANCELLATION_POINTS:
            self.strand.check()  # R5
        result = action(*arguments)
        return (yield result) if isinstance(result, Generator) else result

    def ask(self, question: Question) -> Steps:
        """The cell that answers a question now."""
        raise NotImplementedError

    def on_get(self, socket: str, *otherwise: Any) -> Steps:
        if (self.node.id, socket) not in self.run.graph.constants:
            raise Failure("unknown-socket")  # T4
        cell = yield self.ask(("input", socket))
        return otherwise[0] if cell is UNSET and otherwise else self.run.graph.got(self.node, socket, cell)

    on_tryget = on_get

    def on_getvar(self, name: str) -> Steps:
        if name not in self.run.graph.variables:
            raise Failure("unknown-name")
        return (yield self.ask(("var", name))).value

    def on_fail(self, text: str) -> None:
        raise Failure(f"fail: {text}")

    def on_now(self) -> int:
        self.run.depends("what time it is")
        return self.run.now

    def on_sleep(self, ticks: int) -> Steps:
        if ticks:
            yield Wait(until=self.run.now + ticks)
        yield self.strand.park("w", self.path, self.node)


@attrs.define(eq=False, slots=False)
class Evaluation(Body):
    """One run of a data node's body: the cells that it used, what it asked, what it was answered, what it gave."""

    activation: Activation
    used: list[Cell]
    questions: list[Question] = attrs.field(factory=list[Question])
    answers: list[Cell] = attrs.field(factory=list[Cell])
    outputs: dict[str, Cell] = attrs.field(factory=dict[str, Cell])
    failure: Failure | None = None
    key: str = ""
    ahead: Ahead | None = None
    """Because of which it was begun ahead (D12); then it runs in a strand of its own."""
    told: bool = False
    ended: bool = False
    stopped: bool = False
    """Whether it waits for its turn, to ask for what comes from a data node."""

    @property
    def runs(self) -> bool:
        """Whether others wait for it."""
        return not (self.ended or (self.stopped and not self.told))

    def serves(self, activation: Activation) -> bool:
        """Whether it can be taken up by a demand of this activation."""
        ahead = activation.strand.ahead
        return self.ahead is ahead or (self.ended and bool(fits(activation, self)))

    def make(self, place: tuple[Any, ...], activation: Activation) -> Steps:
        """Run the body, or take up what was begun ahead; remember it (D4)."""
        run, path, node = self.run, activation.path, self.node.id
        run.in_progress[place], self.told = self, True
        if self.ahead is not None:
            del run.ahead[place]
        run.tell("evaluating", path, node)
        if activation.strand.ahead is not None and not self.ended:
            activation.strand.ahead.look()
        try:
            yield self.awaited() if self.ahead else self.work()
            if self.failure:
                raise self.failure
        except (Failure, Cancelled) as error:
            if isinstance(error, Failure):
                error.origin = error.origin or path  # E2
            run.tell("unevaluated", path, node)
            raise
        finally:
            del run.in_progress[place]
        if FAILED in self.answers:
            run.forgetful = True
        else:
            run.remembered.setdefault(place, []).append(self)
        run.tell("evaluated", path, node, self.key)

    def make_ahead(self, place: tuple[Any, ...]) -> Steps:
        """Run the body before its turn is, in a strand of its own (D12)."""
        ahead, run = self.ahead, self.run
        assert ahead is not None
        try:
            yield self.strand.park("a", self.path, self.node)
            yield self.work()
        finally:
            self.ended = True
            if self.strand.scope.cancelled and run.ahead.get(place) is self:
                del run.ahead[place]
        if not self.told:
            ahead.look()

    def work(self) -> Steps:
        """Run the body, and give the evaluation and its cells their names."""
        try:
            yield self.perform()
        except Failure as failure:
            self.failure = failure
            return
        finally:
            self.ended = True
        self.key = f"{self.node.id}#{digest(cell.origin for cell in (*self.used, *self.answers))}"
        self.outputs = {socket: Cell(cell.value, f"{self.key}.{socket}") for socket, cell in self.outputs.items()}

    def awaited(self) -> Steps:
        """Wait for the strand in which it runs, which is cancelled with whoever waits."""
        try:
            if not self.ended:
                yield Wait(ready=lambda: self.ended)
        except Cancelled:
            self.strand.scope.struck = True
            yield Wait(ready=lambda: self.ended, cancellable=False)
            raise

    def ask(self, question: Question) -> Steps:
        inputs = self.node.sockets.inputs
        if question[0] == "input" and question[1] in inputs:
            return self.used[inputs.index(question[1])]  # D7: what it was when the evaluation began
        self.questions.append(question)
        self.answers.append(FAILED)
        if self.ahead and not self.told and data_source(self.run.graph, self.node, question):
            self.stopped = True
            yield Wait(ready=lambda: self.told)
        self.answers[-1] = yield find(self.activation, self.node, question)
        return self.answers[-1]

    def on_set(self, socket: str, value: Any) -> None:
        if socket not in self.node.sockets.outputs:
            raise Failure("unknown-socket")  # T4
        self.outputs[socket] = Cell(value, "")  # D3: it gets its name when the evaluation has ended
