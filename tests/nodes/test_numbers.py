"""Numbers, bits, statistics: what their nodes do at the edges, and the laws that they keep."""

from __future__ import annotations

import fractions
import math
import statistics

import pytest
from data_nodes import call, law, value_of, written
from hypothesis import assume, given
from hypothesis import strategies as st

INF, NAN = math.inf, math.nan
wholes = st.integers(-(10**9), 10**9)
floats = st.floats(-1e9, 1e9)
numbers = wholes | floats
samples = st.lists(numbers, min_size=1, max_size=20)
widths = st.integers(1, 80)


@pytest.mark.parametrize(
    ("type_id", "inputs", "expected"),
    [
        ("math.divmod", {"a": -7.5, "b": 2}, {"quotient": -4.0, "remainder": 0.5}),
        ("math.power", {"base": 2, "exponent": -1}, 0.5),
        ("math.power", {"base": 0, "exponent": 0}, 1),
        ("math.power", {"base": -1, "exponent": 10**12}, 1),
        ("math.sign", {"value": -0.0}, 0),
        ("math.wrap", {"value": -10, "low": 0, "high": 360}, 350),
        ("math.wrap", {"value": 360, "low": 0, "high": 360}, 0),
        ("math.wrap", {"value": -1e-20, "low": 0, "high": 360}, 0),
        ("math.round", {"value": 1250, "digits": -2}, 1200),
        ("math.round", {"value": 1.5, "digits": 1000}, 1.5),
        ("math.round", {"value": 1.5, "digits": -1000}, 0.0),
        ("math.round_by", {"value": 2.5}, 3),
        ("math.round_by", {"value": 1250.0, "digits": -2}, 1300.0),
        ("math.round_by", {"value": -2.5, "rule": "half_down"}, -2),
        ("math.round_by", {"value": 2.5, "rule": "half_even"}, 2),
        ("math.round_by", {"value": -2.1, "rule": "up"}, -3),
        ("math.round_by", {"value": -2.9, "rule": "down"}, -2),
        ("math.round_by", {"value": -2.1, "rule": "floor"}, -3),
        ("math.round_by", {"value": -2.9, "rule": "ceiling"}, -2),
        ("math.round_by", {"value": 1234, "digits": -2, "rule": "up"}, 1300),
        ("math.round_by", {"value": 1234, "digits": 2}, 1234),
        ("math.fraction", {"value": INF}, 0.0),
        ("math.fraction", {"value": 7}, 0),
        ("math.cube_root", {"value": 10**18}, 1e6),
        ("math.cube_root", {"value": INF}, INF),
        ("math.logarithm", {"value": 8, "base": 2}, 3.0),
        ("math.is_close", {"a": INF, "b": INF}, True),
        ("math.is_finite", {"value": INF}, False),
        ("math.is_finite", {"value": 10**400}, True),
        ("math.is_nan", {"value": 1}, False),
        ("integer.least_common_multiple", {"a": 0, "b": 5}, 0),
        ("integer.combinations", {"items": 2, "chosen": 3}, 0),
        ("integer.permutations", {"items": 2, "chosen": 3}, 0),
        ("integer.combinations", {"items": 2, "chosen": 0}, 1),
        ("integer.permutations", {"items": 0, "chosen": 0}, 1),
        ("integer.digits", {"value": 0}, [0]),
        ("integer.digits", {"value": -255, "base": 16}, [15, 15]),
        ("bits.shift_right", {"value": -1, "by": 100}, -1),
        ("bits.rotate_left", {"value": 1, "by": -1, "width": 8}, 128),
        ("bits.set", {"value": 9, "bit": 3, "on": False}, 1),
        ("bits.test", {"value": -1, "bit": 1000}, True),
        ("bits.to_signed", {"value": 127, "width": 8}, 127),
        ("statistics.sum", {"items": []}, 0),
        ("statistics.sum", {"items": [2**60, 1]}, 2**60 + 1),
        ("statistics.sum", {"items": [1e100, 1.0, -1e100]}, 1.0),
        ("statistics.product", {"items": []}, 1),
        ("statistics.quantile", {"items": [7]}, 7.0),
        ("statistics.quantile", {"items": [3, 1, 2], "fraction": 0}, 1.0),
        ("statistics.quantile", {"items": [3, 1, 2], "fraction": 1}, 3.0),
        ("statistics.variance", {"items": [5], "population": True}, 0.0),
        ("statistics.deviation", {"items": [5], "population": True}, 0.0),
        ("statistics.correlation", {"x": [1, 2, 3], "y": [3, 2, 1]}, -1.0),
        ("statistics.weighted_mean", {"items": [1, 2], "weights": [0, 1]}, 2.0),
        ("statistics.moving_average", {"items": [1, 2], "window": 3}, []),
        ("random.sample", {"items": [1], "count": 0}, []),
        ("statistics.differences", {"items": []}, []),
        ("trigonometry.angle", {"x": 0, "y": 0}, 0.0),
        ("trigonometry.distance", {"x1": 1, "y1": 2, "x2": 4, "y2": 6}, 5.0),
        ("trigonometry.arc_tangent", {"value": -INF}, -math.pi / 2),
    ],
)
def test_edge(type_id, inputs, expected):
    """What a node gives at its edges is as its documentation says, and of the same type."""
    assert written(value_of(type_id, **inputs)) == written(expected)


