"""Stores fork and merge as if forks ran where they were made: F1, F3, F4, F6, D9."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioflow.errors import MergeError
from trioflow.semantics.store import Conflict, Store, VariableSlot, digest, new_cell


def a_store(policy="last", default=0, merges=None):
    """Slot 0 is the variable `v`, slots 1 to 3 are outputs."""
    store = Store(4, [VariableSlot("v", policy, default)], merges or {}, itertools.count().__next__)
    store.write(0, default)
    return store


def values(store):
    return [cell and cell.value for cell in store.cells]


def test_writing_makes_a_cell():
    """Writing makes a new cell and a new revision even if the value is equal (D9)."""
    store = a_store()
    first, revision = store.write(1, "same"), store.revision
    assert first.origin == "?"
    assert store.write(1, "same") is not first
    assert store.revision is not revision


def test_neither_sees_the_other():
    """A fork starts with what is there, and from then on neither sees the other's writes (F1)."""
    owner = a_store()
    owner.write(1, "before")
    child = owner.fork()
    owner.write(2, "owner")
    child.write(3, "child")
    child.write(0, 5)
    assert values(owner) == [0, "before", "owner", None]
    assert values(child) == [5, "before", None, "child"]


def a_computed_store():
    """Slot 0 is written; 1 was computed from it, 2 from 1, and 3 from nothing."""
    store = Store(4, (), {}, itertools.count().__next__, [[1], [2], [], []])
    store.write(0, "written")
    store.cells[1:] = [new_cell(name, 0) for name in ("one", "two", "three")]
    return store


def test_what_was_computed_from_a_slot_goes_when_it_is_written():
    """A write takes out what was computed from what was there, through any depth, and nothing else (D4)."""
    store = a_computed_store()
    child = store.fork()
    store.write(0, "written")
    assert values(store) == ["written", None, None, "three"]
    assert values(child) == ["written", "one", "two", "three"]


def test_what_was_computed_from_a_slot_goes_when_it_is_merged():
    """A join that brings another cell takes out what was computed from the one before (D4, F3)."""
    owner = a_computed_store()
    child, idle = owner.fork(), owner.fork()
    child.write(0, "child")
    owner.merge(idle.writes())
    assert values(owner) == ["written", "one", "two", "three"]
    owner.merge(child.writes())
    assert values(owner) == ["child", None, None, "three"]


def test_what_others_may_ask_for():
    """Strands share what was there at a fork or came by a join, and whatever a fork makes (D4)."""
    owner = a_store()
    assert owner.write(1, "before").serial > owner.horizon
    child = owner.fork()
    assert owner.cells[1].serial <= owner.horizon
    assert owner.write(1, "own").serial > owner.horizon
    assert child.write(2, "child").serial <= child.horizon
    assert child.fork().horizon == child.horizon
    owner.merge(child.writes())
    assert owner.cells[2].serial <= owner.horizon
    assert owner.write(2, "own").serial > owner.horizon


def test_unchanged_fork_shares_cells_and_revision():
    """What was verified before a fork still holds in it, because nothing has changed yet (F1, D4)."""
    owner = a_store()
    owner.write(1, "x")
    child = owner.fork()
    assert child.cells[1] is owner.cells[1]
    assert child.revision is owner.revision
    child.write(2, "y")
    assert child.revision is not owner.revision


def test_a_merge_is_a_new_revision():
    """After a merge everything must be verified again, even if the fork wrote nothing (D4, F3)."""
    owner = a_store()
    child, revision = owner.fork(), owner.revision
    owner.merge(child.writes())
    assert owner.revision is not revision


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ([], "fork"),
        (["before"], "fork"),
        (["after"], "owner after"),
        (["before", "after"], "owner after"),
    ],
)
def test_writes_count_as_made_at_the_fork(written, left):
    """What the owner wrote before the fork is replaced, what it wrote afterwards stays (F3)."""
    owner = a_store()
    if "before" in written:
        owner.write(1, "owner before")
    child = owner.fork()
    if "after" in written:
        owner.write(1, "owner after")
    child.write(1, "fork")
    owner.merge(child.writes())
    assert values(owner)[1] == left


@pytest.mark.parametrize("last_to_write", ["one", "two"])
def test_the_later_fork_wins(last_to_write):
    """Of two forks the one that was made later wins, whichever wrote last (F3)."""
    owner = a_store()
    forks = {"one": owner.fork(), "two": owner.fork()}
    for name in sorted(forks, key=lambda name: name == last_to_write):
        forks[name].write(1, name)
    for fork in forks.values():
        owner.merge(fork.writes())
    assert values(owner)[1] == "two"


def test_only_what_was_written_is_merged():
    """A fork that did not write a slot does not bring back what the slot was (F3)."""
    owner = a_store()
    owner.write(1, "old")
    one, two = owner.fork(), owner.fork()
    one.write(1, "new")
    owner.merge(one.writes())
    owner.merge(two.writes())
    assert values(owner)[1] == "new"


