"""The graph document: a graph as JSON or YAML, read strictly and written back without loss.

`structure.py` makes the model from the document's values; `json_text.py` and `yaml_text.py` read and write the text. A
document of a newer minor version may hold keys that this version does not know: they are kept in `extra` and written
back. In a document of the same version an unknown key is a mistake.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from trioflow.errors import DocumentError, did_you_mean
from trioflow.model import json_text
from trioflow.model.files import link
from trioflow.model.graph import FORMAT_VERSION, Graph, as_graph
from trioflow.model.json_text import BadText
from trioflow.model.positions import Positions
from trioflow.model.replace import write_whole
from trioflow.model.schema import document_schema
from trioflow.model.structure import Refused, graph_from, tree_from

if TYPE_CHECKING:
    from types import ModuleType

Format = Literal["json", "yaml"]

__all__ = ["FORMAT_VERSION", "document_schema", "dumps", "load", "loads", "save"]

_TOO_DEEP = "it is nested too deeply, or holds itself. Flatten its values."
_YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def loads(text: str, *, format: Format = "json", source: str = "<string>") -> Graph:
    """The graph in a text. `source` names the text in errors.

    Raises `DocumentError` with every problem, each with its path; `MissingExtra` for YAML without PyYAML.
    """
    tree = read_text(text, format=format, source=source)
    with _refusing(source, lambda: Positions.of(text, format)):
        return graph_from(tree)


def read_text(text: str, *, format: Format = "json", source: str = "<string>") -> Any:
    """The tree of dicts and lists in a text, whatever it means. Raises `DocumentError`, and `MissingExtra`."""
    with _refusing(source):
        return _module(format).read(text.removeprefix("\ufeff"))


def dumps(graph: Graph, *, format: Format = "json") -> str:
    """The graph as a text, without what is at its default, such that `loads` gives an equal graph.

    Raises `DocumentError` for a graph that no document can hold: with values that are not JSON's, or with node types
    that were given as lambdas; `MissingExtra` for YAML without PyYAML.
    """
    with _refusing("<graph>"):
        return cast("str", _module(format).write(tree_from(as_graph(graph))))


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph in a file: YAML if its name ends in .yaml or .yml, otherwise JSON. Blocks while it reads.

    Files that it refers to are read too, each once (C1). What is wrong with those, validation reports.

    Raises `DocumentError`, also for a file that can't be read; `MissingExtra` for YAML without PyYAML.
    """
    path = Path(path)
    return graph_in(read_file(path), path)


def graph_in(tree: Any, path: Path) -> Graph:
    """The graph that the tree of a file says, with the files that it refers to, as `load` gives it.

    Raises `DocumentError` with every problem.
    """
    return link(unlinked(tree, path), path, lambda other: unlinked(read_file(other), other))


def unlinked(tree: Any, path: Path) -> Graph:
    """The graph that the tree of a file says, without the files that it refers to. Raises `DocumentError`."""
    with _refusing(str(path), lambda: Positions.in_file(path)):
        return graph_from(tree)


def read_file(path: str | os.PathLike[str]) -> Any:
    """The tree of dicts and lists in a file, whatever it means. Blocks while it reads. Raises as `load`."""
    path = Path(path)
    return read_text(decoded(path), format=_format_of(path), source=str(path))


def decoded(path: Path) -> str:
    """The text of a file. Blocks while it reads. Raises `DocumentError`."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        reason = (
            f"it is not UTF-8 text: byte {error.object[error.start]:#04x} at offset {error.start}. Save it as UTF-8."
        )
        raise DocumentError(str(path), [reason]) from error
    except (OSError, ValueError) as error:
        raise DocumentError(str(path), [f"it can't be read: {_reason(error)}."]) from error


def save(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write the graph to a file, in the format that its name says as for `load`. Blocks while it writes.

    Atomic: the file holds what it held before or the whole graph, nothing in between. Raises `DocumentError`, also
    for a file that can't be written; `MissingExtra` for YAML without PyYAML. Warns (`UserWarning`) of node types of the
    script that runs, `__main__`.
    """
    text = dumps(graph, format=_format_of(Path(path)))
    own = sorted({each.type for each in graph.all_nodes() if each.type.startswith("__main__.")})
    if own:
        warnings.warn(
            f"{os.fspath(path)} names node types of this script, which no other program finds: {', '.join(own)}. Move "
            "them into a module, import them from there, and say --nodes MODULE where the graph is used.",
            stacklevel=2,
        )
    write_file(path, text)


def write_file(path: str | os.PathLike[str], text: str) -> None:
    """Write a text to a file, atomically. Blocks while it writes. Raises `DocumentError`."""
    try:
        write_whole(path, text.encode())
    except (OSError, ValueError, RuntimeError) as error:
        raise DocumentError(str(path), [f"it can't be written: {_reason(error)}."]) from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _format_of(path: Path) -> Format:
    return "yaml" if path.suffix.lower() in _YAML_SUFFIXES else "json"


def _module(format: str) -> ModuleType:
    if format == "json":
        return json_text
    if format == "yaml":
        from trioflow.model import yaml_text  # noqa: PLC0415 - PyYAML is optional

        return yaml_text
    raise ValueError(f"format must be 'json' or 'yaml', not {format!r}.{did_you_mean(str(format), ('json', 'yaml'))}")


class _refusing:  # noqa: N801 - used like a function
    """Turn whatever is wrong with a text into one `DocumentError`."""

    def __init__(self, source: str, positions: Callable[[], Positions] | None = None) -> None:
        self._source = source
        self._positions = positions

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Refused):
            positions = self._positions() if self._positions is not None else Positions(None)
            told = [f"{path.removeprefix('.') or 'the document'}: {what}" for path, what in error.problems]
            raise DocumentError(self._source, told, [positions.find(path) for path, _ in error.problems]) from None
        if isinstance(error, BadText):
            raise DocumentError(self._source, [str(error)]) from error
        if isinstance(error, RecursionError):
            raise DocumentError(self._source, [_TOO_DEEP]) from None


if __name__ == "__main__":
    print(json.dumps(document_schema(), indent=2))  # noqa: T201 - this is the command
