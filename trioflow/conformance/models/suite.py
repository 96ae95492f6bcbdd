"""The models as checks of an engine: every move of every state, as a controlled schedule that it must follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trioflow.conformance.findings import Finding
from trioflow.conformance.models.explorer import explore
from trioflow.conformance.models.gate import GateProtocol
from trioflow.conformance.models.replay import Scripted, difference_on
from trioflow.conformance.models.shared_evaluation import SharedEvaluation
from trioflow.conformance.models.shutdown import Shutdown
from trioflow.conformance.port import Port, PortFailure

_MODELS: Mapping[str, tuple[tuple[str, ...], Callable[[], Scripted[Any]]]] = {
    "evaluations that are shared": (("D5", "D4"), lambda: SharedEvaluation(3)),
    "evaluations that fail": (("D5",), lambda: SharedEvaluation(2, ("fails",))),
    "the gate": (("G2", "G3"), lambda: GateProtocol(2, cancellable=1, most_permits=1)),
    "items that end": (("F2", "F5", "R5"), lambda: Shutdown(("emit", "emit", "join", "emit")).settled()),
    "items that fail": (("F2", "R5"), lambda: Shutdown(("emit failing", "emit failing", "sleep", "emit")).settled()),
}

LEVEL = 3
"""What a port must claim to be asked: the host acts in most of the models."""


def check_models(port: Port, show: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """A finding for each model: explored in all its states, and replayed on the port.

    `show` is told what goes on, and how many of how many paths are done. Raises `PortFailure` if the port is given up.
    """
    for name, (rules, make) in _MODELS.items():
        started = time.perf_counter()
        model = make()
        found = explore(model)
        paths = [*found.covering_paths()]
        fault = ""
        for done, path in enumerate(paths):
            show(f"model: {name}", done, len(paths))
            try:
                fault = difference_on(model, path, port.run) or ""
            except PortFailure as failure:
                if failure.fault == "given-up":
                    raise
                fault = str(failure)
            if fault:
                break
        message = fault or f"{found.states:,} states, {found.moves:,} moves, {len(paths):,} paths"
        outcome = "failed" if fault else "passed"
        yield Finding(f"model: {name}", rules, LEVEL, outcome, message, time.perf_counter() - started)  # type: ignore[arg-type]
