"""Edges that public reports of other engines are about: what is equal, what is text, what is JSON, what is too much."""

from __future__ import annotations

import datetime
import gzip
import math
import zlib
import zoneinfo

import pytest

from trioflow.model.jsonable import jsonable
from trioflow.testing import evaluate, fire

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
FIRST = datetime.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
SECOND = FIRST.replace(fold=1)
UTC = FIRST.astimezone(datetime.UTC)
LONG = 10**5000 + 7


@pytest.mark.parametrize(
    ("node", "inputs", "expected"),
    [
        ("logic.equal", {"a": FIRST, "b": SECOND}, False),
        ("logic.equal", {"a": FIRST, "b": UTC}, True),
        ("logic.equal", {"a": [FIRST], "b": [UTC]}, True),
        ("logic.equal", {"a": {"at": FIRST}, "b": {"at": SECOND}}, False),
        ("logic.not_equal", {"a": SECOND, "b": UTC}, True),
        ("logic.equal", {"a": [1], "b": [True]}, False),
        ("logic.equal", {"a": {"a": [1.0]}, "b": {"a": [1]}}, True),
        ("logic.equal", {"a": [math.nan], "b": [math.nan]}, False),
        ("list.sort", {"items": [SECOND, FIRST, UTC]}, [FIRST, UTC, SECOND]),
        ("list.unique", {"items": [FIRST, SECOND, UTC]}, [FIRST, SECOND]),
        ("list.contains", {"items": [FIRST], "item": SECOND}, False),
        ("list.count", {"items": [FIRST, SECOND, UTC], "item": UTC}, 2),
        ("list.index_of", {"items": [FIRST, SECOND], "item": SECOND}, 1),
        ("list.remove", {"items": [FIRST, SECOND], "item": SECOND}, [FIRST]),
        ("list.remove_all", {"items": [FIRST, SECOND], "item": UTC}, [SECOND]),
        ("list.intersect", {"a": [FIRST, SECOND], "b": [UTC]}, [FIRST]),
        ("list.subtract", {"a": [FIRST, SECOND], "b": [UTC]}, [SECOND]),
        ("list.runs", {"items": [FIRST, UTC, SECOND]}, [[FIRST, UTC], [SECOND]]),
        ("statistics.mode", {"items": [FIRST, SECOND, SECOND]}, SECOND),
        ("table.where", {"rows": [{"at": FIRST}, {"at": SECOND}], "key": "at", "value": SECOND}, [{"at": SECOND}]),
        ("table.find", {"rows": [{"at": FIRST}, {"at": SECOND}], "key": "at", "value": SECOND}, {"at": SECOND}),
        ("table.sort", {"rows": [{"at": SECOND}, {"at": FIRST}], "key": "at"}, [{"at": FIRST}, {"at": SECOND}]),
        ("dict.find", {"entries": {"a": FIRST, "b": SECOND}, "value": SECOND}, ["b"]),
        ("set.length", {"members": frozenset({1})}, 1),
        ("json.parse", {"text": "\ufeff{}"}, {}),
        ("json.parse", {"text": "[" + "1" * 5000 + "]"}, [int("1" * 4000) * 10**1000 + int("1" * 1000)]),
        ("csv.parse", {"text": "\ufeffname,age\nAda,36\n"}, [{"name": "Ada", "age": "36"}]),
        ("csv.parse_rows", {"text": "x" * 131_073 + ',"a""b"\r\nc,d\n'}, [["x" * 131_073, 'a"b'], ["c", "d"]]),
        ("bytes.decompress", {"data": gzip.compress(b"hello ") + gzip.compress(b"world")}, b"hello world"),
        ("statistics.sum", {"items": [1e308, 1e308, -1e308]}, 1e308),
        ("statistics.mean", {"items": [1e308, 1e308]}, 1e308),
        ("list.sum", {"items": [0.1] * 10}, 1.0),
        ("list.sum", {"items": [1e308, 1e308, -1e308]}, 1e308),
        ("math.square_root", {"value": 10**400}, 1e200),
        ("math.cube_root", {"value": 10**600}, 1e200),
        ("url.join", {"base": "s3://bucket/a/b", "reference": "../c"}, "s3://bucket/c"),
        ("url.write_query", {"values": {"b": ["x", "y"], "d": True, "c": None}}, "b=x&b=y&d=true&c="),
        ("text.parse_int", {"value": "٣"}, 3),
        ("regex.contains", {"value": "ABC", "pattern": "b", "flags": "i"}, True),
        ("regex.find", {"value": "a\nb", "pattern": "^b", "flags": "m"}, "b"),
    ],
)  # fmt: skip
def test_value(node, inputs, expected):
    """What comes of it."""
    found = evaluate(node, **inputs)
    assert evaluate("logic.equal", a=found, b=expected), found


