"""Forks merge as if they ran where they were made: F3, F4, F6."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import a_computed_store, a_store, values

from trioflow.errors import MergeError
from trioflow.semantics.join import Conflict, Join
from trioflow.semantics.store import VariableSlot, digest, empty_store


def join(owner, *forks):
    """Join forks in this order; tells what was lost."""
    joining = Join(owner)
    try:
        return [conflict for fork in forks for conflict in joining.add(fork)]
    finally:
        joining.commit()


def test_what_was_computed_from_a_slot_goes_when_it_is_merged():
    """A join that brings another cell takes out what was computed from the one before (D4, F3)."""
    owner = a_computed_store()
    child, idle = owner.fork(), owner.fork()
    child.write(0, "child")
    join(owner, idle)
    assert values(owner) == ["written", "one", "two", "three"]
    join(owner, child)
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
    join(owner, child)
    assert owner.cells[2].serial <= owner.horizon
    assert owner.write(2, "own").serial > owner.horizon


def test_what_was_joined_is_a_new_revision():
    """After a join that changed something everything must be verified again (D4, F3)."""
    owner = a_store()
    child, idle, revision = owner.fork(), owner.fork(), owner.revision
    join(owner, idle)
    assert owner.revision is revision
    child.write(1, "x")
    join(owner, child)
    assert owner.revision is not revision


def test_nothing_is_there_before_the_commit():
    """A join changes the store at its end, all at once."""
    owner = a_store()
    child = owner.fork()
    for slot in (0, 1):
        child.write(slot, "x")
    child.write_state(0, "k", "x")
    joining = Join(owner)
    joining.add(child)
    assert (values(owner), owner.state) == ([0, None, None, None], {})
    joining.commit()
    assert (values(owner), owner.state[0, "k"].value) == (["x", "x", None, None], "x")


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
    join(owner, child)
    assert values(owner)[1] == left


@pytest.mark.parametrize("last_to_write", ["one", "two"])
def test_the_later_fork_wins(last_to_write):
    """Of two forks the one that was made later wins, whichever wrote last (F3)."""
    owner = a_store()
    forks = {"one": owner.fork(), "two": owner.fork()}
    for name in sorted(forks, key=lambda name: name == last_to_write):
        forks[name].write(1, name)
    for fork in forks.values():
        join(owner, fork)
    assert values(owner)[1] == "two"


def test_only_what_was_written_is_merged():
    """A fork that did not write a slot does not bring back what the slot was (F3)."""
    owner = a_store()
    owner.write(1, "old")
    one, two = owner.fork(), owner.fork()
    one.write(1, "new")
    join(owner, one)
    join(owner, two)
    assert values(owner)[1] == "new"


def test_a_merged_write_is_passed_on():
    """What a fork got from its own fork is among its writes (F3)."""
    owner = a_store()
    child = owner.fork()
    grandchild = child.fork()
    grandchild.write(1, "deep")
    grandchild.write(0, 7)
    grandchild.write_state(5, "n", 1)
    join(child, grandchild)
    join(owner, child)
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
    join(owner, child)
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
    found = join(owner, one) + join(owner, two)
    assert (values(owner)[0], found) == (left, conflicts)


def test_last_of_two_forks():
    """Two forks that wrote a variable are a conflict, which the later fork wins (F4)."""
    owner = a_store()
    one, two = owner.fork(), owner.fork()
    two.write(0, "two")
    one.write(0, "one")
    assert join(owner, one) == []
    assert join(owner, two) == [Conflict("v", "two", "one")]
    assert values(owner)[0] == "two"


def test_a_single_writer_is_no_conflict():
    """A variable that one side alone wrote takes its value, whatever the policy (F4)."""
    for policy in ("last", "first", "error", "sum"):
        owner = a_store(policy)
        one, two = owner.fork(), owner.fork()
        two.write(0, 3)
        assert join(owner, one) + join(owner, two) == []
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
    join(owner, *forks)
    assert values(owner)[0] == left
    assert type(owner.cells[0].value) is type(left) or isinstance(start, Listed)
    assert [list(each) for each in theirs] == [list(write(start, number)) for number in range(50)]
    assert len(start) == 1

    child = owner.fork()
    kept = owner.cells[0].value
    child.write(0, write(kept, 50))
    owner.write(0, write(kept, 51))
    join(owner, child)
    assert kept == left  # what a join has made is nobody else's to change after it


def test_a_fork_that_does_not_merge_is_left_out():
    """Where one variable of a fork does not merge, the others are as the forks before it left them (F4)."""
    variables = [VariableSlot("list", "append", []), VariableSlot("error", "error", 0)]
    owner = empty_store(2, variables, {}, itertools.count().__next__)
    owner.write(0, [])
    owner.write(1, 0)
    forks = [owner.fork() for _ in range(3)]
    for number, fork in enumerate(forks):
        fork.write(0, [number])
    forks[2].write(1, 1)
    owner.write(1, 2)
    with pytest.raises(MergeError):
        join(owner, *forks)
    assert values(owner) == [[0, 1], 2]


def test_error_policy():
    """`error` refuses a second writer and names variable and values (F4)."""
    owner = a_store("error")
    child = owner.fork()
    child.write(0, 1)
    owner.write(0, 2)
    with pytest.raises(MergeError) as caught:
        join(owner, child)
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
    join(owner, child)
    assert values(owner)[0] == ("base", "mine", "theirs")


def test_origins_do_not_depend_on_the_schedule():
    """A merged value's origin is made of the origins of both sides, in the order of the forks (E5)."""
    owner = a_store("sum")
    one, two, three = owner.fork(), owner.fork(), owner.fork()
    three.write(0, 3, "third")
    two.write(0, 2, "second")
    one.write(0, 1, "first")
    join(owner, one, two, three)
    both = "+" + digest(["first", "second"])
    assert (owner.cells[0].value, owner.cells[0].origin) == (6, "+" + digest([both, "third"]))


