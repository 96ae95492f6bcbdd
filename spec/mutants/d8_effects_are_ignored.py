"""What a data node must not do is passed over in silence, instead of failing."""

RULE = "D8"
EDITS = [
    ("EvaluationContext.__getattr__", "if name in {", ('if name == "trigger":\n        return None\n    if name in {')),
]
