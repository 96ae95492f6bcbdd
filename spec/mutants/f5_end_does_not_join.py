"""At the end of an activation or block its forks are waited for, but not merged."""

RULE = "F5"
EDITS = [
    ("OpenForks.__aexit__", "await forks.join()", "await forks.wait_until(lambda: forks.in_flight == 0)"),
]
