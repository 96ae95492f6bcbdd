"""When a fork fails, its siblings and the body go on; the failure comes when all are joined."""

RULE = "F2"
EDITS = [
    ("ForkSet._run_forks", "raise  # F2: the nursery cancels the siblings and the owner's body", ""),
    (
        "OpenForks.__aexit__",
        "await forks.join()",
        (
            "await forks.join()\n"
            "                if forks.first_failure is not None:\n"
            "                    raise forks.first_failure"
        ),
    ),
]
