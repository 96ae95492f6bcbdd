"""The registry: which node types, converters and merge policies a graph may name.

Packages of node types are modules, known by the prefix of the ids that they declare (`flow.for` is in the package
`flow`), and imported when an id with their prefix is first looked up.
"""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trioflow.errors import NodeDefinitionError, NodePackageError, UnknownNodeType, did_you_mean
from trioflow.model.node_type import NodeType, as_node_type

ENTRY_POINT_GROUP = "trioflow.nodes"
"""Where installed packages announce modules of node types: `prefix = "module"`."""

STANDARD_PACKAGES = {
    prefix: tuple(f"trioflow.nodes.{module}" for module in modules.split())
    for prefix, modules in {
        "flow": "flow choice loop latch guard fork",
        "event": "event",
        "variable": "variable",
        "state": "state",
        "logic": "logic",
        "math": "math rounding",
        "integer": "integer",
        "trigonometry": "trigonometry",
        "bits": "bits",
        "statistics": "statistics",
        "random": "random",
        "convert": "convert",
        "text": "text template",
        "unicode": "unicode",
        "regex": "regex",
        "json": "json",
        "csv": "csv",
        "url": "url",
        "path": "path",
        "bytes": "bytes",
        "list": "list arrange",
        "dict": "dict",
        "set": "set",
        "table": "table",
        "time": "time",
        "date": "date",
        "duration": "duration",
        "file": "file folder",
        "process": "process",
        "tcp": "tcp",
        "http": "http",
        "debug": "debug",
    }.items()
}
"""By the prefix of their ids, the modules in the order in which they are imported until an id is found."""

Merge = Callable[[Any, Any, Any], Any]
Converter = Callable[[Any], Any]


class Registry:
    """Node types by id. Not shared between runs unless the host does so; looking up imports packages lazily."""

    def __init__(self) -> None:
        self._types: dict[str, NodeType] = {}
        # Several modules may declare ids of one prefix: a package may add to the standard nodes.
        self._packages: dict[str, list[str]] = {}
        self.merges: dict[str, Merge] = {}
        self.converters: dict[tuple[type, type], Converter] = {}

    @classmethod
    def standard(cls, *, plugins: bool = True) -> Registry:
        """The nodes that come with trioflow, and those of installed packages that announce some."""
        registry = cls()
        for prefix, modules in STANDARD_PACKAGES.items():
            for module in modules:
                registry.add_package(prefix, module)
        if plugins:
            for prefix, module in _announced(tuple(map(str, sys.path))):
                registry.add_package(prefix, module)
        return registry

    def add(self, *nodes: object) -> None:
        """Add node types: classes, decorated functions or `NodeType`s. Raises `NodeDefinitionError`."""
        added = dict(self._types)
        for node in nodes:
            node_type = as_node_type(node)
            if node_type is None:
                raise NodeDefinitionError(
                    f"{node!r} is not a node type. Subclass trioflow.Node, or decorate a function with "
                    "@trioflow.data_node or @trioflow.exec_node."
                )
            known = added.get(node_type.id)
            if known is not None and known is not node_type:
                raise NodeDefinitionError(
                    f"Two node types have the id {node_type.id!r}. Give one of them another: id='...'."
                )
            added[node_type.id] = node_type
        self._types = added

    def add_module(self, module: types.ModuleType | str) -> tuple[NodeType, ...]:
        """Import a module and add the node types that it defines. Raises `NodePackageError` if there are none."""
        found = tuple(_node_types_in(_import(module) if isinstance(module, str) else module))
        if not found:
            name = module if isinstance(module, str) else module.__name__
            raise NodePackageError(f"Module {name!r} defines no node types.")
        self.add(*found)
        return found

    def add_package(self, prefix: str, module: str) -> None:
        """Say where ids that start with `prefix.` are declared; the module is imported when one is looked up."""
        modules = self._packages.setdefault(prefix, [])
        if module not in modules:
            modules.append(module)

    def add_merge(self, name: str, merge: Merge) -> None:
        """Add a merge policy for variables: `merge(base, mine, theirs)` gives the merged value (F4)."""
        self.merges[name] = merge

    def add_converter(self, source: type, target: type, convert: Converter) -> None:
        """Declare that values of `source` may flow into inputs of `target`, converted without loss (D11)."""
        self.converters[source, target] = convert

    def find(self, type_id: str) -> NodeType | None:
        """The node type with this id, or None. Raises `NodePackageError` if its package fails to import."""
        prefix = type_id.partition(".")[0]
        # The first package that declares an id has it, whatever was looked up before, and whether or not a later
        # package is broken.
        while type_id not in self._types and prefix in self._packages:
            self._load_next(prefix)
        return self._types.get(type_id)

    def get(self, type_id: str) -> NodeType:
        """The node type with this id. Raises `UnknownNodeType` with the nearest ids."""
        found = self.find(type_id)
        if found is None:
            raise UnknownNodeType(f"There is no node type {type_id!r}.{did_you_mean(type_id, self.ids())}")
        return found

    def ids(self) -> list[str]:
        """All ids, sorted. Imports every package that can be imported."""
        for prefix in sorted(self._packages):
            try:
                while prefix in self._packages:
                    self._load_next(prefix)
            except NodePackageError:
                continue  # it is reported when one of its ids is asked for
        return sorted(self._types)

    def __iter__(self) -> Iterator[NodeType]:
        return iter([self._types[type_id] for type_id in self.ids()])

    def __repr__(self) -> str:
        return f"<Registry: {len(self._types)} node types, {len(self._packages)} packages not imported yet>"

    def _load_next(self, prefix: str) -> None:
        module, *others = self._packages[prefix]
        found = tuple(_node_types_in(_import(module)))
        for node_type in found:
            if not node_type.id.startswith(f"{prefix}."):
                raise NodePackageError(
                    f"Node package {module!r} is announced for ids that start with '{prefix}.', but declares "
                    f"{node_type.id!r}. Give that type an id with the prefix: id='{prefix}....'."
                )
        try:
            self.add(*found)
        except NodeDefinitionError as error:
            raise NodePackageError(f"Node package {module!r} can't be added: {error}") from error
        if others:
            self._packages[prefix] = others
        else:
            del self._packages[prefix]


@functools.cache
def _announced(path: tuple[str, ...]) -> list[tuple[str, str]]:
    """Prefixes and modules that the packages on this path announce. Looked for once: it reads a file of each."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - it takes a tenth of the time to import all else

    return [(entry.name, entry.value) for entry in sorted(entry_points(group=ENTRY_POINT_GROUP))]


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        # Whatever a foreign module raises while it is imported is the package's fault, not the graph's.
        raise NodePackageError(f"Node package {name!r} can't be imported: {type(error).__name__}: {error}") from error


def _node_types_in(module: types.ModuleType) -> Iterable[NodeType]:
    seen: set[int] = set()
    for value in vars(module).values():
        node_type = as_node_type(value)
        if node_type is None or id(node_type) in seen:
            continue
        if getattr(value, "__module__", None) != module.__name__:
            continue  # imported from elsewhere: it belongs to that module
        seen.add(id(node_type))
        yield node_type
