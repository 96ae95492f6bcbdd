from __future__ import annotations

import collections.abc
import datetime
import enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, runtime_checkable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from trioflow.semantics.coercion import Mismatch, coerce_literal, coercer_for, compatible


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Entry(TypedDict):
    size: int


@attrs.frozen
class Point:
    x: int
    y: float = 0
    day: datetime.date | None = None


@runtime_checkable
class Sized2(Protocol):
    size: int


UserId = NewType("UserId", int)
T = TypeVar("T")
Count = TypeAliasType("Count", int)  # in Python 3.12: type Count = int


class Holds(Protocol[T]):
    held: T


@runtime_checkable
class Closes(Protocol):
    def close(self) -> None: ...


DAY = datetime.date(2026, 2, 28)


def coerce(value, target, converters=None):
    coercer = coercer_for(target, converters or {})
    return value if coercer is None else coercer(value)


@pytest.mark.parametrize(
    "target",
    [
        object,
        Any,
        T,
        Annotated[Any, "note"],
        int | Any,
        "Later",
        collections.abc.Callable,
        Final[int],
        Holds,
        Holds[int],
    ],
)
def test_what_is_not_checked(target):
    """A type that says nothing takes every value as it is; None stands for no coercer at all (D11)."""
    value = print
    assert coerce(value, target) is value


@pytest.mark.parametrize(
    ("value", "target"),
    [
        (1, int),
        (True, bool),
        (None, None),
        (1, UserId),
        (1, Annotated[int, "note"]),
        (1, float | int),
        ("a", Literal["a", 1]),
        (1, float | Literal[1]),
        (Level.LOW, int),
        (["any", 1], list[str]),
        ({"size": 1}, Entry),
        (None, Optional[int]),
        (DAY, datetime.date),
        (datetime.datetime(2026, 2, 28), datetime.datetime),
        ([1].__iter__(), collections.abc.Iterator[int]),
    ],
)
def test_exact(value, target):
    """A value of the type passes as it is; of a container only its own type is looked at on a wire (D11)."""
    assert coerce(value, target) is value


@pytest.mark.parametrize(
    ("value", "target", "said"),
    [
        (1.0, int, "expected int, got float 1.0"),
        ("1", int, "expected int, got str '1'"),
        (1, str, "expected str, got int 1"),
        (True, int, "expected int, got bool True"),
        (True, float, "expected float, got bool True"),
        (1, bool, "expected bool, got int 1"),
        (
            datetime.datetime(2026, 2, 28),
            datetime.date,
            "expected date, got datetime datetime.datetime(2026, 2, 28, 0, 0)",
        ),
        (DAY, datetime.datetime, "expected datetime, got date datetime.date(2026, 2, 28)"),
        (None, int, "expected int, got None None"),
        (True, Literal[1], "expected 1, got bool True"),
        ((1,), list[int], "expected list, got tuple (1,)"),
        ("x" * 58, int | None, f"expected int | None, got str '{'x' * 58}'"),
        ("x" * 59, int | None, f"expected int | None, got str '{'x' * 56}..."),
        ("1", Annotated[int, "note"], "expected int, got str '1'"),
        ("1", UserId, "expected int, got str '1'"),
        ("1", Count, "expected int, got str '1'"),
        (1, Closes, "expected Closes, got int 1"),
        (1, collections.abc.Iterator[int], "expected Iterator, got int 1"),
    ],
)
def test_nothing_is_guessed(value, target, said):
    """No rounding, no numbers from texts, no truth values as numbers; the message says both types (D11)."""
    with pytest.raises(Mismatch) as caught:
        coerce(value, target)
    assert str(caught.value) == said


@given(st.integers())
def test_int_to_float_is_lossless(number):
    """An int becomes a float only if the float is the same number (D11)."""
    try:
        converted = coerce(number, float)
    except Mismatch:
        converted = None
    if converted is None:
        assert abs(number) > 2**53
    else:
        assert type(converted) is float
        assert int(converted) == number


@pytest.mark.parametrize("number", [2**53 + 1, 10**400])
def test_int_that_no_float_holds(number):
    """An int that no float holds is a mismatch (D11)."""
    with pytest.raises(Mismatch):
        coerce(number, float)


