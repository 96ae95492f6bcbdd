"""A variable that a data node reads is not part of what its evaluation depends on."""

RULE = "D8"
EDITS = [
    ("EvaluationContext.get_variable", "self.pulled.append((slot, cell))", ""),
]
