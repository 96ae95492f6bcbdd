"""All that a port is checked with, one part after the other; what was found is there even if it is interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

import attrs

from trioflow.conformance.campaign import (
    Campaign,
    Judge,
    Request,
    Situations,
    Source,
    TraceJudge,
    nothing_special,
    nothing_wrong,
)
from trioflow.conformance.capabilities import WORKFLOW
from trioflow.conformance.findings import Finding
from trioflow.conformance.models import suite as models
from trioflow.conformance.port import Port, PortFailure
from trioflow.conformance.vectors import CONTROLLED, MOST_SCHEDULES, Vector, check_vector
from trioflow.conformance.workers import Alone, Checker, WorkerDied


class Progress(Protocol):
    """Somebody who wants to know how far the checks are."""

    def show(self, what: str, done: int, total: int, failed: int) -> None:
        """So many of so many are done, and so many failures have been found."""
        ...


@attrs.frozen
class Random:
    """What random campaigns need: where requests come from, and who knows what must come of them.

    `requests` gives the requests for a level that need no other capabilities than some.
    """

    requests: Callable[[int, frozenset[str]], Source]
    judge: Judge
    judge_trace: TraceJudge
    valid: Callable[[Request], bool]
    seed: int
    examples: int
    workflows: Callable[[int, int], Request] | None = None
    """Random workflows, by number and seed, for ports that know them."""
    judge_workflow: Judge = attrs.field(default=lambda _request: None)
    situations: Situations = nothing_special
    """What has come up in a workflow."""
    floors: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """In how many of a thousand workflows each situation has to come up at least."""


@attrs.define(eq=False)
class Suite:
    """Checks a port: all vectors up to a level, the models, random campaigns, and what else is given.

    `checker` asks the checks, of this port or of others like it. `findings` grows while it runs, and is the same
    whoever asks.
    """

    port: Port
    vectors: Sequence[Vector]
    random: Random | None
    level: int
    progress: Progress
    models: bool = False
    further: Callable[[Progress, Checker], Iterable[Finding]] = lambda _progress, _checker: ()
    most_schedules: int = MOST_SCHEDULES
    checker: Checker = attrs.field(default=attrs.Factory(lambda self: Alone(self.port), takes_self=True))
    findings: list[Finding] = attrs.field(factory=list[Finding], init=False)

    @property
    def failed(self) -> int:
        """How many checks have failed so far."""
        return sum(finding.outcome == "failed" for finding in self.findings)

    def run(self) -> None:
        """Run all checks and close the port. A port that is given up ends them, or a process that died."""
        try:
            self._check_vectors()
            if self.models and min(self.level, self.port.level) >= models.LEVEL:
                for finding in models.check_models(self.port, self._show):
                    self.findings.append(finding)
            if self.random is not None and self.random.examples:
                for level, examples in _shares(min(self.level, self.port.level), self.random.examples):
                    self._campaign(self.random, level, examples)
                if self.random.workflows is not None and WORKFLOW in self.port.capabilities:
                    share = max(1, self.random.examples // 5)
                    self._campaign(self.random, min(self.level, self.port.level), share, workflows=True)
            for finding in self.further(self.progress, self.checker):
                self.findings.append(finding)
        except PortFailure as failure:
            name = "port: restarts" if failure.fault == "given-up" else "port: start"
            self.findings.append(Finding(name, (), 0, "failed", str(failure)))
        except WorkerDied as error:
            self.findings.append(Finding("kit: processes", (), 0, "failed", str(error)))
        self._close()

    def _show(self, what: str, done: int, total: int) -> None:
        self.progress.show(what, done, total, self.failed)

    def _check_vectors(self) -> None:
        what, total = "", len(self.vectors)

        def show(runs: int) -> None:
            self._show(f"{what} ({runs:,} schedules)" if vector.explore else what, done, total)

        check = partial(check_vector, most_schedules=self.most_schedules)
        if isinstance(self.checker, Alone):  # others are not heard of before they are done
            check = partial(check, progress=show)
        found = self.checker.each(check, self.vectors)
        for done, vector in enumerate(self.vectors):
            what = f"vectors: {vector.name}"
            self._show(what, done, total)
            self.findings.append(next(found))

    def _campaign(self, random: Random, level: int, examples: int, *, workflows: bool = False) -> None:
        before = self.failed
        what = "workflows" if workflows else f"L{level}"
        requests: Source = random.requests(level, self.port.capabilities)
        if workflows and random.workflows is not None:
            requests = random.workflows

        def show(done: int, failed: int) -> None:
            # Shrinking goes on beyond the number of examples.
            self.progress.show(f"campaign {what}", min(done, examples), examples, before + failed)

        campaign = Campaign(
            self.port,
            requests,
            random.judge_workflow if workflows else random.judge,
            nothing_wrong if workflows else random.judge_trace,
            level=level,
            what=what,
            seed=random.seed,
            examples=examples,
            valid=random.valid,
            progress=show,
            checker=self.checker,
            situations=random.situations if workflows else nothing_special,
            floors=random.floors if workflows else {},
        )
        try:
            campaign.run()
        finally:
            self.findings.extend(campaign.findings())

    def _close(self) -> None:
        started = time.perf_counter()
        try:
            self.port.close()
        except PortFailure as failure:
            finding = Finding("port: stop", (), 0, "failed", str(failure), time.perf_counter() - started)
            self.findings.append(finding)


def _shares(level: int, examples: int) -> list[tuple[int, int]]:
    """The levels of the campaigns with their shares: most for the highest, the rest for schedules of the port's own."""
    if level < CONTROLLED:
        return [(level, examples)]
    own = max(1, examples // 5)
    return [(1, own), (level, max(1, examples - own))]
