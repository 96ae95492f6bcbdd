"""A campaign: random requests, answered by a port and by a judge who knows what must come; what differs is shrunk.

The kind of a failure decides what it is shrunk to: a request that fails in another way does not replace it. Campaigns
of the same seed ask the same requests of the same port, on however many processes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from trioflow.conformance.capabilities import needed
from trioflow.conformance.comparison import OUTCOME, difference
from trioflow.conformance.findings import Finding, Outcome
from trioflow.conformance.port import Port, PortFailure
from trioflow.conformance.shrinking import shrunk
from trioflow.conformance.workers import Alone, Checker

Request = Mapping[str, Any]
Source = Callable[[int, int], Request]
"""Gives the request of a number, in the campaign of a seed."""
Judge = Callable[[Request], "Mapping[str, Any] | None"]
"""Gives the answer that a request must have, or None if that depends on the schedule."""
TraceJudge = Callable[[Request, "Mapping[str, Any]"], "Sequence[str]"]
"""Gives what is wrong with the trace of an answer: what could not have happened."""

_COMPARED: Mapping[int, tuple[str, ...]] = {
    0: OUTCOME,
    1: (*OUTCOME, "canonical"),
    2: (*OUTCOME, "canonical", "steps"),
    3: (*OUTCOME, "canonical", "steps"),
}


Situations = Callable[[Request, "Mapping[str, Any]"], "Iterable[str]"]
"""Gives what has come up in a request with this answer."""


def nothing_special(_request: Request, _answer: Mapping[str, Any]) -> Iterable[str]:
    """For requests of which nobody counts what has come up."""
    return ()


def nothing_wrong(_request: Request, _answer: Mapping[str, Any]) -> Sequence[str]:
    """For requests whose traces nobody judges."""
    return ()


@attrs.frozen
class _Failure:
    """One way in which the port failed, with the smallest request so far."""

    kind: str
    request: Request
    expected: Mapping[str, Any] | None
    message: str
    rules: tuple[str, ...]


_ENOUGH = 1000
"""So many examples there have to be before it is judged what has come up in them, and the port must do all of them."""
_TRIES = 20
"""A port that claims little is asked as many requests as others, as far as so many times more are drawn."""


@attrs.frozen
class _Tried:
    """What came of a request: how the port failed, if it did, and if it was asked at all."""

    failure: _Failure | None = None
    asked: bool = True
    situations: tuple[str, ...] = ()


@attrs.frozen
class _Trial:
    """Asks a port the request of a number, and tells what is wrong with the answer. Can be pickled."""

    requests: Source
    judge: Judge
    judge_trace: TraceJudge
    situations: Situations
    level: int
    seed: int

    def __call__(self, port: Port, number: int) -> _Tried:
        return self.of(port, {**self.requests(number, self.seed), "level": self.level})

    def of(self, port: Port, request: Request) -> _Tried:
        """Ask a request, unless it needs what the port does not claim."""
        expected = self.judge(request)
        status = "failed" if expected is None else expected["status"]  # what depends on the schedule may fail
        if not needed(request, status) <= port.capabilities:
            return _Tried(asked=False)
        came_up = () if expected is None else tuple(self.situations(request, expected))
        return _Tried(self._failure(port, request, expected), situations=came_up)

    def _failure(self, port: Port, request: Request, expected: Mapping[str, Any] | None) -> _Failure | None:
        try:
            answer = port.run(request)
        except PortFailure as failure:
            if failure.fault == "given-up":
                raise
            # A run that does not end is one that has no status.
            return _Failure(failure.fault, request, expected, str(failure), ("R3",))
        if answer["type"] != "result":
            said = answer["reason"] if answer["type"] == "skipped" else answer["message"]
            message = f"it answered {answer['type']} instead of a result: {said}"
            return _Failure(answer["type"], request, expected, message, ("R3",))
        if expected is not None:
            compared = {field: expected[field] for field in _COMPARED[self.level] if field in expected}
            found = difference(compared, answer)
            if found is not None:
                return _Failure(found.field, request, compared, str(found), found.rules)
        if self.level == 1:
            wrong = self.judge_trace(request, answer)
            if wrong:
                message = "the trace could not have happened:\n" + "\n".join(f"  {each}" for each in wrong)
                return _Failure("trace", request, None, message, ("E1",))
        return None


@attrs.define(eq=False)
class Campaign:
    """Random requests of one level to a port. `run` it once.

    `requests` gives them by number; they need no level, type, or id. Those that need what the port does not claim are
    not asked. What fails is made smaller as long as it is `valid`. `progress` is called with the number of examples so
    far, and of the kinds of failures. `checker` asks the requests, of this port or of others like it; what fails is
    made smaller with this one.
    """

    port: Port
    requests: Source
    judge: Judge
    judge_trace: TraceJudge = nothing_wrong
    level: int = attrs.field(default=0, kw_only=True)
    what: str = attrs.field(default="", kw_only=True)
    """What the requests are, if not those of the level."""
    seed: int = attrs.field(default=0, kw_only=True)
    examples: int = attrs.field(default=100, kw_only=True)
    valid: Callable[[Request], bool] = attrs.field(default=lambda _request: True, kw_only=True)
    progress: Callable[[int, int], None] = attrs.field(default=lambda _done, _failed: None, kw_only=True)
    checker: Checker = attrs.field(default=attrs.Factory(lambda self: Alone(self.port), takes_self=True), kw_only=True)
    situations: Situations = attrs.field(default=nothing_special, kw_only=True)
    floors: Mapping[str, int] = attrs.field(factory=dict[str, int], kw_only=True)
    """In how many of a thousand requests each situation has to come up at least."""
    came_up: Counter[str] = attrs.field(factory=Counter[str], init=False)
    ran: int = attrs.field(default=0, init=False)
    _failures: dict[str, _Failure] = attrs.field(factory=dict[str, _Failure], init=False)
    _flaky: set[str] = attrs.field(factory=set[str], init=False)
    _started: float = attrs.field(factory=time.perf_counter, init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _left_out: bool = attrs.field(default=False, init=False)

    def run(self) -> None:
        """Ask all examples. `findings` tells what came of it, also if this is interrupted.

        Raises `PortFailure` of the kind `given-up` if the port is not started again, and what the judge raises.
        """
        drawn = 0
        while self.ran < self.examples and drawn < self.examples * _TRIES:
            # As many as are still needed, if all can be asked: none is asked in vain, however many ask.
            numbers = range(drawn, min(drawn + self.examples - self.ran, self.examples * _TRIES))
            drawn = numbers.stop
            for tried in self.checker.each(self._trial, numbers):
                if not tried.asked:
                    self._left_out = True
                    continue
                failure = tried.failure
                self.ran += 1
                self.came_up.update(tried.situations)
                self.progress(self.ran, len(self._failures))
                if failure is not None and failure.kind not in self._failures:
                    self._failures[failure.kind] = failure
                    self._shrink(failure)
        self._ended = True

    def findings(self) -> Iterator[Finding]:
        """A finding for each kind of failure; if there is none and all examples were asked, that they passed."""
        seconds = time.perf_counter() - self._started
        name = f"campaign {self.what or f'L{self.level}'}"
        for kind, failure in self._failures.items():
            vector = self._as_vector(kind, failure)
            shown = json.dumps(failure.request, ensure_ascii=False)
            varies = "\nIt did not fail in the same way each time." if kind in self._flaky else ""
            message = f"{failure.message}{varies}\nIt came of the request {shown}"
            yield Finding(f"{name}: {kind}", failure.rules, self.level, "failed", message, seconds, vector)
        if not self._ended:
            return
        if self.ran >= _ENOUGH and not self._left_out:
            yield from self._rare(name, seconds)
        if self._failures:
            return
        if self.ran:
            yield Finding(name, (), self.level, "passed", f"{self.ran:,} examples, seed {self.seed}", seconds)
        else:
            why = "all random requests needed more than the port claims"
            yield Finding(name, (), self.level, "skipped", why, seconds)

    def _rare(self, name: str, seconds: float) -> Iterator[Finding]:
        """For each situation with a floor that it came up often enough, or did not."""
        for situation, floor in self.floors.items():
            least = floor * self.ran // 1000
            outcome: Outcome = "passed" if self.came_up[situation] >= least else "failed"
            message = f"it came up {self.came_up[situation]:,} times, and should {least:,} times at least"
            yield Finding(f"{name}, situation: {situation}", (), self.level, outcome, message, seconds)

    @property
    def _trial(self) -> _Trial:
        return _Trial(self.requests, self.judge, self.judge_trace, self.situations, self.level, self.seed)

    def _shrink(self, found: _Failure) -> None:
        """Replace a failure by the smallest of its kind that comes each time."""
        trial = self._trial

        def fails(request: dict[str, Any]) -> bool:
            failure = trial.of(self.port, request).failure if self.valid(request) else None
            if failure is None or failure.kind != found.kind:
                return False
            self._failures[found.kind] = failure
            return True

        if fails(dict(found.request)):
            shrunk(found.request, fails)
        else:
            self._flaky.add(found.kind)

    def _as_vector(self, kind: str, failure: _Failure) -> Mapping[str, Any] | None:
        """The failure as a vector; None if there is no answer that must come."""
        if failure.expected is None:
            return None
        request = {key: value for key, value in failure.request.items() if key not in ("type", "id") and value}
        mark = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:8]
        return {
            "name": f"campaign {kind} {mark}",
            "rules": [*failure.rules],
            "doc": failure.message.partition("\n")[0],
            **request,
            "expect": {name: failure.expected[name] for name in _COMPARED[self.level] if name in failure.expected},
        }
