"""A sequential stream that collects fails with its first failing item all the same."""

RULE = "S4"
EDITS = [
    ("BodyContext.emit", 'if stream.on_error == "fail":', "if True:"),
]
