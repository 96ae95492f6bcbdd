"""Values that are in another process than the run, which has something that stands for them (A9)."""

from __future__ import annotations


class Held:
    """Stands for a value of `size` bytes that a body elsewhere has made, and which stays there for others there.

    Where it is pickled to it is the value. It is of the type that its output declares.
    """

    __slots__ = ("__weakref__", "size")

    def __init__(self, size: int) -> None:
        self.size = size

    def __repr__(self) -> str:
        return f"<{self.size:,} bytes elsewhere>"
