"""Statistics of lists of finite numbers.

Anything else in a list is an error that says where, and so is a list with too few items. Sums of floats are exact
before they are rounded, so they don't depend on the order of the items. A result beyond the greatest float is an
OverflowError.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import attrs

from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import keys_of, sorted_by
from trioflow.nodes._slices import SLICE, TURN, Steps, batches, gathered, mapped, parts, released, sliced
from trioflow.nodes._sums import mean as mean_of
from trioflow.nodes._sums import product as product_of
from trioflow.nodes._sums import root, total

Number = int | float


_EXACT = 200
"""Items that are computed with as fractions in one go: exact, so the order makes no difference, and slower."""

_GREATEST = math.log(sys.float_info.max)


def _sample(node: str, items: Sequence[object], least: int = 1) -> Steps[list[Number]]:
    if len(items) < least:
        raise ValueError(f"{node}: expected at least {least} number{'s' * (least > 1)}, got {len(items)}.")
    found: list[Number] = yield from expect.numbers(node, items)
    for number, part in enumerate(parts(found)):
        if number:
            yield TURN
        if not all(map(math.isfinite, (each for each in part if isinstance(each, float)))):
            for each in part:
                expect.finite(node, each)
    return found


def _pairs(node: str, x: Sequence[object], y: Sequence[object]) -> Steps[tuple[list[Number], list[Number]]]:
    if len(x) != len(y):
        raise ValueError(f"{node}: expected lists of the same length, got {len(x)} and {len(y)} items.")
    return (yield from _sample(node, x, 2)), (yield from _sample(node, y, 2))


def _positive(node: str, items: Sequence[object]) -> Steps[list[Number]]:
    found = yield from _sample(node, items)
    if (yield from _least(found)) <= 0:
        for number in found:
            expect.positive(node, "each number", number)
    return found


def _least(found: Sequence[Number]) -> Steps[Number]:
    return min((yield from mapped(min, [*parts(found)], 1)))


def _sorted(node: str, items: Sequence[object]) -> Steps[list[Number]]:
    found = yield from _sample(node, items)
    return (yield from sorted_by(node, found, found, descending=False))


def _rounded(node: str, exact: Fraction) -> float:
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        raise OverflowError(f"{node}: the result is beyond the greatest float.") from None


def _less(node: str, b: Number, a: Number) -> Number:
    try:
        result = b - a
    except OverflowError:
        result = math.inf
    if isinstance(result, float) and math.isinf(result):
        raise OverflowError(f"{node}: a difference is beyond the greatest float.")
    return result


@attrs.frozen
class _Sums:
    """Sums of products of the distances from the means, and the means; exact."""

    xx: Fraction
    yy: Fraction
    xy: Fraction
    x_mean: Fraction
    y_mean: Fraction


def _products(xs: Sequence[Number], ys: Sequence[Number]) -> Steps[_Sums]:
    count = len(xs)
    x = y = xx = yy = xy = Fraction(0)
    for number, (left, right) in enumerate(zip(xs, ys, strict=True), 1):
        a, b = Fraction(left), Fraction(right)
        x, y, xx, yy, xy = x + a, y + b, xx + a * a, yy + b * b, xy + a * b
        if not number % (_EXACT // 4):
            yield TURN
    return _Sums(xx - x * x / count, yy - y * y / count, xy - x * y / count, x / count, y / count)


def _variance(node: str, items: Sequence[object], population: bool, *, exact_root: bool = False) -> Steps[float]:
    found = yield from _sample(node, items, 1 if population else 2)
    sums = yield from _products(found, found)
    variance = sums.xx / (len(found) if population else len(found) - 1)
    if not exact_root:
        return _rounded(node, variance)
    return root(node, variance)


@sliced(id="statistics.sum")
def sum_(items: list[Any]) -> Steps[Number]:
    """The sum; 0 of an empty list. Whole numbers stay exact, floats are rounded once.

    >>> sum_([0.1] * 10)
    1.0
    """
    return (yield from total("statistics.sum", (yield from _sample("statistics.sum", items, 0))))


@sliced(id="statistics.product")
def product(items: list[Any]) -> Steps[Number]:
    """The product; 1 of an empty list.

    >>> product([2, 3, 4])
    24
    """
    return (yield from product_of("statistics.product", (yield from _sample("statistics.product", items, 0))))


@sliced(id="statistics.mean")
def mean(items: list[Any]) -> Steps[float]:
    """The arithmetic mean. Of an empty list it is an error.

    >>> mean([1, 2, 4, 5])
    3.0
    """
    return (yield from mean_of("statistics.mean", (yield from _sample("statistics.mean", items))))


@sliced(id="statistics.weighted_mean")
def weighted_mean(items: list[Any], weights: list[Any]) -> Steps[float]:
    """The mean in which each item counts as much as its weight says.

    Lists of different lengths, negative weights, and weights that are all 0 are errors.

    >>> weighted_mean([10, 20], [3, 1])
    12.5
    """
    node = "statistics.weighted_mean"
    found, weighed = (yield from _sample(node, items)), (yield from _sample(node, weights))
    if len(found) != len(weighed):
        raise ValueError(f"{node}: {len(found)} items have {len(weighed)} weights.")
    if (yield from _least(weighed)) < 0 or not any(weighed):
        raise ValueError(f"{node}: expected weights that are not negative, and not all 0.")
    above = below = Fraction(0)
    for number, (item, weight) in enumerate(zip(found, weighed, strict=True), 1):
        above += Fraction(item) * Fraction(weight)
        below += Fraction(weight)
        if not number % _EXACT:
            yield TURN
    return _rounded(node, above / below)


@sliced(id="statistics.geometric_mean")
def geometric_mean(items: list[Any]) -> Steps[float]:
    """The mean for growth rates. An empty list, and numbers that are not more than 0, are errors.

    >>> round(geometric_mean([1, 3, 9]), 9)
    3.0
    """
    found = yield from _positive("statistics.geometric_mean", items)
    logarithms: list[float] = yield from mapped(math.log, found)
    # Rounding must not carry it beyond the greatest of the numbers, and so of the floats.
    mean = yield from mean_of("statistics.geometric_mean", logarithms)
    try:
        return math.exp(min(mean, max(logarithms), _GREATEST))
    except OverflowError:
        raise expect.beyond("statistics.geometric_mean", *found) from None


@sliced(id="statistics.harmonic_mean")
def harmonic_mean(items: list[Any]) -> Steps[float]:
    """The mean for rates such as speeds. An empty list, and numbers that are not more than 0, are errors.

    >>> harmonic_mean([40, 60])
    48.0
    """
    found = yield from _positive("statistics.harmonic_mean", items)
    # As whole numbers of a tiny part, far smaller than what rounding makes of it.
    scale = 2_300 + max(int(item).bit_length() for item in found)
    below = 0
    for number, item in enumerate(found, 1):
        top, bottom = item.as_integer_ratio()
        below += (bottom << scale) // top
        if not number % _EXACT:
            yield TURN
    return _rounded("statistics.harmonic_mean", Fraction(len(found) << scale, below))


@sliced(id="statistics.median")
def median(items: list[Any]) -> Steps[Number]:
    """The middle one in order, or the mean of the two in the middle. Of an empty list it is an error.

    >>> median([5, 1, 2, 9])
    3.5
    """
    found = yield from _sorted("statistics.median", items)
    middle = len(found) // 2
    if len(found) % 2:
        return found[middle]
    return (yield from mean_of("statistics.median", found[middle - 1 : middle + 1]))


@sliced(id="statistics.mode")
def mode(items: list[Any]) -> Steps[object]:
    """The item that occurs most often, the first of them if there are several; items may be of any kind.

    An empty list, and items that can be no keys, such as lists, are errors.

    >>> mode(["b", "a", "b"])
    'b'
    """
    if not items:
        raise ValueError("statistics.mode: expected at least 1 item, got 0.")
    keys: list[Any] = yield from keys_of("statistics.mode", items)
    counts: dict[Any, int] = {}
    first: dict[Any, Any] = {}
    for number, (key, item) in enumerate(zip(keys, items, strict=True), 1):
        expect.hashable("statistics.mode", item)
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, item)
        if not number % SLICE:
            yield TURN
    found: object = first[max(counts, key=counts.__getitem__)]
    for waste in (keys, counts, first):
        yield from released(waste)
    return found


@sliced(id="statistics.minimum")
def minimum(items: list[Any]) -> Steps[Number]:
    """The smallest number, the first of equal ones. Of an empty list it is an error.

    >>> minimum([3, 1, 2])
    1
    """
    return (yield from _least((yield from _sample("statistics.minimum", items))))


@sliced(id="statistics.maximum")
def maximum(items: list[Any]) -> Steps[Number]:
    """The greatest number, the first of equal ones. Of an empty list it is an error.

    >>> maximum([3, 1, 2])
    3
    """
    found = yield from _sample("statistics.maximum", items)
    return max((yield from mapped(max, [*parts(found)], 1)))


@sliced(id="statistics.variance")
def variance(items: list[Any], population: bool = False) -> Steps[float]:
    """The variance of a sample, or of a whole population. A sample needs two numbers, a population one.

    >>> variance([1, 2, 3, 4])
    1.6666666666666667
    """
    return (yield from _variance("statistics.variance", items, population))


@sliced(id="statistics.deviation")
def deviation(items: list[Any], population: bool = False) -> Steps[float]:
    """The standard deviation of a sample, or of a whole population. A sample needs two numbers, a population one.

    >>> deviation([2, 4, 4, 4, 5, 5, 7, 9], True)
    2.0
    """
    return (yield from _variance("statistics.deviation", items, population, exact_root=True))


@sliced(id="statistics.quantile")
def quantile(items: list[Any], fraction: float = 0.5) -> Steps[float]:
    """The number below which this fraction of the items lies, with straight lines between the items.

    0 gives the smallest, 0.5 the median, 1 the greatest. An empty list, and a fraction beyond 0 and 1, are errors.

    >>> quantile([10, 20, 30, 40], 0.9)
    37.0
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"statistics.quantile: expected a fraction from 0 to 1, got {expect.short(fraction)}.")
    found = yield from _sorted("statistics.quantile", items)
    place = fraction * (len(found) - 1)
    below = math.floor(place)
    above = min(below + 1, len(found) - 1)
    try:
        return found[below] * (1.0 - (place - below)) + found[above] * (place - below)
    except OverflowError:
        raise OverflowError("statistics.quantile: the result is beyond the greatest float.") from None


