"""Triggers of graphs: what is refused, and the start values that they give."""

from __future__ import annotations

import sys
from datetime import datetime, timezone

import attrs
import pytest

import trioflow as tf

N = tf.nodes


def graph(*triggers: dict):
    with tf.build() as g:
        g.add(N.Start)
        g.variable("order", "any")
        g.event("paid")
        for each in triggers:
            g.trigger(**each)
    return g.graph


def problems(*triggers: dict):
    found = tf.validate(graph(*triggers), tf.Registry.standard(plugins=False)).problems
    return [(each.code, each.path) for each in found]


RIGHT = [
    {"cron": "0 3 * * 1-5", "zone": "Europe/Berlin", "missed": "all", "at_start": True},
    {"webhook": "/orders", "secret": "ORDERS", "set": {"order": "trigger.payload.id"}},
    {"event": "paid"},
    {"file": "in/*.csv"},
    {"manual": True},
    {"queue": "orders"},
]


def test_what_is_right():
    """One of each kind has no problems, and comes back from a document as it was."""
    assert problems(*RIGHT) == []
    made = graph(*RIGHT)
    assert tf.loads(tf.dumps(made)) == made
    assert [each.kinds for each in made.triggers] == [
        ("cron",), ("webhook",), ("event",), ("file",), ("manual",), ("queue",),
    ]  # fmt: skip


@pytest.mark.parametrize(("trigger", "where", "said"), [
    ({}, "", "says nothing that could start a run"),
    ({"cron": "0 3 * * *", "manual": True}, "", "says cron and manual"),
    ({"cron": "0 3 * *"}, ".cron", "is not a line of cron"),
    ({"cron": "0 0 31 2 *"}, ".cron", "is not a line of cron: Bad day-of-month"),
    ({"cron": "0 3 * * *", "zone": "Europe/Berln"}, ".zone", "There is no time zone 'Europe/Berln'"),
    ({"cron": "0 3 * * *", "zone": "../x"}, ".zone", "There is no time zone"),
    ({"manual": True, "zone": "UTC"}, ".zone", "`zone` belongs to `cron`"),
    ({"event": "paid", "secret": "X"}, ".secret", "`secret` belongs to `webhook`"),
    ({"webhook": "orders"}, ".webhook", "is not a path of a request"),
    ({"webhook": "/orders?x=1"}, ".webhook", "is not a path of a request"),
    ({"event": "payd"}, ".event", "Did you mean 'paid'"),
    ({"file": " "}, ".file", "`file` is empty"),
    ({"queue": ""}, ".queue", "`queue` is empty"),
    ({"manual": True, "set": {"ordr": "1"}}, ".set.ordr", "Did you mean 'order'"),
    ({"manual": True, "set": {"order": "trigger.body"}}, ".set.order", "there is no 'trigger.body' here"),
    ({"manual": True, "set": {"order": "1 +"}}, ".set.order", "line 1, column"),
])  # fmt: skip
def test_what_is_wrong(trigger, where, said):
    """Each mistake is told where it is, with a cure."""
    found = tf.validate(graph(trigger), tf.Registry.standard(plugins=False)).errors
    assert [each.path for each in found] == [f"triggers[0]{where}"]
    assert said in str(found[0])


def test_a_key_that_is_unknown():
    """A document with a key that no trigger has is refused by name."""
    text = tf.dumps(graph({"manual": True})).replace('"manual": true', '"manuel": true')
    with pytest.raises(tf.DocumentError, match=r"triggers\[0\].*manuel"):
        tf.loads(text)


@pytest.mark.parametrize("missing", ["cronsim", "cel_expr_python"])
def test_what_is_not_installed(missing, monkeypatch):
    """Without what reads it an expression is refused, with the command that installs it. A line of cron is only a warning:
    a graph that is started by hand needs nobody who reads it."""
    from trioflow.expressions import cel

    cel._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    found = tf.validate(graph({"cron": "0 3 * * *", "set": {"order": "1"}}), tf.Registry.standard(plugins=False))
    assert "python -m pip install 'trioflow[" in str(found)
    assert bool(found.errors) is (missing == "cel_expr_python")
    cel._compiled.cache_clear()


def test_the_values_that_they_give():
    """Expressions see what started the run; one that fails says which."""
    at = datetime(2026, 3, 1, 3, tzinfo=timezone.utc)
    facts = tf.TriggerFacts(kind="webhook", time=at, payload={"id": 7}, headers={"x-from": "me"})
    trigger = tf.Trigger(webhook="/", set={"order": "trigger.payload.id", "by": "trigger.headers['x-from']"})
    assert tf.trigger_variables(trigger, facts) == {"order": 7, "by": "me"}
    assert tf.trigger_variables(tf.Trigger(manual=True, set={"k": "trigger.kind"}), facts) == {"k": "webhook"}
    with pytest.raises(tf.ExpressionFailed, match="trigger.payload.id.* failed: Key not found"):
        tf.trigger_variables(trigger, attrs.evolve(facts, payload={}))
    with pytest.raises(
        tf.ExpressionFailed, match="'k' is not an expression: line 1, column 8: there is no 'trigger.body'"
    ):
        tf.trigger_variables(tf.Trigger(manual=True, set={"k": "trigger.body"}), facts)
