"""Values come back as the very same, or are refused (J15); failures come back as far as they can be made (J7)."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import math
import pathlib
import uuid
import zoneinfo
from collections import OrderedDict, namedtuple

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trioflow as tf
from trioflow.durable.codec import decode, decode_failure, dump, encode, encode_failure, parse, recordable


class Colour(enum.Enum):
    RED = 1


@attrs.frozen
class Order:
    number: int
    items: list[str] = attrs.field(factory=list)
    made: datetime.date = datetime.date(2026, 1, 2)
    _secret: str = "s"


Point = namedtuple("Point", "x y")


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class WithState(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 7


class NeedsTwo(Exception):
    def __init__(self, a: str, b: str) -> None:
        super().__init__(f"{a}{b}")


def back(value):
    return decode(parse(dump(encode(value, "value"))))


def same(a, b):
    return type(a) is type(b) and (a == b or (a != a and b != b))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=5)
    | st.datetimes()
    | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_whatever_is_written_comes_back(value):
    """Of the very same type, at every depth."""
    assert repr(back(value)) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        math.inf, -0.0, 10**5000, -(10**5000), "\udc80", "é\u2028", b"\x00", {"$t": 1}, {1: 2, (1,): 3}, (), ((1,), [()]),
        {1, 2}, frozenset({"a"}), datetime.datetime.now(datetime.UTC), datetime.time(1), datetime.time(1, fold=1), datetime.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), datetime.datetime(2026, 1, 1, fold=1, tzinfo=datetime.UTC),
        datetime.timedelta(days=-1, seconds=5),
        decimal.Decimal("1.20"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.Path("a"), pathlib.PurePosixPath("b"),
        ..., Colour.RED, Order(3, ["a"]), Point(1, [2]), [Order(1)],
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_types(value):
    """Those that are known."""
    assert same(back(value), value)
    if type(value) is not int:
        assert repr(back(value)) == repr(value)


def test_sets_are_written_in_one_order():
    """The order of a set differs between interpreters, what is written does not."""
    assert dump(encode({"b", "a", "c"}, "x")) == '{"$s":["a","b","c"]}'


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (object(), "value is a builtins.object"),
        ([1, {"a": OrderedDict()}], r"value\[1\]\['a'\] is a collections.OrderedDict"),
        ((Celsius(1),), r"value\[0\] is a .*Celsius"),
        (Order(1, [object()]), r"value.items\[0\] is a builtins.object"),
        ({1: {object()}}, r"an item of value\[1\] is a builtins.object"),
        ({object(): 1}, r"a key of value is a builtins.object"),
        (int, "value is a builtins.type"),
    ],
)
def test_refused_with_the_place(value, where):
    """And with a cure."""
    with pytest.raises(tf.Unrecordable, match=where) as caught:
        encode(value, "value")
    assert "trioflow.recordable" in str(caught.value)


def test_what_holds_itself():
    """No text can hold it."""
    endless: list = []
    endless.append(endless)
    with pytest.raises(tf.Unrecordable, match="holds itself"):
        encode(endless, "value")


def test_local_classes():
    """A class that nobody can import can't come back."""

    @attrs.frozen
    class Local:
        a: int = 1

    with pytest.raises(tf.Unrecordable, match="can't be imported"):
        encode(Local(), "value")


def test_recordable():
    """Whoever tells how a class is written has its values back."""
    recordable(Celsius, lambda value: value.degrees, Celsius, name="celsius")
    assert back([Celsius(3.5)])[0].degrees == 3.5
    assert encode(Celsius(1.0), "x") == {"$c": "celsius", "v": 1.0}
    with pytest.raises(ValueError, match="recorded as 'celsius' already"):
        recordable(Order, str, Order, name="celsius")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"$c": "nobody", "v": 1}, "nobody has told trioflow.recordable"),
        ({"$a": "no_such_module:X", "v": {}}, "can't be imported here"),
        ({"$a": "json:NoSuch", "v": {}}, "no such class here any more"),
        ({"$a": f"{__name__}:Order", "v": {"number": 1}}, "without items, made, _secret: the class has changed"),
        ({"$unknown": 1}, "does not know"),
    ],
)
def test_what_can_not_be_read(written, says):
    """The code has changed since."""
    with pytest.raises(tf.Unrecordable, match=says):
        decode(written)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a", 1), KeyError("k"), FileNotFoundError(2, "no", "name"), WithState("x"),
        tf.LimitExceeded("m", limit="steps", value=3), tf.DocumentError("s", ["p"]),
        ExceptionGroup("g", [ValueError(1), ExceptionGroup("h", [OSError(5, "io")])]), UnicodeDecodeError("utf-8", b"x", 0, 1, "r"),
    ],
    ids=repr,
)  # fmt: skip
def test_failures_come_back(error):
    """As class, arguments, and what was added to them; notes are not, for they are made anew."""
    error.add_note("in node 'a'")
    again = decode_failure(parse(dump(encode_failure(error, "x"))))
    assert (type(again), str(again), repr(again)) == (type(error), str(error), repr(error))
    assert not hasattr(again, "__notes__")
    state = {name: value for name, value in vars(error).items() if name != "__notes__"}
    assert vars(again) == state


def test_an_error_whose_second_name_was_cleared():
    """As `naming` leaves it: the same but for the end of its text."""
    error = FileNotFoundError(2, "no", "name")
    error.filename2 = None
    again = decode_failure(parse(dump(encode_failure(error, "x"))))
    assert (type(again), again.errno, again.filename) == (FileNotFoundError, 2, "name")


def test_failures_that_can_not_be_made():
    """Go by the names of their classes."""

    class Local(ValueError):
        pass

    for error, name in ((NeedsTwo("a", "b"), "NeedsTwo"), (Local("ab"), "Local"), (ValueError(object()), "ValueError")):
        again = decode_failure(parse(dump(encode_failure(error, "x"))))
        assert isinstance(again, tf.RecordedFailure)
        assert again.names[0].endswith(name)
        assert "builtins.Exception" in again.names
        assert str(error) in str(again)
    # It is recorded as the same again.
    twice = decode_failure(parse(dump(encode_failure(again, "x"))))
    assert (type(twice), str(twice), twice.names) == (tf.RecordedFailure, str(again), again.names)
