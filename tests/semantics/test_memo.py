"""Evaluations hang on the youngest cell that they depend on: they are found as long as it lives (D4)."""

from __future__ import annotations

import pytest

from trioflow.semantics.memo import Evaluation, Inquiry, recall, remember, same_cells, youngest
from trioflow.semantics.store import new_cell

NODE, LAZY, ALSO = 7, 100, 101
OLDEST, YOUNG, YOUNGER, YOUNGEST = (new_cell(None, serial) for serial in (-1, 1, 2, 3))


@pytest.fixture(autouse=True)
def forgotten():
    for cell in (OLDEST, YOUNG, YOUNGER, YOUNGEST):
        cell.memo = None


def remembered(evaluation, pulled):
    remember(youngest(evaluation.used, OLDEST), NODE, evaluation, pulled)


def recalled(used, node=NODE):
    return recall(youngest(used, OLDEST), node, used)


def holders():
    return [cell for cell in (OLDEST, YOUNG, YOUNGER, YOUNGEST) if cell.memo]


def test_same_cells():
    """Lists are the same if they hold the same cells; equal values and equal beginnings are not enough (D4)."""
    assert same_cells([], [])
    assert same_cells([YOUNG, OLDEST], [YOUNG, OLDEST])
    assert not same_cells([YOUNG], [new_cell(None, 1)])
    assert not same_cells([YOUNG, OLDEST], [OLDEST, YOUNG])
    assert not same_cells([YOUNG], [YOUNG, OLDEST])
    assert not same_cells([YOUNG, OLDEST], [YOUNG])


def test_youngest():
    """Of several cells the youngest holds; without any, or with constants only, the one given."""
    assert youngest([YOUNG, YOUNGEST, YOUNGER], OLDEST) is YOUNGEST
    assert youngest([new_cell(None, -1)], OLDEST) is OLDEST
    assert youngest([], OLDEST) is OLDEST


def test_by_eager_inputs():
    """An evaluation hangs on its youngest eager input, and is found with the same inputs only."""
    evaluation = Evaluation([YOUNG, YOUNGER], [], "")
    remembered(evaluation, [])
    assert holders() == [YOUNGER]
    assert recalled([YOUNG, YOUNGER]) is evaluation
    assert recalled([YOUNGER]) is None
    assert recalled([YOUNG, YOUNGER], NODE + 1) is None


def test_by_what_was_asked():
    """What its body asked for leads to an evaluation; another answer leads nowhere."""
    evaluation = Evaluation([YOUNG], [], "")
    remembered(evaluation, [(LAZY, YOUNGER), (ALSO, OLDEST)])
    first = recalled([YOUNG])
    assert isinstance(first, Inquiry)
    assert first.asks == LAZY
    assert first.answered(OLDEST) is None
    second = first.answered(YOUNGER)
    assert isinstance(second, Inquiry)
    assert second.asks == ALSO
    assert second.answered(OLDEST) is evaluation
    assert second.answered(YOUNG) is None


def test_answers_that_are_younger_hold():
    """An evaluation dies with the youngest cell that it asked for: those before it are not in its way."""
    remembered(Evaluation([YOUNG], [], ""), [(LAZY, YOUNGEST), (ALSO, YOUNGER)])
    assert holders() == [YOUNG, YOUNGEST]
    assert len(YOUNG.memo) == 1
    assert len(YOUNGEST.memo) == 2


def test_constants_hold_nothing():
    """A constant outlives the run: nothing hangs on it if there is anything younger (R7)."""
    remembered(Evaluation([YOUNG], [], ""), [(LAZY, OLDEST), (ALSO, OLDEST)])
    assert holders() == [YOUNG]


def test_a_body_that_asks_otherwise():
    """Of a body that asks differently each time the last way of asking is remembered."""
    early, late = Evaluation([YOUNG], [], ""), Evaluation([YOUNG], [], "")
    remembered(early, [(LAZY, YOUNGER)])
    remembered(late, [(ALSO, YOUNGER)])
    known = recalled([YOUNG])
    assert known.asks == ALSO
    assert known.answered(YOUNGER) is late
    assert len(YOUNG.memo[NODE]) == 1


def test_ways_that_part_late():
    """Bodies that have seen the same at first, and something else then, are remembered beside each other."""
    one, two = Evaluation([YOUNG], [], ""), Evaluation([YOUNG], [], "")
    remembered(one, [(LAZY, YOUNGER), (ALSO, OLDEST)])
    remembered(two, [(LAZY, YOUNGER), (ALSO, YOUNGEST)])
    second = recalled([YOUNG]).answered(YOUNGER)
    assert second.answered(OLDEST) is one
    assert second.answered(YOUNGEST) is two


def test_evaluation():
    """An evaluation knows what it used and made, and its key for observers; nothing says yet that it is current (D4)."""
    evaluation = Evaluation([YOUNG], [YOUNGER, None], "key")
    assert (evaluation.used, evaluation.outputs, evaluation.key) == ([YOUNG], [YOUNGER, None], "key")
    assert (evaluation.verified, evaluation.moment) == (None, None)


def test_inquiry_keeps_what_was_used():
    """Each inquiry on the way knows the eager inputs of those that come along (D4)."""
    first = Inquiry([YOUNG], YOUNG, LAZY)
    assert first.go_on(YOUNGER, ALSO).used == [YOUNG]