@sliced(id="statistics.correlation")
def correlation(x: list[Any], y: list[Any]) -> Steps[float]:
    """Pearson's correlation of two lists, from -1 to 1.

    Lists of different lengths, of less than two numbers, or in which all numbers are equal, are errors.

    >>> correlation([1, 2, 3], [2, 4, 6])
    1.0
    """
    xs, ys = yield from _pairs("statistics.correlation", x, y)
    sums = yield from _products(xs, ys)
    if not sums.xx or not sums.yy:
        raise ValueError("statistics.correlation: a list whose numbers hardly differ correlates with nothing.")
    size = min(root("statistics.correlation", sums.xy * sums.xy / (sums.xx * sums.yy)), 1.0)
    return size if sums.xy >= 0 else -size


class Line(NamedTuple):
    """A straight line."""

    slope: float
    intercept: float


@sliced(id="statistics.linear_regression")
def linear_regression(x: list[Any], y: list[Any]) -> Steps[Line]:
    """The straight line through points with the least squares of distances in `y`.

    Lists of different lengths, of less than two numbers, or in which all `x` are equal, are errors.

    >>> linear_regression([1, 2, 3], [3, 5, 7])
    Line(slope=2.0, intercept=1.0)
    """
    xs, ys = yield from _pairs("statistics.linear_regression", x, y)
    sums = yield from _products(xs, ys)
    if not sums.xx:
        raise ValueError("statistics.linear_regression: expected x that differ, and no line is upright.")
    slope = sums.xy / sums.xx
    node = "statistics.linear_regression"
    return Line(_rounded(node, slope), _rounded(node, sums.y_mean - slope * sums.x_mean))


