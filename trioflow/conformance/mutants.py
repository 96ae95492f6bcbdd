"""Mutants: this engine with one rule broken. Each must be noticed, or the checks of that rule check nothing.

A mutant is a file of `spec/mutants/`: a docstring that says what is wrong, the constants `RULE` and `EDITS`, and
perhaps `UNREACHED` or `RARE`. An edit is the name of a function of the engine, a piece of its source, and what stands
there instead; `edits` finds both also when names have changed. While the mutant is alive, the function runs the edited
code, whoever has imported it.

It dies by a vector that names its rule, and by the random campaign within so many requests; one that random requests
can't show says why in `UNREACHED`, one that they seldom show in `RARE`.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.resources.abc import Traversable
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import attrs

from trioflow.conformance.comparison import OUTCOME, Difference, difference
from trioflow.conformance.edits import NotApplicable, edited, function_named, function_of
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.findings import Finding, Outcome
from trioflow.conformance.port import Port
from trioflow.conformance.shipped import PACKAGED_MUTANTS, files
from trioflow.conformance.strategies import request_number
from trioflow.conformance.suite import Progress
from trioflow.conformance.vectors import Vector, check_vector
from trioflow.conformance.workers import Checker
from trioflow.conformance.workflows import judged_workflows
from trioflow.reference import small_step

__all__ = ["Campaign", "Death", "Mutant", "NotApplicable", "by_vector", "check_mutants", "load_mutants"]

EXAMPLES = 20000
"""Random requests after which a mutant counts as not noticed. Most need some hundred."""

_OUT_OF_REACH = 300
"""As many are given to one that is said to be out of reach, to see whether it still is."""

Edit = tuple[Any, str, str]
"""A function, method or property, or the end of its name; what stands in its source, once; what is to stand there."""

_COMPARED = (*OUTCOME, "steps", "canonical")
_COMPARED_IN_WORKFLOWS = (*OUTCOME, "canonical")


@attrs.frozen
class Mutant:
    """One broken engine.

    `unreached` says why random requests can't show it, `rare` why they seldom do; both are empty if they do.
    """

    name: str
    rule: str
    wrong: str
    edits: tuple[Edit, ...]
    unreached: str = ""
    rare: str = ""

    @contextmanager
    def alive(self) -> Generator[None, None, None]:
        """Break the engine of this process within the block. Raises `NotApplicable`."""
        whole = {function: function.__code__ for function in self._edited}
        try:
            for function, code in self._edited.items():
                function.__code__ = code
            yield
        finally:
            for function, code in whole.items():
                function.__code__ = code

    @cached_property
    def _edited(self) -> dict[FunctionType, CodeType]:
        """What the functions run while it is alive. A campaign brings it to life for each request anew."""
        pieces: dict[FunctionType, list[tuple[str, str]]] = {}
        for target, old, new in self.edits:
            try:
                function = function_named(target) if isinstance(target, str) else function_of(target)
            except NotApplicable as fault:
                raise self._outdated(fault) from None
            pieces.setdefault(function, []).append((old, new))
        return {function: self._code(function, replaced) for function, replaced in pieces.items()}

    def _outdated(self, fault: NotApplicable) -> NotApplicable:
        return NotApplicable(f"mutant {self.name}: {fault}. The engine has changed there: write the edit anew.")

    def _code(self, function: FunctionType, replaced: Sequence[tuple[str, str]]) -> CodeType:
        source = textwrap.dedent(inspect.getsource(function))
        where = f"{function.__module__}.{function.__qualname__}"
        for old, new in replaced:
            try:
                source = edited(source, old, new, where)
            except NotApplicable as fault:
                raise self._outdated(fault) from None
        tree = ast.parse(source)
        cast("ast.FunctionDef", tree.body[0]).decorator_list = []
        # A file name of its own: measurements of coverage must not take these lines for the engine's.
        flags = __future__.annotations.compiler_flag
        module = compile(tree, f"<mutant {self.name} of {where}>", "exec", flags=flags, dont_inherit=True)
        whole = function.__code__
        (code,) = (
            each for each in module.co_consts if isinstance(each, CodeType) and each.co_name == whole.co_name
        )  # fmt: skip
        # A generator that `types.coroutine` has marked stays one.
        return code.replace(co_flags=code.co_flags | (whole.co_flags & inspect.CO_ITERABLE_COROUTINE))


def load_mutants(folder: Traversable = PACKAGED_MUTANTS) -> list[Mutant]:
    """All mutants in a folder, by name. Runs their files."""
    found: list[Mutant] = []
    for source, path in files(folder, ".py"):
        name = source.removesuffix(".py")
        module = ModuleType(f"trioflow_mutant_{name}")
        exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))  # noqa: S102 - as importing it would
        wrong = " ".join((module.__doc__ or "").split())
        found.append(
            Mutant(
                name,
                module.RULE,
                wrong,
                tuple(module.EDITS),
                getattr(module, "UNREACHED", ""),
                getattr(module, "RARE", ""),
            )
        )
    return found


# --- how they die ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Death:
    """What has noticed a mutant: a vector, or the request of a number; the rules that it points to, and what it saw."""

    by: str
    rules: tuple[str, ...]
    message: str


class _MutantPort(EnginePort):
    """The engine as it is now, for which everything that it may raise is an answer."""

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return super().run(request)
        except Exception as error:  # nobody knows what a broken engine raises
            return {"type": "error", "id": 0, "message": f"{type(error).__name__}: {error}"}


def by_vector(mutant: Mutant, vectors: Sequence[Vector]) -> Death | None:
    """The first vector of the mutant's rule that it fails; those of one schedule, which are quick, come first."""
    named = [vector for vector in vectors if mutant.rule in vector.rules]
    with mutant.alive():
        for vector in sorted(named, key=lambda vector: vector.explore):
            found = check_vector(_MutantPort(), vector)
            if found.outcome == "failed":
                return Death(vector.name, vector.rules, found.message)
    return None


