"""Checks of workflows: what can be known to be wrong before a run (W1-W18, W21, W22)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import get_args

from trioflow.errors import ExpressionFailed, MissingExtra, did_you_mean
from trioflow.expressions import BadExpression, compile_expression
from trioflow.model.composition import LEAVE, UNDO, Boundary, GraphBody
from trioflow.model.graph import (
    OUTCOMES,
    UNDO_GRACE,
    Connection,
    Endpoint,
    Graph,
    GraphNode,
    JoinPolicy,
    Keeping,
    UndoFrom,
    UndoOn,
)
from trioflow.model.node_type import NodeType
from trioflow.model.scope import Scope
from trioflow.model.sockets import ErrorMode
from trioflow.semantics.report import Problem, error, warning
from trioflow.semantics.wiring import Wiring
from trioflow.semantics.workflow.bodies import check_bodies
from trioflow.semantics.workflow.bound import names_at
from trioflow.semantics.workflow.meaning import said
from trioflow.semantics.workflow.net import GATES, LEVELS, Net, NetNode, Wire
from trioflow.semantics.workflow.pasts import check_pasts

_WORDS: Mapping[str, Sequence[str]] = {
    "join": get_args(JoinPolicy),
    "unmet": ("skip", "fail"),
    "rest": ("drop", "cancel"),
    "choose": ("all", "first"),
    "priority": LEVELS,
    "undo_from": get_args(UndoFrom),
}


def check_workflow(wiring: Wiring, nets: dict[Scope, Net]) -> Iterator[Problem]:
    """What is said of tokens in a workflow must mean something (W1). Its net is kept in `nets`."""
    words = [*_check_words(wiring.graph)]
    yield from words
    if words:
        return  # what follows reads them
    net = nets[wiring.scope] = Net(wiring.graph, [None if view is None else view.type for view in wiring.views])
    yield from _check_undo(wiring, net)
    yield from _check_undo_of_graph(net)
    yield from _check_callbacks(wiring)
    yield from _check_exits(wiring)
    yield from _check_stops(net)
    for node in net.nodes.values():
        yield from _check_join(wiring, node)
        yield from _check_gate(wiring, node)
        yield from _check_else(node)
        yield from _check_sets(wiring, node)
    for place, connection in enumerate(wiring.graph.connections):
        yield from _check_outcomes(wiring, place, connection)
    for wire in net.wires:
        yield from _check_condition(wiring, wire)
    yield from check_pasts(wiring, net)
    bodies = [*check_bodies(wiring, net)]
    yield from bodies
    yield from _check_circles(net, {each.path for each in bodies if each.code == "body-comes-back"})


def _check_words(graph: Graph) -> Iterator[Problem]:
    """Settings are what they may be, in graphs made in Python too; documents are checked when they are read."""
    said: list[tuple[str, object, Sequence[str]]] = [
        ("on_error", graph.on_error, get_args(ErrorMode)),
        ("keep_outputs", graph.keep_outputs, get_args(Keeping)),
        *(("undo_on", reason, get_args(UndoOn)) for reason in graph.undo_on or ("nothing",)),
    ]
    for name, value, words in said:
        if value not in words:
            yield _no_word(name, value, words)
    for path, number in [("limit", graph.limit), *((f"groups.{name}", most) for name, most in graph.groups.items())]:
        if number is not None and not _counts(number):
            yield _no_number(path, number)
    for place, node in enumerate(graph.nodes):
        yield from _check_words_of_node(node, place)
    for place, wire in enumerate(graph.connections):
        for outcome in wire.outcomes:
            if outcome not in OUTCOMES:
                yield _no_word(f"connections[{place}].on", outcome, OUTCOMES)


def _check_words_of_node(node: GraphNode, place: int) -> Iterator[Problem]:
    for name, words in _WORDS.items():
        if getattr(node, name) not in words:
            yield _no_word(f"nodes[{place}].{name}", getattr(node, name), words)
    if node.min != "every" and not _counts(node.min):
        yield _no_number(f"nodes[{place}].min", node.min, ', or "every"')
    for name, number in (("most", node.most), ("limit", node.limit), ("queue", node.queue)):
        if number is not None and not _counts(number):
            yield _no_number(f"nodes[{place}].{name}", number)


def _counts(value: object) -> bool:
    return type(value) is int and value >= 1


def _no_word(path: str, value: object, words: Sequence[str]) -> Problem:
    expected = " or ".join(map(repr, words))
    near = did_you_mean(value, words) if isinstance(value, str) else ""
    return error("bad-setting", path, f"Expected {expected}, got {value!r}.{near}", "Write one of these words.", "W1")


def _no_number(path: str, value: object, more: str = "") -> Problem:
    message = f"Expected a whole number of at least 1{more}, got {value!r}."
    return error("bad-setting", path, message, "Write one, or leave it out.", "W1")


# --- nodes ---


def _check_undo(wiring: Wiring, net: Net) -> Iterator[Problem]:
    """A node that undoes has no exec wires, and is not undone itself (W17)."""
    graph = wiring.graph
    by_id = {node.id: node for node in graph.nodes}
    for place, node in enumerate(graph.nodes):
        if node.type == UNDO and not net.undoes:
            message = f"{node.id!r} undoes what was done before, and no node says how that is done."
            cure = "Name the node that undoes it at each node that acts: `undo`."
            yield warning("nothing-to-undo", f"nodes[{place}]", message, cure, "W17")
        if node.undo is None:
            for name in said(node, ("undo_from",)):
                message = f"`{name}` of {node.id!r} means nothing: no node undoes it."
                yield warning(
                    "no-meaning", f"nodes[{place}].{name}", message, "Name one (`undo`), or remove it.", "W21"
                )
            continue
        problem = partial(error, path=f"nodes[{place}].undo", rule="W17")
        if node.undo not in net.place:
            known = [each.id for each in net.nodes.values()]
            what = "is a data node" if node.undo in by_id else "is not there"
            near = did_you_mean(node.undo, known)
            yield problem("unknown-node", message=f"{node.undo!r} {what}.", cure=f"Name an exec node.{near}")
            continue
        undoing = net.nodes[net.place[node.undo]]
        if undoing.into or undoing.out:
            wire = (*undoing.into, *undoing.out)[0]
            message = f"{node.undo!r} undoes {node.id!r}, and has an exec wire: {wire}."
            yield problem("wired-undo", message=message, cure="Remove the wire: a failure of the workflow fires it.")
        if by_id[node.undo].undo is not None:
            message = f"{node.undo!r} undoes {node.id!r}, and is to be undone itself."
            yield problem("undo-of-undo", message=message, cure="Undoing is not undone: remove one of the two.")


def _check_undo_of_graph(net: Net) -> Iterator[Problem]:
    """There is something to undo, and a cancellation after which there is a grace (W22)."""
    graph = net.graph
    cancelled = {*graph.undo_on} != {"failed"}
    if cancelled and not net.undoes:
        message = "`undo_on` means nothing: no node of the workflow is undone."
        yield warning("no-meaning", "undo_on", message, "Name what undoes them at nodes: `undo`.", "W22")
    if not cancelled and graph.undo_grace != UNDO_GRACE:
        message = "`undo_grace` means nothing: only a failure is undone, and that for as long as it takes."
        cure = "Write `undo_on: [failed, cancelled, timeout]`, or remove it."
        yield warning("no-meaning", "undo_grace", message, cure, "W22")


def _check_stops(net: Net) -> Iterator[Problem]:
    """Nothing comes after a node that ends the scope (W14)."""
    for node in net.nodes.values():
        if node.stops and node.out:
            wire = node.out[0]
            message = f"{wire} leads away from {node.id!r}, which ends the scope: nothing fires after it."
            cure = f"Wire {net.nodes[wire.target].id!r} before it."
            yield error("wired-stop", f"connections[{wire.place}]", message, cure, "W14")


def _check_callbacks(wiring: Wiring) -> Iterator[Problem]:
    interface = wiring.graph.interface
    for place, each in enumerate(interface.exits if interface is not None else ()):
        if each.callback:
            message = f"Exit {each.name!r} is a callback, and firings are concurrent to the graph around (C6)."
            cure = "Let it be an exit at which the call goes on when the workflow is over."
            yield error("concurrent-callback", f"interface.exits[{place}].callback", message, cure, "W14")


def _check_exits(wiring: Wiring) -> Iterator[Problem]:
    """Something leads to each exit (W14)."""
    graph = wiring.graph
    leaves = {node.id for node in graph.nodes if node.type == LEAVE}
    wired = {wire.target.socket for wire in graph.connections if wire.enabled and wire.target.node in leaves}
    for place, each in enumerate(graph.interface.exits if graph.interface is not None else ()):
        if each.name not in wired and not each.callback:
            message = f"No wire leads to the exit {each.name!r}: a call never goes on there."
            yield warning("unreachable-exit", f"interface.exits[{place}]", message, "Wire it, or remove it.", "W14")


def _check_join(wiring: Wiring, node: NetNode) -> Iterator[Problem]:
    """A join has several wires, and can be met (W4, W7)."""
    given, path = wiring.graph.nodes[node.place], f"nodes[{node.place}]"
    several = len(node.into)
    if several < 2:
        for name in said(given, ("join", "min", "unmet", "rest")):
            if name == "min" and isinstance(given.min, int) and given.min > max(1, several):
                message = f"{given.id!r} needs tokens over {given.min} wires, and {several or 'none'} lead to it."
                yield error("unmet-join", f"{path}.min", message, "Lower it, or wire the others.", "W7")
            elif name != "min" or given.min != "every":
                message = f"`{name}` of {given.id!r} means nothing: {several or 'no'} exec wire leads to it."
                yield warning("no-meaning", f"{path}.{name}", message, "Wire what it is to join, or remove it.", "W4")
    elif isinstance(given.min, int) and given.min > several and node.kind == "all":
        message = f"{given.id!r} needs tokens over {given.min} wires, and {several} lead to it."
        yield error("unmet-join", f"{path}.min", message, 'Lower it, or write "every".', "W7")
    elif isinstance(given.min, int) and given.min > several and node.kind == "first":
        message = f"{given.id!r} needs {given.min} tokens, and {several} wires lead to it: one must bring several."
        yield warning("unmet-join", f"{path}.min", message, 'If none does, lower it, or write "every".', "W8")
    if given.rest == "cancel" and node.kind not in ("first", "one"):
        message = f"`rest` of {given.id!r} means nothing with `join: {node.kind}`, which waits for all of them."
        yield warning("no-meaning", f"{path}.rest", message, "Use it with `join: first`, or remove it.", "W8")
    if given.queue is not None and node.kind not in ("one", "each"):
        message = f"`queue` of {given.id!r} means nothing: tokens wait there for each other, and not to start."
        yield warning("no-meaning", f"{path}.queue", message, "Use it at nodes that fire for each token.", "W16")
    if given.most is not None and node.circle < 0:
        message = f"`most` of {given.id!r} means nothing: no exec wire leads from it back to it."
        yield warning("no-meaning", f"{path}.most", message, "Remove it, or wire the circle.", "W15")


def _check_gate(wiring: Wiring, node: NetNode) -> Iterator[Problem]:
    """One that takes one token from each wire needs no `min` (W19)."""
    given = wiring.graph.nodes[node.place]
    if node.kind in GATES and given.min != 1:
        message = f"`min` of {given.id!r} means nothing with `join: {node.kind}`, which takes one token from each wire."
        yield warning("no-meaning", f"nodes[{node.place}].min", message, "Remove it.", "W19")


def _check_else(node: NetNode) -> Iterator[Problem]:
    """One else an output, and beside a condition (W3)."""
    first: dict[tuple[str | None, frozenset[str]], Wire] = {}
    for wire in node.out:
        if not wire.otherwise:
            continue
        beside = (wire.output, frozenset(map(str, wire.on)))
        path = f"connections[{wire.place}].else"
        if not any(each.when is not None and (each.output, each.on) == (wire.output, wire.on) for each in node.out):
            message = f"{wire} is taken where no condition held, and none is beside it."
            cure = "Give another wire of the same output and the same `on` a condition (`when`), or remove `else`."
            yield error("else-beside-nothing", path, message, cure, "W3")
        elif beside in first:
            message = f"{wire} and {first[beside]} are both taken where no condition held."
            yield error("second-else", path, message, "Keep one, or give one of them a condition.", "W3")
        first.setdefault(beside, wire)


# --- wires ---


def _check_outcomes(wiring: Wiring, place: int, wire: Connection) -> Iterator[Problem]:
    """What a wire is on can be (W3)."""
    source = wiring.place.get(wire.source.node)
    view = wiring.views[source] if source is not None else None
    if view is None or not view.is_exec or not wire.enabled:
        return
    path = f"connections[{place}]"
    if wire.source.socket in view.outputs and wire.source.socket in [each.name for each in view.type.exec_outputs]:
        if not {"completed", "ended", "next"} & {*wire.outcomes}:
            message = f"{wire} starts at an exec output, which a firing that ends so does not return."
            cure = f'Name the node alone: "from": "{wire.source.node}".'
            yield error("output-of-a-failure", f"{path}.from", message, cure, "W3")
    elif wire.source.socket:
        return  # a data wire
    if "progress" in wire.outcomes and isinstance(view.type.body, GraphBody | Boundary):
        message = f"{wire} is on `progress`, and {view.type.id} reports none: its nodes do so by themselves."
        yield warning("no-meaning", f"{path}.on", message, "Wire the node within the graph that reports it.", "W23")
    if "next" in wire.outcomes and not view.type.streams:
        message = f"{wire} is on `next`, and {view.type.id} has no stream."
        yield error("no-stream", f"{path}.on", message, "Name an exec output of it, or another node.", "W3")


def _check_condition(wiring: Wiring, wire: Wire) -> Iterator[Problem]:
    """A condition is one, and depends on something (W3)."""
    view = wiring.views[wire.source]
    if wire.when is None or view is None:
        return
    path = f"connections[{wire.place}].when"
    names = names_at(wiring.graph, view.type, wire.output, wire.on)
    yield from _check_expression(wire.when, names, path, condition=True)
    if wire.otherwise:
        message = f"{wire} has a condition, and is to be taken where none held."
        yield error("else-with-condition", path, message, "Remove one of `when` and `else`.", "W3")


def check_data(wiring: Wiring) -> Iterator[Problem]:
    """What exec wires say about data: an input of the target that gets nothing else, and an expression."""
    graph = wiring.graph
    wired = {(wire.target.node, wire.target.socket): wire for wire in wiring.scope.given.connections}
    for place, wire in enumerate(graph.connections):
        ends = [wiring.place.get(each) for each in (wire.source.node, wire.target.node)]
        source, target = (None if end is None else wiring.views[end] for end in ends)
        if not wire.data or source is None or target is None:
            continue
        names = names_at(graph, source.type, _output_of_items(source.type, wire), wire.outcomes)
        names = {name: kind for name, kind in names.items() if name not in ("round", "turn")}
        for name, data in wire.data.items():
            path, end = f"connections[{place}].data.{name}", Endpoint(wire.target.node, name)
            other = wired.setdefault((end.node, name), wire)
            if name not in target.type.input_index:
                known = [socket.name for socket in target.type.inputs]
                yield wiring.unknown_socket(target, end, path, "input", known)
            elif other is not wire:
                message = f"{end} gets its value from {other.source}, and from {wire.source} too."
                yield error("second-source", path, message, "A data input has one source: remove one of the two.", "M3")
            yield from _check_expression(data.value, names, path)
            yield from _check_transforms(wiring, data.transforms, path)


def _output_of_items(node_type: NodeType, wire: Connection) -> str | None:
    if wire.source.socket or "next" not in wire.outcomes:
        return wire.source.socket
    return next((stream.fires.name for stream in node_type.streams), None)


def _check_transforms(wiring: Wiring, names: Iterable[str], path: str) -> Iterator[Problem]:
    known = wiring.registry.transforms
    for place, name in enumerate(names):
        if name not in known:
            message = f"There is no transform {name!r}.{did_you_mean(name, known)}"
            cure = f"Register it: registry.add_transform({name!r}, function)."
            yield error("unknown-transform", f"{path}.transforms[{place}]", message, cure)


def _check_sets(wiring: Wiring, node: NetNode) -> Iterator[Problem]:
    given, view = wiring.graph.nodes[node.place], wiring.views[node.place]
    declared = [variable.name for variable in wiring.graph.variables]
    for name, text in given.set.items():
        path = f"nodes[{node.place}].set.{name}"
        if name not in declared:
            near = did_you_mean(name, declared)
            cure = f"Declare it in the graph, or name one of: {', '.join(declared) or 'none'}.{near}"
            yield error("undeclared-variable", path, f"There is no variable {name!r}.", cure, "W3")
        if view is not None:
            yield from _check_expression(text, names_at(wiring.graph, view.type), path)


def _check_expression(
    text: str, names: Mapping[str, type | None], path: str, *, condition: bool = False
) -> Iterator[Problem]:
    try:
        expression = compile_expression(text, names, condition=condition)
    except BadExpression as problem:
        message = f"{text!r}, {problem}."
        cure = "Write it in CEL, over out.NAME, vars.NAME, input.NAME, error, round and turn."
        yield error("bad-expression", path, message, cure, "W3")
    except MissingExtra as missing:
        yield error("no-expressions", path, "This trioflow can't evaluate expressions.", str(missing), "W3")
    else:
        if condition and not expression.names:
            try:
                always = "always" if expression.holds({}) else "never"
            except ExpressionFailed as failure:
                always = f"never: {failure}"
            message = f"The condition {text!r} depends on nothing: it holds {always}."
            yield warning("constant-condition", path, message, "Remove it, or compare something.", "W3")


# --- circles ---


def _check_circles(net: Net, told: Collection[str]) -> Iterator[Problem]:
    """Circles that may go on for a thousand turns, joins that wait for one another, and no way out (W6, W10, W15).

    Of some nodes it was `told` that their circle is none.
    """
    circles: dict[int, list[NetNode]] = {}
    for node in net.nodes.values():
        if node.circle >= 0:
            circles.setdefault(node.circle, []).append(node)
    for number, nodes in circles.items():
        first = nodes[0]
        path = f"nodes[{first.place}]"
        shown = ", ".join(repr(node.id) for node in nodes[:8]) + (", ..." if len(nodes) > 8 else "")
        if not any(net.graph.nodes[node.place].most or f"nodes[{node.place}]" in told for node in nodes):
            message = f"Tokens may go round and round: {shown}. Each of them has 1,000 turns, then the workflow fails."
            yield warning("circle-without-most", path, message, "Say how many turns there are: `most`.", "W15")
        joins = [node for node in nodes if node.kind == "all"]
        if len(joins) > 1:
            names = " and ".join(repr(node.id) for node in joins[:2])
            message = f"{names} are joins in one circle: if tokens wait at both, each waits for the other."
            cure = "The first in the document fires then. If that is not meant, let one of them take each token."
            yield warning("joins-in-a-circle", f"nodes[{joins[0].place}]", message, cure, "W6")
        if all(node.kind in ("one", "each") for node in nodes):
            yield from _check_forks(nodes)
        for node in nodes:
            for wire in node.exhausted.wires if node.exhausted is not None else ():
                if net.nodes[wire.target].circle == number:
                    message = f"{wire} is taken when no turn is left, and leads back into the circle."
                    cure = "Let it lead out of the circle."
                    yield error("no-way-out", f"connections[{wire.place}].to", message, cure, "W15")


def _check_forks(nodes: Sequence[NetNode]) -> Iterator[Problem]:
    """Where nothing joins in a circle, two wires of one node make more and more tokens (W10)."""
    circled = {node.place for node in nodes}
    for node in nodes:
        for way in dict.fromkeys([*node.completed.values(), node.returned_none, node.failed]):
            inside = [wire for wire in way.always if wire.target in circled] if way is not None else []
            if len(inside) > 1:
                message = (
                    f"{inside[0]} and {inside[1]} are both taken, and lead back to {node.id!r}, and nothing joins on "
                    "the way: each round there are more tokens."
                )
                cure = "Let a node of the circle join them (`join: all`), or take one of them (`choose: first`)."
                yield warning("tokens-multiply", f"nodes[{node.place}]", message, cure, "W10")
                break
