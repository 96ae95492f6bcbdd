"""A graph that says that it is a workflow is not run as one."""

RULE = "W1"
EDITS = [
    ("_Planner.plan", 'if graph.kind == "workflow":  # W1', 'if graph.kind == "workflow" and not graph.connections:'),
]
