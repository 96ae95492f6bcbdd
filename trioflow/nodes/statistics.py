"""Statistics of lists of finite numbers.

Anything else in a list is an error that says where, and so is a list with too few items. Sums of floats are exact
before they are rounded, so they don't depend on the order of the items. A result beyond the greatest float is an
OverflowError.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect

Number = int | float


def _sample(node: str, items: Sequence[object], least: int = 1) -> list[Number]:
    if len(items) < least:
        raise ValueError(f"{node}: expected at least {least} number{'s' * (least > 1)}, got {len(items)}.")
    found = expect.numbers(node, items)
    for number in found:
        expect.finite(node, number)
    return found


def _pairs(node: str, x: Sequence[object], y: Sequence[object]) -> tuple[list[float], list[float]]:
    if len(x) != len(y):
        raise ValueError(f"{node}: expected lists of the same length, got {len(x)} and {len(y)} items.")
    xs, ys = [float(each) for each in _sample(node, x, 2)], [float(each) for each in _sample(node, y, 2)]
    return xs, ys


def _total(node: str, found: Sequence[Number]) -> Number:
    if all(isinstance(each, int) for each in found):
        return sum(found)
    try:
        return math.fsum(found)
    except OverflowError:
        raise OverflowError(f"{node}: the sum is beyond the greatest float.") from None


@tf.data_node(id="statistics.sum")
def sum_(items: list[Any]) -> Number:
    """The sum; 0 of an empty list. Whole numbers stay exact, floats are rounded once.

    >>> sum_([0.1] * 10)
    1.0
    """
    return _total("statistics.sum", _sample("statistics.sum", items, 0))


@tf.data_node(id="statistics.product")
def product(items: list[Any]) -> Number:
    """The product; 1 of an empty list.

    >>> product([2, 3, 4])
    24
    """
    return math.prod(_sample("statistics.product", items, 0))


@tf.data_node(id="statistics.mean")
def mean(items: list[Any]) -> float:
    """The arithmetic mean. Of an empty list it is an error.

    >>> mean([1, 2, 4, 5])
    3.0
    """
    found = _sample("statistics.mean", items)
    return _total("statistics.mean", found) / len(found)


@tf.data_node(id="statistics.weighted_mean")
def weighted_mean(items: list[Any], weights: list[Any]) -> float:
    """The mean in which each item counts as much as its weight says.

    Lists of different lengths, negative weights, and weights that are all 0 are errors.

    >>> weighted_mean([10, 20], [3, 1])
    12.5
    """
    found, weighed = _sample("statistics.weighted_mean", items), _sample("statistics.weighted_mean", weights)
    if len(found) != len(weighed):
        raise ValueError(f"statistics.weighted_mean: {len(found)} items have {len(weighed)} weights.")
    if min(weighed) < 0 or not any(weighed):
        raise ValueError("statistics.weighted_mean: expected weights that are not negative, and not all 0.")
    products = [item * weight for item, weight in zip(found, weighed, strict=True)]
    return _total("statistics.weighted_mean", products) / _total("statistics.weighted_mean", weighed)


@tf.data_node(id="statistics.geometric_mean")
def geometric_mean(items: list[Any]) -> float:
    """The mean for growth rates. An empty list, and numbers that are not more than 0, are errors.

    >>> round(geometric_mean([1, 3, 9]), 9)
    3.0
    """
    found = _sample("statistics.geometric_mean", items)
    for number in found:
        expect.positive("statistics.geometric_mean", "each number", number)
    return math.exp(math.fsum(map(math.log, found)) / len(found))


@tf.data_node(id="statistics.harmonic_mean")
def harmonic_mean(items: list[Any]) -> float:
    """The mean for rates such as speeds. An empty list, and numbers that are not more than 0, are errors.

    >>> harmonic_mean([40, 60])
    48.0
    """
    found = _sample("statistics.harmonic_mean", items)
    for number in found:
        expect.positive("statistics.harmonic_mean", "each number", number)
    return float(statistics.harmonic_mean(found))


@tf.data_node(id="statistics.median")
def median(items: list[Any]) -> Number:
    """The middle one in order, or the mean of the two in the middle. Of an empty list it is an error.

    >>> median([5, 1, 2, 9])
    3.5
    """
    return statistics.median(_sample("statistics.median", items))


@tf.data_node(id="statistics.mode")
def mode(items: list[Any]) -> object:
    """The item that occurs most often, the first of them if there are several; items may be of any kind.

    An empty list, and items that can be no keys, such as lists, are errors.

    >>> mode(["b", "a", "b"])
    'b'
    """
    if not items:
        raise ValueError("statistics.mode: expected at least 1 item, got 0.")
    return statistics.mode([expect.hashable("statistics.mode", item) for item in items])


@tf.data_node(id="statistics.minimum")
def minimum(items: list[Any]) -> Number:
    """The smallest number, the first of equal ones. Of an empty list it is an error.

    >>> minimum([3, 1, 2])
    1
    """
    return min(_sample("statistics.minimum", items))


@tf.data_node(id="statistics.maximum")
def maximum(items: list[Any]) -> Number:
    """The greatest number, the first of equal ones. Of an empty list it is an error.

    >>> maximum([3, 1, 2])
    3
    """
    return max(_sample("statistics.maximum", items))


@tf.data_node(id="statistics.variance")
def variance(items: list[Any], population: bool = False) -> float:
    """The variance of a sample, or of a whole population. A sample needs two numbers, a population one.

    >>> variance([1, 2, 3, 4])
    1.6666666666666667
    """
    found = _sample("statistics.variance", items, 1 if population else 2)
    return float((statistics.pvariance if population else statistics.variance)(found))


@tf.data_node(id="statistics.deviation")
def deviation(items: list[Any], population: bool = False) -> float:
    """The standard deviation of a sample, or of a whole population. A sample needs two numbers, a population one.

    >>> deviation([2, 4, 4, 4, 5, 5, 7, 9], True)
    2.0
    """
    found = _sample("statistics.deviation", items, 1 if population else 2)
    return float((statistics.pstdev if population else statistics.stdev)(found))


@tf.data_node(id="statistics.quantile")
def quantile(items: list[Any], fraction: float = 0.5) -> float:
    """The number below which this fraction of the items lies, with straight lines between the items.

    0 gives the smallest, 0.5 the median, 1 the greatest. An empty list, and a fraction beyond 0 and 1, are errors.

    >>> quantile([10, 20, 30, 40], 0.9)
    37.0
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"statistics.quantile: expected a fraction from 0 to 1, got {fraction!r}.")
    found = sorted(_sample("statistics.quantile", items))
    place = fraction * (len(found) - 1)
    below = math.floor(place)
    above = min(below + 1, len(found) - 1)
    return found[below] * (1.0 - (place - below)) + found[above] * (place - below)


