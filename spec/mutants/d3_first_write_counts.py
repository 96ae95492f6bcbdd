"""Of several values that a data node's body writes to one output, the first one counts."""

RULE = "D3"
EDITS = [
    (
        "EvaluationContext.set_output",
        "self.outputs[place] = written",
        "self.outputs[place] = written if self.outputs[place] is UNSET else self.outputs[place]",
    ),
]
