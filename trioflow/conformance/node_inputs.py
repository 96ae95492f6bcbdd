"""Inputs for a node type that is checked: drawn by the types of its sockets, or as the author says."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis.errors import InvalidArgument, ResolutionFailed

from trioflow.errors import (
    NodeDefinitionError,
)
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import UNSET, DataIn
from trioflow.model.types import describe_type

Inputs = Mapping[str, Any]
Strategies = Mapping[str, st.SearchStrategy[Any] | Sequence[Any]]


def drawing(node_type: NodeType, given: Strategies) -> st.SearchStrategy[Inputs]:
    """Inputs of a type by name: of these strategies or examples, or by the type of the socket.

    Raises `NodeDefinitionError` for an input that it does not have, or a type that nobody knows how to draw.
    """
    unknown = set(given) - {socket.name for socket in node_type.inputs}
    if unknown:
        raise NodeDefinitionError(f"{node_type.id!r} has no data input {', '.join(map(repr, sorted(unknown)))}.")
    return st.fixed_dictionaries(
        {
            socket.name: _strategy(node_type, socket, given.get(socket.name))
            for socket in node_type.inputs
            if not socket.names  # the name of a variable or an event stands in the graph
        }
    )


def _strategy(
    node_type: NodeType, socket: DataIn[Any], given: st.SearchStrategy[Any] | Sequence[Any] | None
) -> st.SearchStrategy[Any]:
    if isinstance(given, st.SearchStrategy):
        return given
    if given is not None:
        return st.sampled_from(list(given))
    try:
        drawn = _of_type(socket.type)
        drawn.validate()
    except (ResolutionFailed, InvalidArgument, TypeError) as error:
        raise NodeDefinitionError(
            f"Nobody knows how to draw values of type {describe_type(socket.type)} for input {socket.name!r} of "
            f"{node_type.id!r}: give a strategy or examples, check_node_type(..., {{{socket.name!r}: [...]}})."
        ) from error
    return drawn if socket.required else st.one_of(st.just(UNSET), drawn)


_PLAIN: st.SearchStrategy[Any] = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
# With values that a body can change in place, on wires of any type and inside of others.
_ANY = st.one_of(_PLAIN, st.lists(_PLAIN, max_size=3), st.dictionaries(st.text(max_size=3), _PLAIN, max_size=2))
_SIMPLE: Mapping[Any, st.SearchStrategy[Any]] = {
    object: _ANY,
    Any: _ANY,
    list: st.lists(_ANY, max_size=4),
    dict: st.dictionaries(st.text(max_size=3), _ANY, max_size=3),
    set: st.sets(st.integers(), max_size=4),
    Path: st.text("abc./", max_size=6).map(Path),
    timedelta: st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    date: st.dates(),
    datetime: st.datetimes(),
}


def _of_type(type_: Any) -> st.SearchStrategy[Any]:
    try:
        simple = _SIMPLE.get(type_)
    except TypeError:  # not hashable, such as Annotated with a list
        simple = None
    if simple is not None:
        return simple
    if isinstance(type_, typing.TypeVar):
        return _ANY
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(_of_type, parts))
    if origin in (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        return st.lists(_of_type(parts[0]), max_size=4)
    if origin in (set, collections.abc.Set):
        return st.sets(_hashable(parts[0]), max_size=4)
    if origin is frozenset:
        return st.frozensets(_hashable(parts[0]), max_size=4)
    if origin in (dict, collections.abc.Mapping):
        return st.dictionaries(_hashable(parts[0]), _of_type(parts[1]), max_size=3)
    return st.from_type(type_)


def _hashable(type_: Any) -> st.SearchStrategy[Any]:
    return _of_type(type_).filter(lambda value: isinstance(value, Hashable))