def test_converters():
    """Declared converters apply, exact types come first, and one that raises is a mismatch (D11)."""
    assert coerce("a/b", Path) == Path("a/b")
    assert coerce("12", int, {(str, int): int}) == 12
    assert coerce("12", int | str, {(str, int): int}) == "12"
    assert coerce("12", bytes | int, {(str, int): int}) == 12
    with pytest.raises(Mismatch, match=r"expected int, got str 'x' \(ValueError: invalid literal"):
        coerce("x", int, {(str, int): int})


def test_exact_type():
    """A coercer names the type whose values need no look, if it is one; without a type there is no coercer (D11)."""
    assert coercer_for(list[int], {}).passing == {list}
    assert coercer_for(int | str, {}).passing == {int, str}
    assert coercer_for(int | Literal["a"], {}).passing == {int}
    assert coercer_for(object, {}) is None


def test_converters_of_literals():
    """Declared converters apply to literals too, at any depth and behind any name of a type (D11)."""
    converters = {(str, int): int}
    assert coerce_literal("12", UserId, converters) == 12
    assert coerce_literal({"1": ["2"]}, dict[int, list[int]], converters) == {1: [2]}


@pytest.mark.parametrize(
    ("literal", "target", "value"),
    [
        (5, float, 5.0),
        ("2026-02-28", datetime.date, DAY),
        ("2026-02-28", datetime.date | None, DAY),
        ("2026-02-28", str | datetime.date, "2026-02-28"),
        ("2026-02-28", datetime.date | str, "2026-02-28"),
        (5, datetime.date | float, 5.0),
        (5, float | Annotated[int | str, "note"], 5),
        ("PT1.5S", datetime.timedelta, datetime.timedelta(seconds=1.5)),
        (["P1D"], list[datetime.timedelta], [datetime.timedelta(days=1)]),
        ("AP8=", bytes, b"\x00\xff"),
        ("", bytes, b""),
        ({"a": "AA=="}, dict[str, bytes], {"a": b"\x00"}),
        ("red", Colour, Colour.RED),
        (1, Level, Level.LOW),
        ({"x": 1, "day": "2026-02-28"}, Point, Point(1, 0, DAY)),
        ([{"x": 1}], list[Point], [Point(1)]),
        ([1, 2], set[int], {1, 2}),
        ([1], frozenset[float], frozenset({1.0})),
        ([1, 2, 3], set, {1, 2, 3}),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 2], tuple[float, ...], (1.0, 2.0)),
        ({"a": [1]}, dict[str, list[float]], {"a": [1.0]}),
    ],
)
def test_literals(literal, target, value):
    """A literal may be the written form of a richer type, at any depth (D11)."""
    read = coerce_literal(literal, target, {})
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("literal", "target", "said"),
    [
        ("5", int, "expected int, got str '5'"),
        (["5"], list[int], "expected int, got str '5'"),
        ([1.5], set[int], "expected int, got float 1.5"),
        ([1], tuple[int, str], "expected tuple[int, str], got list [1] (1 items instead of 2)"),
        ("no", int | datetime.date, "expected int | date, got str 'no'"),
        ("green", Colour, "expected Colour, got str 'green' (ValueError: 'green' is not a valid Colour)"),
        ({"x": "1"}, Point, "expected Point, got dict {'x': '1'} (expected int, got str '1' @ literal.x)"),
        (
            {"x": "1", "y": "2"},
            Point,
            "expected Point, got dict {'x': '1', 'y': '2'} (expected int, got str '1' @ literal.x; expected float, got str "
            "'2' @ literal.y)",
        ),
        ({"x": 1, "z": 2}, Point, "expected Point, got dict {'x': 1, 'z': 2} (extra fields found (z) @ literal)"),
        ({"a": "1"}, dict[str, int], "expected int, got str '1'"),
        (
            "1w",
            datetime.timedelta,
            "expected duration, got str '1w' (ValueError: expected a duration such as '30s' (ms, s, m, h or d), 'PT1.5S' or "
            "'P2DT3H' (weeks, days, hours, minutes, seconds), got '1w')",
        ),
        (1.5, datetime.timedelta, "expected duration, got float 1.5 (ValueError: write it as text)"),
        (
            "AP8",
            bytes,
            "expected bytes, got str 'AP8' (ValueError: bytes are written in base64, such as 'AP8='; Incorrect padding)",
        ),
        (
            "é",
            bytes,
            "expected bytes, got str 'é' (ValueError: bytes are written in base64, such as 'AP8='; "
            "string argument should contain only ASCII characters)",
        ),
        (
            [0],
            bytes,
            "expected bytes, got list [0] (ValueError: bytes are written in base64, such as 'AP8='; write it as text)",
        ),
        ("x", Literal["y"], "expected 'y', got str 'x'"),
        ((1,), list[int], "expected list[int], got tuple (1,)"),
        ([1, "2"], tuple[int, ...], "expected int, got str '2'"),
        (
            "A*==",
            bytes,
            "expected bytes, got str 'A*==' (ValueError: bytes are written in base64, such as 'AP8='; "
            "Only base64 data is allowed)",
        ),
        (
            {"x": 1, "day": "no"},
            Point,
            "expected Point, got dict {'x': 1, 'day': 'no'} (invalid value for type, expected datetime.date | None @ "
            "literal.day)",
        ),
    ],
)
def test_literals_that_do_not_fit(literal, target, said):
    """Inside sets, lists and classes too, nothing is rounded and no number is read from a text (D11)."""
    with pytest.raises(Mismatch) as caught:
        coerce_literal(literal, target, {})
    assert str(caught.value) == said


