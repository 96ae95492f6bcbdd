"""What a node hands over to comes after all other targets of the line, not before them."""

RULE = "T6"
EDITS = [
    (
        "dispatch",
        (
            "target = onward[0]\n"
            "                if len(onward) > 1:\n"
            "                    pending = pending or []\n"
            "                    pending += onward[:0:-1]\n"
            "            elif pending:\n"
            "                target = pending.pop()\n"
            "            else:\n"
            "                return\n"
            "    finally:"
        ),
        (
            "pending = [*onward[::-1], *(pending or ())]\n"
            "                target = pending.pop()\n"
            "            elif pending:\n"
            "                target = pending.pop()\n"
            "            else:\n"
            "                return\n"
            "    finally:"
        ),
    ),
]
