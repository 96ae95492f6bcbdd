"""At the end of an activation or block its forks are waited for, but not merged."""

from trioflow.runtime.forks import open_forks

RULE = "F5"
EDITS = [
    (open_forks, "await forks.join()", "await forks.wait_until(lambda: forks.in_flight == 0)"),
]
