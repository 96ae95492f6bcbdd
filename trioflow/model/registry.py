"""The registry: which node types, converters and merge policies a graph may name.

Packages of node types are modules, known by the prefix of the ids that they declare (`flow.for` is in the package
`flow`), and imported when an id with their prefix is first looked up.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

import attrs

from trioflow.errors import NodeDefinitionError, NodePackageError, RegistryError, UnknownNodeType, did_you_mean
from trioflow.model.function_node import as_node_type
from trioflow.model.node_type import Capability, NodeType

ENTRY_POINT_GROUP = "trioflow.nodes"
"""Where installed packages announce modules of node types: `prefix = "module"`."""

STANDARD_AREAS: Mapping[Capability, Mapping[str, str]] = {
    "pure": {
        "flow": "flow choice loop latch guard fork people later keeping",
        "user": "user",
        "event": "event",
        "value": "value",
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
        "template": "jinja",
        "unicode": "unicode",
        "regex": "regex",
        "json": "json json_schema json_patch",
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
        "debug": "debug",
        "queue": "queue",
    },
    "files": {"file": "file folder"},
    "processes": {"process": "process", "hook": "hook"},
    "network": {"tcp": "tcp", "http": "http", "api": "api", "db": "db", "person": "person"},
    "scripts": {"script": "script"},
}
"""Areas of standard nodes by what their bodies may touch, unless a type says more.

Areas are the prefixes of ids. Of each the modules, in the order in which they are imported until an id is found.
"""

FORMAT_AREAS: Mapping[str, str] = {
    "serverless": "serverless.nodes.scopes serverless.nodes.data serverless.nodes.events serverless.nodes.calls "
    "serverless.nodes.processes",
    "bpmn": "bpmn.nodes bpmn.scopes bpmn.instances",
    "actions": "actions.nodes",
    "nodered": "nodered.nodes.common nodered.nodes.function nodered.nodes.sequence",
    "n8n": "n8n.nodes",
}
"""Areas of nodes that imported graphs are made of, and their modules in `trioflow.formats`."""

Merge = Callable[[Any, Any, Any], Any]
Converter = Callable[[Any], Any]


@attrs.frozen
class _Choice:
    """Which of the types that come along or are installed a registry has: areas and capabilities."""

    only: frozenset[str] | None
    without: frozenset[str]
    allowed: frozenset[str] = frozenset()
    """Of the capabilities that have to be allowed, or named by `only`, those that are."""

    def takes(self, area: str, capabilities: frozenset[Capability] | None) -> bool:
        """Whether it has a type of this area. One that does not say what it may touch has to be named by its area."""
        named = self.only is not None and area in self.only
        if not self.allows(capabilities) and not named:
            return False
        if area in self.without or (capabilities is not None and not self.without.isdisjoint(capabilities)):
            return False
        if capabilities is None:
            return named or (self.only is None and self.without.isdisjoint(get_args(Capability)))
        return named or self.only is None or capabilities <= self.only

    def allows(self, capabilities: frozenset[Capability] | None) -> bool:
        """Whether a type may have these capabilities, as far as they have to be allowed."""
        return (capabilities or frozenset()) & _ON_DEMAND <= self.allowed | (self.only or frozenset())


_LOADING = threading.RLock()
"""Held while packages are looked for and imported: hosts list types and plan graphs in threads."""

_ON_DEMAND = frozenset({"scripts"})
"""What is not there unless a host says so: a graph's texts are then run as code."""

_ALL = _Choice(None, frozenset(), _ON_DEMAND)


