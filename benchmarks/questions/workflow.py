"""What does a node cost that runs when what it depends on is there, several at once, joined where they meet?

By hand, a node is a task that waits for the events of those before it.
"""

from __future__ import annotations

from benchmarks.lib.question import Question, Workload

QUESTION = Question(
    "workflow",
    "What does one node of a workflow cost, where control forks and joins?",
    (
        Workload("workflow_chain", "a chain of N nodes, each after the one before", "node", limit=30),
        Workload("workflow_layers", "N nodes in layers of 10, each after two of the layer before", "node", limit=30),
        Workload("workflow_fan", "N nodes at once, after one, and one after all of them", "node", limit=30),
        Workload("workflow_fan_waiting", "the same, and each of the N gives up its turn once", "node", limit=30),
        Workload("workflow_loop", "a node that N times is followed by itself", "round", limit=30),
        Workload("workflow_rounds", "N rounds: two nodes at once add to a sum, and one follows", "round", limit=30),
    ),
)
