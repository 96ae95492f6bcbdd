"""One item more than the limit says is in flight."""

RULE = "S3"
EDITS = [
    (
        "BodyContext.emit",
        (
            "if limit is not None and forks.in_flight >= limit:\n"
            "            await forks.wait_until(lambda: forks.in_flight < limit)"
        ),
        (
            "if limit is not None and forks.in_flight > limit:\n"
            "            await forks.wait_until(lambda: forks.in_flight <= limit)"
        ),
    ),
]
