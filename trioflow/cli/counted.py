"""Numbers of things, in words."""


def counted(number: int, what: str) -> str:
    """How many there are of what is called so in the singular, as in `1 step` and `1,200 steps`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
