"""With which values a node has failed, for people: those that it was given, shortened, and never a secret (A10).

Nothing is evaluated for it, and nothing is told: an input whose source has not been computed is left out.
"""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, cast

from trioflow.model.secret import hide
from trioflow.runtime.base.cells import NOTHING
from trioflow.runtime.base.inputs import constant
from trioflow.runtime.base.records import Asking
from trioflow.semantics.memo import Evaluation
from trioflow.semantics.plan import NODE, PORT, SLOT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import LEFT_UNSET, Cell

_MOST = 6
_SHOWN = (type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset, datetime.date,
          datetime.timedelta, PurePath)  # fmt: skip


class _Shortening(reprlib.Repr):
    """Values of Python's own types in few characters; of others the type alone: who knows what showing them does."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 4
        self.maxlevel = 3

    def repr1(self, x: Any, level: int) -> str:
        if not isinstance(x, _SHOWN):
            return f"<{type(x).__name__}>"
        if isinstance(x, bytes):
            # Cut first: to show all of it would take a while.
            return repr(x[:40]) + ("..." if len(x) > 40 else "")
        if type(x) is int and x.bit_length() > 200:
            return f"<int of {x.bit_length()} bits>"
        return super().repr1(x, level)


_shorten = _Shortening().repr


def with_inputs(asking: Asking, node: PlanNode) -> str:
    """The inputs that the graph gives the node, as `n = 3, items = [1, 2, ...]`; empty if it gives none."""
    shown = [*_shown(asking, node)]
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    return hide(", ".join(shown[:_MOST]) + more)


def _shown(asking: Asking, node: PlanNode) -> Iterator[str]:
    for planned in node.inputs:
        name = planned.socket.name
        if planned.socket.secret or (planned.connection is None and name not in node.graph_node.inputs):
            continue
        try:
            cell = _known(asking, planned)
            if cell is not None and cell is not NOTHING:
                yield f"{name} = {_shorten(cell.value)}"
        except Exception:  # noqa: S112 - what can't be shown is no reason to fail in another way
            continue


def _known(asking: Asking, planned: PlanInput) -> Cell | None:
    """The value that the input has had, as far as it is known without asking anybody."""
    store = asking.strand.store
    cells = store.cells
    if planned.source is SLOT:
        return cast("Cell", cells[planned.slot] or constant(store, planned))
    if planned.source is STATIC:
        cell = cells[planned.slot]
        return constant(store, planned) if cell is LEFT_UNSET else cell
    if planned.source is NODE:
        evaluation: Evaluation | None = cells[planned.slot]
        return None if evaluation is None else evaluation.outputs[planned.output] or constant(store, planned)
    if planned.source is PORT:
        caller = asking.strand.caller
        return None if caller is None else caller.cells.get(planned.output)
    return constant(store, planned)
