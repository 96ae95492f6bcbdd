"""The value operations of KHR_interactivity, as the standard says them: plain functions of plain values.

A bool is a bool, an int an int of 32 bits, a float a float; vectors and matrices are tuples of floats, matrices in
columns. What an operation says of a float it does with each component.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Value = Any
Vector = tuple[float, ...]

NAN, INF = math.nan, math.inf


def as_int(value: int) -> int:
    """As 32 bits with a sign hold it."""
    return (value + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


def each(function: Callable[..., float]) -> Callable[..., Value]:
    """The function on each component of vectors, and on numbers as it is."""

    def apply(*values: Value) -> Value:
        if isinstance(values[0], tuple):
            return tuple(function(*parts) for parts in zip(*values, strict=True))
        return function(*values)

    return apply


def by_kind(of_floats: Callable[..., float], of_ints: Callable[..., int]) -> Callable[..., Value]:
    """One function for floats and their vectors, another one for ints."""
    floats = each(of_floats)

    def apply(*values: Value) -> Value:
        if all(type(value) is int for value in values):
            return as_int(of_ints(*values))
        return floats(*values)

    return apply


def total(function: Callable[..., float]) -> Callable[..., Value]:
    """A function of mathematics where it is defined, not-a-number elsewhere, infinity where it is too large."""

    def apply(*values: float) -> float:
        try:
            return float(function(*values))
        except ValueError:
            return NAN
        except OverflowError:
            return INF

    return each(apply)


def divide(a: float, b: float) -> float:
    if b == 0:
        if a == 0 or math.isnan(a):
            return NAN
        return math.copysign(INF, a) * math.copysign(1, b)
    return a / b


def divide_ints(a: int, b: int) -> int:
    if b == 0:
        return 0
    return int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def remainder(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or b == 0:
        return NAN
    return math.fmod(a, b)


def whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda a: float(function(a)) if math.isfinite(a) else a


def least(a: float, b: float) -> float:
    return NAN if math.isnan(a) or math.isnan(b) else min(a, b)


def greatest(a: float, b: float) -> float:
    return NAN if math.isnan(a) or math.isnan(b) else max(a, b)


def clamp(a: float, b: float, c: float) -> float:
    return least(greatest(a, least(b, c)), greatest(b, c))


def fraction(a: float) -> float:
    return a - math.floor(a) if math.isfinite(a) else NAN


def sign(a: float) -> float:
    return a if math.isnan(a) or a == 0 else math.copysign(1.0, a)


def logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda a: -INF if a == 0 else NAN if a < 0 else function(a)


def area_tangent(a: float) -> float:
    return math.copysign(INF, a) if abs(a) == 1 else math.atanh(a)


def power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except ZeroDivisionError:
        return INF


def length(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def normalize(a: Vector) -> tuple[Vector, bool]:
    size = length(a)
    if not math.isfinite(size) or size == 0:
        return (0.0,) * len(a), False
    return tuple(x / size for x in a), True


def cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def rotate2(a: Vector, angle: float) -> Vector:
    c, s = math.cos(angle), math.sin(angle)
    return (a[0] * c - a[1] * s, a[0] * s + a[1] * c)


def rotate3(a: Vector, rotation: Vector) -> Vector:
    axis, w = rotation[:3], rotation[3]
    t = tuple(2 * x for x in cross(axis, a))
    return tuple(x + w * y + z for x, y, z in zip(a, t, cross(axis, t), strict=True))


def transform(a: Vector, m: Vector) -> Vector:
    n = len(a)
    return tuple(sum(m[column * n + row] * a[column] for column in range(n)) for row in range(n))


def side(m: Vector) -> int:
    return math.isqrt(len(m))


def transpose(m: Vector) -> Vector:
    n = side(m)
    return tuple(m[row * n + column] for column in range(n) for row in range(n))


def multiply(a: Vector, b: Vector) -> Vector:
    n = side(a)
    return tuple(sum(a[k * n + row] * b[column * n + k] for k in range(n)) for column in range(n) for row in range(n))


def determinant(m: Vector) -> float:
    n = side(m)
    if n == 1:
        return m[0]
    return sum((-1) ** k * m[k * n] * determinant(minor(m, k, 0)) for k in range(n))


def minor(m: Vector, column: int, row: int) -> Vector:
    n = side(m)
    return tuple(m[c * n + r] for c in range(n) for r in range(n) if c != column and r != row)


def inverse(m: Vector) -> tuple[Vector, bool]:
    n, d = side(m), determinant(m)
    if not math.isfinite(d) or d == 0:
        return (0.0,) * len(m), False
    return tuple((-1) ** (c + r) * determinant(minor(m, r, c)) / d for c in range(n) for r in range(n)), True


def compose(translation: Vector, rotation: Vector, scale: Vector) -> Vector:
    x, y, z, w = rotation
    columns = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
        (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)),
        (2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)),
    )
    made: list[float] = []
    for column, factor in zip(columns, scale, strict=True):
        made += [*(part * factor for part in column), 0.0]
    return (*made, *translation, 1.0)


def decompose(m: Vector) -> tuple[Vector, Vector, Vector, bool]:
    nothing = ((0.0,) * 3, (0.0, 0.0, 0.0, 1.0), (1.0,) * 3, False)
    if m[3::4] != (0.0, 0.0, 0.0, 1.0):
        return nothing
    columns = [m[0:3], m[4:7], m[8:11]]
    sizes = [length(column) for column in columns]
    if not all(math.isfinite(size) and size > 0 for size in sizes):
        return nothing
    d = determinant((*m[0:3], *m[4:7], *m[8:11]))
    if not math.isfinite(d) or d == 0:
        return nothing
    if d < 0:
        sizes = [-size for size in sizes]
    (a, b, c) = [tuple(part / size for part in column) for column, size in zip(columns, sizes, strict=True)]
    return m[12:15], _quaternion(a, b, c), tuple(sizes), True


def _quaternion(a: Vector, b: Vector, c: Vector) -> Vector:
    trace = a[0] + b[1] + c[2]
    if trace > 0:
        s = 2 * math.sqrt(trace + 1)
        found = ((b[2] - c[1]) / s, (c[0] - a[2]) / s, (a[1] - b[0]) / s, s / 4)
    elif a[0] > b[1] and a[0] > c[2]:
        s = 2 * math.sqrt(1 + a[0] - b[1] - c[2])
        found = (s / 4, (b[0] + a[1]) / s, (c[0] + a[2]) / s, (b[2] - c[1]) / s)
    elif b[1] > c[2]:
        s = 2 * math.sqrt(1 + b[1] - a[0] - c[2])
        found = ((b[0] + a[1]) / s, s / 4, (c[1] + b[2]) / s, (c[0] - a[2]) / s)
    else:
        s = 2 * math.sqrt(1 + c[2] - a[0] - b[1])
        found = ((c[0] + a[2]) / s, (c[1] + b[2]) / s, s / 4, (a[1] - b[0]) / s)
    return normalize(found)[0]


def quaternion_product(a: Vector, b: Vector) -> Vector:
    v = tuple(x + a[3] * y + b[3] * z for x, y, z in zip(cross(a[:3], b[:3]), b[:3], a[:3], strict=True))
    return (*v, a[3] * b[3] - dot(a[:3], b[:3]))


def between(a: Vector, b: Vector) -> float:
    return 2 * math.acos(max(-1.0, min(1.0, abs(dot(a, b)))))


def from_directions(a: Vector, b: Vector) -> Vector:
    c = dot(a, b)
    if c > 1 - 1e-6:
        return (0.0, 0.0, 0.0, 1.0)
    if c < -1 + 1e-6:
        axis = cross((1.0, 0.0, 0.0) if abs(a[0]) < 0.9 else (0.0, 1.0, 0.0), a)
        return (*normalize(axis)[0], 0.0)
    return (*(x * math.sqrt(0.5 - 0.5 * c) for x in normalize(cross(a, b))[0]), math.sqrt(0.5 + 0.5 * c))


def from_axis(axis: Vector, angle: float) -> Vector:
    return (*(x * math.sin(angle / 2) for x in axis), math.cos(angle / 2))


def to_axis(a: Vector) -> tuple[Vector, float]:
    size = math.sqrt(max(0.0, 1 - a[3] * a[3]))
    if abs(a[3]) >= 1 or size == 0:
        return (1.0, 0.0, 0.0), 0.0
    return tuple(x / size for x in a[:3]), 2 * math.acos(a[3])


def slerp(a: Vector, b: Vector, c: float) -> Vector:
    d = dot(a, b)
    if d < 0:
        b, d = tuple(-x for x in b), -d
    if d > 0.9999:
        return normalize(tuple(x + (y - x) * c for x, y in zip(a, b, strict=True)))[0]
    angle = math.acos(d)
    p, q = math.sin((1 - c) * angle) / math.sin(angle), math.sin(c * angle) / math.sin(angle)
    return tuple(x * p + y * q for x, y in zip(a, b, strict=True))


def mix(a: float, b: float, c: float) -> float:
    return (1.0 - c) * a + c * b


def bits(of_bools: Callable[..., bool], of_ints: Callable[..., int]) -> Callable[..., Value]:
    def apply(*values: Value) -> Value:
        if type(values[0]) is bool:
            return of_bools(*values)
        return as_int(of_ints(*values))

    return apply


def leading(a: int) -> int:
    return 32 - (a & 0xFFFF_FFFF).bit_length()


def trailing(a: int) -> int:
    a &= 0xFFFF_FFFF
    return 32 if a == 0 else (a & -a).bit_length() - 1


def truncated(a: float) -> int:
    return as_int(math.trunc(a)) if math.isfinite(a) else 0


def half_away(a: float) -> int:
    return int(math.copysign(math.floor(abs(a) + 0.5), a))


def combine(*values: float) -> Vector:
    return values


def extract(a: Vector) -> Vector:
    return a


def compare(function: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    return lambda a, b: function(a, b)


# By operation, its function of the values of its sockets in order, the names of the sockets, and those of the outputs.
Operation = tuple[Callable[..., Value], tuple[str, ...], tuple[str, ...]]


def _of(names: str, functions: Mapping[str, Callable[..., Value]], outputs: str = "value") -> dict[str, Operation]:
    return {name: (function, tuple(names.split()), tuple(outputs.split())) for name, function in functions.items()}


OPERATIONS: Mapping[str, Operation] = {
    **_of(
        "",
        {
            "math/E": lambda: math.e,
            "math/Pi": lambda: math.pi,
            "math/Inf": lambda: INF,
            "math/NaN": lambda: NAN,
        },
    ),
    **_of(
        "a",
        {
            "math/abs": by_kind(abs, abs),
            "math/sign": by_kind(sign, lambda a: (a > 0) - (a < 0)),
            "math/trunc": each(whole(math.trunc)),
            "math/floor": each(whole(math.floor)),
            "math/ceil": each(whole(math.ceil)),
            "math/round": each(whole(half_away)),
            "math/fract": each(fraction),
            "math/neg": by_kind(lambda a: -a, lambda a: -a),
            "math/saturate": each(lambda a: clamp(a, 0.0, 1.0)),
            "math/isNaN": lambda a: math.isnan(a),
            "math/isInf": lambda a: math.isinf(a),
            "math/rad": each(math.radians),
            "math/deg": each(math.degrees),
            "math/sin": total(math.sin),
            "math/cos": total(math.cos),
            "math/tan": total(math.tan),
            "math/asin": total(math.asin),
            "math/acos": total(math.acos),
            "math/atan": total(math.atan),
            "math/sinh": total(math.sinh),
            "math/cosh": total(math.cosh),
            "math/tanh": total(math.tanh),
            "math/asinh": total(math.asinh),
            "math/acosh": total(math.acosh),
            "math/atanh": total(area_tangent),
            "math/exp": total(math.exp),
            "math/log": total(logarithm(math.log)),
            "math/log2": total(logarithm(math.log2)),
            "math/log10": total(logarithm(math.log10)),
            "math/sqrt": total(math.sqrt),
            "math/cbrt": total(math.cbrt),
            "math/length": length,
            "math/transpose": transpose,
            "math/determinant": determinant,
            "math/quatConjugate": lambda a: (-a[0], -a[1], -a[2], a[3]),
            "math/not": bits(lambda a: not a, lambda a: ~a),
            "math/clz": leading,
            "math/ctz": trailing,
            "math/popcnt": lambda a: (a & 0xFFFF_FFFF).bit_count(),
            "type/boolToInt": int,
            "type/boolToFloat": float,
            "type/intToBool": bool,
            "type/intToFloat": float,
            "type/floatToBool": lambda a: not (math.isnan(a) or a == 0),
            "type/floatToInt": truncated,
        },
    ),
    **_of(
        "a b",
        {
            "math/add": by_kind(lambda a, b: a + b, lambda a, b: a + b),
            "math/sub": by_kind(lambda a, b: a - b, lambda a, b: a - b),
            "math/mul": by_kind(lambda a, b: a * b, lambda a, b: a * b),
            "math/div": by_kind(divide, divide_ints),
            "math/rem": by_kind(remainder, lambda a, b: 0 if b == 0 else a - b * divide_ints(a, b)),
            "math/min": by_kind(least, min),
            "math/max": by_kind(greatest, max),
            "math/eq": compare(lambda a, b: a == b),
            "math/lt": compare(lambda a, b: a < b),
            "math/le": compare(lambda a, b: a <= b),
            "math/gt": compare(lambda a, b: a > b),
            "math/ge": compare(lambda a, b: a >= b),
            "math/atan2": total(math.atan2),
            "math/pow": total(power),
            "math/dot": dot,
            "math/cross": cross,
            "math/transform": transform,
            "math/matMul": multiply,
            "math/quatMul": quaternion_product,
            "math/quatAngleBetween": between,
            "math/quatFromDirections": from_directions,
            "math/and": bits(lambda a, b: a and b, lambda a, b: a & b),
            "math/or": bits(lambda a, b: a or b, lambda a, b: a | b),
            "math/xor": bits(lambda a, b: a != b, lambda a, b: a ^ b),
            "math/asr": lambda a, b: a >> (b & 31),
            "math/lsl": lambda a, b: as_int(a << (b & 31)),
        },
    ),
    **_of("a angle", {"math/rotate2D": rotate2}),
    **_of("a rotation", {"math/rotate3D": rotate3}),
    **_of("axis angle", {"math/quatFromAxisAngle": from_axis}),
    **_of("a", {"math/quatToAxisAngle": to_axis}, "axis angle"),
    **_of(
        "a b c",
        {"math/clamp": by_kind(clamp, lambda a, b, c: min(max(a, min(b, c)), max(b, c))), "math/mix": each(mix)},
    ),
    **_of("a b c", {"math/quatSlerp": slerp}),
    **_of("condition a b", {"math/select": lambda condition, a, b: a if condition else b}),
    **_of("a", {"math/normalize": normalize, "math/inverse": inverse}, "value isValid"),
    **_of("translation rotation scale", {"math/matCompose": compose}),
    **_of("a", {"math/matDecompose": decompose}, "translation rotation scale isValid"),
    **_of("a b", {"math/combine2": combine}),
    **_of("a b c", {"math/combine3": combine}),
    **_of("a b c d", {"math/combine4": combine, "math/combine2x2": combine}),
    **_of("a b c d e f g h i", {"math/combine3x3": combine}),
    **_of("a b c d e f g h i j k l m n o p", {"math/combine4x4": combine}),
    **_of("a", {"math/extract2": extract}, "0 1"),
    **_of("a", {"math/extract3": extract}, "0 1 2"),
    **_of("a", {"math/extract4": extract, "math/extract2x2": extract}, "0 1 2 3"),
    **_of("a", {"math/extract3x3": extract}, " ".join(map(str, range(9)))),
    **_of("a", {"math/extract4x4": extract}, " ".join(map(str, range(16)))),
}
