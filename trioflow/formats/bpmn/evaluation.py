"""Scripts and expressions as functions: what a tree means is decided once, and carried out as often as it is run.

Nothing can be called but harmless functions, and methods of texts, lists and mappings. A budget of steps and limits of
sizes end what would go on for too long or become too large.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from trioflow.errors import NodeError
from trioflow.formats.bpmn.expressions import NotUnderstood

STEPS = 200_000
"""So many steps a script may take: of each statement, turn and item the parts of its expressions are counted."""
_LARGEST = 1_000_000

_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


def _empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": len, "str": str, "int": int, "float": float, "bool": bool, "abs": abs, "min": min, "max": max, "sum": sum,
    "round": round, "sorted": sorted, "list": list, "dict": dict, "set": set, "tuple": tuple, "any": any, "all": all,
    "enumerate": enumerate, "zip": zip, "reversed": reversed, "divmod": divmod, "size": len, "count": len,
    "empty": _empty, "string": str, "number": float, "double": float, "floor": math.floor, "ceil": math.ceil,
    "ceiling": math.ceil, "contains": operator.contains, "isinstance": isinstance,
}  # fmt: skip
_RENAMED = {"contains": "__contains__", "equals": "__eq__", "startsWith": "startswith", "endsWith": "endswith",
            "size": "__len__", "length": "__len__", "toLowerCase": "lower", "toUpperCase": "upper",
            "put": "__setitem__", "add": "append", "push": "append", "trim": "strip"}  # fmt: skip
_KINDS = (str, list, dict, set, tuple, int, float, bool, bytes, frozenset)
_UNSAFE = frozenset({"format", "format_map"})


class ScriptFailed(NodeError):
    """A script of a document failed, or does what scripts may not."""

    code = "script"


class _Running:
    """A script while it is run: its variables, whom it prints to, and how many steps it has left."""

    __slots__ = ("left", "show", "values")

    def __init__(self, values: MutableMapping[str, Any], show: Callable[[str], None]) -> None:
        self.values, self.show, self.left = values, show, STEPS


Value = Callable[[_Running], Any]
"""What an expression has become."""
Action = Callable[[_Running], None]
"""What statements have become."""


class _Leave(Exception):
    def __init__(self, again: bool) -> None:
        self.again = again


def run(action: Action, values: MutableMapping[str, Any], show: Callable[[str], None], where: str) -> None:
    """Run a script over variables, which it changes. Raises `ScriptFailed`."""
    try:
        action(_Running(values, show))
    except Exception as error:
        raise _failed(error, where) from _cause(error)


def value(of: Value, values: MutableMapping[str, Any], where: str) -> Any:
    """What an expression is with these variables. Raises `ScriptFailed`."""
    try:
        return of(_Running(values, _print_nothing))
    except Exception as error:
        raise _failed(error, where) from _cause(error)


def _failed(error: Exception, where: str) -> ScriptFailed:
    return ScriptFailed(f"{where}: {error if isinstance(error, ScriptFailed | NotUnderstood) else said(error)}")


def _cause(error: Exception) -> Exception | None:
    return None if isinstance(error, ScriptFailed | NotUnderstood) else error


def said(error: BaseException) -> str:
    """What went wrong, in its own words."""
    text = getattr(error, "msg", None) or str(error)
    return text if isinstance(error, ScriptFailed | SyntaxError) else f"{type(error).__name__}: {text}"


def _print_nothing(_text: str) -> None:
    pass


# --- statements ---


def action_of(statements: list[ast.stmt]) -> Action:
    """What statements do, one after the other."""
    actions = tuple(_statement(each) for each in statements)
    if len(actions) == 1:
        return actions[0]

    def block(running: _Running) -> None:
        for each in actions:
            each(running)

    return block


def _statement(statement: ast.stmt) -> Action:  # noqa: C901 - a table of kinds
    match statement:
        case ast.Expr(value=inner):
            return _counted(_cost(inner), value_of(inner))
        case ast.Assign(targets=[ast.Name(id=name)], value=inner):
            return _assigned(_cost(inner), name, value_of(inner))
        case ast.Assign(targets=targets, value=inner):
            found, ways = value_of(inner), [_target(each) for each in targets]

            def assign(running: _Running) -> None:
                got = found(running)
                for way in ways:
                    way(running, got)

            return _counted(_cost(statement), assign)
        case ast.AnnAssign(target=target, value=inner) if inner is not None:
            found, way = value_of(inner), _target(target)
            return _counted(_cost(inner), lambda running: way(running, found(running)))
        case ast.AugAssign(target=target, op=op, value=inner):
            found, way = _operation(op, value_of(_loaded(target)), value_of(inner)), _target(target)
            return _counted(_cost(statement), lambda running: way(running, found(running)))
        case ast.If(test=test, body=body, orelse=orelse):
            holds, then, otherwise = value_of(test), action_of(body), action_of(orelse)
            return _counted(_cost(test), lambda running: then(running) if holds(running) else otherwise(running))
        case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
            return _for(_target(target), value_of(iterable), action_of(body), action_of(orelse), _cost(iterable))
        case ast.While(test=test, body=body, orelse=orelse):
            return _while(_counted(_cost(test), value_of(test)), action_of(body), action_of(orelse))
        case ast.Break() | ast.Continue():
            again = isinstance(statement, ast.Continue)

            def leave(running: _Running) -> None:
                raise _Leave(again)

            return leave
        case ast.Delete(targets=targets):
            return action_of_all([_deletion(each) for each in targets], _cost(statement))
        case ast.Assert(test=test):
            holds, text = value_of(test), ast.unparse(test)

            def claim(running: _Running) -> None:
                if not holds(running):
                    raise ScriptFailed(f"{text} does not hold")

            return _counted(_cost(test), claim)
        case _:  # pass
            return _nothing


def _cost(tree: ast.AST) -> int:
    """The steps that a statement or an item takes: itself, and each part of its expressions."""
    return 1 + sum(isinstance(each, ast.expr) for each in ast.walk(tree))


def _too_long() -> ScriptFailed:
    return ScriptFailed(f"it takes more than {STEPS:,} steps")


def _counted(cost: int, inner: Value) -> Value:
    def counted(running: _Running) -> Any:
        running.left -= cost
        if running.left < 0:
            raise _too_long()
        return inner(running)

    return counted


def _assigned(cost: int, name: str, inner: Value) -> Action:
    """As most statements are."""

    def assign(running: _Running) -> None:
        running.left -= cost
        if running.left < 0:
            raise _too_long()
        running.values[name] = inner(running)

    return assign


def action_of_all(actions: list[Action], cost: int) -> Action:
    """Several actions as one statement."""

    def block(running: _Running) -> None:
        for each in actions:
            each(running)

    return _counted(cost, block)


def _for(way: Callable[[_Running, Any], None], items: Value, body: Action, orelse: Action, cost: int) -> Action:
    def loop(running: _Running) -> None:
        for item in items(running):
            running.left -= 1
            if running.left < 0:
                raise _too_long()
            way(running, item)
            if not _goes_on(body, running):
                return
        orelse(running)

    return _counted(cost, loop)


def _while(holds: Value, body: Action, orelse: Action) -> Action:
    def loop(running: _Running) -> None:
        while holds(running):
            if not _goes_on(body, running):
                return
        orelse(running)

    return loop


def _goes_on(body: Action, running: _Running) -> bool:
    """One turn of a loop: whether there may be another one."""
    try:
        body(running)
    except _Leave as leave:
        return leave.again
    return True


def _target(target: ast.expr) -> Callable[[_Running, Any], None]:  # noqa: C901 - a table of kinds
    """What sets a target."""
    match target:
        case ast.Name(id=name):

            def set_name(running: _Running, got: Any) -> None:
                running.values[name] = got

            return set_name
        case ast.Subscript(value=inner, slice=index):
            holder, key = value_of(inner), value_of(index)

            def set_item(running: _Running, got: Any) -> None:
                holder(running)[key(running)] = got

            return set_item
        case ast.Attribute(value=inner, attr=name):
            holder, text = value_of(inner), ast.unparse(inner)

            def set_field(running: _Running, got: Any) -> None:
                held = holder(running)
                if not isinstance(held, dict):
                    raise ScriptFailed(f"{text} is not a mapping: it has no {name!r} to be set")
                held[name] = got

            return set_field
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            ways = [_target(each) for each in targets]

            def set_all(running: _Running, got: Any) -> None:
                for way, part in zip(ways, got, strict=True):
                    way(running, part)

            return set_all
        case _:
            text = ast.unparse(target)

            def refuse(running: _Running, got: Any) -> None:
                raise ScriptFailed(f"{text} can't be set")

            return refuse


def _deletion(target: ast.expr) -> Action:
    match target:
        case ast.Subscript(value=inner, slice=index):
            holder, key = value_of(inner), value_of(index)

            def delete(running: _Running) -> None:
                del holder(running)[key(running)]

            return delete
        case ast.Name(id=name):
            return _assigned(0, name, _nothing)
        case _:
            return _nothing


def _loaded(target: ast.expr) -> ast.expr:
    found = copy.copy(target)
    found.ctx = ast.Load()  # type: ignore[attr-defined]
    return found


# --- expressions ---


def value_of(tree: ast.expr) -> Value:  # noqa: C901 - a table of kinds
    """What an expression is."""
    match tree:
        case ast.Constant(value=constant):
            return _constant(constant)
        case ast.Name(id=name):
            return _name(name)
        case ast.BoolOp(op=op, values=items):
            return _either([value_of(each) for each in items], isinstance(op, ast.Or))
        case ast.UnaryOp(op=op, operand=inner):
            function, found = _UNARY[type(op)], value_of(inner)
            return lambda running: function(found(running))
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, value_of(left), value_of(right))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _comparison(value_of(left), [*map(_compare, ops)], [*map(value_of, comparators)])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            holds, then, otherwise = value_of(test), value_of(body), value_of(orelse)
            return lambda running: then(running) if holds(running) else otherwise(running)
        case ast.List(elts=items):
            parts = [value_of(each) for each in items]
            return lambda running: [each(running) for each in parts]
        case ast.Tuple(elts=items):
            parts = [value_of(each) for each in items]
            return lambda running: tuple([each(running) for each in parts])
        case ast.Set(elts=items):
            parts = [value_of(each) for each in items]
            return lambda running: {each(running) for each in parts}
        case ast.Dict(keys=keys, values=items):
            pairs = [(value_of(key), value_of(each)) for key, each in zip(keys, items, strict=True) if key]
            return lambda running: {key(running): each(running) for key, each in pairs}
        case ast.Subscript(value=inner, slice=index):
            holder, at = value_of(inner), value_of(index)
            return lambda running: holder(running)[at(running)]
        case ast.Slice(lower=lower, upper=upper, step=step):
            parts = [_nothing if each is None else value_of(each) for each in (lower, upper, step)]
            return lambda running: slice(*[each(running) for each in parts])
        case ast.Attribute(value=inner, attr=name):
            holder = value_of(inner)
            return lambda running: _member(holder(running), name)
        case ast.JoinedStr(values=items):
            parts = [value_of(each) for each in items]
            return lambda running: "".join([str(each(running)) for each in parts])
        case ast.FormattedValue(value=inner, format_spec=spec):
            found, form = value_of(inner), _constant("") if spec is None else value_of(spec)
            return lambda running: format(found(running), _format(form(running)))
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            return _comprehension(tree)
        case ast.Call(func=ast.Attribute() as function):
            return _method(function, *_arguments(tree))
        case ast.Call(func=function):
            return _call(function, *_arguments(tree))
        case _:
            text = ast.unparse(tree)

            def refuse(running: _Running) -> Any:
                raise ScriptFailed(f"{text!r} is not understood")

            return refuse


def _nothing(running: _Running) -> None:
    """Does nothing, and is nothing."""


def _constant(found: Any) -> Value:
    return lambda _running: found


def _format(spec: str) -> str:
    if re.search(r"\d{4,}", spec):
        raise ScriptFailed(f"the format {spec!r} makes too long a text")
    return spec


def _name(name: str) -> Value:
    def named(running: _Running) -> Any:
        values = running.values
        if name in values:
            return values[name]
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        raise ScriptFailed(f"there is no variable {name!r}")

    return named


def _either(parts: list[Value], is_or: bool) -> Value:
    def either(running: _Running) -> Any:
        found: Any = None
        for each in parts:
            found = each(running)
            if bool(found) is is_or:
                return found
        return found

    return either


def _compare(op: ast.cmpop) -> Callable[[Any, Any], Any]:
    if isinstance(op, ast.In):
        return lambda first, second: first in second
    if isinstance(op, ast.NotIn):
        return lambda first, second: first not in second
    return _OPERATORS[type(op)]


def _comparison(first: Value, compares: list[Callable[[Any, Any], Any]], others: list[Value]) -> Value:
    if len(compares) == 1:
        compare, other = compares[0], others[0]
        return lambda running: bool(compare(first(running), other(running)))

    def chain(running: _Running) -> bool:
        before = first(running)
        for compare, other in zip(compares, others, strict=True):
            after = other(running)
            if not compare(before, after):
                return False
            before = after
        return True

    return chain


def _comprehension(tree: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Value:
    each_of = _comprehended(tree.generators)
    cost = _cost(tree)
    if isinstance(tree, ast.DictComp):
        key, item = value_of(tree.key), value_of(tree.value)
        return lambda running: {key(running): item(running) for _ in each_of(running, cost)}
    item = value_of(tree.elt)
    if isinstance(tree, ast.SetComp):
        return lambda running: {item(running) for _ in each_of(running, cost)}
    return lambda running: [item(running) for _ in each_of(running, cost)]


def _comprehended(generators: list[ast.comprehension]) -> Callable[[_Running, int], Iterator[None]]:
    if not generators:
        return lambda _running, _cost: iter((None,))
    first, *rest = generators
    items, way, inner = value_of(first.iter), _target(first.target), _comprehended(rest)
    conditions = [value_of(each) for each in first.ifs]

    def each_of(running: _Running, cost: int) -> Iterator[None]:
        for item in items(running):
            running.left -= cost
            if running.left < 0:
                raise _too_long()
            way(running, item)
            if all(each(running) for each in conditions):
                yield from inner(running, cost)

    return each_of


# --- operators ---


def _operation(op: ast.operator, left: Value, right: Value) -> Value:
    """What an operator makes of two values: nothing too large."""
    if isinstance(op, ast.Mult):
        return lambda running: _multiplied(left(running), right(running))
    if isinstance(op, ast.Pow):
        return lambda running: _raised(left(running), right(running))
    if isinstance(op, ast.Add):
        return lambda running: _added(left(running), right(running))
    if isinstance(op, ast.Mod):
        return lambda running: _rest(left(running), right(running))
    function = _OPERATORS.get(type(op))
    if function is None:
        name = type(op).__name__

        def refuse(running: _Running) -> Any:
            raise ScriptFailed(f"the operator {name} is not understood")

        return refuse
    return lambda running: _small(function(left(running), right(running)))


def _multiplied(left: Any, right: Any) -> Any:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | list | tuple | bytes) and len(cast("Any", one)) * other > _LARGEST:
            raise ScriptFailed("it makes too large a value")
    return _small(left * right)


def _raised(left: Any, right: Any) -> Any:
    if abs(right) > 1000:
        raise ScriptFailed("it makes too large a number")
    return _small(left**right)


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, str) is not isinstance(right, str):
        # As in JavaScript and FEEL's string(); numbers and texts are no numbers.
        return f"{_text(left)}{_text(right)}"
    return _small(left + right)


def _rest(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        raise ScriptFailed("texts are not formatted with %: use f-strings")
    return _small(left % right)


def _small(found: Any) -> Any:
    if (isinstance(found, int) and found.bit_length() > _LARGEST) or (
        isinstance(found, str | list | tuple) and len(cast("Any", found)) > _LARGEST
    ):
        raise ScriptFailed("it makes too large a value")
    return found


# --- calls ---


def _arguments(tree: ast.Call) -> tuple[Callable[[_Running], list[Any]], Callable[[_Running], dict[str, Any]]]:
    given = [value_of(each) for each in tree.args]
    named = {each.arg: value_of(each.value) for each in tree.keywords if each.arg is not None}
    return (
        lambda running: [each(running) for each in given],
        lambda running: {name: each(running) for name, each in named.items()},
    )


def _call(
    function: ast.expr, given: Callable[[_Running], list[Any]], named: Callable[[_Running], dict[str, Any]]
) -> Value:
    name = function.id if isinstance(function, ast.Name) else ""
    if name == "print":
        return lambda running: running.show(str(named(running).get("sep", " ")).join(map(_text, given(running))))
    if name == "range":
        return lambda running: _numbers(given(running))
    if name not in FUNCTIONS:
        text = ast.unparse(function)

        def refuse(running: _Running) -> Any:
            raise ScriptFailed(f"there is no function {text!r} in scripts")

        return refuse
    called = FUNCTIONS[name]
    return lambda running: called(*given(running), **named(running))


def _numbers(given: list[Any]) -> range:
    numbers = range(*given)
    if len(numbers) > STEPS:
        raise ScriptFailed("it goes on for too long")
    return numbers


def _method(
    function: ast.Attribute, given: Callable[[_Running], list[Any]], named: Callable[[_Running], dict[str, Any]]
) -> Value:
    holder_of, name, text = value_of(function.value), function.attr, ast.unparse(function)

    def method(running: _Running) -> Any:
        arguments, more = given(running), named(running)
        holder = holder_of(running)
        if not isinstance(holder, _KINDS):
            raise ScriptFailed(f"{text!r} is not a function that scripts have")
        if name == "isEmpty":
            return _empty(holder)
        found: Any = None if name.startswith("_") or name in _UNSAFE else getattr(holder, name, None)
        if found is None and name in _RENAMED:
            found = getattr(holder, _RENAMED[name], None)
        if found is None:
            raise ScriptFailed(f"{text!r} is not a function that scripts have")
        if name in ("ljust", "rjust", "center", "zfill", "expandtabs") and arguments and arguments[0] > _LARGEST:
            raise ScriptFailed("it makes too large a value")
        return found(*arguments, **more)

    return method


def _member(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        if name in holder:
            return cast("Mapping[str, Any]", holder)[name]
        raise ScriptFailed(f"there is no {name!r} in it; there are: {', '.join(map(str, holder)) or 'none'}")
    if name == "length" and hasattr(holder, "__len__"):
        return len(holder)
    raise ScriptFailed(f"{type(holder).__name__} has no {name!r} that scripts may see")


def _text(found: Any) -> str:
    return found if isinstance(found, str) else str(found)


def own(found: Any) -> Any:
    """A value that a script may change: what is in variables belongs to all."""
    return copy.deepcopy(found) if isinstance(found, dict | list | set) else found
