"""A moment lasts as long as the activation: a loop never sees a volatile node change."""

RULE = "D6"
EDITS = [
    ("Activation.come_back", "if self.plan.moments:", "if False:"),
]
