"""Trying a document dry: nodes are answered from values instead of by what they would do.

A stub is an object by the ids of nodes, `outer/inner` for one in a graph inside, `*` for all placeholders besides. Each
value is what the node's body would give; to say more, it is an object whose keys all begin with `$`:

- `$value`: the same; `$exit`: the exec output where it goes on
- `$fail`: a text, with which the node fails
- `$turns`: a list of answers, one for each time that the node runs; the last one for all later times too
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.placeholder import Answer

_KEYS = ("$value", "$exit", "$fail", "$turns")


class StubbedFailure(Exception):
    """What a node fails with because a stub says so."""


def stubs(tree: Any, source: str = "<stub>") -> dict[str, Callable[..., Any]]:
    """The bodies that answer with these values, by the ids of nodes. Raises `DocumentError` with every problem."""
    if not isinstance(tree, dict):
        raise DocumentError(source, ["expected an object with a value for each node that is to be answered."])
    problems: list[str] = []
    found = {str(name): _body(value, str(name), problems) for name, value in tree.items()}
    if problems:
        raise DocumentError(source, problems)
    return found


def _body(said: Any, path: str, problems: list[str]) -> Callable[..., Any]:
    if isinstance(said, Mapping) and "$turns" in said:
        turns: Any = said["$turns"]
        if len(cast("Mapping[str, Any]", said)) > 1 or not isinstance(turns, list) or not turns:
            problems.append(f"{path}: $turns stands alone, with a list of at least one answer.")
            return _answer_with(None)
        answers = [_body(each, f"{path}.$turns[{index}]", problems) for index, each in enumerate(turns)]
        left = iter(answers)

        def next_turn(**inputs: Any) -> Any:
            return next(left, answers[-1])()

        return next_turn
    if not (isinstance(said, Mapping) and said and all(str(key).startswith("$") for key in said)):
        return _answer_with(said)
    given = cast("Mapping[str, Any]", said)
    known = ", ".join(_KEYS)
    problems += [
        f"{path}.{key}: expected some of {known}.{did_you_mean(key, _KEYS)}" for key in given if key not in _KEYS
    ]
    if "$fail" in given:
        return _fail_with(str(given["$fail"]))
    return _answer_with(Answer(given.get("$value"), str(given.get("$exit", ""))))


def _answer_with(value: Any) -> Callable[..., Any]:
    def answer(**inputs: Any) -> Any:
        return value

    return answer


def _fail_with(text: str) -> Callable[..., Any]:
    def fail(**inputs: Any) -> Any:
        raise StubbedFailure(text)

    return fail
