"""Any value as JSON."""

import datetime
import json
import math

from trioflow.model.jsonable import jsonable, to_json


class Broken:
    def __str__(self):
        raise RuntimeError("no text")


def test_what_json_lacks_becomes_the_nearest_it_has():
    """Tuples and sets become lists, other keys and values text, numbers without end their names."""
    value = {
        1: (1, 2.5, None, True),
        "set": {"b", "a"},
        "nan": [math.nan, -math.inf],
        "date": datetime.date(2030, 1, 31),
        "bytes": b"\xff",
    }
    assert json.loads(to_json(value)) == {
        "1": [1, 2.5, None, True],
        "set": ["a", "b"],
        "nan": ["nan", "-inf"],
        "date": "2030-01-31",
        "bytes": "b'\\xff'",
    }


def test_no_value_is_too_much():
    """Values that hold themselves, numbers of thousands of digits and objects without a text are shown somehow."""
    endless: list[object] = []
    endless.append(endless)
    shown = to_json(endless)
    assert shown.startswith("[" * 50 + '"[[')
    assert json.loads(to_json(10**5000)).endswith("... (5001 digits)")
    assert jsonable(Broken()) == "<Broken: RuntimeError when shown>"
    assert len(json.loads(to_json(["x" * 2000, object, range(3)]))[0]) == 2000


def test_it_is_ascii():
    """Whatever a text holds, lone surrogates included, the line is ASCII."""
    assert to_json("ü\ud800\n") == '"\\u00fc\\ud800\\n"'
