"""Names that a node is configured with: further data inputs, which scripts, templates and questions find by name."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import Any, cast

import trioflow as tf
from trioflow.errors import did_you_mean
from trioflow.model.node_type import Configured
from trioflow.model.sockets import Socket
from trioflow.model.types import NAMED_TYPES

_ABSENT = object()

Find = Callable[[str], tf.NodeType | None]


def check_keys(config: Mapping[str, Any], *known: str) -> None:
    """Raise `ValueError` for a key of a configuration that the type does not know."""
    for key in config:
        if key not in known:
            raise ValueError(f"there is no {key!r} in its configuration.{did_you_mean(key, known)} It has: "
                             f"{', '.join(known)}")  # fmt: skip


def named_types(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The names under a key of a configuration, each with its type. Raises `ValueError`."""
    given = config.get(key, [])
    wanted = f"expected {key!r} to be a list of names, or an object of names and types"
    if isinstance(given, list | tuple):
        types: Mapping[Any, Any] = dict.fromkeys(cast("list[Any]", given), "any")
        if len(types) < len(cast("list[Any]", given)):
            raise ValueError(f"{wanted}, each once, got {given!r}")
    elif isinstance(given, dict):
        types = given
    else:
        raise ValueError(f"{wanted}, got {given!r}")
    for name, type_name in types.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{wanted}, and {name!r} can't be a name: use letters, digits and underscores")
        if not isinstance(type_name, str) or type_name not in NAMED_TYPES:
            near = did_you_mean(type_name, NAMED_TYPES) if isinstance(type_name, str) else ""
            raise ValueError(f"{key}.{name}: there is no type {type_name!r}.{near} Types are: {', '.join(NAMED_TYPES)}")
    return {name: NAMED_TYPES[type_name] for name, type_name in types.items()}


def further_inputs(config: Mapping[str, Any]) -> dict[str, Socket]:
    """The data inputs that a configuration names, each of which may have no value."""
    return {name: tf.DataIn(type_, lazy=True) for name, type_ in named_types(config, "inputs").items()}


class Named(tf.Node, abstract=True):
    """Takes values by name: from the inputs that it is configured with, and from a dictionary."""

    enter = tf.ExecIn()
    inputs = tf.DataIn(dict[str, Any], default={}, doc="values by name, besides the inputs that `config` names")

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Find) -> Configured:
        check_keys(config, "inputs")
        return Configured(further_inputs(config))

    async def _names(self, ctx: tf.Context) -> dict[str, Any]:
        """The values, by name. An input whose source has not written anything is not among them."""
        found: dict[str, Any] = dict(await ctx.get_input(self.inputs))
        for name in ctx.node.config.get("inputs", ()):
            value = await ctx.try_get_input(name, _ABSENT)
            if value is not _ABSENT:
                found[name] = value
        return found
