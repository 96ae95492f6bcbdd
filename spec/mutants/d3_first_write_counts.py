"""Of several values that a data node's body writes to one output, the first one counts."""

RULE = "D3"
EDITS = [
    (
        "EvaluationContext.set_output",
        "self.outputs[output_place(self._frame.node, socket)] = value",
        (
            "place = output_place(self._frame.node, socket)\n"
            "    if self.outputs[place] is UNSET:\n"
            "        self.outputs[place] = value"
        ),
    ),
]