def test_a_merged_write_is_passed_on():
    """What a fork got from its own fork is among its writes (F3)."""
    owner = a_store()
    child = owner.fork()
    grandchild = child.fork()
    grandchild.write(1, "deep")
    grandchild.write(0, 7)
    grandchild.write_state(5, "n", 1)
    child.merge(grandchild.writes())
    owner.merge(child.writes())
    assert values(owner)[:2] == [7, "deep"]
    assert owner.state[5, "n"].value == 1


def test_state_forks_and_merges_by_name():
    """A node's state forks with the store, and merges name by name like outputs (F6)."""
    owner = a_store()
    owner.write_state(1, "a", "old")
    owner.write_state(1, "b", "old")
    child = owner.fork()
    assert {key: cell.value for key, cell in child.state.items()} == {(1, "a"): "old", (1, "b"): "old"}
    child.write_state(1, "a", "fork")
    child.write_state(1, "b", "fork")
    owner.write_state(1, "b", "owner")
    assert owner.state[1, "a"].value == "old"
    owner.merge(child.writes())
    assert {key: cell.value for key, cell in owner.state.items()} == {(1, "a"): "fork", (1, "b"): "owner"}


@pytest.mark.parametrize(
    ("policy", "left", "conflicts"),
    [
        ("last", "owner", [Conflict("v", "owner", "one"), Conflict("v", "owner", "two")]),
        ("first", "one", []),
    ],
)
def test_policies_by_time(policy, left, conflicts):
    """`last` keeps the latest and reports what it lost, `first` the earliest; the owner wrote after both forks (F4)."""
    owner = a_store(policy)
    one, two = owner.fork(), owner.fork()
    two.write(0, "two")
    one.write(0, "one")
    owner.write(0, "owner")
    found = owner.merge(one.writes()) + owner.merge(two.writes())
    assert (values(owner)[0], found) == (left, conflicts)


def test_last_of_two_forks():
    """Two forks that wrote a variable are a conflict, which the later fork wins (F4)."""
    owner = a_store()
    one, two = owner.fork(), owner.fork()
    two.write(0, "two")
    one.write(0, "one")
    assert owner.merge(one.writes()) == []
    assert owner.merge(two.writes()) == [Conflict("v", "two", "one")]
    assert values(owner)[0] == "two"


def test_a_single_writer_is_no_conflict():
    """A variable that one side alone wrote takes its value, whatever the policy (F4)."""
    for policy in ("last", "first", "error", "sum"):
        owner = a_store(policy)
        one, two = owner.fork(), owner.fork()
        two.write(0, 3)
        assert owner.merge(one.writes()) + owner.merge(two.writes()) == []
        assert values(owner)[0] == 3


class Listed(list):
    pass


@pytest.mark.parametrize(
    ("policy", "start", "write", "left"),
    [
        ("append", ["a"], lambda old, n: [*old, n], ["a", *range(50)]),
        ("union", {"a": 0}, lambda old, n: {**old, n: n}, {"a": 0, **{n: n for n in range(50)}}),
        ("union", {"a"}, lambda old, n: old | {n}, {"a", *range(50)}),
        ("append", ("a",), lambda old, n: (*old, n), ("a", *range(50))),
        ("append", Listed("a"), lambda old, n: Listed([*old, n]), ["a", *range(50)]),
    ],
    ids=["list", "dict", "set", "tuple", "a class of its own"],
)
def test_many_forks_of_one_variable(policy, start, write, left):
    """A join of many forks copies what they add to once, and changes nothing that anybody else has (F4, F7)."""
    owner = a_store(policy, start)
    forks = [owner.fork() for _ in range(50)]
    theirs = []
    for number, fork in enumerate(forks):
        fork.write(0, write(start, number))
        theirs.append(fork.cells[0].value)
    made, seen = {}, []
    for fork in forks:
        owner.merge(fork.writes(), made)
        seen.append(owner.cells[0].value)
    assert values(owner)[0] == left
    assert [list(each) for each in theirs] == [list(write(start, number)) for number in range(50)]
    assert len(start) == 1
    once = type(left) is type(start) and type(start) is not tuple
    assert len({id(each) for each in seen}) == (2 if once else 50)

    child = owner.fork()
    kept = owner.cells[0].value
    child.write(0, write(kept, 50))
    owner.write(0, write(kept, 51))
    owner.merge(child.writes(), {})
    assert kept == left  # what a join has made is nobody else's to change after it


def test_a_merge_that_fails_changes_nothing_in_place():
    """Where one variable of a fork does not merge, the others stay as they were (F4)."""
    variables = [VariableSlot("list", "append", []), VariableSlot("error", "error", 0)]
    owner = Store(2, variables, {}, itertools.count().__next__)
    owner.write(0, [])
    owner.write(1, 0)
    forks = [owner.fork() for _ in range(3)]
    for number, fork in enumerate(forks):
        fork.write(0, [number])
    forks[2].write(1, 1)
    owner.write(1, 2)
    made = {}
    owner.merge(forks[0].writes(), made)
    owner.merge(forks[1].writes(), made)
    with pytest.raises(MergeError):
        owner.merge(forks[2].writes(), made)
    assert values(owner) == [[0, 1], 2]