@pytest.mark.parametrize(
    ("type_id", "inputs", "error", "message"),
    [
        ("math.divide", {"a": 1.0, "b": 0.0}, ZeroDivisionError, ": division by zero"),
        ("math.divmod", {"a": 1, "b": 0.0}, ZeroDivisionError, ": division by zero"),
        ("math.power", {"base": 0, "exponent": -1}, ZeroDivisionError, "0 to the power of -1 is a division by zero"),
        ("math.power", {"base": 10.0, "exponent": 400}, OverflowError, "beyond the greatest float"),
        ("math.power", {"base": 10, "exponent": 10**9}, OverflowError, "it may have 10000000 at most"),
        ("math.sign", {"value": NAN}, ValueError, "NaN has no sign"),
        ("math.clamp", {"value": 1, "low": NAN}, ValueError, "low"),
        ("math.wrap", {"value": 1, "low": 1, "high": 1}, ValueError, "must be less than high"),
        ("math.map_range", {"value": 1, "from_low": 2, "from_high": 2}, ValueError, "nothing lies between"),
        ("math.round", {"value": INF}, OverflowError, "math.round: infinity"),
        ("math.round", {"value": 1.0, "digits": 1001}, ValueError, "from -1000 to 1000"),
        ("math.round", {"value": 1.7e308, "digits": -308}, OverflowError, "beyond the greatest float"),
        ("math.round_by", {"value": NAN}, ValueError, "math.round_by: NaN"),
        ("math.truncate", {"value": NAN}, ValueError, "math.truncate: NaN"),
        ("math.exponential", {"value": 1000}, OverflowError, "beyond the greatest float"),
        ("math.logarithm", {"value": 0}, ValueError, "value must be more than 0, got 0"),
        ("math.logarithm", {"value": NAN}, ValueError, "value must be more than 0, got nan"),
        ("math.logarithm", {"value": 2, "base": 1}, ValueError, "no logarithms to the base 1"),
        ("math.is_close", {"a": 1, "b": 1, "relative": -1}, ValueError, "can't be negative"),
        ("integer.factorial", {"value": -1}, ValueError, "from 0 to 100000, got -1"),
        ("integer.combinations", {"items": -1, "chosen": 1}, ValueError, "from 0 to 100000"),
        ("integer.permutations", {"items": 1, "chosen": -1}, ValueError, "from 0 to 100000"),
        ("integer.square_root", {"value": -1}, ValueError, "not negative, got -1"),
        ("integer.digits", {"value": 1, "base": 1}, ValueError, "a base of 2 or more"),
        ("bits.shift_left", {"value": 1, "by": 10**9}, ValueError, "from 0 to 10000000, got 1000000000"),
        ("bits.test", {"value": 1, "bit": -1}, ValueError, "got -1"),
        ("bits.rotate_left", {"value": 256, "width": 8}, ValueError, "a number of 8 bits"),
        ("bits.to_signed", {"value": 1, "width": 0}, ValueError, "width must be from 1"),
        ("bits.to_unsigned", {"value": -129, "width": 8}, ValueError, "-129 does not fit into 8 bits"),
        ("statistics.mean", {"items": []}, ValueError, "at least 1 number, got 0"),
        ("statistics.mean", {"items": [1, "2"]}, TypeError, "item 1 is str '2'"),
        ("statistics.sum", {"items": [True]}, TypeError, "item 0 is bool True"),
        ("statistics.sum", {"items": [1, NAN]}, ValueError, "a finite number, got nan"),
        ("statistics.sum", {"items": [1.7e308, 1.7e308]}, OverflowError, "beyond the greatest float"),
        ("statistics.variance", {"items": [1]}, ValueError, "at least 2 numbers, got 1"),
        ("statistics.mode", {"items": []}, ValueError, "at least 1 item"),
        ("statistics.mode", {"items": [[]]}, TypeError, "can be neither a key nor a member"),
        ("statistics.geometric_mean", {"items": [0]}, ValueError, "must be more than 0"),
        ("statistics.harmonic_mean", {"items": [-1]}, ValueError, "must be more than 0"),
        ("statistics.quantile", {"items": [1], "fraction": 1.5}, ValueError, "from 0 to 1, got 1.5"),
        ("statistics.weighted_mean", {"items": [1], "weights": [1, 2]}, ValueError, "1 items have 2 weights"),
        ("statistics.weighted_mean", {"items": [1], "weights": [0]}, ValueError, "not all 0"),
        ("statistics.correlation", {"x": [1, 1], "y": [1, 2]}, ValueError, "correlates with nothing"),
        ("statistics.correlation", {"x": [1, 2], "y": [1]}, ValueError, "2 and 1 items"),
        ("statistics.linear_regression", {"x": [1, 1], "y": [1, 2]}, ValueError, "no line is upright"),
        ("statistics.moving_average", {"items": [1], "window": 0}, ValueError, "window must be more than 0"),
        ("trigonometry.sine", {"angle": INF}, ValueError, "expected a finite angle, got inf"),
        ("trigonometry.arc_cosine", {"value": 1.5}, ValueError, "from -1 to 1, got 1.5"),
        ("random.uniform", {"high": INF}, ValueError, "a finite number, got inf"),
        ("random.boolean", {"probability": 2}, ValueError, "from 0 to 1, got 2.0"),
        ("random.normal", {"deviation": -1}, ValueError, "not negative, got -1.0"),
        ("random.exponential", {"mean": 0}, ValueError, "must be more than 0"),
        ("random.weighted_choice", {"items": [1], "weights": []}, ValueError, "1 items have 0 weights"),
        ("random.weighted_choice", {"items": [1], "weights": [-1]}, ValueError, "not negative, and not all 0"),
        ("random.sample", {"items": [1], "count": 2}, ValueError, "from 0 to 1, the number of items, got 2"),
        ("random.text", {"characters": ""}, ValueError, "no characters to choose from"),
        ("random.bytes", {"length": 10**10}, ValueError, "10000000 at most"),
    ],
)
def test_error(type_id, inputs, error, message):
    """What a node can't compute is an error that says what was expected and what came."""
    with pytest.raises(error, match=message):
        value_of(type_id, **inputs)