@tf.data_node(id="statistics.correlation")
def correlation(x: list[Any], y: list[Any]) -> float:
    """Pearson's correlation of two lists, from -1 to 1.

    Lists of different lengths, of less than two numbers, or in which all numbers are equal, are errors.

    >>> correlation([1, 2, 3], [2, 4, 6])
    1.0
    """
    xs, ys = _pairs("statistics.correlation", x, y)
    try:
        return min(max(statistics.correlation(xs, ys), -1.0), 1.0)
    except (statistics.StatisticsError, ArithmeticError):
        raise ValueError(
            "statistics.correlation: a list whose numbers hardly differ correlates with nothing."
        ) from None


class Line(NamedTuple):
    """A straight line."""

    slope: float
    intercept: float


@tf.data_node(id="statistics.linear_regression")
def linear_regression(x: list[Any], y: list[Any]) -> Line:
    """The straight line through points with the least squares of distances in `y`.

    Lists of different lengths, of less than two numbers, or in which all `x` are equal, are errors.

    >>> linear_regression([1, 2, 3], [3, 5, 7])
    Line(slope=2.0, intercept=1.0)
    """
    xs, ys = _pairs("statistics.linear_regression", x, y)
    try:
        return Line(*statistics.linear_regression(xs, ys))
    except (statistics.StatisticsError, ArithmeticError):
        raise ValueError("statistics.linear_regression: expected x that differ, and no line is upright.") from None


@tf.data_node(id="statistics.cumulative_sum")
def cumulative_sum(items: list[Any]) -> list[Number]:
    """The sums of the first, the first two, the first three items and so on; empty for an empty list.

    >>> cumulative_sum([1, 2, 3])
    [1, 3, 6]
    """
    return [*itertools.accumulate(_sample("statistics.cumulative_sum", items, 0))]


@tf.data_node(id="statistics.differences")
def differences(items: list[Any]) -> list[Number]:
    """Each number less the one before it: one item less than the list has, none for an empty list.

    >>> differences([1, 4, 9])
    [3, 5]
    """
    return [b - a for a, b in itertools.pairwise(_sample("statistics.differences", items, 0))]


@tf.data_node(id="statistics.moving_average")
def moving_average(items: list[Any], window: int = 3) -> list[float]:
    """The means of every so many neighbours; empty if there are fewer items. A window below 1 is an error.

    >>> moving_average([1, 2, 3, 10], 2)
    [1.5, 2.5, 6.5]
    """
    expect.positive("statistics.moving_average", "window", window)
    found = _sample("statistics.moving_average", items, 0)
    return [
        _total("statistics.moving_average", found[start : start + window]) / window
        for start in range(len(found) - window + 1)
    ]
