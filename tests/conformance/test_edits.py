"""Edits of source find their place although names have changed."""

from __future__ import annotations

import inspect
import re
import textwrap

import pytest

from trioflow.conformance import edits
from trioflow.conformance.edits import NotApplicable, edited, function_named
from trioflow.conformance.mutants import load_mutants

EDITS = [(each.name, *edit) for each in load_mutants() for edit in each.edits]


def renamed(text, was, now):
    return re.sub(rf"(?<![.\w]){was}(?!\w)", now, text)


@pytest.mark.parametrize(("name", "target", "old", "new"), EDITS, ids=lambda each: str(each)[:30])
def test_mutants_survive_renames(name, target, old, new):
    """Whichever local name of a function is changed, each mutant breaks the same piece of it."""
    function = function_named(target)
    source = textwrap.dedent(inspect.getsource(function))
    broken = edited(source, old, new, "here")
    for local in function.__code__.co_varnames:
        if re.search(rf"(?<![.\w]){local}(?!\w)", old) and local != "self":
            found = edited(renamed(source, local, "other"), old, new, "here")
            assert found.split() == renamed(broken, local, "other").split()


def test_by_the_end_of_its_name():
    """A function is found in whatever file it is, by as much of its name as makes it the only one."""
    edits._functions.cache_clear()  # they are looked for here, too, where it is seen
    assert function_named("ForkSet.join").__qualname__ == "ForkSet.join"
    with pytest.raises(NotApplicable, match=r"one function of the engine called 'fork', found it trioflow.*, trioflow"):
        function_named("fork")
    with pytest.raises(NotApplicable, match=r"called 'nothing_like_it', found it nowhere"):
        function_named("nothing_like_it")


def test_as_few_names_as_may_be():
    """Of several places of the same shape, the one with the fewest other names is meant; of equals, none is."""
    source = "if a.x > b: pass\nif c.x > d: pass\n"
    assert edited(source, "a.x > e", "a.x >= e", "here") == "if a.x >= b: pass\nif c.x > d: pass\n"
    with pytest.raises(NotApplicable, match=r"expected 'f.x > g' once in here, found it 2 times"):
        edited(source, "f.x > g", "", "here")
