"""What every store refuses, in the same words."""

from __future__ import annotations

from collections.abc import Iterable

from trioflow.durable.records import RunInfo
from trioflow.errors import JournalError, RunNotFound, RunOwned, did_you_mean


def may_be_pruned(info: RunInfo) -> None:
    """Raises `JournalError` for a run that has not ended, `RunOwned` for one that somebody has."""
    if info.owner is not None:
        raise RunOwned(f"Run {info.id!r} is being run by {info.owner}. Wait until it has ended.")
    if info.status not in {"completed", "failed", "pruned"}:
        raise JournalError(f"Run {info.id!r} is {info.status}, and only runs that have ended are pruned.")


def unknown(run_id: str, known: Iterable[str]) -> RunNotFound:
    """The error that there is no such run."""
    told = did_you_mean(run_id, known) or " `trioflow runs list` shows those that there are."
    return RunNotFound(f"There is no run {run_id!r} in this journal.{told}")


def lost(run_id: str) -> RunOwned:
    """The error of a session whose run another process has taken."""
    return RunOwned(
        f"Run {run_id!r} was taken over by another process, because its lease had not been renewed in time. Nothing "
        "more was written here; the other process goes on with it."
    )


def may_be_signalled(info: RunInfo) -> None:
    """Raises `JournalError` for a run that has ended: nobody would take the signal."""
    if info.status in {"completed", "failed", "pruned"}:
        raise JournalError(f"Run {info.id!r} is {info.status}: it takes no signals any more. Nothing was sent.")


def used(run_id: str) -> JournalError:
    """The error that a name can't be given to another run (J18)."""
    return JournalError(
        f"The name {run_id!r} was used already, and names are never used again. Give the run another one."
    )


def owned(run_id: str, owner: str) -> RunOwned:
    """The error that another process has the run."""
    return RunOwned(
        f"Run {run_id!r} is being run by {owner}. Only one process at a time has a run: wait until that one has ended "
        "it, "
        "or end that process."
    )
