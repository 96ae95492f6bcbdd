"""What a run is given: checked in one place, all at once."""

from __future__ import annotations

import pytest
from support import STANDARD, Note, chain

import trioflow as tf
from trioflow.runtime.host.given import RunArguments, given


def graph():
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note))
    return g.graph


async def test_nothing_given():
    """The standard node types, and nothing else; None is as if it were not said."""
    plan, made = given(graph(), {})
    assert plan.registry.ids() >= STANDARD.ids()
    assert (made.options, made.secrets, made.middleware) == (tf.RunOptions(), {}, ())
    nothing = RunArguments(registry=None, variables=None, services=None, secrets=None, options=None)
    assert given(graph(), nothing)[1] == made


async def test_a_plan_is_taken_as_it_is():
    """A plan has a registry of its own."""
    plan = tf.make_plan(graph(), STANDARD)
    assert given(plan, {"registry": tf.Registry()})[0] is plan


async def test_all_that_is_wrong_at_once():
    """Names and types, in a sentence each."""
    wrong = {
        "variable": {},
        "options": {},
        "secrets": {"a": 1, "b": "x"},
        "middleware": [tf.Retry(), tf.Retry],
        "registry": [],
        "observers": 3,
    }
    with pytest.raises(TypeError) as caught:
        given(graph(), wrong)
    assert str(caught.value).splitlines() == [
        "A run takes no argument 'variable'. Did you mean 'variables'? It takes: registry, options, variables, "
        "services, secrets, observers, middleware, journal, run_id, suspend_after.",
        "options= must be RunOptions, got dict.",
        "registry= must be a Registry, got list.",
        "observers= must be a list of callables, got int.",
        "middleware= must hold objects of subclasses of trioflow.Middleware, got "
        "<class 'trioflow.policies.retry.Retry'>.",
        "secrets= must hold texts; 'a' is not a text.",
    ]
    with pytest.raises(TypeError, match="secrets= must be a mapping of names to texts, got list"):
        given(graph(), {"secrets": []})
    with pytest.raises(TypeError, match="middleware= must be a list of callables, got Retry"):
        given(graph(), {"middleware": tf.Retry()})


async def test_secrets_are_not_shown_in_what_is_wrong():
    """A secret of another type is named, not shown (A10)."""
    with pytest.raises(TypeError) as caught:
        given(graph(), {"secrets": {"token": b"hunter22"}})
    assert "hunter22" not in str(caught.value)
