"""The port of importers: what a format of another program is, and what comes of reading one of its documents.

A format is a package in `trioflow.formats` with a `FORMAT`, and a line in `known.py`. Its importer is a pure function
from a `Document` to an `Imported`: an ordinary graph, and everything that there is to say about it. Nothing is dropped
silently: what has no counterpart is a placeholder (`placeholder.py`) with an error, what means something else here is a
note, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.placeholder import KEY, nodes_in
from trioflow.model.document import decoded, read_text
from trioflow.model.graph import Graph
from trioflow.model.json_text import Repeated
from trioflow.model.positions import Positions
from trioflow.model.registry import Registry

if TYPE_CHECKING:
    from trioflow.formats.xml_text import Element

Severity = Literal["error", "warning", "info"]
Syntax = Literal["json", "yaml", "xml"]

_SYNTAXES: Mapping[str, Syntax] = {".yaml": "yaml", ".yml": "yaml", ".xml": "xml", ".bpmn": "xml"}
_MOST_POSITIONS = 1000
"""Diagnostics whose line is looked for: nobody reads more."""


@attrs.frozen
class Diagnostic:
    """One finding about a document: a stable code, the place in the document, what was found, and the cure.

    `error`: the imported graph can't run as it is. `warning`: something was left out. `info`: taken over, and the
    meaning may differ. `node` is the placeholder that it is about, as `placeholders_in` calls it: a body that the host
    gives takes the error away. `position` is line and column, from 1, where they are known.
    """

    severity: Severity
    code: str
    path: str
    message: str
    cure: str = ""
    node: str = attrs.field(default="", kw_only=True)
    position: tuple[int, int] | None = attrs.field(default=None, kw_only=True, eq=False)

    def __str__(self) -> str:
        said = f"{self.severity}[{self.code}] {self.path}: {self.message} {self.cure}".rstrip()
        return said if self.position is None else f"{said} (line {self.position[0]}, column {self.position[1]})"


class Notes:
    """What an importer has to say, as it finds it."""

    def __init__(self, said: Iterable[Diagnostic] = ()) -> None:
        self._said: list[Diagnostic] = [*said]

    def error(self, code: str, path: str, message: str, cure: str = "", *, node: str = "") -> None:
        """The graph can't run as it is meant; with `node`, unless that placeholder gets a body."""
        self._said.append(Diagnostic("error", code, path, message, cure, node=node))

    def warning(self, code: str, path: str, message: str, cure: str = "") -> None:
        """Something was left out."""
        self._said.append(Diagnostic("warning", code, path, message, cure))

    def info(self, code: str, path: str, message: str, cure: str = "") -> None:
        """Taken over, and the meaning may differ."""
        self._said.append(Diagnostic("info", code, path, message, cure))

    def add(self, said: Diagnostic) -> None:
        """What another importer had to say."""
        self._said.append(said)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._said)


@attrs.frozen
class Imported:
    """A graph, and what there is to say about how it came about."""

    graph: Graph
    diagnostics: tuple[Diagnostic, ...] = attrs.field(default=(), converter=tuple[Diagnostic, ...])
    formats: frozenset[str] = attrs.field(factory=frozenset[str], kw_only=True)
    """The formats of all the documents that were read for it; empty if all were graphs of trioflow."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What keeps the graph from running as it is meant."""
        return tuple(each for each in self.diagnostics if each.severity == "error")

    @property
    def placeholders(self) -> frozenset[str]:
        """The places of the types of which the import says that they are not there, as validation writes them."""
        told = frozenset(each.node for each in self.diagnostics if each.node)
        return frozenset(
            f"{path}.type" for name, path, node in nodes_in(self.graph) if name in told or KEY in node.metadata
        )


@attrs.frozen
class ImportOptions:
    """How to read a document where there are several good ways.

    `timeouts`: `none` takes over only what the document says; `theirs` also the limits that the other program has where
    a document says none. `called`: another graph calls it, so it needs an interface even if it does not declare one.
    """

    timeouts: Literal["none", "theirs"] = "none"
    called: bool = False


