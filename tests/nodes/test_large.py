"""Large values, which nodes go through in slices, give what Python gives for them in one go."""

from __future__ import annotations

import csv
import gzip
import hashlib
import hmac
import io
import random
import statistics
import zlib

import pytest
from data_nodes import call

DATA = random.Random(1).randbytes(600_000)
ZEROS = bytes(600_000)
HEX = DATA.hex()
SPACED = " ".join(HEX[place : place + 2] for place in range(0, len(HEX), 2))
MANY = list(range(9_000))
LISTS = [[number] for number in range(3_000)]
WIDE = {f"k{number}": [number] for number in range(3_000)}
ROWS = [{"id": number, "a": f"n{number % 7}", "tags": [number]} for number in range(3_000)]
FLOATS = [number * 0.1 for number in MANY]
LONG = 'x"' * 100_000


@pytest.mark.parametrize(
    ("node", "inputs", "expected"),
    [
        ("bytes.from_hex", {"text": HEX}, DATA),
        ("bytes.from_hex", {"text": SPACED}, DATA),
        ("bytes.find", {"data": ZEROS + b"ab", "search": b"ab"}, 600_000),
        ("bytes.find", {"data": ZEROS, "search": b"ab"}, -1),
        ("bytes.split", {"data": ZEROS + b"ab" + ZEROS, "separator": b"ab"}, [ZEROS, ZEROS]),
        ("bytes.split", {"data": ZEROS, "separator": b"ab"}, [ZEROS]),
        ("bytes.split", {"data": b"a," * 9_000, "separator": b","}, [b"a"] * 9_000 + [b""]),
        ("bytes.join", {"items": [b"a"] * 9_000, "separator": b","}, b",".join([b"a"] * 9_000)),
        ("bytes.reverse", {"data": DATA}, DATA[::-1]),
        ("bytes.hash", {"data": DATA}, hashlib.sha256(DATA).hexdigest()),
        ("bytes.hmac", {"data": DATA, "key": b"key"}, hmac.digest(b"key", DATA, "sha256").hex()),
        ("bytes.hmac", {"data": b"", "key": DATA}, hmac.digest(DATA, b"", "sha256").hex()),
        ("bytes.crc32", {"data": DATA}, zlib.crc32(DATA)),
        ("bytes.decompress", {"data": gzip.compress(DATA)}, DATA),
        ("bytes.to_text", {"data": "é".encode() * 200_000}, "é" * 200_000),
        ("bytes.from_text", {"text": "é" * 200_000}, "é".encode() * 200_000),
        ("csv.parse_rows", {"text": f'"{LONG.replace(chr(34), chr(34) * 2)}",b\r\n'}, [[LONG, "b"]]),
        ("csv.parse_rows", {"text": f"{'y' * 90_000},{'z' * 90_000}"}, [["y" * 90_000, "z" * 90_000]]),
        ("csv.parse_rows", {"text": ",".join("a" * 9_000)}, [["a"] * 9_000]),
        ("csv.parse_rows", {"text": "a,b\n" * 9_000}, [["a", "b"]] * 9_000),
        ("logic.equal", {"a": WIDE, "b": dict(WIDE)}, True),
        ("logic.equal", {"a": WIDE, "b": {**WIDE, "k7": [8]}}, False),
        ("logic.equal", {"a": WIDE, "b": {**WIDE, 7: []}}, False),
        ("logic.equal", {"a": {number: 1 for number in MANY}, "b": {float(number): 1 for number in MANY}}, True),
        ("logic.equal", {"a": [LISTS, set(MANY)], "b": [[*LISTS], set(MANY)]}, True),
        ("logic.equal", {"a": [LISTS, set(MANY)], "b": [[*LISTS], {*MANY, -1}]}, False),
        ("logic.equal", {"a": LISTS, "b": LISTS[:-1]}, False),
        ("list.unique", {"items": [*LISTS, *LISTS]}, LISTS),
        ("list.unique", {"items": [LISTS, WIDE, [*LISTS], dict(WIDE), set(MANY), set(MANY)]}, [LISTS, WIDE, set(MANY)]),
        ("list.unique", {"items": [bytearray(b"a"), b"a", (1,), (1,), {2}, {2}, True, 1]}, [b"a", (1,), {2}, True, 1]),
        ("list.intersect", {"a": LISTS, "b": [*LISTS[5:9], LISTS]}, LISTS[5:9]),
        ("list.sort", {"items": MANY[::-1]}, MANY),
        ("list.sort", {"items": [f"{number:05}" for number in MANY[::-1]]}, [f"{number:05}" for number in MANY]),
        ("statistics.mean", {"items": FLOATS}, statistics.mean(FLOATS)),
        ("statistics.median", {"items": FLOATS}, statistics.median(FLOATS)),
        ("statistics.mode", {"items": [number % 7 for number in MANY]}, 0),
        ("table.column", {"rows": ROWS, "key": "id"}, [row["id"] for row in ROWS]),
        ("table.sort", {"rows": ROWS[::-1], "key": "id"}, ROWS),
        ("table.where", {"rows": ROWS, "key": "tags", "value": [7]}, ROWS[7:8]),
        ("table.find", {"rows": ROWS, "key": "id", "value": 2_999}, ROWS[-1]),
    ],
)  # fmt: skip
def test_value(node, inputs, expected):
    assert call(node, **inputs) == expected


@pytest.mark.parametrize(
    ("node", "inputs", "message"),
    [
        ("bytes.from_hex", {"text": HEX + "x"}, "expected pairs of hexadecimal digits"),
        ("bytes.join", {"items": [*[b"a"] * 9_000, 1], "separator": b""}, "item 9000 is int 1"),
        ("bytes.compress", {"data": b"", "level": 10}, "expected a level from 0 to 9, got 10"),
        ("bytes.split", {"data": b"", "separator": b""}, "empty separator"),
        ("bytes.decompress", {"data": zlib.compress(ZEROS), "most": 70_000}, "more than 70000 bytes come out"),
        ("csv.parse_rows", {"text": "a\n" * 5_000 + '"b'}, "line 5001: unexpected end of data"),
        ("csv.parse_rows", {"text": "a\n" * 5_000 + '"b"c'}, "line 5001: ',' expected after"),
    ],
)
def test_error(node, inputs, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(node, **inputs)
    assert message in str(caught.value)


def test_packed_and_unpacked():
    """At each kind of level."""
    for level in (0, 6, 9):
        assert zlib.decompress(call("bytes.compress", data=DATA, level=level)) == DATA


def test_many_rows_are_written_as_python_writes_them():
    rows = [[number, f'a,"{number}', None, 0.5] for number in range(4_000)]
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows(rows)
    assert call("csv.write_rows", rows=rows) == target.getvalue()
