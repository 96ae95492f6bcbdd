"""What is paid before the first step?"""

from benchmarks.lib.question import Question, Workload

QUESTION = Question(
    "start",
    "What is paid before the first step?",
    (
        Workload("import", "importing the package, in a new process", "", (1,)),
        Workload("build", "building a graph of N nodes", "node"),
        Workload("plan", "validating and planning (compiling) a graph of N nodes", "node"),
        Workload("load", "loading a document of N nodes", "node"),
        Workload("first_step", "from a planned graph of N nodes to the end of a run of its first step", ""),
    ),
)
