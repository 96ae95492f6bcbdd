"""What does a data node cost, evaluated and re-used?"""

from benchmarks.lib.question import Question, Workload

QUESTION = Question(
    "data",
    "What does a data node cost, when it is evaluated and when it is not?",
    (
        Workload("data_chain", "a chain of N data nodes, demanded at its end", "node"),
        Workload("data_diamonds", "N/3 diamonds on top of each other: each node is used twice", "node"),
        Workload("data_layers", "N nodes in layers of 10, each using two of the layer below", "node"),
        Workload("data_reuse", "one value that has not changed, demanded N times", "demand"),
        Workload(
            "data_change", "a tree above N leaves, demanded again after one leaf has changed; per change", "", limit=30
        ),
    ),
)
