"""What another process does for a node, done here; and how it is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trioflow.nodes import _worker as worker

NUMBERS = [0, 7, -7, 10**50, -(10**50), 3**20_000, -(3**20_000), 2**15_000, 10**9000]
IN_BASES = [0, 1, 35, 10**40, 7**900, 2**3000, 2**3000 - 1, 10**2000]


@pytest.mark.parametrize("value", NUMBERS, ids=map(str, range(len(NUMBERS))))
def test_digits_of_any_length(value):
    """And back again."""
    text = worker.digits(value)
    sys.set_int_max_str_digits(0)
    try:
        assert text == str(value)
    finally:
        sys.set_int_max_str_digits(4300)
    assert worker.whole(text) == value


@pytest.mark.parametrize("base", [2, 3, 10, 16, 36])
@pytest.mark.parametrize("value", IN_BASES, ids=map(str, range(len(IN_BASES))))
def test_bases(value, base):
    found = worker.in_base(value, base)
    assert all(0 <= digit < base for digit in found)
    number = 0
    for digit in found:
        number = number * base + digit
    assert number == value
    assert found[0] or found == [0]


def test_long_texts_in_a_base():
    assert worker.whole("-" + "ff" * 5000, 16) == -(256**5000 - 1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("a+", 0, "caat b a", "<\\g<0>>", 0, 100), "c<aa>t b <a>"),
        (("a+", 0, "caat b a", "x", 1, 100), "cxt b a"),
        (("z", 0, "caat", "x", 0, 100), "caat"),
        (("(?P<n>a)|b", 0, "ab", "[\\g<n>]", 0, 100), "[a][]"),
    ],
)
def test_substitutions(arguments, expected):
    assert worker.substitute(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a", 0, "b", "\\2", 0, 100), ValueError, "the replacement '\\\\2' does not fit: invalid group reference 2"),
        (("a", 0, "b", "\\g<x>", 0, 100), ValueError, "does not fit: "),
        (("a", 0, "a" * 10, "b" * 50, 0, 100), OverflowError, ""),
        (("(", 0, "", "", 0, 9), ValueError, "'(' is not a regular expression: missing )"),
        (("(" * 300, 0, "", "", 0, 9), ValueError, "..."),
    ],
)
def test_substitutions_that_fail(arguments, error, message):
    with pytest.raises(error) as caught:
        worker.substitute(*arguments)
    assert message in str(caught.value)


def test_searching():
    assert worker.matches("a+", 0, "aaa") and not worker.matches("a+", 0, "aab")
    assert worker.search("(a)(b)?", 0, "xa") == ((1, 2), (1, 2), (-1, -1))
    assert worker.search("z", 0, "xa") is None
    assert worker.search_names("(?P<x>a)(?P<y>b)?", 0, "a") == {"x": "a", "y": ""}
    assert worker.search_names("(?P<x>z)", 0, "a") is None
    assert worker.search_all("a", 0, "aba") == [((0, 1),), ((2, 3),)]


def test_parts_of_addresses():
    assert worker.unquoted("%C3%A9+") == "é+"
    with pytest.raises(ValueError, match="invalid"):
        worker.unquoted("%FF")
    assert worker.queried("a=1&b=&a=%20") == [("a", "1"), ("b", ""), ("a", " ")]
    with pytest.raises(ValueError, match="utf-8"):
        worker.queried("a=%FF")
    assert worker.of_text("replace", "aa", "a", "b") == "bb"


@pytest.mark.parametrize(
    "value", [None, 1, "é" * 3, "x" * 1_200_000, [1, "a"], list(range(5001)), [[1]] * 2000, {"a": 1}], ids="abcdefgh"
)
def test_a_value_in_frames(value):
    """Whatever its length, it comes out as it went in."""
    values, kinds = worker.Values(), []
    for data in worker.frames(value):
        size = worker.HEAD.unpack(data[: worker.HEAD.size])[0]
        assert size == len(data) - worker.HEAD.size
        kinds.append(values.add(data[worker.HEAD.size :]))
    assert values.complete == [value]
    assert (len(kinds) > 1) == (len(value) > 2000 if isinstance(value, str | list) else False)


def asked(monkeypatch, *calls, keep=True):
    """What a process answers to some calls."""
    asking, asked_of = os.pipe()
    answering, answers = os.pipe()
    for call in calls:
        for value in call:
            for data in worker.frames(value):
                os.write(asked_of, data)
        os.write(asked_of, worker.frame(worker.END, None))
    if not keep:
        os.close(asked_of)
    monkeypatch.setattr(worker.sys, "stdin", os.fdopen(asking, "rb", 0))
    monkeypatch.setattr(worker.sys, "stdout", os.fdopen(answers, "wb", 0))
    monkeypatch.setattr(worker, "_IDLE", 0.05)
    try:
        worker._main()
    finally:
        sys.set_int_max_str_digits(4300)
        worker.sys.stdout.close()
        worker.sys.stdin.close()
        if keep:
            os.close(asked_of)
    values, kinds = worker.Values(), []
    with os.fdopen(answering, "rb") as source:
        while head := source.read(worker.HEAD.size):
            kinds.append(values.add(source.read(worker.HEAD.unpack(head)[0])))
    return kinds, values.complete


@pytest.mark.parametrize("keep", [True, False])
def test_a_process_answers_until_nobody_asks(monkeypatch, keep):
    """It ends when the host does, and when it was idle for long."""
    kinds, complete = asked(monkeypatch, ("factorial", 5), ("divide", 1, 0), keep=keep)
    assert kinds == [worker.VALUE, worker.END, worker.ERROR]
    assert complete == [120, None, ("ZeroDivisionError", "division by zero")]


def test_a_process_cut_off_in_a_frame():
    """It ends without a word."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", worker.__file__],
        input=worker.HEAD.pack(100) + b"x",
        capture_output=True,
        check=False,
    )
    assert done.stdout == b""
