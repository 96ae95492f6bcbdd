"""What was done to a graph, so that it can be undone: graphs are immutable, so all of them are kept. Pure."""

from __future__ import annotations

from collections import deque

import attrs

from trioflow.model.graph import Graph

_MOST = 500


@attrs.frozen
class Version:
    """A graph as it was at one time. `placed` says whether a person has placed its nodes; `label` what made it.

    `typing` is a word for what is being typed: of versions with the same word one after the other the last is kept.
    """

    graph: Graph
    placed: bool
    label: str = ""
    typing: str | None = None


class History:
    """The versions of a graph, and which of them is in the file."""

    def __init__(self, first: Version) -> None:
        self._before: deque[Version] = deque(maxlen=_MOST)
        self._after: list[Version] = []
        self.now = first
        self.saved: Version | None = first

    @property
    def is_saved(self) -> bool:
        """Whether the file holds what is seen."""
        return self.now is self.saved

    @property
    def undone_next(self) -> str | None:
        """What undoing would undo; None if there is nothing."""
        return self.now.label if self._before else None

    @property
    def redone_next(self) -> str | None:
        """What would be done again; None if there is nothing."""
        return self._after[-1].label if self._after else None

    def add(self, version: Version) -> None:
        """Go on to a new version. What was undone before can't be done again."""
        goes_on = version.typing is not None and version.typing == self.now.typing and self.now is not self.saved
        if not goes_on:
            self._before.append(self.now)
        self._after.clear()
        self.now = version

    def undo(self) -> bool:
        """Go back by one version; whether there was one."""
        if not self._before:
            return False
        self._after.append(self.now)
        self.now = self._before.pop()
        return True

    def redo(self) -> bool:
        """Go forward by one version; whether there was one."""
        if not self._after:
            return False
        self._before.append(self.now)
        self.now = self._after.pop()
        return True