def test_literals_of_the_type_stay_what_they_are():
    """A value of a subclass passes as it is, in a class too; in a set of numbers True is none (D11)."""
    assert coerce_literal({"x": Level.LOW}, Point, {}).x is Level.LOW
    with pytest.raises(Mismatch):
        coerce_literal([True], set[int], {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.unmeasured
@given(
    json_values,
    st.sampled_from([int, float, str, bool, list, dict, int | str, float | None, list[float], dict[str, int]]),
)
def test_literals_of_json_types_keep_their_value(literal, target):
    """Whatever is accepted for a type that JSON has equals what was written (D11)."""
    try:
        assert coerce_literal(literal, target, {}) == literal
    except Mismatch:
        pass


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        (int, int, True),
        (int, float, True),
        (float, int, False),
        (bool, int, False),
        (datetime.datetime, datetime.date, False),
        (datetime.date, datetime.date, True),
        (datetime.date, datetime.datetime, True),
        (datetime.datetime, datetime.datetime, True),
        (object, Literal["a"], True),
        (object, int | str, True),
        (int | str, object, True),
        (int, str, False),
        (str, Path, True),
        (object, int, True),
        (int, object, True),
        (int, bool, True),
        (int | str, int, True),
        (str | None, int, False),
        (int, str | None, False),
        (int, str | float, True),
        (Literal["a"], str, True),
        (Literal["a"], int, False),
        (str, Literal["a"], True),
        (int, Literal["a"], False),
        (list[int], list[str], True),
        (list[int], dict[str, int], False),
        (collections.abc.Sized, collections.abc.Iterable, True),
        (collections.abc.Iterable, list, True),
        (int, collections.abc.Iterable, False),
        (Sized2, int, True),
        (int, Sized2, True),
    ],
)
def test_compatible(source, target, fits):
    """A wire is refused beforehand only if no value of its output could ever fit its input (D11, M5)."""
    assert compatible(source, target, {}) is fits


def test_compatible_by_converter():
    """A converter for a subclass of what an output declares makes the wire possible (D11)."""
    assert compatible(collections.abc.Sized, int, {(str, int): int})
    assert not compatible(bytes, int, {(str, int): int})


@given(json_values, st.sampled_from([int, float, str, bool, type(None), list, dict, int | str, float | None]))
def test_compatible_never_refuses_what_coerces(value, target):
    """What coerces at run time is never refused before it (D11, M5)."""
    try:
        coerce(value, target)
    except Mismatch:
        return
    assert compatible(type(value), target, {})
