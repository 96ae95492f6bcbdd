"""Scripts: what they ask of whoever runs them, and what they keep to themselves (spec/INTERPRETING.md, 5)."""

from __future__ import annotations

import pytest

from trioflow.contract.script import Script


def run(operations, answers=(), **options):
    """The effects of a script, and how it ended; an answer that is an error is thrown in."""
    script = Script(str, **options)
    effects, answers, seen, answer = script.run(operations), iter(answers), [], None
    while True:
        try:
            effect = effects.throw(answer) if isinstance(answer, BaseException) else effects.send(answer)
        except StopIteration as stop:
            return seen, stop.value, script.acc
        seen.append(effect)
        answer = next(answers, None)


def test_what_only_computes_asks_for_nothing():
    """Constants, arithmetic, loops and conditions are a script's own business."""
    operations = [["const", "four"], ["keep"], ["loop", 3, [["add", 2]]], ["mix"], ["if", [["mul", 2]], []]]
    assert run(operations) == ([], None, (31 * 4 + 4) * 2)


def test_effects_bear_the_accumulator():
    """What takes a value has it at its end; only what gives one changes the accumulator."""
    operations = [
        ["const", 5],
        ["set", "x"],
        ["get", "a"],
        ["emit"],
        ["trigger", "o0", ["y"]],
        ["sleep", 2],
        ["feedback"],
    ]
    seen, way, _ = run(operations, [None, 7])
    assert seen == [
        ("set", "x", 5), ("get", "a"), ("emit", 7), ("trigger", "o0", ["y"], 7), ("sleep", 2), ("feedback", 7),
    ]  # fmt: skip
    assert way is None


def test_failures_are_caught_and_return_ends_it():
    """`catch` gets the code, `finally` runs in any case, and what comes after a `return` does not."""
    operations = [["try", [["get", "a"]], [["feedback"], ["return", "o1"]], [["getvar", "v"]]], ["fail", "late"]]
    assert run(operations, [ValueError("the code")]) == (
        [("get", "a"), ("feedback", "the code"), ("getvar", "v")],
        "o1",
        None,
    )


def test_a_cancellation_passes_through_finally():
    """It is not caught, and the operations of `finally` run on its way."""
    operations = [["try", [["get", "a"]], [["feedback"]], [["getvar", "v"]]]]
    with pytest.raises(KeyboardInterrupt):
        run(operations, [KeyboardInterrupt()])


def test_a_runner_of_its_own():
    """What is yielded is what the runner makes of the words of an effect."""
    assert run([["get", "a"], ["add", 1]], [3], do=lambda *words: " ".join(words)) == (["get a"], None, 4)
