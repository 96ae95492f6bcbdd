"""The file of a graph: read, written whole, and watched, since others write it, too."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from trioflow.errors import DocumentError, TrioflowError
from trioflow.model.document import dumps, load, write_file
from trioflow.model.graph import Graph

FileState = Literal["same", "changed", "deleted"]
_COMMENT = re.compile(r"(^|\s)#", re.MULTILINE)


class NotSaved(TrioflowError):
    """A file that was not written, since something in it would be lost."""


class GraphFile:
    """A file that a graph is read from and saved to. All but `__init__` blocks while it reads or writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = self._digest()

    @property
    def name(self) -> str:
        """What to call it."""
        return self.path.name

    def look(self) -> FileState:
        """Whether it is as it was last read or written."""
        found = self._digest()
        if found is None:
            return "same" if self._known is None else "deleted"
        return "same" if found == self._known else "changed"

    def read(self) -> Graph:
        """The graph in it; from now on it is known as it is. Raises `DocumentError`, and it stays known as it was."""
        found = self._digest()
        graph = load(self.path)
        self._known = found
        return graph

    def save(self, graph: Graph, *, anyway: bool = False) -> None:
        """Write the graph, whole or not at all.

        Raises `NotSaved` if the file is not what was last read or written, or has comments, unless `anyway`;
        `DocumentError` if it can't be written.
        """
        is_yaml = self.path.suffix.lower() in {".yaml", ".yml"}
        if not anyway and self.look() == "changed":
            raise NotSaved(f"{self.name} was changed by somebody else. Take what it holds, or save anyway.")
        if not anyway and is_yaml and self.path.exists() and _COMMENT.search(self.path.read_text("utf-8", "replace")):
            raise NotSaved(f"{self.name} has comments, which are lost when it is saved from here. Save anyway?")
        write_file(self.path, dumps(graph, format="yaml" if is_yaml else "json"))
        self._known = self._digest()

    def _digest(self) -> bytes | None:
        try:
            return hashlib.sha256(self.path.read_bytes()).digest()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            return repr(error).encode()


def new_file(folder: Path, name: str) -> Path:
    """A path for a file that does not exist yet, in a folder. Raises `DocumentError`."""
    problem = None
    if not re.fullmatch(r"[\w][\w .-]*\.(json|ya?ml)", name):
        problem = "expected the name of a file such as graph.json or graph.yaml, without folders"
    elif (folder / name).exists():
        problem = "there is such a file already"
    if problem is not None:
        raise DocumentError(name, [problem])
    return folder / name
