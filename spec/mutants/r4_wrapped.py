"""A failure that passes through an activation comes out as another one."""

RULE = "R4"
EDITS = [
    (
        "dispatch",
        (
            "await end_failed(activation, task, scopes, error, began if watched is activation else None)\n                raise"
        ),
        (
            "await end_failed(activation, task, scopes, error, began if watched is activation else None)\n"
            "                if isinstance(error, Exception) and line.depth > 1:\n"
            "                    raise RuntimeError(str(error)) from error\n"
            "                raise"
        ),
    ),
]