@sliced(id="statistics.cumulative_sum")
def cumulative_sum(items: list[Any]) -> Steps[list[Number]]:
    """The sums of the first, the first two, the first three items and so on; empty for an empty list.

    >>> cumulative_sum([1, 2, 3])
    [1, 3, 6]
    """
    found = yield from _sample("statistics.cumulative_sum", items, 0)
    sums: list[Number] = []
    exact = Fraction(0)
    is_float = False
    for number, item in enumerate(found, 1):
        is_float = is_float or isinstance(item, float)
        exact += Fraction(item)
        sums.append(_rounded("statistics.cumulative_sum", exact) if is_float else int(exact))
        if not number % _EXACT:
            yield TURN
    return sums


@sliced(id="statistics.differences")
def differences(items: list[Any]) -> Steps[list[Number]]:
    """Each number less the one before it: one item less than the list has, none for an empty list.

    >>> differences([1, 4, 9])
    [3, 5]
    """
    found = yield from _sample("statistics.differences", items, 0)
    pairs = batches(itertools.pairwise(found))
    return (yield from gathered([_less("statistics.differences", b, a) for a, b in part] for part in pairs))


@sliced(id="statistics.moving_average")
def moving_average(items: list[Any], window: int = 3) -> Steps[list[float]]:
    """The means of every so many neighbours; empty if there are fewer items. A window below 1 is an error.

    >>> moving_average([1, 2, 3, 10], 2)
    [1.5, 2.5, 6.5]
    """
    expect.positive("statistics.moving_average", "window", window)
    found = yield from _sample("statistics.moving_average", items, 0)
    if window > len(found):
        return []
    exact = sum((Fraction(each) for each in found[:window]), Fraction(0)) if window <= _EXACT else Fraction(0)
    if window > _EXACT:
        for number, each in enumerate(found[:window], 1):
            exact += Fraction(each)
            if not number % _EXACT:
                yield TURN
    means = [_rounded("statistics.moving_average", exact / window)]
    for number, (gone, new) in enumerate(zip(found, found[window:], strict=False), 1):
        exact += Fraction(new) - Fraction(gone)
        means.append(_rounded("statistics.moving_average", exact / window))
        if not number % _EXACT:
            yield TURN
    return means
