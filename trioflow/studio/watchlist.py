"""The watch list: variables, sockets and expressions that are kept in view while a run is stepped through.

What is kept is an expression in CEL over what the strand sees: `total`, `loop.index`, `total > 3 && square.result < 9`.
Of a name or a socket alone nothing is compiled, so that these need no extra and may have any name. Names are looked for
in the graph that the strand is in, then in the one that calls it, up to the outermost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs
import trio

from trioflow.errors import ExpressionFailed, MissingExtra, RunFinished, UnknownName, did_you_mean
from trioflow.expressions import BadExpression, Expression, compile_expression
from trioflow.model.secret import hide
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.host.inspect import Peek, Seen, StrandView
from trioflow.runtime.host.run import Run
from trioflow.semantics.plan import Plan

LONGEST_EVALUATION = 2.0
"""Seconds that an output that is evaluated gets: the page waits for it."""

_WORD = re.compile(r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<![\w.])[^\W\d]\w*""")
_RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "namespace",
    "package", "return", "var", "void", "while",
})  # fmt: skip
"""Words that are no names in CEL, though nodes are often called so: there they end in `_`."""
_SURE = ("value", "literal", "default")

Kind = Literal["value", "stale", "not computed", "missing", "error"]


@attrs.frozen
class Watched:
    """Something on the watch list. With `evaluates` outputs of data nodes are computed for it where they are not."""

    id: str
    text: str
    evaluates: bool = False

    def told(self) -> dict[str, Any]:
        """What the page has to know."""
        return attrs.asdict(self)


@attrs.frozen
class Found:
    """What something on the watch list is now: its value, or why there is none.

    `where` is the graph in which it was found, if that is not the one that the strand is in: who calls it, empty for
    the outermost.
    """

    kind: Kind
    value: Any = None
    why: str = ""
    where: str | None = None


async def look_up(
    run: Run, at: StrandView, watches: Iterable[Watched], *, names_only: bool = False
) -> dict[str, Found]:
    """By id what they are for a strand. Nothing is run for those that do not `evaluate`, or unless it is parked.

    With `names_only` they have to be variables or sockets: an expression may take long, and the run has to wait for it.
    """
    sights = [*_sights(run, at)]  # what is seen in a graph is copied once for all of them
    parked = at.state == "parked"
    return {each.id: await _look_up(sights, each.text, each.evaluates and parked, names_only) for each in watches}


async def _look_up(sights: Sequence[_Sight], text: str, evaluates: bool, names_only: bool) -> Found:
    problem: UnknownName | None = None
    for number, sight in enumerate(sights):
        try:
            found = await _Look(sight, evaluates, names_only).find(text)
            return attrs.evolve(found, where=sight.prefix.rstrip("/") if number else None)
        except UnknownName as error:
            problem = problem or error
        except (ExpressionFailed, MissingExtra, RunFinished) as error:
            return Found("error", why=str(error))
    return Found("error", why=str(problem))


def in_variables(text: str, variables: Mapping[str, Any], *, names_only: bool = False) -> Found:
    """What it is where there is nothing but variables: after a run."""
    if text in variables:
        return Found("value", variables[text])
    if names_only:
        return Found("not computed")
    try:
        values = {_spelling(name): value for name, value in variables.items()}
        return Found("value", _compiled(text, variables).value(values))
    except UnknownName as error:
        return Found("not computed", why=str(error))
    except (ExpressionFailed, MissingExtra) as error:
        return Found("error", why=str(error))


def _compiled(text: str, names: Iterable[str]) -> Expression:
    """The text as an expression over these names. Raises `UnknownName` with its place, `MissingExtra`."""
    try:
        return compile_expression(_WORD.sub(_spelt, text), dict.fromkeys(map(_spelling, names)))
    except BadExpression as error:
        raise UnknownName(hide(f"{error}.")) from None


def _spelt(match: re.Match[str]) -> str:
    return match[0] if match["text"] else _spelling(match[0])


def _spelling(name: str) -> str:
    """A name as it stands in CEL."""
    word, dot, rest = name.partition(".")
    return f"{word}_{dot}{rest}" if word in _RESERVED else name


