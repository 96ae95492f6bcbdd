"""What a volatile data node gave is used again by later activations."""

from trioflow.runtime.demand import demand

RULE = "D6"
EDITS = [
    (
        demand,
        'activation.moment = Cell(None, run.next_serial(), f"@{activation.where}")',
        "activation.moment = run.root_cell",
    ),
]
