"""Sockets: names, defaults, streams."""

from __future__ import annotations

import pytest

from trioflow.errors import NodeDefinitionError
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut, Stream


def test_name_is_the_attributes() -> None:
    """A socket is called as the attribute that it is assigned to."""

    class Some:
        enter = ExecIn(doc="Starts.")

    assert (Some.enter.name, Some.enter.doc, repr(Some.enter)) == ("enter", "Starts.", "<ExecIn 'enter'>")


def test_second_name_does_not_change_the_first() -> None:
    """A socket keeps its first name, so that a node type can name both in its refusal."""

    class Some:
        first = ExecIn()
        second = first

    assert Some.second.name == "first"


@pytest.mark.parametrize(("socket", "required"), [(DataIn(int), True), (DataIn(int, default=0), False)])
def test_required(socket: DataIn[int], required: bool) -> None:
    """An input is required exactly if it has no default."""
    assert socket.required is required


def test_none_is_a_default() -> None:
    """None is a default like any other: unset is something else (D1)."""
    assert not DataIn(object, default=None).required


def test_unset_shows_itself() -> None:
    """UNSET is shown by its name."""
    assert repr(UNSET) == "UNSET"


def test_produces_is_for_type_checkers() -> None:
    """The method that carries an output's type is never called."""
    with pytest.raises(NotImplementedError):
        DataOut(int).__produces__()


def test_stream_needs_an_item() -> None:
    """A stream without an item output is refused (S1)."""
    with pytest.raises(NodeDefinitionError) as caught:
        Stream(fires=ExecOut())
    assert str(caught.value) == "A stream needs at least one item output: Stream(item, fires=body)."


def test_stream_defaults() -> None:
    """A stream is sequential, unlimited and fails with its items unless it says otherwise (S2-S4)."""
    stream = Stream(DataOut(int), fires=ExecOut())
    assert (stream.mode, stream.limit, stream.on_error, stream.discard, stream.done) == (
        "sequential", None, "fail", False, None,
    )  # fmt: skip