@attrs.define
class Document:
    """The text of a document of another program, as it was opened.

    `name` is what messages call it. `path` is where it was found, None for a text; documents that it names lie beside
    it.
    """

    name: str
    text: str
    syntax: Syntax = "json"
    path: Path | None = None
    _raw: Any = attrs.field(default=None, init=False, repr=False, eq=False)
    _tree: Any = attrs.field(default=None, init=False, repr=False, eq=False)
    _root: Any = attrs.field(default=None, init=False, repr=False, eq=False)
    _positions: Positions | None = attrs.field(default=None, init=False, repr=False, eq=False)

    @property
    def is_ours(self) -> bool:
        """Whether it is a graph of trioflow, whatever is wrong with it. Raises `DocumentError`, and `MissingExtra`."""
        return self.syntax != "xml" and isinstance(self.raw, dict) and "trioflow" in self.raw

    @property
    def raw(self) -> Any:
        """What the text of a document in JSON or YAML holds, with what no document may hold. Raises as `tree`."""
        if self._raw is None and self.syntax != "xml":
            self._raw = read_text(self.text, format=self.syntax, source=self.name)
        return self._raw

    @property
    def tree(self) -> Any:
        """The dicts and lists of a document in JSON or YAML; keys are texts. None for XML.

        Raises `DocumentError` with every problem: what is cut off, keys that occur twice, anchors, aliases, tags, NaN;
        `MissingExtra` for YAML without PyYAML.
        """
        if self._tree is None and self.syntax != "xml":
            self._tree = _plain(self.raw, self.name)
        return self._tree

    @property
    def root(self) -> Element | None:
        """The outermost element of a document in XML, with lines; None for others.

        Raises `DocumentError`, also for a document type, for entities, and for what is nested too deeply.
        """
        if self._root is None and self.syntax == "xml":
            from trioflow.formats.xml_text import read_xml  # noqa: PLC0415 - most documents are none

            self._root = read_xml(self.text, source=self.name)
        return cast("Element | None", self._root)

    @property
    def top(self) -> frozenset[str]:
        """The keys of the outermost object, for telling formats apart; empty if it is none."""
        return frozenset(cast("dict[str, Any]", self.tree)) if isinstance(self.tree, dict) else frozenset()

    def position(self, path: str) -> tuple[int, int] | None:
        """Line and column of what a path leads to in JSON or YAML, or of the nearest around it."""
        if self.syntax == "xml":
            return None  # its elements know their lines
        if self._positions is None:
            self._positions = Positions.of(self.text, self.syntax)
        return self._positions.find(path)


@attrs.frozen
class Format:
    """A format of another program: how its documents are told from others, read, and written.

    `detect` says whether a document looks like one, whatever is wrong with it; it never raises. `read` raises
    `DocumentError` with every problem for what is no document of the format. `write` gives the text of a document that
    says the same graph, or raises `DocumentError` with everything that the format can't say. `result` is the variable
    of its graphs that in the end holds what a document says that it gives; empty if none does.
    """

    name: str
    title: str
    detect: Callable[[Document], bool]
    read: Callable[[Document, Registry, ImportOptions], Imported]
    write: Callable[[Graph, Registry], str] | None = None
    result: str = ""


def open_document(path: Path) -> Document:
    """The document in a file. Its name says what it is written in; XML is also known by how it begins.

    Blocks while it reads. Raises `DocumentError` for what can't be read.
    """
    return document_in(decoded(path), name=str(path), path=path)


def document_in(
    text: str, *, name: str = "<string>", path: Path | None = None, syntax: Syntax | None = None
) -> Document:
    """The document in a text."""
    if syntax is None:
        syntax = _SYNTAXES.get(path.suffix.lower(), "json") if path is not None else "json"
        if syntax == "json" and text.lstrip("\ufeff \t\r\n").startswith("<"):
            syntax = "xml"
    return Document(name, text, syntax, path)


def with_positions(imported: Imported, document: Document) -> Imported:
    """The same with the lines of what is said, where they are not known yet."""
    if not imported.diagnostics or document.syntax == "xml":
        return imported
    said = [
        each if each.position is not None else attrs.evolve(each, position=document.position(each.path))
        for each in imported.diagnostics[:_MOST_POSITIONS]
    ]
    return attrs.evolve(imported, diagnostics=(*said, *imported.diagnostics[_MOST_POSITIONS:]))


def _plain(tree: Any, source: str) -> Any:
    """The tree with texts as keys. Raises `DocumentError` for what JSON can't hold."""
    problems: list[str] = []
    # Any depth: no recursion. Each list or object is made anew once, in place of what was read.
    holder: list[Any] = [tree]
    todo: list[tuple[Any, Any, str]] = [(holder, 0, "")]
    while todo:
        into, key, path = todo.pop()
        value = into[key]
        if isinstance(value, dict):
            mapping = value
            if isinstance(value, Repeated):
                twice = ", ".join(map(repr, value.keys_twice))
                problems.append(f"{path or 'the document'}: these keys occur more than once: {twice}.")
            made = into[key] = {_key(each): inner for each, inner in mapping.items()}
            todo += [(made, each, f"{path}.{each}" if path else each) for each in made]
        elif isinstance(value, list):
            todo += [(value, index, f"{path}[{index}]") for index in range(len(value))]
        elif isinstance(value, float) and (value != value or value in _INFINITE):  # noqa: PLR0124 - NaN is unlike itself
            problems.append(f"{path or 'the document'}: {value} is not a value that JSON has.")
    if problems:
        raise DocumentError(source, sorted(problems))
    return holder[0]


_INFINITE: Iterable[float] = (float("inf"), float("-inf"))


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return str(key).lower() if isinstance(key, bool) else "" if key is None else str(key)
