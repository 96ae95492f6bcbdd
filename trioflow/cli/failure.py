"""Failures of a run for people: node, type, activation, and what caused it, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import trio

import trioflow as tf
from trioflow.formats import visible
from trioflow.runtime.base.failure import leaves, origin_inputs, origin_node

_MOST_FAILURES = 10
_MOST_CAUSES = 5
_OPTIONS = {"RunOptions(max_steps=...)": "--max-steps", "RunOptions(timeout=...)": "--timeout"}
"""What a program gives to raise a limit, and what is given here."""


@attrs.frozen
class Failure:
    """What a run failed with."""

    error: BaseException

    @property
    def is_bad_input(self) -> bool:
        """Whether the graph, or what was given to it, is at fault, rather than what happened while it ran."""
        at_run_time = (tf.MissingInput, tf.CoercionError, tf.MergeError)
        return isinstance(self.error, tf.GraphError) and not isinstance(self.error, at_run_time)

    @property
    def is_put_away(self) -> bool:
        """Whether it is no failure: the run waits, and needs no process until it is woken."""
        return isinstance(self.error, tf.RunSuspended)

    @property
    def is_of_journal(self) -> bool:
        """Whether the run can't be kept, or resumed; a value that no journal can hold is a failure of its node."""
        return isinstance(self.error, tf.JournalError) and not isinstance(self.error, tf.Unrecordable)

    def lines(self) -> Iterator[str]:
        """A line for each failure, with lines for its causes below. What is bad input tells by itself where it is."""
        if self.is_bad_input:
            yield from (f"error: {visible(line)}" for line in str(self.error).splitlines())
            return
        # What was cancelled because of a failure is none.
        found = [error for error in leaves(self.error) if not isinstance(error, trio.Cancelled)]
        for error in found[:_MOST_FAILURES]:
            origin = origin_node(error)
            if origin is not None:
                node, type_id, path = origin
                where = f"node {node!r} ({type_id}), activation {path.short}: "
            else:
                where = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
            yield visible(f"error: {where}{say(error)}")
            if origin_inputs(error):
                yield visible(f"  with {origin_inputs(error)}")
            for cause in _causes(error):
                yield visible(f"  because of {say(cause)}")
        if len(found) > _MOST_FAILURES:
            yield f"and {len(found) - _MOST_FAILURES:,} more failures; --traceback shows all"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        origin = origin_node(self.error)
        return {
            "type": type(self.error).__name__,
            "message": str(self.error),
            "node": origin[0] if origin is not None else None,
            "path": origin[2].as_tuple() if origin is not None else None,
        }


def say(error: BaseException) -> str:
    """An exception on a line."""
    text = str(error)
    if isinstance(error, tf.LimitExceeded):
        for argument, option in _OPTIONS.items():
            text = text.replace(argument, option)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(_MOST_CAUSES):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or isinstance(cause, trio.Cancelled):
            return
        yield cause
        error = cause