@attrs.define(eq=False)
class _Sight:
    """A graph that a strand is in, and what was looked at in it."""

    run: Run
    strand: int
    plan: Plan
    prefix: str
    peeks: dict[str, Peek] = attrs.field(factory=dict[str, Peek])

    def peek(self, node: str) -> Peek:
        if node not in self.peeks:
            self.peeks[node] = self.run.peek(self.strand, self.prefix + node)
        return self.peeks[node]

    def variables(self) -> Mapping[str, Any]:
        node = next((each.id for each in self.plan.nodes), None)
        return {} if node is None else self.peek(next(iter(self.peeks), node)).variables


def _sights(run: Run, at: StrandView) -> Iterator[_Sight]:
    """The graphs that a strand is in, the innermost first."""
    prefix = at.node[: at.node.rfind("/") + 1]
    while True:
        call = run.plan.node(prefix[:-1]) if prefix else None
        plan = run.plan if call is None else call.graph
        if plan is not None:
            yield _Sight(run, at.number, plan, prefix)
        if not prefix:
            return
        prefix = prefix[: prefix.rfind("/", 0, -1) + 1]


class _Missing(Exception):
    """A socket that an expression names has no value now."""

    def __init__(self, found: Found) -> None:
        self.found = found


class _Look:
    """One look from a sight."""

    def __init__(self, sight: _Sight, evaluates: bool, names_only: bool) -> None:
        self._sight = sight
        self._evaluates = evaluates
        self._names_only = names_only
        self._stale = False
        self._variables = sight.variables()

    async def find(self, text: str) -> Found:
        """What a text is. Raises `UnknownName` if it names what is not here, and what the expression fails with."""
        try:
            if text in self._variables:
                return Found("value", self._variables[text])
            value = await (self._socket(text) if self._is_socket(text) else self._expression(text))
        except _Missing as missing:
            return missing.found
        return Found("stale" if self._stale else "value", value)

    async def _expression(self, text: str) -> Any:
        if self._names_only:
            raise UnknownName(hide(f"There is no variable and no socket {text!r} here, and no more is looked at."))
        names = {_spelling(name): name for name in (*self._variables, *self._sockets_in(text))}
        compiled = _compiled(text, names.values())
        values: dict[str, Any] = {}
        for name in compiled.names:
            meant = names[name]
            values[name] = self._variables[meant] if meant in self._variables else await self._socket(meant)
        return compiled.value(values)

    def _is_socket(self, text: str) -> bool:
        node, dot, socket = text.rpartition(".")
        planned = self._sight.plan.node(node) if dot else None
        return planned is not None and (socket in planned.type.input_index or socket in planned.type.output_index)

    def _sockets_in(self, text: str) -> Iterator[str]:
        """The sockets of the nodes that a text names."""
        for word in dict.fromkeys(each[0] for each in _WORD.finditer(text) if not each["text"]):
            planned = self._sight.plan.node(word)
            for socket in () if planned is None else (*planned.type.outputs, *planned.type.inputs):
                yield f"{word}.{socket.name}"

    async def _socket(self, name: str) -> Any:
        """The value of a socket. Raises `_Missing`."""
        node, _, socket = name.rpartition(".")
        peek = self._sight.peek(node)
        is_output = socket in peek.outputs
        seen: Seen = (peek.outputs if is_output else peek.inputs)[socket]
        if seen.kind in _SURE:
            return seen.value
        source = (node, socket) if is_output else _source(seen.wire)
        if self._evaluates and source is not None:
            return await self._evaluated(*source)
        if seen.kind == "stale":
            self._stale = True
            return seen.value
        raise _Missing(Found("missing" if seen.kind == "missing" else "not computed"))

    async def _evaluated(self, node: str, output: str) -> Any:
        sight = self._sight
        try:
            with trio.move_on_after(LONGEST_EVALUATION):
                return await sight.run.evaluate(sight.strand, sight.prefix + node, output)
        except Exception as error:
            told = "; ".join(hide(f"{type(each).__name__}: {each}") for each in leaves(error))
            raise _Missing(Found("error", why=told)) from None
        raise _Missing(Found("error", why=f"It takes longer than {LONGEST_EVALUATION:g} s to compute."))


def _source(wire: str | None) -> tuple[str, str] | None:
    """The output that a wire leads away from."""
    if wire is None:
        return None
    node, _, output = wire.partition(" -> ")[0].rpartition(".")
    return node, output


def unknown(which: str, known: Mapping[str, Watched]) -> UnknownName:
    """The error that something is not on the list."""
    return UnknownName(f"There is nothing {which!r} on the watch list.{did_you_mean(which, known)}")
