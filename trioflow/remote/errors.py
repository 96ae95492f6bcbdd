"""What goes wrong between processes."""

from __future__ import annotations

from trioflow.errors import NodeError


class WorkerDied(NodeError):
    """The process in which a body ran has died, as often as it was tried."""


class VersionSkew(NodeError):
    """The other process has other code for a node type than this one."""


class ElsewhereTraceback(Exception):
    """The cause of a failure in another process: where it was there, as a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)

    def __str__(self) -> str:
        return f"in another process:\n{self.text}"
