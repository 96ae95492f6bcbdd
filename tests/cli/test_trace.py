"""A trace in a file."""

import enum
import inspect
import json
import math

import pytest

from trioflow.cli.trace import Trace
from trioflow.model.jsonable import to_json
from trioflow.semantics import events


class Colour(enum.IntEnum):
    RED = 3


class Name(str):
    """A text of its own class."""

    __slots__ = ()


def example_of(kind):
    """An event of a kind, whose own fields have their names as values."""
    names = list(inspect.signature(kind).parameters)
    return kind(
        *(
            ERROR
            if name == "error"
            else PATH
            if name == "origin"
            else None
            if name in {"began", "written", "outputs"}
            else name
            for name in names
        )
    )


PATH = events.Path(events.Path(events.ROOT, 3), 2**70)
ERROR = ValueError("no")


def line_of(event, tmp_path):
    """What a trace writes of one event."""
    file = tmp_path / "trace.jsonl"
    with Trace(str(file)) as trace:
        trace(event)
    return file.read_text(encoding="ascii")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((each, each) for each in (
            None, "", 'ü\ud800\n"%s%d', Name("x"), True, False, 0, -5, 2**64, 10**400, 1.5, -0.0, 1e300, math.inf,
            math.nan, Colour.RED, [1, {2: 3}], {1}, b"x", object, "x" * 5000,
        )),
        (PATH, (3, 2**70)),
        (events.ROOT, ()),
        (ERROR, {"type": "ValueError", "message": "no"}),
    ],
)  # fmt: skip
def test_a_line_is_what_the_command_shows_anywhere(value, written, tmp_path):
    """Each field of an event is written as `to_json` would, whatever is in it, in the order of the fields."""
    event = events.Feedback(value, "info", value).at("1-1", 7, 0.25, PATH)
    fields = {"run": "1-1", "sequence": 7, "time": 0.25, "path": (3, 2**70), "node": None, "strand": None}
    told = {"event": "Feedback", **fields, "message": written, "level": "info", "tag": written}
    assert line_of(event, tmp_path) == to_json(told) + "\n"


def test_a_number_too_long_to_write_leaves_the_rest(tmp_path):
    """A number that Python does not write is named as such; the other fields of the event are there."""
    line = json.loads(line_of(events.Feedback(10**5000, "info", None).at("1-1", 7, 0.25, PATH, "a"), tmp_path))
    assert line["message"].endswith(" digits)")
    assert (line["event"], line["node"], line["level"]) == ("Feedback", "a", "info")


def test_each_kind_of_event_has_its_fields(tmp_path):
    """A line has the name of the event's class and all its fields, in their order."""
    kinds = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, events.Event)]
    assert len(kinds) > 20
    for kind in kinds:
        event = example_of(kind).at("1-1", 7, 0.25, PATH, "a", 0)
        assert list(json.loads(line_of(event, tmp_path))) == ["event", *events.fields_of(kind)]
        assert json.loads(line_of(event, tmp_path))["event"] == kind.__name__
