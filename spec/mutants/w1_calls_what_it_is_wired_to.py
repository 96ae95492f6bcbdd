"""A graph that says that it is a workflow is not run as one."""

RULE = "W1"
EDITS = [
    ("_Planner.plan", "if net is not None:  # W1", "if net is not None and not graph.connections:"),
]
