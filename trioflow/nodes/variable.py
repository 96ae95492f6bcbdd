"""Variables of the graph: read, write, update.

Nodes that change a variable by what it was are written for a merge policy (F4): declared with that policy, the variable
holds after concurrent strands what the same strands would leave behind one after the other.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import members_of, order
from trioflow.nodes._slices import Steps, copied, entries, in_turns


class GetVariable(tf.Node, id="variable.get"):
    """The value of a variable, as it is when asked.

    >>> with tf.build() as g:
    ...     _ = g.variable("n", "int", 5)
    ...     start, keep = g.add("flow.start"), g.add("state.keep", value=g.add("variable.get", name="n").result)
    ...     g.connect(start.then, keep.enter)
    >>> trio.run(tf.run, g.graph).output("keep", "kept")
    5
    """

    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    result = tf.DataOut(object, doc="its value")

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.result, ctx.get_variable(await ctx.get_input(self.name)))


class SetVariable(tf.Node, id="variable.set", durable="replayed"):
    """Sets a variable. A value that does not fit the variable's type is an error.

    >>> fire("variable.set", variables={"n": 1}, name="n", value=2)
    [('then', {})]
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    value = tf.DataIn(object, doc="its new value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_variable(await ctx.get_input(self.name), await ctx.get_input(self.value))
        return self.then


Update = Literal["add", "append", "union", "min", "max"]


class _Changing(tf.Node, abstract=True):
    """Changes a variable by what it was."""

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    result = tf.DataOut(object, doc="its new value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name = await ctx.get_input(self.name)
        old = ctx.get_variable(name)
        arguments = [await ctx.get_input(socket) for socket in type(self).type.inputs if socket is not self.name]
        try:
            value = await in_turns(self._changed(old, *arguments))
        except (TypeError, ValueError, OverflowError) as error:
            by = f", and can't be changed by {', '.join(map(expect.short, arguments))}" if arguments else ""
            raise type(error)(
                f"{type(self).type.id}: variable {name!r} is {expect.short(old)}{by}: {error}."
            ) from error
        ctx.set_variable(name, value)
        ctx.set_output(self.result, value)
        return self.then

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        """What it is afterwards; nothing that it was is touched."""
        raise NotImplementedError


class UpdateVariable(_Changing, id="variable.update", durable="replayed"):
    """Changes a variable by what it was: adds, appends, unites, or keeps the smaller or greater.

    `append` adds one item to a list; `union` takes over a dict's entries or the items of a list that are not there yet.
    In concurrent strands give the variable the merge policy that goes with it: sum, append, union, min, max.

    >>> fire("variable.update", variables={"seen": [1]}, name="seen", value=2, operation="append")
    [('then', {'result': [1, 2]})]
    """

    value = tf.DataIn(object, doc="what it is changed by")
    operation: tf.DataIn[Any] = tf.DataIn(Update, default="add", doc="how")

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        by, operation = arguments
        return (yield from _OPERATIONS[operation](old, by))


class _ChangedBy(_Changing, abstract=True):
    value = tf.DataIn(object, doc="what it is changed by")


class AddToVariable(_ChangedBy, id="variable.add", durable="replayed"):
    """Adds a number to a variable, whose merge policy should be `sum`. What can't be added is an error.

    >>> fire("variable.add", variables={"total": 1}, name="total", value=2)
    [('then', {'result': 3})]
    """

    value: tf.DataIn[Any] = tf.DataIn(int | float, default=1, doc="what is added")

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        return (yield from _add(_number(old), arguments[0]))


class AppendToVariable(_ChangedBy, id="variable.append", durable="replayed"):
    """Appends one item to a variable that holds a list; its merge policy should be `append`. No list is an error.

    >>> fire("variable.append", variables={"seen": [1]}, name="seen", value=2)
    [('then', {'result': [1, 2]})]
    """

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        return (yield from _append(_of(list, old), arguments[0]))


class UniteVariable(_ChangedBy, id="variable.unite", durable="replayed"):
    """Takes over the entries of a dict, or the items of a list or set that are not there yet; merge policy `union`.

    Variable and value must be of one kind, otherwise it is an error. Under a key that both have, the new value wins.

    >>> fire("variable.unite", variables={"found": {"a": 1}}, name="found", value={"b": 2})
    [('then', {'result': {'a': 1, 'b': 2}})]
    """

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        (by,) = arguments
        kind = next((kind for kind in (dict, list, set) if isinstance(old, kind)), dict)
        _of(kind, old)
        _of(kind, by)
        return old | by if kind is set else (yield from _unite(old, by))


class LowerVariable(_ChangedBy, id="variable.minimum", durable="replayed"):
    """Keeps the smaller of a variable and a value; merge policy `min`. A variable that is none takes the value.

    >>> fire("variable.minimum", variables={"least": 3}, name="least", value=2)
    [('then', {'result': 2})]
    """

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        return arguments[0] if old is None else (yield from _smaller(old, arguments[0]))


class RaiseVariable(_ChangedBy, id="variable.maximum", durable="replayed"):
    """Keeps the greater of a variable and a value; merge policy `max`. A variable that is none takes the value.

    >>> fire("variable.maximum", variables={"most": 3}, name="most", value=2)
    [('then', {'result': 3})]
    """

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        return arguments[0] if old is None else (yield from _greater(old, arguments[0]))


class ToggleVariable(_Changing, id="variable.toggle", durable="replayed"):
    """Makes a variable that is true false, and one that is false true. Anything else is an error.

    >>> fire("variable.toggle", variables={"on": False}, name="on")
    [('then', {'result': True})]
    """

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        yield from ()
        return not _of(bool, old)


class SetVariableItem(_Changing, id="variable.set_item", durable="replayed"):
    """Puts a value under a key of a variable that holds a dict; merge policy `union`. No dict is an error.

    >>> fire("variable.set_item", variables={"ages": {}}, name="ages", key="Ann", value=30)
    [('then', {'result': {'Ann': 30}})]
    """

    key = tf.DataIn(object, doc="under what")
    value = tf.DataIn(object, doc="what")

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        key, value = arguments
        changed = yield from entries(_of(dict, old).items())
        changed[_key(key)] = value
        return changed


class RemoveVariableItem(_Changing, id="variable.remove_item", durable="replayed"):
    """Takes a key out of a variable that holds a dict; a key that is not there changes nothing. No dict is an error.

    >>> fire("variable.remove_item", variables={"ages": {"Ann": 30}}, name="ages", key="Ann")
    [('then', {'result': {}})]
    """

    key = tf.DataIn(object, doc="what to take out")

    def _changed(self, old: Any, *arguments: Any) -> Steps[Any]:
        key = _key(arguments[0])  # one that can't be a key is an error, also for an empty dict
        rest = yield from entries(_of(dict, old).items())
        rest.pop(key, None)
        return rest


class TakeFromVariable(tf.Node, id="variable.take", durable="replayed"):
    """Takes the first item out of a variable that holds a list, or the last; goes on at `empty` if there is none.

    A variable that holds no list is an error.

    >>> fire("variable.take", variables={"queue": ["a", "b"]}, name="queue")
    [('then', {'item': 'a'})]
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    last = tf.DataIn(bool, default=False, doc="whether to take the last instead of the first")
    item = tf.DataOut(object, doc="what was taken out")
    then = tf.ExecOut()
    empty = tf.ExecOut(doc="when there is nothing to take")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, last = await ctx.get_input(self.name), await ctx.get_input(self.last)
        items: Any = ctx.get_variable(name)
        if not isinstance(items, list):
            raise TypeError(f"variable.take: variable {name!r} holds no list but {expect.short(items)}.")
        if not items:
            return self.empty
        ctx.set_variable(name, await in_turns(copied(items[:-1] if last else items[1:])))
        ctx.set_output(self.item, items[-1 if last else 0])
        return self.then


class SwapVariable(tf.Node, id="variable.swap", durable="replayed"):
    """Sets a variable, and gives what it was. A value that does not fit the variable's type is an error.

    >>> fire("variable.swap", variables={"n": 1}, name="n", value=2)
    [('then', {'previous': 1})]
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    value = tf.DataIn(object, doc="its new value")
    previous = tf.DataOut(object, doc="its value before")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, value = await ctx.get_input(self.name), await ctx.get_input(self.value)
        ctx.set_output(self.previous, ctx.get_variable(name))
        ctx.set_variable(name, value)
        return self.then


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{expect.short(value)} is not of type {kind.__name__}")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{expect.short(value)} is not a number")
    return value


def _key(value: Any) -> Any:
    try:
        return expect.hashable("", value)
    except TypeError as error:
        raise TypeError(str(error).removeprefix(": ").removesuffix(".")) from None


def _unite(old: Any, by: Any) -> Steps[Any]:
    if isinstance(old, dict):
        return (yield from entries(itertools.chain(old.items(), by.items())))
    known: list[bool] = yield from members_of("union", by, old)
    new = [item for item, is_known in zip(by, known, strict=True) if not is_known]
    return (yield from copied(old, new))


def _add(old: Any, by: Any) -> Steps[Any]:
    yield from ()
    if isinstance(old, list) and isinstance(by, list):
        return (yield from copied(old, by))
    try:
        return old + by
    except OverflowError:
        raise OverflowError("a whole number is beyond the greatest float") from None


def _append(old: Any, by: Any) -> Steps[Any]:
    return (yield from copied([*old] if not isinstance(old, list) else old, [by]))


def _smaller(old: Any, by: Any) -> Steps[Any]:
    yield from ()
    return by if _ordered(by) < _ordered(old) else old


def _greater(old: Any, by: Any) -> Steps[Any]:
    yield from ()
    return by if _ordered(by) > _ordered(old) else old


def _ordered(value: Any) -> Any:
    try:
        return order(value)
    except ValueError as error:
        raise ValueError(f"it is {error}") from None


_OPERATIONS: dict[str, Any] = {"add": _add, "append": _append, "union": _unite, "min": _smaller, "max": _greater}
