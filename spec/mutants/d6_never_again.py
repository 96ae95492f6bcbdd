"""What a volatile data node gave is used again by later activations."""

from trioflow.runtime.demand import Frame

RULE = "D6"
EDITS = [
    (
        Frame.__init__,
        'activation.moment = new_cell(None, activation.strand.run.next_serial(), f"@{activation.where}")',
        "activation.moment = activation.strand.frame.root_cell",
    ),
]
