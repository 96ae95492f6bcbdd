"""What else a page can open: the graphs of a folder, the runs of a journal."""

from __future__ import annotations

from typing import Any, Protocol

import attrs

from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.studio.files import GraphFile
from trioflow.telemetry import Recording


@attrs.frozen
class Opened:
    """Something that was opened."""

    name: str
    graph: Graph
    registry: Registry
    file: GraphFile | None = None
    recording: Recording | None = None


class Shelf(Protocol):
    """A place with things to open. Both methods block."""

    def titles(self) -> list[dict[str, Any]]:
        """What there is: for each a `name`, and `about`, a line about it."""
        ...

    def open(self, name: str) -> Opened:
        """Open one, by its name. Raises `TrioflowError` with what is wrong with it."""
        ...
