"""A body that triggers again without giving values dispatches nothing, since nothing seems to have changed."""

RULE = "T3"
EDITS = [
    ("BodyContext.trigger", "if not targets:  # T4", "if not targets or (self.count and not values):"),
]