@pytest.mark.parametrize("type_id", ["integer.digits", "convert.to_base"])
def test_endless_digits(type_id):
    """Digits of a number that would take minutes to write are refused."""
    with pytest.raises(ValueError, match=f"{type_id}: expected a number of 100000 bits at most"):
        call(type_id, value=1 << 100_001)


@pytest.mark.parametrize(
    ("type_id", "inputs"),
    [
        ("math.minimum", {"a": 1, "b": NAN}),
        ("math.maximum", {"a": NAN, "b": 1}),
        ("math.fraction", {"value": NAN}),
        ("math.constant", {"name": "nan"}),
        ("trigonometry.sine", {"angle": NAN}),
    ],
)
def test_not_a_number_goes_through(type_id, inputs):
    """Not-a-number is the result where it is an input, whichever it is."""
    assert math.isnan(value_of(type_id, **inputs))


@law
@given(wholes, wholes)
def test_division(a, b):
    """Quotient and remainder make up the number again, and the remainder has the divisor's sign."""
    assume(b)
    quotient, remainder = call("math.divmod", a=a, b=b)
    assert (quotient, remainder) == (call("math.floor_divide", a=a, b=b), call("math.modulo", a=a, b=b))
    assert quotient * b + remainder == a
    assert 0 <= remainder * (1 if b > 0 else -1) < abs(b)


@law
@given(numbers, numbers, numbers)
def test_bounds(value, a, b):
    """Clamped and wrapped numbers are within their bounds, and a number within them stays as it is."""
    low, high = sorted((a, b))
    clamped = call("math.clamp", value=value, low=low, high=high)
    assert low <= clamped <= high
    assert clamped == value or not low <= value <= high
    assume(low < high)
    wrapped = call("math.wrap", value=value, low=low, high=high)
    assert low <= wrapped < high


