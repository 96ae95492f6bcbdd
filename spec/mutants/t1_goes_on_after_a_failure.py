"""A target that fails does not keep the ones after it from being dispatched."""

RULE = "T1"
EDITS = [
    (
        "dispatch",
        (
            "await end_failed(activation, task, scopes, error, began if watched is activation else None)\n                raise"
        ),
        (
            "await end_failed(activation, task, scopes, error, began if watched is activation else None)\n"
            "                if pending and not is_cancellation(error):\n"
            "                    target = pending.pop()\n"
            "                    continue\n"
            "                raise"
        ),
    ),
]
