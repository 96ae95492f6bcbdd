"""Who a host knows, what they remember, and a person that says what it was told to."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.persons.memory import check_rule, remembered
from trioflow.persons.port import Message, Person, PersonFailed, Persons, Reply, Speaking, ToolCall


def test_who_a_host_knows():
    alice, bob = tf.ScriptedPerson([]), tf.ScriptedPerson([])
    persons = Persons({"alice": alice, "bob": bob})
    assert persons.find("bob") == ("bob", bob)
    assert (list(persons), len(persons), persons["alice"]) == (["alice", "bob"], 2, alice)
    assert Persons({"alice": alice}).find("") == ("alice", alice)
    with pytest.raises(tf.UnknownName, match=r"no person 'alise'. Did you mean 'alice'\? This host has: alice, bob"):
        persons.find("alise")
    with pytest.raises(tf.UnknownName, match="Which person. This host has: alice, bob"):
        persons.find("")
    with pytest.raises(tf.UnknownName, match="This host has: none"):
        Persons({}).find("x")
    assert isinstance(alice, Person)
    assert isinstance(alice, Speaking)


SAID = [
    {"from": "user", "to": "alice", "text": "Hello Alice"},
    {"from": "alice", "to": "user", "text": "Hello"},
    {"from": "user", "to": "bob", "text": "Ask Alice, not aliceish"},
    {"from": "bob", "to": "user", "text": "I will"},
]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("none", []),
        ("all", ["user: Hello Alice", "assistant: Hello", "user: Ask Alice, not aliceish", "user: bob: I will"]),
        ("about me", ["user: Hello Alice", "assistant: Hello", "user: Ask Alice, not aliceish"]),
        ("last 2", ["user: Ask Alice, not aliceish", "user: bob: I will"]),
        ("last  9", ["user: Hello Alice", "assistant: Hello", "user: Ask Alice, not aliceish", "user: bob: I will"]),
        ("last 0", []),
    ],
)
def test_what_a_person_remembers(rule, told):
    assert [f"{each.role}: {each.text}" for each in remembered(rule, SAID, "alice")] == told


@pytest.mark.parametrize("rule", ["last", "last -1", "All", ""])
def test_rules_that_are_none(rule):
    with pytest.raises(ValueError, match=f"'all', 'none', 'last 5' or 'about me', got '{rule}'"):
        check_rule(rule)


async def test_a_script():
    """A line is a text, a value, a reply, a call, an error, or a function of what was said."""
    person = tf.ScriptedPerson(
        ["two words", {"n": 1}, Reply("r", cost=2.0), ToolCall("1", "t"), ValueError("no"), lambda said: said[-1].text]
    )
    asked = [Message("user", "a b c")]
    assert await person.complete(asked, (), None) == Reply("two words", tokens_in=3, tokens_out=2)
    assert (await person.complete(asked, (), {})).text == '{"n": 1}'
    assert (await person.complete(asked, (), None)).cost == 2.0
    assert (await person.complete(asked, (), None)).calls == (ToolCall("1", "t"),)
    with pytest.raises(ValueError, match="no"):
        await person.complete(asked, (), None)
    assert (await person.complete(asked, (), None)).text == "a b c"
    with pytest.raises(PersonFailed, match="The script of this person is at its end"):
        await person.complete(asked, (), None)
    assert len(person.asked) == 7
    assert person.asked[1].schema == {}