@law
@given(wholes, wholes, wholes, wholes, wholes)
def test_map_range_inverse(value, a, b, c, d):
    """Mapping a number to another range and back gives the number, but for the rounding of floats."""
    assume(a != b)
    assume(c != d)
    there = call("math.map_range", value=value, from_low=a, from_high=b, to_low=c, to_high=d)
    back = call("math.map_range", value=there, from_low=c, from_high=d, to_low=a, to_high=b)
    size = max(map(abs, (value, a, b, c, d))) * (1 + abs((value - a) / (b - a))) * (1 + abs((b - a) / (d - c)))
    assert abs(back - value) <= size * 1e-12


@law
@given(st.decimals(-1000, 1000, places=3), st.integers(0, 2), st.sampled_from(["half_up", "half_even", "floor"]))
def test_round_by_is_near(value, digits, rule):
    """A rounded number is as near as its digits allow, as a decimal number, not as a binary one."""
    rounded = call("math.round_by", value=float(value), digits=digits, rule=rule)
    distance = abs(fractions.Fraction(repr(rounded)) - fractions.Fraction(value))
    assert distance <= fractions.Fraction(1, 10**digits) / (1 if rule == "floor" else 2)


@law
@given(wholes, wholes)
def test_divisors(a, b):
    """The greatest common divisor times the least common multiple is the product."""
    inputs = {"a": a, "b": b}
    divisor = call("integer.greatest_common_divisor", **inputs)
    assert divisor * call("integer.least_common_multiple", **inputs) == abs(a * b)


@law
@given(st.integers(), st.integers(2, 40))
def test_digits(value, base):
    """The digits of a number make the number again."""
    made = 0
    for digit in call("integer.digits", value=value, base=base):
        assert 0 <= digit < base
        made = made * base + digit
    assert made == abs(value)


@law
@given(st.integers(0, 10**40))
def test_integer_root(value):
    """The whole root is the greatest whose square is not greater."""
    root = call("integer.square_root", value=value)
    assert root**2 <= value < (root + 1) ** 2


@law
@given(st.integers(), st.integers())
def test_bits(a, b):
    """Bits follow the laws of logic: De Morgan's, and exclusive or as its own inverse."""
    both, either = call("bits.and", a=a, b=b), call("bits.or", a=a, b=b)
    assert call("bits.not", value=both) == call("bits.or", a=~a, b=~b)
    assert call("bits.xor", a=call("bits.xor", a=a, b=b), b=b) == a
    assert both + either == a + b


@law
@given(st.integers(), st.integers(0, 100))
def test_single_bits(value, bit):
    """A bit that is set is on, one that is toggled is the other way round, and twice as before."""
    assert call("bits.test", value=call("bits.set", value=value, bit=bit), bit=bit)
    assert not call("bits.test", value=call("bits.set", value=value, bit=bit, on=False), bit=bit)
    toggled = call("bits.toggle", value=value, bit=bit)
    assert call("bits.test", value=toggled, bit=bit) is not call("bits.test", value=value, bit=bit)
    assert call("bits.toggle", value=toggled, bit=bit) == value
    assert call("bits.shift_right", value=call("bits.shift_left", value=value, by=bit), by=bit) == value


