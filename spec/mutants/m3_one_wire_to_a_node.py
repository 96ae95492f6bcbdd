"""Of several wires from one exec output to the same node, only the first counts."""

RULE = "M3"
EDITS = [
    (
        "_Planner._wire",
        "targets.setdefault((source.index, exec_output), []).append(led)",
        (
            "found = targets.setdefault((source.index, exec_output), [])\n"
            "            if all(each.node is not target for each in found):\n"
            "                found.append(led)"
        ),
    ),
]
