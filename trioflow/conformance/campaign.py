"""A campaign: random requests, answered by a port and by a judge who knows what must come; what differs is shrunk.

Hypothesis draws and shrinks. The kind of a failure decides what it is shrunk to: an example that fails in another way
does not replace it. Campaigns of the same seed ask the same requests of the same port.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from trioflow.conformance.capabilities import needed
from trioflow.conformance.comparison import OUTCOME, difference
from trioflow.conformance.findings import Finding
from trioflow.conformance.port import Port, PortFailure

Request = Mapping[str, Any]
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


def _nothing_wrong(_request: Request, _answer: Mapping[str, Any]) -> Sequence[str]:
    return ()


@attrs.frozen
class _Failure:
    """One way in which the port failed, with the smallest request so far."""

    request: Request
    expected: Mapping[str, Any] | None
    message: str
    rules: tuple[str, ...]


class _Differs(Exception):
    """An example failed. Each kind of failure has a class of its own, so that Hypothesis keeps them apart."""


class _GivenUp(BaseException):
    """The port is not started again. Not an Exception: that Hypothesis would take for a failure of the example."""

    def __init__(self, failure: PortFailure) -> None:
        super().__init__(failure)
        self.failure = failure


@attrs.define(eq=False)
class Campaign:
    """Random requests of one level to a port. `run` it once.

    `requests` is where they are drawn from; they need no level, type, or id. Those that need what the port does not
    claim are not asked. `progress` is called with the number of examples so far, and of the kinds of failures.
    """

    port: Port
    requests: SearchStrategy[Request]
    judge: Judge
    judge_trace: TraceJudge = _nothing_wrong
    level: int = attrs.field(default=0, kw_only=True)
    seed: int = attrs.field(default=0, kw_only=True)
    examples: int = attrs.field(default=100, kw_only=True)
    progress: Callable[[int, int], None] = attrs.field(default=lambda _done, _failed: None, kw_only=True)
    ran: int = attrs.field(default=0, init=False)
    _failures: dict[str, _Failure] = attrs.field(factory=dict[str, _Failure], init=False)
    _kinds: dict[str, type[_Differs]] = attrs.field(factory=dict[str, type[_Differs]], init=False)
    _flaky: bool = attrs.field(default=False, init=False)
    _started: float = attrs.field(factory=time.perf_counter, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    def run(self) -> None:
        """Ask all examples. `findings` tells what came of it, also if this is interrupted.

        Raises `PortFailure` of the kind `given-up` if the port is not started again, and what the judge raises.
        """
        settings = hypothesis.settings(
            max_examples=self.examples,
            phases=[Phase.generate, Phase.shrink],
            deadline=None,
            database=None,
            verbosity=Verbosity.quiet,
            print_blob=False,
            suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
        )

        @hypothesis.seed(self.seed)
        @settings
        @hypothesis.given(self.requests)
        def attempt(request: Request) -> None:
            self._attempt({**request, "level": self.level})

        try:
            attempt()
        except Flaky:
            self._flaky = True
        except Unsatisfiable:
            pass  # every request needed more than the port claims
        except _Differs:
            pass
        except ExceptionGroup as group:
            _, others = group.split(_Differs)
            if others is not None:
                raise (others.exceptions[0] if len(others.exceptions) == 1 else others) from None
        except _GivenUp as error:
            raise error.failure from None
        self._ended = True

    def findings(self) -> Iterator[Finding]:
        """A finding for each kind of failure; if there is none and all examples were asked, that they passed."""
        seconds = time.perf_counter() - self._started
        name = f"campaign L{self.level}"
        for kind, failure in self._failures.items():
            vector = self._as_vector(kind, failure)
            shown = json.dumps(failure.request, ensure_ascii=False)
            varies = "\nIt did not fail in the same way each time." if self._flaky else ""
            message = f"{failure.message}{varies}\nIt came of the request {shown}"
            yield Finding(f"{name}: {kind}", failure.rules, self.level, "failed", message, seconds, vector)
        if not self._ended or self._failures:
            return
        if self.ran:
            yield Finding(name, (), self.level, "passed", f"{self.ran:,} examples, seed {self.seed}", seconds)
        else:
            why = "all random requests needed more than the port claims"
            yield Finding(name, (), self.level, "skipped", why, seconds)

    def _attempt(self, request: Request) -> None:
        expected = self.judge(request)
        status = "completed" if expected is None else expected["status"]
        if not needed(request, status) <= self.port.capabilities:
            hypothesis.reject()
        self.ran += 1
        self.progress(self.ran, len(self._failures))
        try:
            answer = self.port.run(request)
        except PortFailure as failure:
            if failure.fault == "given-up":
                raise _GivenUp(failure) from None
            # A run that does not end is one that has no status.
            self._fail(failure.fault, _Failure(request, expected, str(failure), ("R3",)))
        else:
            self._compare(request, expected, answer)

    def _compare(self, request: Request, expected: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> None:
        if answer["type"] != "result":
            said = answer["reason"] if answer["type"] == "skipped" else answer["message"]
            message = f"it answered {answer['type']} instead of a result: {said}"
            self._fail(answer["type"], _Failure(request, expected, message, ("R3",)))
        if expected is not None:
            compared = {field: expected[field] for field in _COMPARED[self.level]}
            found = difference(compared, answer)
            if found is not None:
                self._fail(found.field, _Failure(request, compared, str(found), found.rules))
        if self.level == 1:
            wrong = self.judge_trace(request, answer)
            if wrong:
                message = "the trace could not have happened:\n" + "\n".join(f"  {each}" for each in wrong)
                self._fail("trace", _Failure(request, None, message, ("E1",)))

    def _fail(self, kind: str, failure: _Failure) -> None:
        self._failures[kind] = failure  # the last one is the smallest: Hypothesis ends with it
        raise self._kinds.setdefault(kind, type("_Differs", (_Differs,), {}))(failure.message)

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
            "expect": {field: failure.expected[field] for field in _COMPARED[self.level]},
        }
