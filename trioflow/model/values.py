"""Values of graphs: who holds a graph can't change it, and who runs it gets copies of what could be changed (M1)."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

CONTAINERS = (list, dict, set, deque, bytearray)
"""What is copied where it leaves the graph. All else is taken to be unchangeable, or to be shared on purpose."""


def own_copy(value: Any) -> Any:
    """The same value in containers of its own, at every depth. Numbers, texts and other objects are not copied.

    Lists, dicts and sets are copied with what they hold, also inside of tuples; of subclasses, deques and bytearrays
    only the outermost. Raises nothing: a list that holds itself is copied as such.
    """
    return _copy(value, {}) if holds_containers(value) else value


def holds_containers(value: object) -> bool:
    """Whether `own_copy` makes another object of this value."""
    return isinstance(value, CONTAINERS) or (type(value) is tuple and any(map(holds_containers, value)))


def _copy(value: Any, known: dict[int, Any]) -> Any:
    kind: type[Any] = type(value)
    if id(value) in known:
        return known[id(value)]
    if kind is list:
        copied = known[id(value)] = []
        copied += [_copy(item, known) for item in value]
        return copied
    if kind is dict:
        made = known[id(value)] = {}
        made.update((name, _copy(item, known)) for name, item in value.items())
        return made
    if kind is tuple:
        return tuple(_copy(item, known) for item in value)
    return copy.copy(value) if isinstance(value, CONTAINERS) else value


class FrozenMapping(Mapping[str, Any]):
    """A mapping that nobody can change: of containers it gives copies. Compares, copies and pickles like a dict."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._values = {name: own_copy(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return own_copy(self._values[name])

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        return own_copy(self._values[name]) if name in self._values else default

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


NO_VALUES = FrozenMapping()


def frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapping as one that can't be changed, whatever becomes of this one."""
    if type(mapping) is FrozenMapping:
        return mapping
    return FrozenMapping(mapping) if mapping else NO_VALUES
