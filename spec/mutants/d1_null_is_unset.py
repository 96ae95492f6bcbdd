"""A null that comes over a wire counts as unset, so that the literal or the default is taken."""

RULE = "D1"
EDITS = [
    (
        "inputs.current",
        "cells[planned.slot] or planned.constant or cells[planned.own] or NOTHING)",
        "(planned.constant if cells[planned.slot] is None or cells[planned.slot].value is None else cells[planned.slot]) or cells[planned.own] or NOTHING)",
    ),
]
