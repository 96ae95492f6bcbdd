"""Who waited for a failure that was not theirs evaluate at once, without a look at what has come of it meanwhile."""

RULE = "D5"
UNREACHED = "Strands with different answers that wait for a failing evaluation come less than once in 3,000 requests."
EDITS = [
    ("loop.demand", "elif doubted(resolving):", "elif False:"),
]
