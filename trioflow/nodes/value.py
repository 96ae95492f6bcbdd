"""Values of several nodes together, also where some have not been reached, and expressions as nodes.

For joins of workflows, and for what other programs call their input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import trioflow as tf
from trioflow.model.node_type import Configured
from trioflow.nodes import _expect as expect

Find = Callable[[str], tf.NodeType | None]

_ABSENT = object()
_VARIABLE = re.compile(r"\bvars\.([A-Za-z_][A-Za-z0-9_]*)")


def _names(config: Mapping[str, Any]) -> Mapping[str, str]:
    """The inputs that a configuration names, with the keys that they stand for. Raises `ValueError`."""
    given: Any = config.get("inputs", ())
    if isinstance(given, list | tuple):
        given = {name: name for name in cast("list[Any]", given)}
    if {*config} - {"inputs"} or not isinstance(given, Mapping):
        raise ValueError(f"expected inputs: a list of names, or an object of names and keys, got {dict(config)!r}")
    names: Mapping[Any, Any] = given
    if not all(isinstance(each, str) and "." not in name for name, key in names.items() for each in (name, key)):
        raise ValueError(f"expected names and keys to be texts, and names without dots, got {dict(config)!r}")
    return cast("Mapping[str, str]", names)


class _Gathering(tf.Node, abstract=True):
    """Asks for the inputs that it is configured with."""

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Find) -> Configured:
        return Configured({name: tf.DataIn(object, lazy=True) for name in _names(config)})

    async def _values(self, ctx: tf.DataContext) -> dict[str, Any]:
        """The values that are there, by the keys that their inputs stand for."""
        found: dict[str, Any] = {}
        for name, key in _names(ctx.node.config).items():
            value = await ctx.try_get_input(name, _ABSENT)
            if value is not _ABSENT:
                found[key] = value
        return found


class Collect(_Gathering, id="value.collect"):
    """The values of all inputs in a dictionary; one whose source has not written anything is left out.

    `config` names the inputs: `inputs: [a, b]`, or `inputs: {a: key}` where the key is not the name.

    >>> with tf.build() as g:
    ...     both = g.add("value.collect", config={"inputs": ["a", "b"]}, a=1)
    ...     start, keep = g.add("flow.start"), g.add("state.keep", value=both.result)
    ...     g.connect(start.then, keep.enter)
    >>> trio.run(tf.run, g.graph).output("keep", "kept")
    {'a': 1}
    """

    result = tf.DataOut(dict[str, Any], doc="the values by name")

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.result, await self._values(ctx))


class Join(_Gathering, id="value.join"):
    """The entries of the dictionaries of all inputs; of a key that several have, the last value counts.

    One whose source has not written anything is left out, and what is no dictionary is an entry by the name of its
    input. `config` names the inputs, as for `value.collect`.

    >>> with tf.build() as g:
    ...     both = g.add("value.join", config={"inputs": ["a", "b"]}, a={"x": 1, "y": 1}, b={"y": 2})
    ...     start, keep = g.add("flow.start"), g.add("state.keep", value=both.result)
    ...     g.connect(start.then, keep.enter)
    >>> trio.run(tf.run, g.graph).output("keep", "kept")
    {'x': 1, 'y': 2}
    """

    result = tf.DataOut(dict[str, Any], doc="all entries")

    async def execute(self, ctx: tf.DataContext) -> None:
        joined: dict[str, Any] = {}
        for name, value in (await self._values(ctx)).items():
            joined |= value if isinstance(value, dict) else {name: value}
        ctx.set_output(self.result, joined)


class First(_Gathering, id="value.first"):
    """The value of the first input that has one: of several ways, that which was taken. None if no input has.

    `config` names the inputs: `inputs: [a, b]`.

    >>> with tf.build() as g:
    ...     one = g.add("value.first", config={"inputs": ["a", "b"]}, b=2)
    ...     start, keep = g.add("flow.start"), g.add("state.keep", value=one.result)
    ...     g.connect(start.then, keep.enter)
    >>> trio.run(tf.run, g.graph).output("keep", "kept")
    2
    """

    result: tf.DataOut[Any] = tf.DataOut(object, doc="the value")

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.result, next(iter((await self._values(ctx)).values()), None))


class Expression(_Gathering, id="value.expression"):
    """The value of an expression in CEL, the language of the conditions of workflows: `size(items) > vars.most`.

    It knows the variables of the graph as `vars.NAME`, and the inputs that `config` names: `inputs: [items]`. What
    can't be evaluated is an error, never false. It needs the extra `expressions`.

    >>> with tf.build() as g:
    ...     twice = g.add("value.expression", config={"inputs": ["items"]}, text="size(items) * 2", items=[1, 2])
    ...     start, keep = g.add("flow.start"), g.add("state.keep", value=twice.result)
    ...     g.connect(start.then, keep.enter)
    >>> trio.run(tf.run, g.graph).output("keep", "kept")
    4
    """

    needs_packages = {"cel_expr_python": "cel-expr-python>=0.1.3"}  # noqa: RUF012 - as all types say it
    text = tf.DataIn(str, doc="the expression")
    result: tf.DataOut[Any] = tf.DataOut(object, doc="its value")

    async def execute(self, ctx: tf.DataContext) -> None:
        from trioflow.expressions import LONGEST, BadExpression, compile_expression  # noqa: PLC0415 - it needs an extra

        text, values = await ctx.get_input(self.text), await self._values(ctx)
        values |= {f"vars.{name}": ctx.get_variable(name) for name in _VARIABLE.findall(text, 0, LONGEST)}
        try:
            found = compile_expression(text, dict.fromkeys(values))
        except BadExpression as error:
            raise ValueError(f"value.expression: {expect.short(text)}: {error}.") from error
        ctx.set_output(self.result, found.value(values))
