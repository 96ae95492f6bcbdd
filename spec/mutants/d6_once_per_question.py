"""A volatile data node is evaluated each time it is asked, not once per activation."""

from trioflow.runtime.demand import demand

RULE = "D6"
EDITS = [
    (
        demand,
        ("run = activation.strand.run\n"),
        (
            "run = activation.strand.run\n"
            "    if wanted.impure:\n"
            '        activation.moment = new_cell(None, run.next_serial(), f"@{activation.where}")\n'
            ""
        ),
    ),
]
