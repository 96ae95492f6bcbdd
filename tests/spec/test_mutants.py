"""Engines that each break one rule are noticed: by a vector that names the rule, and by random requests."""

from __future__ import annotations

import inspect
import re

import pytest
from specification import EXAMPLES, RULES, SPEC

import trioflow as tf
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.mutants import Campaign, Mutant, NotApplicable, by_vector, check_mutants, load_mutants
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import load_vectors, vector_from
from trioflow.conformance.workers import Alone
from trioflow.runtime.base.pending import Failed
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.loop import demand
from trioflow.runtime.dispatch import drive
from trioflow.semantics.merge import merge_variable
from trioflow.semantics.store import Store, empty_store

VECTORS = load_vectors(PACKAGED)  # those in the prose are not in the kit
IN_PROSE = [vector_from(each.vector, each.where) for each in EXAMPLES]
MUTANTS = load_mutants()

ADDS_ONE = Mutant("x", "F4", "It adds one.", ((merge_variable, "return merge(", "return 1 + merge("),))
THE_SAME = Mutant("same", "F4", "It is not wrong.", ((merge_variable, "return merge(", "return  merge("),))


class Silent:
    def show(self, what, done, total, failed):
        assert done < total


def test_all_are_loaded():
    """Each file is a mutant, named after its rule, which says in one sentence what is wrong."""
    assert [each.name for each in MUTANTS] == sorted(path.stem for path in (SPEC / "mutants").glob("*.py"))
    for each in MUTANTS:
        assert each.rule in RULES
        assert each.name.startswith(f"{each.rule.lower()}_")
        assert each.wrong.endswith(".")
        assert each.edits


@pytest.mark.unmeasured
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_noticed_by_a_vector_of_its_rule(mutant):
    """A vector that names the rule fails when the rule is broken."""
    assert by_vector(mutant, VECTORS) is not None, mutant.wrong


EXAMPLES_HERE, SEED_HERE, NOTICED_HERE = 8, 5, 25
"""The requests of this seed are small; 32 mutants were noticed when it was chosen."""


@pytest.mark.unmeasured
def test_noticed_by_random_requests():
    """A few random requests notice many mutants; `trioflow conformance engine` asks until all are noticed."""
    campaign = Campaign(EXAMPLES_HERE, SEED_HERE)
    noticed = [each.name for each in MUTANTS if campaign.notices(each) is not None]
    assert len(noticed) >= NOTICED_HERE, noticed


def test_random_requests_find_nothing_in_the_engine_itself():
    """What notices the mutants does not notice the engine."""
    assert Campaign(EXAMPLES_HERE, SEED_HERE).notices(THE_SAME) is None


def test_whoever_has_imported_it():
    """A mutant is alive wherever the function is used, and nowhere afterwards."""
    arguments = ("sum", {}, "v", 10, 12, 15)
    with ADDS_ONE.alive():
        assert merge_variable(*arguments) == 18
        assert inspect.unwrap(merge_variable).__code__.co_filename.startswith("<mutant x ")
    assert merge_variable(*arguments) == 17


def test_gone_after_a_failure():
    """The engine is whole again, whatever happens meanwhile."""
    with pytest.raises(KeyError), ADDS_ONE.alive():
        raise KeyError
    assert merge_variable("sum", {}, "v", 10, 12, 15) == 17


def test_several_edits_of_one_function():
    """Edits of one function add up; properties, decorated functions and marked generators can be edited."""
    mutant = Mutant(
        "y", "D4", "Nothing.",
        (
            (Store.fork, "child.state = self.state.copy()", "child.state = {}"),
            (Store.fork, "child.cells = self.cells.copy()", "child.cells = []"),
            (Failed.asks, "return self._pulled", "return  self._pulled"),
            (drive, "run = strand.run\n", "run =  strand.run\n"),
            (demand, "finished: Evaluation | None = None", "finished = None"),
            (BodyContext.join, "forks = self.rarely.forks", "forks =  self.rarely.forks"),
        ),
    )  # fmt: skip
    store = empty_store(1, (), {}, iter(range(9)).__next__)
    store.write(0, 5)
    request = {"graph": {"trioflow": "1.0"}, "level": 3}
    with mutant.alive():
        child = store.fork()
        assert (child.cells, child.state) == ([], {})
        assert inspect.unwrap(drive).__code__.co_filename.startswith("<mutant y ")
        assert demand.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE
    assert store.fork().cells == store.cells
    assert request


@pytest.mark.parametrize(("old", "times"), [("nowhere", 0), ("error", 4)])
def test_engine_that_has_changed(old, times):
    """An edit whose place is not there, or there more than once, is refused with its name and place."""
    mutant = Mutant("z", "F4", "Nothing.", ((merge_variable, old, "pass"),))
    message = rf"mutant z: expected '{old}' once in trioflow.semantics.merge.merge_variable, found it {times} times"
    with pytest.raises(NotApplicable, match=message), mutant.alive():
        raise AssertionError
    (finding,) = check_mutants(Silent(), Alone(EnginePort()), vectors=VECTORS, mutants=[mutant], examples=1)
    assert finding.outcome == "failed"
    assert re.match(message, finding.message)


@pytest.mark.unmeasured
def test_findings():
    """Who is noticed has passed; who is not has failed, and so has one that is although it says that it can't be.

    One that is rare passes by vectors alone.
    """
    loud = next(each for each in MUTANTS if each.name == "t1_last_wire_first")
    boasting = Mutant("boasting", loud.rule, loud.wrong, loud.edits, "Nobody can see me.")
    shy = Mutant("shy", loud.rule, loud.wrong, loud.edits, rare="Few see me.")
    four = [loud, THE_SAME, boasting, shy]
    found = list(check_mutants(Silent(), Alone(EnginePort()), vectors=VECTORS, mutants=four, examples=160))
    assert [(each.name, each.rules, each.outcome) for each in found] == [
        ("mutant: t1_last_wire_first", ("T1",), "passed"),
        ("mutant: same", ("F4",), "failed"),
        ("mutant: boasting", ("T1",), "failed"),
        ("mutant: shy", ("T1",), "passed"),
    ]
    assert found[0].message.startswith("The targets of an exec output are dispatched in the reverse of the order")
    noticed = re.search(r"Noticed by 'the first listener that fails ends it' and '(request \d+)'\.", found[0].message)
    assert noticed, found[0].message
    assert found[1].message == "It is not wrong. no vector of F4 fails; the first 160 random requests don't show it."
    assert f"{noticed[1]} shows it, though UNREACHED says: Nobody can see me." in found[2].message
    assert found[3].message.endswith("Noticed by 'the first listener that fails ends it'.")


def test_fault_of_the_engine_is_no_traceback():
    """What a mutant raises where nothing may be raised is an answer like any other."""
    mutant = Mutant("crash", "T9", "It dies.", ((tf.runtime.dispatch.dispatch, "depth = line.depth + 1", "1 / 0"),))
    death = by_vector(mutant, [each for each in IN_PROSE if each.name == "awaiting oneself nests, up to the limit"])
    assert death is not None
    assert "ZeroDivisionError" in death.message
