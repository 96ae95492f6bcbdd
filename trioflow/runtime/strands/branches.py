"""Branches: concurrent strands that a body starts one by one (F2, F5)."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from trioflow.model.context import Branches, Fork
from trioflow.runtime.base.records import Activation, Strand
from trioflow.runtime.base.writes import write_outputs
from trioflow.runtime.strands.forks import ForkSet, OpenForks, StrandFork


class BranchesBlock:
    """The block of `ctx.branches()`."""

    __slots__ = ("_activation", "_block")

    def __init__(self, activation: Activation, strand: Strand) -> None:
        self._activation = activation
        self._block = OpenForks(activation, strand, activation.plan.id)

    async def __aenter__(self) -> Branches:
        try:
            forks = await self._block.__aenter__()
        except BaseException:
            self._activation.come_back()  # D6
            raise
        return ForkedBranches(self._activation, forks)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._block.__aexit__(kind, error, traceback)
        finally:
            self._activation.come_back()  # D6


class ForkedBranches(Branches):
    """The branches of one block."""

    __slots__ = ("_activation", "_forks", "_started")

    def __init__(self, activation: Activation, forks: ForkSet) -> None:
        self._activation = activation
        self._forks = forks
        self._started: list[StrandFork] = []

    def start(self, socket: Any, values: Mapping[Any, object] | None = None) -> Fork:
        activation = self._activation
        targets = activation.targets_of(socket)
        self._must_be_open("start")
        write_outputs(activation, values)
        fork = self._forks.start(targets, cancellable=True)
        self._started.append(fork)
        return fork

    async def wait_first(self) -> Fork:
        self._must_be_open("wait_first")
        if not self._started:
            raise RuntimeError("No branch was started, so none can be the first. Call start() before wait_first().")
        await self._forks.wait_until(lambda: any(fork.done for fork in self._started))
        return next(fork for fork in self._started if fork.done)

    def cancel(self) -> None:
        self._must_be_open("cancel")
        for fork in self._started:
            if not fork.done:
                fork.cancel()

    def _must_be_open(self, verb: str) -> None:
        self._activation.strand  # noqa: B018 - raises if the activation has closed
        if self._forks.closed:
            raise self._forks.has_ended(f"branches.{verb}()")
