"""A volatile data node is evaluated each time it is asked, not once per activation."""

from trioflow.runtime.demand import demand

RULE = "D6"
EDITS = [
    (demand, "if wanted.impure and activation.moment is None:", "if wanted.impure:"),
]