_ASKED = 3
"""How often a difference must come, so that it is the mutant's and no accident."""


class Campaign:
    """Random requests and what must come of them, drawn once for all mutants."""

    def __init__(self, examples: int = EXAMPLES, seed: int = 0) -> None:
        self._examples = examples
        self._seed = seed
        self._judged: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
        # Mutants of the rules W die by random workflows.
        self._drawn = judged_workflows(seed)
        self._workflows: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []

    def notices(self, mutant: Mutant) -> Death | None:
        """The first request that the mutant answers wrongly, each time, and the whole engine does not.

        One that is said to be out of reach is given few requests, and one that is rare none, as it is a matter of luck.
        """
        most = 0 if mutant.rare else min(_OUT_OF_REACH, self._examples) if mutant.unreached else self._examples
        for number in range(most):
            request, expected = self._judge(number, workflow=mutant.rule.startswith("W"))
            with mutant.alive():
                found = _difference(request, expected)
                certain = found is not None and all(_difference(request, expected) for _ in range(_ASKED - 1))
            if certain and not any(_difference(request, expected) for _ in range(_ASKED)):
                assert found is not None
                return Death(f"request {number}", found.rules, str(found))
        return None

    def _judge(self, number: int, *, workflow: bool) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        judged = self._workflows if workflow else self._judged
        while number >= len(judged):
            if workflow:
                request, answer = next(self._drawn)
                judged.append((request, {field: answer[field] for field in _COMPARED_IN_WORKFLOWS}))
            else:
                request = {**request_number(number, self._seed), "level": 3}
                answer = small_step(request)
                judged.append((request, {field: answer[field] for field in _COMPARED}))
        return judged[number]


def _difference(request: Mapping[str, Any], expected: Mapping[str, Any]) -> Difference | None:
    answer = _MutantPort().run(request)
    if answer["type"] == "error":
        return Difference("type", "type", "result", answer["message"], ("R3",))
    return difference(expected, answer)


def check_mutants(
    progress: Progress,
    checker: Checker,
    *,
    vectors: Sequence[Vector],
    mutants: Sequence[Mutant] | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
) -> Iterator[Finding]:
    """A finding for each mutant: passed if it is noticed.

    Breaks the engine of the processes that check while they are at work. To be checked in other processes than this
    one, the mutants must be those that come with the kit.
    """
    names = [mutant.name for mutant in (load_mutants() if mutants is None else mutants)]
    found = checker.each(_Check(vectors, mutants, examples, seed), names)
    failed = 0
    for done, name in enumerate(names):
        progress.show(f"mutants: {name}", done, len(names), failed)
        finding = next(found)
        failed += finding.outcome == "failed"
        yield finding


@attrs.define
class _Check:
    """Whether the mutant of a name is noticed. What each process needs for that is loaded and judged there, once."""

    vectors: Sequence[Vector]
    mutants: Sequence[Mutant] | None
    examples: int
    seed: int
    _campaign: Campaign | None = attrs.field(default=None, init=False)

    def __call__(self, _port: Port, name: str) -> Finding:
        if self.mutants is None:
            self.mutants = load_mutants()
        if self._campaign is None:
            self._campaign = Campaign(self.examples, self.seed)
        (mutant,) = (mutant for mutant in self.mutants if mutant.name == name)
        return _check(mutant, self.vectors, self._campaign, self.examples)


def _check(mutant: Mutant, vectors: Sequence[Vector], campaign: Campaign, examples: int) -> Finding:
    started = time.perf_counter()
    rules = (mutant.rule,)
    try:
        vector, request = by_vector(mutant, vectors), campaign.notices(mutant)
    except NotApplicable as fault:
        return Finding(f"mutant: {mutant.name}", rules, 0, "failed", str(fault), time.perf_counter() - started)
    faults: list[str] = []
    if vector is None:
        faults.append(f"no vector of {mutant.rule} fails")
    if request is None and not mutant.unreached and not mutant.rare:
        faults.append(f"the first {examples:,} random requests don't show it")
    if request is not None and mutant.unreached:
        faults.append(f"{request.by} shows it, though UNREACHED says: {mutant.unreached}")
    outcome: Outcome = "failed" if faults else "passed"
    noticed = [f"{death.by!r}" for death in (vector, request) if death is not None]
    message = f"{mutant.wrong} " + ("; ".join(faults) + "." if faults else f"Noticed by {' and '.join(noticed)}.")
    return Finding(f"mutant: {mutant.name}", rules, 0, outcome, message, time.perf_counter() - started)