def test_a_join_between_two_forks():
    """Forks made after a join are younger than what was merged by it (F3)."""
    owner = a_store()
    one = owner.fork()
    one.write(1, "one")
    join(owner, one)
    two = owner.fork()
    two.write(1, "two")
    join(owner, two)
    assert values(owner)[1] == "two"


def test_what_is_kept_does_not_keep_the_rest_out():
    """A fork whose variable is older than its owner's brings everything else all the same (F3, F4)."""
    owner = a_store()
    child = owner.fork()
    child.write(0, "older")
    child.write(1, "x")
    owner.write(0, "younger")
    join(owner, child)
    assert values(owner)[:2] == ["younger", "x"]


def test_a_variable_alone_is_a_new_revision():
    """A join that changed nothing but a variable is a change, which others may ask for (D4, F4)."""
    owner = a_store("sum")
    child, revision = owner.fork(), owner.revision
    child.write(0, 1)
    join(owner, child)
    assert owner.revision is not revision
    assert owner.cells[0].serial <= owner.horizon


def test_merged_values_are_as_old_as_their_last_fork():
    """What many forks made of a variable is a new cell, and counts as written where the last was forked (F3, F4)."""
    owner = a_store("sum")
    forks = [owner.fork() for _ in range(3)]
    for fork in forks:
        fork.write(0, 1)
    join(owner, *forks)
    merged = owner.cells[0]
    assert (merged.value, owner.written_at(0, merged)) == (3, forks[2].born)
    assert merged.serial > forks[2].cells[0].serial


def test_a_policy_of_that_name_comes_first():
    """A host's own policy stands in for one of the same name, for each fork (F4)."""
    owner = a_store("append", [], {"append": lambda base, mine, theirs: [*mine, "and", *theirs]})
    forks = [owner.fork() for _ in range(3)]
    for number, fork in enumerate(forks):
        fork.write(0, [number])
    join(owner, *forks)
    assert values(owner)[0] == [0, "and", 1, "and", 2]


def test_the_third_that_does_not_merge_is_named():
    """Whichever fork does not merge, the variable is named (F4)."""
    owner = a_store("sum")
    forks = [owner.fork() for _ in range(3)]
    for fork, value in zip(forks, (1, 1, "text"), strict=True):
        fork.write(0, value)
    with pytest.raises(MergeError, match="Variable 'v' can't be merged by 'sum'"):
        join(owner, *forks)
    assert values(owner)[0] == 2


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

    def join_all():
        for child, work in reversed(forks):
            concurrently(child, work)
        join(store, *(child for child, _ in forks))
        forks.clear()

    for operation, argument in body:
        if operation == "fork":
            forks.append((store.fork(), argument))
        elif operation == "join":
            join_all()
        else:
            write(store, operation, argument)
    join_all()


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


@pytest.mark.unmeasured
@given(
    st.sampled_from(["last", "first", "sum", "error", "mine"]),
    st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0, 1, 2, "state"])), max_size=8),
    st.randoms(use_true_random=False),
)
def test_forks_joined_at_once_and_one_by_one(policy, writes, random):
    """One join of many forks leaves what a join for each would leave, also where one does not merge (F3, F4)."""
    left = []
    order = random.sample(range(len(writes)), len(writes))
    for at_once in (True, False):
        owner = a_store(policy, 0, {"mine": lambda *three: three})
        forks = []
        for is_owner, place in writes:
            forks.append(owner if is_owner else owner.fork())
            if is_owner:
                put(owner, place, f"owner {len(forks)}" if policy != "sum" else len(forks))
        for number in order:
            if not writes[number][0]:
                put(forks[number], writes[number][1], f"fork {number}" if policy != "sum" else number)
        forks = [fork for fork in forks if fork is not owner]
        told = []
        try:
            for some in [forks] if at_once else [[fork] for fork in forks]:
                told += join(owner, *some)
        except MergeError as error:
            told = [str(error)]
        written = {key: (cell.value, owner.written_at(key, cell)) for key, cell in owner.state.items()}
        written |= {slot: (cell.value, owner.written_at(slot, cell)) for slot, cell in enumerate(owner.cells) if cell}
        left.append((told, [*owner.written], [*owner.written_state], ranks(written)))
    assert left[0] == left[1]


def put(store, place, value):
    if place == "state":
        store.write_state(1, "n", value)
    else:
        store.write(place, value)


def ranks(written):
    """Values, and in which order they were written."""
    times = sorted({time for _, time in written.values()})
    return {key: (value, times.index(time)) for key, (value, time) in written.items()}


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
        join(fork, inner)
    assert ([*fork.written], [*fork.written_state]) == ([1], [(0, "k")])


def test_merge_error_names_the_variable():
    """What can't be merged is named (F4)."""
    owner = a_store("sum")
    fork = owner.fork()
    owner.write(0, 1)
    fork.write(0, "text")
    with pytest.raises(MergeError, match="Variable 'v' can't be merged by 'sum'"):
        join(owner, fork)


@pytest.mark.parametrize(("mine", "theirs"), [*itertools.product(["?", "a"], ["?", "b"])])
def test_origin_of_what_was_merged(mine, theirs):
    """A merged value comes from both sides; where nobody watches, it comes from nowhere (E5)."""
    owner = a_store("sum")
    fork = owner.fork()
    owner.write(0, 1, mine)
    fork.write(0, 2, theirs)
    join(owner, fork)
    assert owner.cells[0].origin == ("?" if mine == theirs == "?" else "+" + digest((mine, theirs)))