@law
@given(st.data(), widths)
def test_fixed_width(data, width):
    """A number of a fixed width is the same after going to signed and back, and after a whole turn."""
    value = data.draw(st.integers(0, 2**width - 1))
    signed = call("bits.to_signed", value=value, width=width)
    assert -(2 ** (width - 1)) <= signed < 2 ** (width - 1)
    assert call("bits.to_unsigned", value=signed, width=width) == value
    by = data.draw(st.integers(-100, 100))
    turned = call("bits.rotate_left", value=value, by=by, width=width)
    assert call("bits.count", value=turned) == call("bits.count", value=value)
    assert call("bits.rotate_left", value=turned, by=-by, width=width) == value
    low = call("bits.field", value=value, start=0, width=width // 2)
    high = call("bits.field", value=value, start=width // 2, width=width)
    assert (high << width // 2) + low == value
    assert call("bits.length", value=value) <= width


@law
@given(samples, st.floats(0, 1))
def test_location(items, fraction):
    """Mean, median and quantiles lie between the smallest and the greatest number."""
    low, high = call("statistics.minimum", items=items), call("statistics.maximum", items=items)
    slack = 1e-9 * (1 + max(abs(low), abs(high)))
    for value in (
        call("statistics.mean", items=items),
        call("statistics.median", items=items),
        call("statistics.quantile", items=items, fraction=fraction),
    ):
        assert low - slack <= value <= high + slack
    assert call("statistics.quantile", items=items) == pytest.approx(call("statistics.median", items=items))


@law
@given(samples, st.randoms())
def test_order_does_not_matter(items, chance):
    """Statistics of a list do not depend on its order, to the last bit."""
    shuffled = chance.sample(items, len(items))
    for name in ("sum", "mean", "median", "minimum", "maximum"):
        a, b = (call(f"statistics.{name}", items=each) for each in (items, shuffled))
        assert a == b
    assert call("statistics.variance", items=items, population=True) >= 0


@law
@given(st.lists(wholes, max_size=20))
def test_sums(items):
    """Differences undo cumulative sums; a moving average of one item is the item."""
    sums = call("statistics.cumulative_sum", items=items)
    assert call("statistics.differences", items=[0, *sums]) == items
    assert sums[-1:] == [call("statistics.sum", items=items)][: len(items)]
    assert call("statistics.moving_average", items=items, window=1) == items


@law
@given(st.lists(wholes, min_size=2, max_size=10, unique=True), st.integers(-100, 100), st.integers(-100, 100))
def test_line(x, slope, intercept):
    """Points that lie on a line have this line as regression; the correlation of a rising one is 1."""
    y = [slope * each + intercept for each in x]
    line = call("statistics.linear_regression", x=x, y=y)
    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert line.intercept == pytest.approx(intercept, abs=1e-5 * (1 + max(map(abs, x)) * (1 + abs(slope))))
    if slope:
        assert call("statistics.correlation", x=x, y=y) == pytest.approx(math.copysign(1, slope))


@law
@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=10))
def test_means(items):
    """The harmonic mean is not greater than the geometric one, and that not than the arithmetic one."""
    harmonic, geometric = (call(f"statistics.{name}_mean", items=items) for name in ("harmonic", "geometric"))
    assert harmonic <= geometric * (1 + 1e-9)
    assert geometric <= statistics.fmean(items) * (1 + 1e-9)
    weighted = call("statistics.weighted_mean", items=items, weights=[2] * len(items))
    assert weighted == pytest.approx(statistics.fmean(items))


@law
@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_polar(x, y):
    """A point is the same after going to polar coordinates and back."""
    radius, angle = call("trigonometry.to_polar", x=x, y=y)
    assert radius == call("trigonometry.distance", x1=x, y1=y)
    assert call("trigonometry.from_polar", radius=radius, angle=angle) == pytest.approx((x, y), abs=1e-9)


@law
@given(st.floats(-1, 1))
def test_inverse_functions(value):
    """Sine, cosine and tangent undo their inverses; degrees undo radians; the logarithm undoes the exponential."""
    for name in ("sine", "cosine", "tangent"):
        assert call(f"trigonometry.{name}", angle=call(f"trigonometry.arc_{name}", value=value)) == pytest.approx(value)
    degrees = call("trigonometry.to_degrees", angle=value)
    assert call("trigonometry.to_radians", degrees=degrees) == pytest.approx(value)
    assert call("math.logarithm", value=call("math.exponential", value=value)) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("type_id", "inputs", "within"),
    [
        ("random.boolean", {}, lambda value: value in (True, False)),
        ("random.normal", {"mean": 1}, math.isfinite),
        ("random.exponential", {}, lambda value: value * 10 == pytest.approx(value_of("random.exponential", mean=10))),
        ("random.weighted_choice", {"items": ["a", "b"], "weights": [1, 2]}, lambda value: value in "ab"),
        ("random.sample", {"items": [1, 2, 3], "count": 2}, lambda value: len(set(value)) == 2),
        ("random.text", {"length": 4, "characters": "xy"}, lambda value: set(value) <= set("xy") and len(value) == 4),
        ("random.bytes", {"length": -1}, lambda value: value == b""),
        ("random.uuid", {}, lambda value: value[14] == "4"),
    ],
)
def test_chance(type_id, inputs, within):
    """A node of chance stays within its bounds, and gives the same for the same seed and path (R6)."""
    value = value_of(type_id, **inputs)
    assert within(value)
    assert value == value_of(type_id, **inputs)
