"""Deltas, folded, are the state; so the page always has what the server has."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trioflow.studio.frames import BY_PLACE, MOST_MESSAGES, difference, first_state, fold

PLAIN = st.fixed_dictionaries({"status": st.sampled_from([None, "running", "paused"]), "steps": st.integers(0, 9)})
GROWING = st.dictionaries(st.sampled_from("0123"), st.integers(1, 3), max_size=4)


@settings(max_examples=40)
@given(st.lists(st.tuples(PLAIN, GROWING, st.integers(0, 150)), max_size=6))
def test_deltas_fold_to_the_state(steps):
    """Whatever changes, however often: numbers by node grow, messages are added and the oldest dropped."""
    state = page = first_state(1)
    said = 0
    for plain, more, messages in steps:
        new = {**state, **plain}
        for key in BY_PLACE:
            new[key] = {**state[key], **{node: state[key].get(node, 0) + by for node, by in more.items()}}
        added = [{"n": number} for number in range(said + 1, said + messages + 1)]
        said += messages
        new["messages"] = [*state["messages"], *added][-MOST_MESSAGES:]
        page = fold(page, difference(state, new))
        state = new
        assert page == state


def test_nothing_new_is_no_delta():
    """A frame is made only of what has changed."""
    state = first_state(1)
    assert difference(state, {**state, "steps": 0}) == {}
    assert difference(state, {**state, "counts": {"3": 1}}) == {"counts": {"3": 1}}
