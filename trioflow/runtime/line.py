"""Lines: numbered sequences of dispatches, which give activations their paths (T8)."""

from __future__ import annotations

from typing import Any

from trioflow.semantics.events import ROOT, Path


class Line:
    """A place on whose behalf nodes are dispatched, one after the other: an activation, a fork, an initiator.

    `count` is the number of dispatches so far; the k-th appends k to the line's path.
    """

    __slots__ = ("_where", "count", "depth", "index", "parent")

    asker: Any = None
    """In whose place it is, if it only looks: events keep that one, and not what is looked at."""

    def __init__(self, parent: Line | None) -> None:
        self.parent = parent
        self.count = 0
        self._where: Path | None = None
        self.depth: int = 0
        if parent is not None:  # the path of the first line is the root, which has no index
            self.index = parent.count
            parent.count += 1
            self.depth = parent.depth + 1

    @property
    def graph(self) -> str | None:
        """What comes before the ids of nodes here, as in a path; None for the same as in the line above."""
        return None

    @property
    def where(self) -> Path:
        """The path, made when somebody asks; as deep as it may be, without recursion."""
        path = self._where
        if path is not None:
            return path
        parent = self.parent
        if parent is not None and parent._where is not None:  # as it is where every step is watched
            path = self._where = Path(parent._where, self.index, self.graph)
            return path
        chain: list[Line] = []
        line: Line | None = self
        while line is not None and line._where is None:
            chain.append(line)
            line = line.parent
        path = line._where if line is not None else None
        for unmade in reversed(chain):
            path = ROOT if path is None else Path(path, unmade.index, unmade.graph)
            unmade._where = path
        assert path is not None
        return path
