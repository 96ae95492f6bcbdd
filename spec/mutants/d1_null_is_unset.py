"""A null that comes over a wire counts as unset, so that the literal or the default is taken."""

from trioflow.runtime.demand import look

RULE = "D1"
EDITS = [
    (
        look,
        "store.cells[planned.slot] or planned.constant or NOTHING)",
        "(planned.constant if store.cells[planned.slot] is None or store.cells[planned.slot].value is None else store.cells[planned.slot]) or NOTHING)",
    ),
]
