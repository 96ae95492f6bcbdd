"""The checker of models: it visits all states, and finds the shortest way to whatever is wrong."""

from __future__ import annotations

import math

import attrs
import pytest

from trioflow.conformance.models import CounterExample, explore


@attrs.frozen
class Tasks:
    """Tasks that take so many steps each, in any order."""

    count: int
    steps: int

    @property
    def initial(self):
        return (0,) * self.count

    def moves(self, state):
        for task, done in enumerate(state):
            if done < self.steps:
                yield f"task {task}", (*state[:task], done + 1, *state[task + 1 :])

    def fault(self, state):
        return None

    def is_end(self, state):
        return state == (self.steps,) * self.count


@pytest.mark.parametrize(("tasks", "steps"), [(1, 4), (2, 2), (3, 3), (4, 2)])
def test_every_state_is_visited_once(tasks, steps):
    found = explore(Tasks(tasks, steps))
    assert found.states == (steps + 1) ** tasks
    assert found.moves == tasks * steps * (steps + 1) ** (tasks - 1)


def test_a_broken_invariant_comes_with_a_shortest_way_to_it():
    @attrs.frozen
    class Never(Tasks):
        def fault(self, state):
            return "both are at 2" if state == (2, 2) else None

    with pytest.raises(CounterExample, match=r"(?s)both are at 2\n  1\. task .*leads to \(2, 2\)") as caught:
        explore(Never(2, 4))
    assert len(caught.value.path) == 4
    assert caught.value.state == (2, 2)


def test_the_beginning_may_be_wrong_already():
    @attrs.frozen
    class Wrong(Tasks):
        def fault(self, state):
            return "wrong"

    with pytest.raises(CounterExample, match="at the beginning"):
        explore(Wrong(1, 1))


class Locks:
    """Two tasks that take two locks, the second one in the other order; with `retry` they give up and begin anew."""

    initial = (0, 0)

    def __init__(self, retry=False):
        self.retry = retry

    def moves(self, state):
        one, two = state
        if one == 0 and two < 2:
            yield "one takes A", (1, two)
        if one == 1 and two == 0:
            yield "one takes B", (2, two)
        if two == 0 and one < 2:
            yield "two takes B", (one, 1)
        if two == 1 and one == 0:
            yield "two takes A", (one, 2)
        if self.retry and state == (1, 1):
            yield "both try again", state

    def fault(self, state):
        return None

    def is_end(self, state):
        return 2 in state


def test_a_deadlock_is_found():
    with pytest.raises(CounterExample, match="deadlock") as caught:
        explore(Locks())
    assert caught.value.path == ("one takes A", "two takes B")


def test_a_state_from_which_no_end_is_reached_is_found():
    """Something can always happen, and it never ends."""
    with pytest.raises(CounterExample, match="no end can be reached any more") as caught:
        explore(Locks(retry=True))
    assert caught.value.path == ("one takes A", "two takes B")


def test_a_model_that_is_too_large():
    with pytest.raises(RuntimeError, match="more than 100 states"):
        explore(Tasks(3, 9), limit=100)


@pytest.mark.parametrize(("tasks", "steps"), [(2, 2), (3, 3)])
def test_covering_paths_take_every_move(tasks, steps):
    """Each path goes from the beginning to an end; no move of any state is left out."""
    model = Tasks(tasks, steps)
    found = explore(model)
    paths = [*found.covering_paths()]
    taken = set()
    for path in paths:
        state = model.initial
        for move in path:
            taken.add((state, move))
            state = dict(model.moves(state))[move]
        assert model.is_end(state)
    assert taken == {(state, move) for state, moves in found.edges.items() for move, _ in moves}
    assert len(paths) <= math.factorial(tasks * steps) // math.factorial(steps) ** tasks
