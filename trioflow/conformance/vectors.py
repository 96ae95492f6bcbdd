"""Vectors: graphs with what must come of them, each a check of the rules that it names.

They are JSON files of the form `messages.Vector`, whose schema is `spec/schema/vector.schema.json`. With `"schedule":
"all"` the expectation must hold under every schedule; a port below level 2, whose schedule is its own, is asked once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any

import attrs

from trioflow.conformance.capabilities import needed
from trioflow.conformance.comparison import difference
from trioflow.conformance.exploration import Undecided, schedules
from trioflow.conformance.findings import Finding
from trioflow.conformance.messages import Vector as VectorShape
from trioflow.conformance.messages import check
from trioflow.conformance.port import Port, PortFailure
from trioflow.conformance.shipped import files
from trioflow.errors import DocumentError
from trioflow.model import json_text

MOST_SCHEDULES = 10_000
"""How many schedules a vector may have, so that it takes seconds and not hours."""
CONTROLLED = 2
"""The level from which on the kit decides the schedule."""

_REQUEST = ("graph", "variables", "options", "choices", "actions")
_LEVEL_OF_FIELD: Mapping[str, int] = {"canonical": 1, "trace": 2, "steps": 2}
_OF_ONE_SCHEDULE = ("steps", "trace")
_LEVEL_OF_KEY: Mapping[str, int] = {"choices": 2, "actions": 3}


@attrs.frozen
class Vector:
    """A request and the fields that its answer must have.

    `explore`: under every schedule. `needs` are the capabilities that a port must have for it.
    """

    name: str
    rules: tuple[str, ...]
    level: int
    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    explore: bool
    needs: frozenset[str]


# --- loading ---------------------------------------------------------------------------------------------------------


def vector_from(tree: Any, source: str) -> Vector:
    """The vector that a tree of dicts and lists says. Raises `DocumentError` with every problem, each with its path."""
    problems = check(tree, VectorShape) or [*_contradictions(tree)]
    if problems:
        raise DocumentError(source, [each.replace("the message:", "the vector:", 1) for each in problems])
    return Vector(
        name=tree["name"],
        rules=tuple(tree["rules"]),
        level=tree.get("level", 0),
        request={key: tree[key] for key in _REQUEST if key in tree},
        expect=tree["expect"],
        explore="schedule" in tree,
        needs=needed(tree, tree["expect"].get("status", "completed")),
    )


def load_vectors(folder: Traversable) -> list[Vector]:
    """All vectors in the JSON files of a folder and those below, by path. Raises `DocumentError` with every problem."""
    if not folder.is_dir():
        raise DocumentError(str(folder), ["there is no such folder. Name the one that holds the vectors."])
    problems: list[str] = []
    found: dict[str, tuple[Vector, str]] = {}
    for source, path in files(folder, ".json"):
        try:
            vector = vector_from(json_text.read(path.read_bytes().decode()), source)
        except DocumentError as error:
            problems += str(error).splitlines()
            continue
        except (OSError, UnicodeDecodeError, json_text.BadText, RecursionError) as error:
            problems.append(f"{source}: it can't be read: {error}")
            continue
        if vector.name in found:
            where = found[vector.name][1]
            problems.append(f"{source}: name: the vector in {where} is called {vector.name!r}, too. Rename one.")
        found[vector.name] = (vector, source)
    if not found and not problems:
        problems.append("there are no vectors in it: no files that end in .json.")
    if problems:
        raise DocumentError(str(folder), problems)
    return [vector for vector, _ in found.values()]


def _contradictions(tree: Mapping[str, Any]) -> Iterator[str]:
    """What the shape of a vector can't say."""
    level, expect = tree.get("level", 0), tree["expect"]
    if not tree["rules"]:
        yield "rules: expected at least one rule, got none"
    if not expect:
        yield "expect: expected at least one field, got none"
    if "schedule" in tree:
        if "choices" in tree:
            yield 'choices: not together with "schedule": "all", which takes all choices. Leave one of them out'
        for field in filter(expect.__contains__, _OF_ONE_SCHEDULE):
            yield f'expect.{field}: not together with "schedule": "all": each schedule has its own. Leave it out'
    wanted = [(least, f"there are {key}") for key, least in _LEVEL_OF_KEY.items() if tree.get(key)]
    wanted += [(least, f"{field} is expected") for field, least in _LEVEL_OF_FIELD.items() if field in expect]
    for least, reason in wanted:
        if level < least:
            yield f"level: expected at least {least}, because {reason}, got {level}"


