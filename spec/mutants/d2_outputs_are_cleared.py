"""The outputs of an exec node are unset again when its next activation starts."""

from trioflow.runtime.activation import Activation

RULE = "D2"
EDITS = [
    (
        Activation.__init__,
        "self.plan: PlanNode = target.node",
        (
            "self.plan: PlanNode = target.node\n"
            "    for place in range(len(target.node.type.outputs)):\n"
            "        strand.store.cells[target.node.first_output + place] = None\n"
            "    strand.store.revision = object()"
        ),
    ),
]
