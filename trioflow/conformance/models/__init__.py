"""Closed models of the three hard protocols, explored in every state they can reach, and replayed on an engine.

`explorer` is a small explicit-state checker for any model. `SharedEvaluation` (D5), `GateProtocol` (G2, G3) and
`Shutdown` (F2, F5, R5) are models of scripted graphs: what a strand, or the host, may do next is named by the label or
the action of spec/INTERPRETING.md, so `replay` can make a request of each path, and any engine can be asked whether it
goes the same way.
"""

from trioflow.conformance.models.explorer import CounterExample, Exploration, Model, explore
from trioflow.conformance.models.gate import GateProtocol
from trioflow.conformance.models.replay import Scripted, difference_on, request_of
from trioflow.conformance.models.shared_evaluation import SharedEvaluation
from trioflow.conformance.models.shutdown import Shutdown

__all__ = [
    "CounterExample",
    "Exploration",
    "GateProtocol",
    "Model",
    "Scripted",
    "SharedEvaluation",
    "Shutdown",
    "difference_on",
    "explore",
    "request_of",
]