# --- checking --------------------------------------------------------------------------------------------------------


def check_vector(
    port: Port,
    vector: Vector,
    *,
    most_schedules: int = MOST_SCHEDULES,
    progress: Callable[[int], None] = lambda _: None,
) -> Finding:
    """Ask a port for the vector's runs and compare. `progress` is called with the number of runs so far.

    A `PortFailure` is a finding; only one of the kind `given-up` is raised.
    """
    reason = _why_not(port, vector)
    if reason:
        return Finding(vector.name, vector.rules, vector.level, "skipped", reason)
    started = time.perf_counter()
    asked = _Asked(port, vector, progress)
    try:
        message = _explored(asked, most_schedules) if asked.exploring else asked.once()
    except PortFailure as failure:
        if failure.fault == "given-up":
            raise
        message = str(failure)
    except Undecided as error:
        message = f"{error}."
    seconds = time.perf_counter() - started
    if not message:
        count = f"{asked.runs:,} schedules" if asked.exploring else ""
        return Finding(vector.name, vector.rules, vector.level, "passed", count, seconds)
    at = f" (under the choices {[*asked.choices]})" if asked.exploring else ""
    tree = asked.as_vector()
    return Finding(vector.name, vector.rules, vector.level, "failed", f"{message}{at}", seconds, tree)


class _Asked:
    """A vector that is being asked of a port; `choices` are those of the last run."""

    def __init__(self, port: Port, vector: Vector, progress: Callable[[int], None]) -> None:
        self.vector = vector
        self.exploring = vector.explore and port.level >= CONTROLLED
        self.level = max(CONTROLLED, vector.level) if self.exploring else vector.level
        self.choices: Sequence[int] = vector.request.get("choices", ())
        self.runs = 0
        self._port = port
        self._progress = progress

    def run(self, choices: Sequence[int]) -> Mapping[str, Any]:
        """Ask once, with these choices."""
        self.choices = choices
        answer = self._port.run({**self.vector.request, "level": self.level, "choices": [*choices]})
        self.runs += 1
        self._progress(self.runs)
        return answer

    def once(self) -> str:
        """Ask with the vector's own choices: what is wrong with the answer."""
        return _fault(self.vector, self.run(self.choices))

    def as_vector(self) -> dict[str, Any]:
        """The last run as a vector, with its choices instead of all."""
        vector = self.vector
        own = vector.explore and not self.exploring
        schedule: dict[str, Any] = {"schedule": "all"} if own else {"choices": [*self.choices]}
        tree = {"name": vector.name, "rules": [*vector.rules], **vector.request, **schedule, "level": self.level}
        return {**tree, "expect": vector.expect}


def _explored(asked: _Asked, most: int) -> str:
    """What is wrong with the answer under the first schedule under which anything is."""
    for _, answer in schedules(asked.run):
        message = _fault(asked.vector, answer)
        if message:
            return message
        if asked.runs > most:
            return f"it has more than {most:,} schedules. Make its graph smaller."
    return ""


def _why_not(port: Port, vector: Vector) -> str:
    """Why a vector is not for this port."""
    if vector.level > port.level:
        return f"it is of level {vector.level}"
    lacking = sorted(vector.needs - port.capabilities)
    return f"it needs {', '.join(lacking)}" if lacking else ""


def _fault(vector: Vector, answer: Mapping[str, Any]) -> str:
    match answer["type"]:
        case "skipped":
            return f"the port claims what this needs, but skipped it: {answer['reason']}"
        case "error":
            return f"the port found a fault: {answer['message']}"
        case _:
            found = difference(vector.expect, answer)
            return "" if found is None else str(found)
