"""Inputs at once: what can be evaluated before its turn is, and nobody sees it until then (D12, spec/rules/data.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trioflow.reference.graph import LAZY, UNSET, Cell, Node
from trioflow.reference.strands import Scope, Steps, Strand, Wait

if TYPE_CHECKING:
    from trioflow.reference.control import Activation
    from trioflow.reference.demand import Evaluation, Question
    from trioflow.reference.graph import Graph


def at_once(graph: Graph, node: Node) -> bool:
    """Whether at least two eager inputs come from different data nodes."""
    return len(set(_upstream(graph, node))) > 1


def _upstream(graph: Graph, node: Node) -> Iterator[Node]:
    """The data nodes directly behind the eager inputs of a node."""
    found = [data_source(graph, node, ("input", socket)) for socket in node.sockets.inputs]
    return iter([source[0] for source in found if source is not None])


def _behind(graph: Graph, node: Node) -> list[Node]:
    """The data nodes behind the eager inputs of a node, at any distance, in the order in which they are demanded."""
    found: dict[Node, None] = {}
    stack: list[tuple[Node, Iterator[Node]]] = [(node, _upstream(graph, node))]
    seen = {node}
    while stack:
        (current, sources) = stack[-1]
        source = next(sources, None)
        if source is None:
            stack.pop()
            found[current] = None
        elif source not in seen:
            seen.add(source)
            stack.append((source, _upstream(graph, source)))
    del found[node]
    return list(found)


class Ahead:
    """The evaluations ahead that one node's inputs are waited for with; `make` makes one."""

    def __init__(self, activation: Activation, node: Node, make: type[Evaluation]) -> None:
        self.activation = activation
        self.nodes = _behind(activation.run.graph, node)
        self.make = make
        self.scope = Scope(activation.strand.scope)
        self.begun: list[Evaluation] = []

    def hold(self, work: Steps) -> Steps:
        """Resolve the inputs. Afterwards what was begun ahead and nobody has taken up is cancelled and forgotten."""
        strand, ahead = self.activation.strand, self.activation.run.ahead
        strand.ahead = self
        try:
            return (yield work)
        finally:
            strand.ahead = None
            self.scope.struck = True
            for place in [place for place, each in ahead.items() if each.ahead is self and each.ended]:
                del ahead[place]
            if not all(each.ended for each in self.begun):
                yield Wait(ready=lambda: all(each.ended for each in self.begun), cancellable=False)

    def look(self) -> None:
        """Begin what can be begun now, in the order in which it will be demanded."""
        if self.scope.cancelled:
            return
        there: dict[Node, Evaluation | None] = {}
        for node in self.nodes:
            there[node] = self._find(node, there)

    def _find(self, node: Node, there: Mapping[Node, Evaluation | None]) -> Evaluation | None:
        """The evaluation of a node that is there without running anything; if there is none it may be begun."""
        activation, run = self.activation, self.activation.run
        used = self._cells(node, there)
        if used is None:
            return None
        place = (node, *used)
        for each in run.remembered.get(place, ()):
            same = fits(activation, each)
            if same is not False:
                return each if same else None
        begun = run.ahead.get(place)
        if begun is not None:
            return begun if begun.ahead is self and begun.ended and begun.failure is None else None
        running = sum(not each.ended for each in run.ahead.values())
        if place not in run.in_progress and running < run.options["max_ahead"]:
            strand = Strand(activation.strand.store, Scope(self.scope), activation.strand.line, counts=False)
            begun = self.make(run, strand, activation.path, node, activation, used, ahead=self)
            self.begun.append(begun)
            run.ahead[place] = begun
            run.spawn(strand, begun.make_ahead(place))
        return None

    def _cells(self, node: Node, there: Mapping[Node, Evaluation | None]) -> list[Cell] | None:
        """The cells of its eager inputs; None if one is not there, or unset."""
        graph = self.activation.run.graph
        used: list[Cell] = []
        for socket in node.sockets.inputs:
            question = ("input", socket)
            source = data_source(graph, node, question)
            if source is None:
                cell = at_hand(self.activation, node, question)
            else:
                evaluation = there[source[0]]
                if evaluation is None:
                    return None
                cell = evaluation.outputs.get(source[1]) or graph.constants[node.id, socket]
            if cell is UNSET:
                return None
            used.append(cell)
        return used + [LAZY] * len(node.sockets.lazy) + [self.activation.moment] * node.sockets.volatile


def fits(activation: Activation, evaluation: Evaluation) -> bool | None:
    """Whether its questions have the same answers now; None if a data node had to be asked to tell."""
    for question, answer in zip(evaluation.questions, evaluation.answers, strict=True):
        if data_source(activation.run.graph, evaluation.node, question):
            return None
        if at_hand(activation, evaluation.node, question) is not answer:
            return False
    return True


def data_source(graph: Graph, node: Node, question: Question) -> tuple[Node, str] | None:
    """The data node, and its output, that the answer to a question comes from, if it does."""
    kind, name = question
    source = graph.sources.get((node.id, name)) if kind == "input" else None
    return None if source is None or source[0].sockets.is_exec else source


def at_hand(activation: Activation, node: Node, question: Question) -> Any:
    """The cell that answers a question that is not for a data node (D1, D2, D8)."""
    (kind, name), graph, store = question, activation.run.graph, activation.strand.store
    if kind == "var":
        return store.read(question)
    source, output = graph.sources.get((node.id, name), (None, ""))
    cell = store.read(("out", source.id, output)) if source is not None else None
    return cell or graph.constants[node.id, name]
