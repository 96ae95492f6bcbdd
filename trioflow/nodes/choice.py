"""Choices: one of several ways to go on. Each is handed over to, so that a long run of choices does not nest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import compared
from trioflow.nodes._slices import in_turns

Number = int | float


@tf.exec_node(
    id="flow.branch",
    durable="replayed",
    exits={"true": "when the condition holds", "false": "when it does not"},
)
def Branch(condition: bool) -> str:  # noqa: N802 - as those nodes that are classes
    """Goes on at `true` or at `false`.

    >>> fire("flow.branch", condition=True)
    [('true', {})]
    """
    return "true" if condition else "false"


class MultiBranch(tf.Node, id="flow.multi_branch", durable="replayed"):
    """Goes on at the first way whose condition holds, or at `otherwise`. Conditions after that are not asked.

    A condition that is left unset does not hold.

    >>> fire("flow.multi_branch", if_1=False, if_3=True, if_4=True)
    [('then_3', {})]
    """

    enter = tf.ExecIn()
    if_1 = tf.DataIn(bool, default=False, lazy=True, doc="asked first")
    if_2 = tf.DataIn(bool, default=False, lazy=True)
    if_3 = tf.DataIn(bool, default=False, lazy=True)
    if_4 = tf.DataIn(bool, default=False, lazy=True)
    if_5 = tf.DataIn(bool, default=False, lazy=True)
    if_6 = tf.DataIn(bool, default=False, lazy=True)
    then_1 = tf.ExecOut()
    then_2 = tf.ExecOut()
    then_3 = tf.ExecOut()
    then_4 = tf.ExecOut()
    then_5 = tf.ExecOut()
    then_6 = tf.ExecOut()
    otherwise = tf.ExecOut(doc="when no condition holds; wire it to the next one for more")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ways = (
            (self.if_1, self.then_1), (self.if_2, self.then_2), (self.if_3, self.then_3),
            (self.if_4, self.then_4), (self.if_5, self.then_5), (self.if_6, self.then_6),
        )  # fmt: skip
        for condition, way in ways:
            if await ctx.get_input(condition):
                return way
        return self.otherwise


class Switch(tf.Node, id="flow.switch", durable="replayed"):
    """Goes on at the first case that equals the value, or at `default`.

    Equal means equal in value and in type: 1 is neither 1.0 nor true. A case that is left unset never matches. Cases
    after the one that matches are not asked.

    >>> fire("flow.switch", value="b", case_1="a", case_2="b")
    [('is_2', {})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what is compared")
    case_1 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_2 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_3 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_4 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    is_1 = tf.ExecOut()
    is_2 = tf.ExecOut()
    is_3 = tf.ExecOut()
    is_4 = tf.ExecOut()
    default = tf.ExecOut(doc="when no case matches")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        cases: tuple[tuple[tf.DataIn[Any], tf.ExecOut], ...] = (
            (self.case_1, self.is_1), (self.case_2, self.is_2), (self.case_3, self.is_3), (self.case_4, self.is_4)
        )  # fmt: skip
        for case, way in cases:
            if not ctx.is_connected(case) and case.name not in ctx.node.inputs:
                continue
            candidate = await ctx.get_input(case)
            if type(candidate) is type(value) and await in_turns(compared(candidate, value)):
                return way
        return self.default


class _EightWays(tf.Node, abstract=True):
    """Cases that are all of one type; a case that is None never matches."""

    enter = tf.ExecIn()
    is_1 = tf.ExecOut()
    is_2 = tf.ExecOut()
    is_3 = tf.ExecOut()
    is_4 = tf.ExecOut()
    is_5 = tf.ExecOut()
    is_6 = tf.ExecOut()
    is_7 = tf.ExecOut()
    is_8 = tf.ExecOut()
    default = tf.ExecOut(doc="when no case matches; wire it to the next switch for more")

    async def _way(self, ctx: tf.Context, value: object, *, fold: bool = False) -> tf.ExecOut:
        ways = (self.is_1, self.is_2, self.is_3, self.is_4, self.is_5, self.is_6, self.is_7, self.is_8)
        for number, way in enumerate(ways, 1):
            case = await ctx.get_input(f"case_{number}")
            if case is not None and (case.casefold() if fold else case) == value:
                return way
        return self.default


class SwitchInt(_EightWays, id="flow.switch_int", durable="replayed"):
    """Goes on at the first case that is the whole number, or at `default`. A case that is left unset never matches.

    >>> fire("flow.switch_int", value=20, case_1=10, case_2=20)
    [('is_2', {})]
    """

    value = tf.DataIn(int, doc="what is compared")
    case_1 = tf.DataIn(int | None, default=None, lazy=True, doc="compared first")
    case_2 = tf.DataIn(int | None, default=None, lazy=True)
    case_3 = tf.DataIn(int | None, default=None, lazy=True)
    case_4 = tf.DataIn(int | None, default=None, lazy=True)
    case_5 = tf.DataIn(int | None, default=None, lazy=True)
    case_6 = tf.DataIn(int | None, default=None, lazy=True)
    case_7 = tf.DataIn(int | None, default=None, lazy=True)
    case_8 = tf.DataIn(int | None, default=None, lazy=True)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return await self._way(ctx, await ctx.get_input(self.value))


class SwitchText(_EightWays, id="flow.switch_text", durable="replayed"):
    """Goes on at the first case that is the text, or at `default`. A case that is left unset never matches.

    With `ignore_case` letters are compared without their case, by the rules of Unicode, whatever the language.

    >>> fire("flow.switch_text", value="Yes", case_1="yes", case_2="no", ignore_case=True)
    [('is_1', {})]
    """

    value = tf.DataIn(str, doc="what is compared")
    ignore_case = tf.DataIn(bool, default=False, doc="whether A is a")
    case_1 = tf.DataIn(str | None, default=None, lazy=True, doc="compared first")
    case_2 = tf.DataIn(str | None, default=None, lazy=True)
    case_3 = tf.DataIn(str | None, default=None, lazy=True)
    case_4 = tf.DataIn(str | None, default=None, lazy=True)
    case_5 = tf.DataIn(str | None, default=None, lazy=True)
    case_6 = tf.DataIn(str | None, default=None, lazy=True)
    case_7 = tf.DataIn(str | None, default=None, lazy=True)
    case_8 = tf.DataIn(str | None, default=None, lazy=True)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value, fold = await ctx.get_input(self.value), await ctx.get_input(self.ignore_case)
        return await self._way(ctx, value.casefold() if fold else value, fold=fold)


@tf.exec_node(
    id="flow.switch_index",
    durable="replayed",
    exits={**{f"way_{number}": "" for number in range(8)}, "other": "when there is no such way"},
)
def SwitchIndex(index: int) -> str:  # noqa: N802 - as above
    """Goes on at the way of that number, from 0 to 7; at `other` for any other number, negative ones included.

    >>> fire("flow.switch_index", index=2)
    [('way_2', {})]
    """
    return f"way_{index}" if 0 <= index < 8 else "other"


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "truth": bool, "number": (int, float), "text": str, "list": (list, tuple), "dict": dict,
}  # fmt: skip