class Registry:
    """Node types by id. Not shared between runs unless the host does so; looking up imports packages lazily."""

    def __init__(self) -> None:
        self._types: dict[str, NodeType] = {}
        # Several modules may declare ids of one prefix: a package may add to the standard nodes.
        self._packages: dict[str, list[str]] = {}
        # Whether it has yet to look for what installed packages announce, which reads a file of each.
        self._looks_for_plugins = False
        # What the modules of `standard` are chosen by, and what their types may touch, if they don't say.
        self._choice = _ALL
        self._chosen: dict[str, frozenset[Capability] | None] = {}
        self._left_out: dict[str, frozenset[Capability] | None] = {}
        self.merges: dict[str, Merge] = {}
        self.converters: dict[tuple[type, type], Converter] = {}
        self.bodies: dict[str, Any] = {}
        """What `body` was given, by the ids of nodes."""
        self.transforms: dict[str, Callable[[Any], Any]] = {}
        self._strategies: list[tuple[Callable[[str], bool], Callable[[str], object]]] = []
        self.max_bytes: int | None = None
        """About how many bytes of memory a value may take that an input or a variable gets; None for any number."""
        self.changes = 0
        """How often something was added. Who keeps what was made with a registry sees by it whether that holds."""

    @classmethod
    def standard(
        cls,
        *,
        plugins: bool = True,
        only: Iterable[str] | None = None,
        without: Iterable[str] = (),
        allow: Iterable[Literal["scripts"]] = (),
        max_bytes: int | None = None,
    ) -> Registry:
        """The nodes that come with trioflow, and those of installed packages that announce some.

        `only` names what it is to have, `without` what not, which counts more: areas, which are the prefixes of ids
        (`flow`, `http`), and capabilities (`pure`, `files`, `processes`, `network`, `scripts`). A type is there if its
        area is named, or if all that it may touch is. One of an installed package that does not say what it may touch
        is left out where capabilities are chosen, unless its area is named. Raises `RegistryError` for other names, and
        `ValueError` for a `max_bytes` that is not more than 0.

        `allow=["scripts"]`: also the types that run a graph's texts as code, `script.python` and its like. Without it
        they are left out unless `only` names them: a graph may come from anywhere.

        `max_bytes`: about how much memory a value may take that an input or a variable gets: a character or a byte
        counts 1, a list 128, and each of its items 64 and what it holds, on all levels. More is a `CoercionError` of
        the node that gets it.
        """
        if max_bytes is not None and max_bytes <= 0:
            raise ValueError(f"max_bytes must be more than 0, got {max_bytes!r}.")
        registry = cls()
        registry.max_bytes = max_bytes
        for capability, of in STANDARD_AREAS.items():
            for area, modules in of.items():
                for module in modules.split():
                    registry._announce(area, f"trioflow.nodes.{module}", frozenset([capability]))
        for area, modules in FORMAT_AREAS.items():
            for module in modules.split():
                registry._announce(area, f"trioflow.formats.{module}", frozenset(["pure"]))
        registry._looks_for_plugins = plugins
        if only is not None or without:  # which may name areas of theirs
            registry._look_for_plugins()
        registry._choice = _choice(only, without, allow, registry._packages)
        return registry

    def _look_for_plugins(self) -> bool:
        """Take in what installed packages announce, the first time; whether it was there only after this."""
        if not self._looks_for_plugins:
            return False
        with _LOADING:
            if self._looks_for_plugins:
                for area, module in _announced(tuple(map(str, sys.path))):
                    self._announce(area, module, None)
                self._looks_for_plugins = False
        return True

    def _announce(self, area: str, module: str, capabilities: frozenset[Capability] | None) -> None:
        self._chosen[module] = capabilities
        self._add_package(area, module)

    def capabilities(self, type_id: str) -> frozenset[Capability] | None:
        """What the body of a type may touch; None if neither the type nor its area says. Raises `UnknownNodeType`."""
        node_type = self.get(type_id)
        return node_type.capabilities or self._chosen.get(_module_of(node_type))

    def leaves_out(self, type_id: str) -> bool:
        """Whether there is a type of this id that `standard` was told to leave out."""
        return self.find(type_id) is None and type_id in self._left_out

    def why_left_out(self, type_id: str) -> tuple[str, str]:
        """Why a type of this id is left out, and what to do, in a sentence each."""
        if not self._choice.allows(self._left_out.get(type_id)):
            return (
                f"Node type {type_id!r} runs text of the graph as code, and that is not allowed here.",
                "If you trust whoever wrote the graph, allow it: `--allow scripts` on the command line, "
                "Registry.standard(allow=['scripts']) in Python.",
            )
        message = f"Node type {type_id!r} is not allowed here."
        return message, "Use another node, or run the graph where it is allowed."

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
        self.changes += 1

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
        self._look_for_plugins()  # which come first
        self._add_package(prefix, module)

    def _add_package(self, prefix: str, module: str) -> None:
        modules = self._packages.setdefault(prefix, [])
        if module not in modules:
            modules.append(module)
            self.changes += 1

    def add_merge(self, name: str, merge: Merge) -> None:
        """Add a merge policy for variables, which name it: `merge(base, mine, theirs)` gives the merged value (F4)."""
        self.merges[name] = merge
        self.changes += 1

    def body(self, node_id: str, body: object) -> None:
        """Give a node of an imported graph a body: what a placeholder does, or another one does instead (`formats`).

        `node_id` is that of the node, `outer/inner` for one in a graph inside, or `*` for all placeholders that have
        none of their own. `body` is a node type, or a function that is called with the inputs that it names.
        """
        self.bodies[node_id] = body
        self.changes += 1

    def add_converter(self, source: type, target: type, convert: Converter) -> None:
        """Declare that values of `source` may flow into inputs of `target`, converted without loss (D11)."""
        self.converters[source, target] = convert
        self.changes += 1

    def add_transform(self, name: str, transform: Callable[[Any], Any]) -> None:
        """Add what exec wires may apply to the data that they speak of, by name: a function, which may be async."""
        self.transforms[name] = transform
        self.changes += 1

    def add_strategy(self, can_handle: Callable[[str], bool], make: Callable[[str], object]) -> None:
        """Say how types are made that are not known by their ids: `make(id)`, if `can_handle(id)`, once for each.

        What it makes is a node class, a decorated function or a `NodeType`. Strategies are asked in the order in which
        they were added.
        """
        self._strategies.append((can_handle, make))
        self.changes += 1

    def find(self, type_id: str) -> NodeType | None:
        """The node type with this id, or None. Raises `NodePackageError` if its package fails to import.

        Raises `NodeDefinitionError` if a strategy makes no node type of it.
        """
        prefix = type_id.partition(".")[0]
        # The first package that declares an id has it, whatever was looked up before, and whether or not a later
        # package is broken.
        while type_id not in self._types:
            if prefix in self._packages:
                self._load_next(prefix)
            elif not self._look_for_plugins() and prefix not in self._packages:  # where another thread may be quicker
                break
        found = self._types.get(type_id)
        return self._by_strategy(type_id) if found is None and self._strategies else found

    def _by_strategy(self, type_id: str) -> NodeType | None:
        for can_handle, make in self._strategies:
            if can_handle(type_id):
                node_type = as_node_type(make(type_id))
                if node_type is None:
                    raise NodeDefinitionError(f"The strategy for {type_id!r} made no node type of it.")
                made = attrs.evolve(node_type, id=type_id)
                self._types = {**self._types, type_id: made}
                return made
        return None

    def get(self, type_id: str) -> NodeType:
        """The node type with this id. Raises `UnknownNodeType` with the nearest ids."""
        found = self.find(type_id)
        if found is None and type_id in self._left_out:
            if not self._choice.allows(self._left_out[type_id]):
                raise UnknownNodeType(" ".join(self.why_left_out(type_id)))
            raise UnknownNodeType(f"Node type {type_id!r} is not allowed here: this registry was made without it.")
        if found is None:
            raise UnknownNodeType(f"There is no node type {type_id!r}.{did_you_mean(type_id, self.ids())}")
        return found

    def ids(self) -> list[str]:
        """All ids, sorted. Imports every package that can be imported, but those of areas that are left out."""
        self._look_for_plugins()
        for prefix in sorted(self._packages):
            left_out = prefix in self._choice.without
            try:
                while (modules := self._packages.get(prefix)) and not (left_out and modules[0] in self._chosen):
                    self._load_next(prefix)
            except NodePackageError:
                continue  # it is reported when one of its ids is asked for
        return sorted(self._types)

    def __iter__(self) -> Iterator[NodeType]:
        return iter([self._types[type_id] for type_id in self.ids()])

    def __repr__(self) -> str:
        return f"<Registry: {len(self._types)} node types, {len(self._packages)} packages not imported yet>"

    def _load_next(self, prefix: str) -> None:
        """Import the next module of a package, unless another thread has done so meanwhile."""
        with _LOADING:
            if prefix in self._packages:
                self._load(prefix)

    def _load(self, prefix: str) -> None:
        module, *others = self._packages[prefix]
        found = tuple(_node_types_in(_import(module)))
        for node_type in found:
            if not node_type.id.startswith(f"{prefix}."):
                raise NodePackageError(
                    f"Node package {module!r} is announced for ids that start with '{prefix}.', but declares "
                    f"{node_type.id!r}. Give that type an id with the prefix: id='{prefix}....'."
                )
        if module in self._chosen:
            known = self._chosen[module]
            taken = [each for each in found if self._choice.takes(prefix, each.capabilities or known)]
            self._left_out |= {each.id: each.capabilities or known for each in found if each not in taken}
            found = tuple(taken)
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


def _choice(only: Iterable[str] | None, without: Iterable[str], allow: Iterable[str], areas: Iterable[str]) -> _Choice:
    known = {*areas, *get_args(Capability)}

    def named(names: Iterable[str]) -> frozenset[str]:
        chosen = frozenset([names] if isinstance(names, str) else names)
        for name in sorted(chosen - known):
            raise RegistryError(
                f"There is no area and no capability {name!r} of nodes.{did_you_mean(name, known)} "
                f"Capabilities are {', '.join(get_args(Capability))}; areas are {', '.join(sorted(areas))}."
            )
        return chosen

    allowed = frozenset([allow] if isinstance(allow, str) else allow)
    for name in sorted(allowed - _ON_DEMAND):
        raise RegistryError(f"{name!r} needs no permission; only {', '.join(sorted(_ON_DEMAND))} does.")
    return _Choice(None if only is None else named(only), named(without), allowed)


def _module_of(node_type: NodeType) -> str:
    body = node_type.body
    return str(getattr(getattr(body, "function", body), "__module__", ""))


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