def test_error_policy():
    """`error` refuses a second writer and names variable and values (F4)."""
    owner = a_store("error")
    child = owner.fork()
    child.write(0, 1)
    owner.write(0, 2)
    with pytest.raises(MergeError) as caught:
        owner.merge(child.writes())
    assert str(caught.value) == (
        "Variable 'v' was written by more than one concurrent strand (2 and 1), and its merge policy is 'error'. "
        "Write it in one strand only, or give it a policy such as 'last', 'sum' or 'append'."
    )


def test_three_ways():
    """A three-way policy gets what was there at the fork, what the owner has and what the fork has (F4)."""
    owner = a_store("mine", "base", {"mine": lambda *values: values})
    child = owner.fork()
    child.write(0, "theirs")
    owner.write(0, "mine")
    owner.merge(child.writes())
    assert values(owner)[0] == ("base", "mine", "theirs")


def test_origins_do_not_depend_on_the_schedule():
    """A merged value's origin is made of the origins of both sides, in the order of the forks (E5)."""
    owner = a_store("sum")
    one, two = owner.fork(), owner.fork()
    two.write(0, 2, "second")
    one.write(0, 1, "first")
    owner.merge(one.writes())
    owner.merge(two.writes())
    assert (owner.cells[0].value, owner.cells[0].origin) == (3, "+" + digest(["first", "second"]))


def test_a_join_between_two_forks():
    """Forks made after a join are younger than what was merged by it (F3)."""
    owner = a_store()
    one = owner.fork()
    one.write(1, "one")
    owner.merge(one.writes())
    two = owner.fork()
    two.write(1, "two")
    owner.merge(two.writes())
    assert values(owner)[1] == "two"


Body = st.deferred(lambda: st.lists(st.one_of(WRITES, st.tuples(st.just("fork"), Body), st.just(("join", None)))))
WRITES = st.one_of(
    st.tuples(st.just("write"), st.tuples(st.integers(1, 3), st.integers(0, 99))),
    st.tuples(st.just("add"), st.integers(1, 9)),
    st.tuples(st.just("state"), st.tuples(st.sampled_from("ab"), st.integers(0, 99))),
)


def write(store, operation, argument):
    if operation == "write":
        store.write(*argument)
    elif operation == "add":
        store.write(0, store.cells[0].value + argument)
    elif operation == "state":
        store.write_state(1, *argument)


def one_after_the_other(store, body):
    for operation, argument in body:
        if operation == "fork":
            one_after_the_other(store, argument)
        else:
            write(store, operation, argument)


def concurrently(store, body):
    """Forks run last, the youngest first: at the join, or where the body ends."""
    forks = []

    def join():
        for child, work in reversed(forks):
            concurrently(child, work)
        for child, _ in forks:
            store.merge(child.writes())
        forks.clear()

    for operation, argument in body:
        if operation == "fork":
            forks.append((store.fork(), argument))
        elif operation == "join":
            join()
        else:
            write(store, operation, argument)
    join()


@pytest.mark.unmeasured
@given(Body)
def test_concurrent_leaves_what_sequential_leaves(body):
    """Bodies that do not read each other's writes leave the same store behind in both modes (F3)."""
    expected, found = a_store("sum"), a_store("sum")
    one_after_the_other(expected, body)
    concurrently(found, body)
    assert values(found) == values(expected)
    assert {key: cell.value for key, cell in found.state.items()} == {
        key: cell.value for key, cell in expected.state.items()
    }


def test_each_place_is_noted_once():
    """However often a place is written, or merged into, a strand notes it once: memory does not grow (F7)."""
    owner = a_store()
    fork = owner.fork()
    for _ in range(3):
        fork.write(1, "x")
        fork.write_state(0, "k", "x")
        inner = fork.fork()
        inner.write(1, "y")
        inner.write_state(0, "k", "y")
        fork.merge(inner.writes())
    assert fork._dirty == [1, (0, "k")]


def test_merge_error_names_the_variable():
    """What can't be merged is named (F4)."""
    owner = a_store("sum")
    fork = owner.fork()
    owner.write(0, 1)
    fork.write(0, "text")
    with pytest.raises(MergeError, match="Variable 'v' can't be merged by 'sum'"):
        owner.merge(fork.writes())


@pytest.mark.parametrize(("mine", "theirs"), [*itertools.product(["?", "a"], ["?", "b"])])
def test_origin_of_what_was_merged(mine, theirs):
    """A merged value comes from both sides; where nobody watches, it comes from nowhere (E5)."""
    owner = a_store("sum")
    fork = owner.fork()
    owner.write(0, 1, mine)
    fork.write(0, 2, theirs)
    owner.merge(fork.writes())
    assert owner.cells[0].origin == ("?" if mine == theirs == "?" else "+" + digest((mine, theirs)))