@tf.exec_node(
    id="flow.switch_type",
    durable="replayed",
    exits={
        "none": "",
        "truth": "true or false",
        "number": "int or float",
        "text": "",
        "list": "list or tuple",
        "dict": "",
        "other": "anything else",
    },
)
def SwitchType(value: object) -> str:  # noqa: N802 - as above
    """Goes on by what kind of value it is. Truth values are no numbers; tuples count as lists.

    >>> fire("flow.switch_type", value=1.5)
    [('number', {})]
    """
    if value is None:
        return "none"
    return next((name for name, kinds in _KINDS.items() if isinstance(value, kinds)), "other")


@tf.exec_node(
    id="flow.compare",
    durable="replayed",
    exits={"less": "a is smaller than b", "equal": "", "greater": "a is greater than b"},
)
def Compare(a: Number, b: Number) -> str:  # noqa: N802 - as above
    """Goes on by which of two numbers is greater. Not-a-number can't be compared: that is an error.

    >>> fire("flow.compare", a=1, b=2.5)
    [('less', {})]
    """
    if math.isnan(a) or math.isnan(b):
        raise ValueError(
            f"flow.compare: {expect.short(a)} and {expect.short(b)} can't be compared, one of them is not a number."
        )
    return "less" if a < b else "greater" if a > b else "equal"


class Chance(tf.Node, id="flow.chance", durable="replayed"):
    """Goes on at `yes` with a probability, otherwise at `no`; the same for the same seed and path under every schedule.

    A probability below 0, above 1 or that is not a number is an error.

    >>> fire("flow.chance", probability=1.0)
    [('yes', {})]
    """

    enter = tf.ExecIn()
    probability = tf.DataIn(float, default=0.5, doc="0 is never, 1 always")
    yes = tf.ExecOut()
    no = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        probability = await ctx.get_input(self.probability)
        if not 0 <= probability <= 1:
            raise ValueError(f"flow.chance needs a probability from 0 to 1, got {expect.short(probability)}.")
        return self.yes if ctx.random.random() < probability else self.no
