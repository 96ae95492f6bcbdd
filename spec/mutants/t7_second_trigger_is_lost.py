"""A trigger that is started while another one is running does nothing, instead of failing."""

RULE = "T7"
EDITS = [
    ("dispatch", 'raise line.concurrent("trigger", socket)', "return"),
]
