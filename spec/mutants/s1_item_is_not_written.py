"""An emit dispatches the item's chain and does not write the item."""

RULE = "S1"
EDITS = [
    ("BodyContext._write_item", "self.set_output(item, value)", "pass"),
    ("BodyContext._write_item", "{item: value, **also}", "also"),
]
