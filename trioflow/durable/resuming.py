"""`resume_run`: resume a run of a journal by its name alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import trio

from trioflow.durable.running import Resuming, open_run
from trioflow.errors import JournalError
from trioflow.model.document import loads
from trioflow.runtime.host.given import RunArguments, given

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.model.graph import Graph
    from trioflow.model.registry import Registry
    from trioflow.runtime.base.options import RunOptions
    from trioflow.runtime.base.watch import Observer
    from trioflow.runtime.host.run import Run
    from trioflow.runtime.wrapping.middleware import Middleware
    from trioflow.semantics.plan import Plan


def resume_run(
    journal: Journal,
    run_id: str,
    graph: Graph | Plan | None = None,
    *,
    on_change: Literal["refuse", "compatible"] = "refuse",
    retry: bool = False,
    skip: Sequence[tuple[int, ...]] = (),
    observe_replay: bool = False,
    suspend_after: float | None = None,
    by: str | None = None,
    registry: Registry | None = None,
    services: Mapping[type | str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
    observers: Sequence[Observer] = (),
    middleware: Sequence[Middleware] = (),
) -> AbstractAsyncContextManager[Run]:
    """Go on with a run of this name, in the background of an `async with` block, as `open_run` does.

    The graph is the one that is in the journal, unless one is given; `on_change="compatible"` lets it differ from that,
    as long as it does what the journal says (J13). `retry`: a run that has failed, or is stuck, is resumed where
    it failed, and the activations at the paths of `skip` count as skipped (J18). `observe_replay`: observers are told
    of what is replayed, too (J17). `by`: who resumes it, for those who look later (J28). `suspend_after` and the
    other `RunArguments` are as for `open_run`; variables and the seed are those of the run.

    Raises where the block is entered: `RunNotFound`, `RunOwned`, `RunStuck`, `GraphChanged`, `JournalUnusable`, and
    `JournalError` for a run whose graph no document could hold if none is given.
    """
    resuming = Resuming(
        on_change=on_change, retry=retry, skip=skip, observe_replay=observe_replay, suspend_after=suspend_after, by=by
    )
    arguments = RunArguments(
        registry=registry,
        services=services,
        secrets=secrets,
        options=options,
        observers=observers,
        middleware=middleware,
        journal=journal,
        run_id=run_id,
    )
    return _Resume(journal, run_id, graph, resuming, arguments)


class _Resume:
    __slots__ = ("_arguments", "_graph", "_journal", "_opened", "_resuming", "_run_id")

    _opened: AbstractAsyncContextManager[Run]

    def __init__(
        self, journal: Journal, run_id: str, graph: Graph | Plan | None, resuming: Resuming, arguments: RunArguments
    ) -> None:
        self._journal = journal
        self._run_id = run_id
        self._graph = graph
        self._resuming = resuming
        self._arguments = arguments

    async def __aenter__(self) -> Run:
        journal = self._journal
        graph = self._graph
        info = await trio.to_thread.run_sync(journal.show, self._run_id)
        if graph is None:
            if not info.new.document:
                raise JournalError(
                    f"The graph of run {self._run_id!r} can't be written as a document, so it is not in the journal. "
                    "Give it: resume_run(journal, run_id, graph)."
                )
            graph = loads(info.new.document)
        plan, made = given(graph, self._arguments)
        self._opened = open_run(journal, plan, made, self._resuming)
        return await self._opened.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)
