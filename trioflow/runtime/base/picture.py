"""Pictures of runs: drawings stand above the runtime, and are imported by name when one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trioflow.semantics.plan import Plan
    from trioflow.semantics.tracking import RunReport


def picture(plan: Plan, report: RunReport, format: str, *, fold: bool) -> str:
    """The graph of a plan with what its nodes have done. Raises `ValueError` for a format that there is not."""
    drawn: str = importlib.import_module("trioflow.formats.drawing").draw(
        plan.graph, plan.registry, format, fold=fold, report=report
    )
    return drawn