@pytest.mark.parametrize(
    ("node", "inputs", "message"),
    [
        ("json.parse", {"text": "1e400"}, "beyond the greatest float"),
        ("json.parse", {"text": "[" + "-1e999," * 3000 + "1]"}, "beyond the greatest float"),
        ("bytes.decompress", {"data": gzip.compress(b"e" * 20_000)[:20]}, "it is cut off"),
        ("bytes.decompress", {"data": zlib.compress(b"a") + b"b"}, "something follows"),
        ("bytes.to_text", {"data": b"", "encoding": "hex"}, "there is no text encoding 'hex'"),
        ("text.format", {"template": "{a:>9999999999}", "a": "x"}, "it may have 10000000 at most"),
        ("text.fill", {"template": "{a:{b}}", "values": {"a": 1, "b": "099999999999"}}, "it may have 10000000 at most"),
        ("text.replace", {"value": "a" * 10**6, "old": "a", "new": "b" * 5000}, "it may have 10000000 at most"),
        ("regex.replace", {"value": "a" * 10**4, "pattern": "a", "replacement": "b" * 5000}, "it may have 10000000 at most"),
        ("text.join", {"items": ["a" * 10**6] * 20}, "it may have 10000000 at most"),
        ("statistics.product", {"items": [1e200, 1e200]}, "the product is beyond the greatest float"),
        ("statistics.sum", {"items": [1e308, 1e308]}, "the sum is beyond the greatest float"),
        ("math.add", {"a": 10**400, "b": 0.5}, "math.add: the whole number 10*[.]{3} is beyond the greatest float"),
        ("url.parse", {"url": "http://h/a\tb\nc"}, "is not a URL: it has"),
        ("time.parse", {"text": "2026-02-28T02:30:00.123456789Z"}, "a moment is exact to the microsecond"),
        ("time.parse", {"text": "2026-02-30T12:00Z"}, "is not a moment from the year 1 to 9999"),
        ("date.parse", {"text": " 2026-02-03"}, "expected a date such as '2026-02-28', got ' 2026-02-03'"),
        ("date.parse", {"text": "2026-02-30"}, "is not a date from the year 1 to 9999"),
        ("regex.find", {"value": "", "pattern": "a", "flags": "q"}, "flags are i, m, s, x, a"),
    ],
)  # fmt: skip
def test_error(node, inputs, message):
    """What can't be done is told in the node's own words."""
    with pytest.raises((ValueError, OverflowError), match=message):
        evaluate(node, **inputs)


def test_moments_as_keys():
    """Two moments at which clocks show the same are two keys, and two members."""
    assert len(evaluate("set.from_list", items=[FIRST, SECOND, UTC])) == 2
    assert list(evaluate("dict.tally", items=[FIRST, SECOND, SECOND]).values()) == [1, 2]
    counted = evaluate("dict.increment", entries=evaluate("dict.tally", items=[SECOND]), key=SECOND)
    assert list(counted.values()) == [2]


@pytest.mark.parametrize(
    ("node", "inputs", "expected"),
    [
        ("text.to_text", {"value": LONG}, "{}"),
        ("text.to_text", {"value": [LONG, {"a": (LONG,)}]}, "[{}, {{'a': ({},)}}]"),
        ("text.join", {"items": [LONG, "a"]}, "{}, a"),
        ("text.format", {"template": "{a} {a:d}", "a": LONG}, "{} {}"),
        ("json.write", {"value": {"n": [LONG]}}, '{{"n": [{}]}}'),
        ("csv.write_rows", {"rows": [[LONG, 1]]}, "{},1\n"),
        ("convert.number_to_text", {"value": -LONG}, "-{}"),
        ("url.write_query", {"values": {"n": LONG}}, "n={}"),
    ],
)
def test_long_numbers_are_written(node, inputs, expected):
    """All digits of a number are there, whoever writes it."""
    digits = f"1{'0' * 4999}7"
    assert (
        evaluate(node, **inputs).replace(",", ", ").split() == expected.format(*[digits] * 2).replace(",", ", ").split()
    )
    assert evaluate("text.parse_int", value=digits) == evaluate("convert.to_int", value=digits) == LONG
    assert evaluate("convert.from_base", text=digits, base=10) == LONG


def test_long_numbers_are_shown(capsys):
    """Printing shows all digits; what is shown of a result says how it begins, and how many digits there are."""
    fire("debug.print", value=LONG)
    assert len(capsys.readouterr().out) == 5002
    [(_, shown)] = fire("debug.inspect", value={"n": LONG})
    assert shown["text"] == "{'n': of 5001 digits}"
    assert jsonable({"n": [-LONG]}) == {"n": [f"-1{'0' * 39}... (5001 digits)"]}


def test_what_no_terminal_can_write(capsys):
    """A lone surrogate is printed as an escape, where the encoding has no bytes for it."""
    fire("debug.print", value="a")
    assert capsys.readouterr().out == "a\n"


def test_byte_order_marks(tmp_path):
    """What is appended has no mark of its own, and goes on in the order of bytes that the file began with."""
    for encoding, whole in (
        ("utf-8-sig", b"\xef\xbb\xbfab\n"),
        ("utf-16", "\ufeffab\n".encode("utf-16-le")),
        ("utf-32", "\ufeffab\n".encode("utf-32-le")),
    ):
        path = tmp_path / encoding
        fire("file.write_text", path=path, text="a", encoding=encoding, virtual=False)
        fire("file.append_text", path=path, text="b", encoding=encoding, virtual=False)
        assert path.read_bytes() == whole
    path.write_bytes("\ufeffa".encode("utf-16-be"))
    fire("file.append_text", path=path, text="b", end="", encoding="utf-16", virtual=False)
    assert path.read_bytes() == "\ufeffab".encode("utf-16-be")


def test_files_that_are_not_there_or_too_large(tmp_path):
    """The error names the file once, and more than `most` bytes are never read."""
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '[^']*nope'"):
        fire("file.read_bytes", path=tmp_path / "nope", virtual=False)
    try:
        fire("file.read_bytes", path=tmp_path / "nope", virtual=False)
    except FileNotFoundError as error:
        assert "None" not in str(error)
    (tmp_path / "f").write_bytes(b"12345")
    with pytest.raises(ValueError, match="has more than 4 bytes"):
        fire("file.read_text", path=tmp_path / "f", most=4, virtual=False)
    assert fire("file.read_text", path=tmp_path / "f", most=5, virtual=False) == [("then", {"text": "12345"})]
