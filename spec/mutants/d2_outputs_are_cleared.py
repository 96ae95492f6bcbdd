"""The outputs of an exec node are unset again when its next activation starts."""

RULE = "D2"
EDITS = [
    (
        "dispatch",
        "activation.plan = node\n",
        (
            "activation.plan = node\n"
            "            for output in range(len(node.type.outputs)):\n"
            "                strand.store.cells[node.first_output + output] = None\n"
            "            strand.store.revision = object()\n"
        ),
    ),
]
