"""Bodies that can run in another process: what they need there, or why they can't (A9).

Code is never shipped by value, only by name.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.model.by_name import importable_name
from trioflow.model.node_type import FunctionBody
from trioflow.runtime.base.inputs import value_of

if TYPE_CHECKING:
    from trioflow.semantics.plan import PlanNode
    from trioflow.semantics.store import Cell


@attrs.frozen
class Portable:
    """The body of a function node, ready to be pickled: whoever has the same code installed can run it.

    `type` is the node type's id; `function` says where its code is, `module:name`. `arguments` are the values of its
    inputs in the order of its parameters, with `CONTEXT` where it gets a context, which `wants_context` says too.
    `seed` is that of the generator that `ctx.random` would be, `path` is the activation's.
    """

    type: str
    function: str
    arguments: tuple[Any, ...]
    seed: str
    path: tuple[int, ...]
    wants_context: bool

    def generator(self) -> random.Random:
        """The generator that `ctx.random` is for this attempt (R6)."""
        return random.Random(self.seed)

    @classmethod
    def of(cls, node: PlanNode, cells: Sequence[Cell], key: str, path: tuple[int, ...]) -> Portable:
        """The body of this node with the cells of its inputs."""
        body = node.type.body
        assert isinstance(body, FunctionBody)
        values: Mapping[str, Any] = {
            planned.socket.name: value_of(planned, cell) for planned, cell in zip(node.inputs, cells, strict=False)
        }
        arguments = tuple(
            CONTEXT if parameter.fill == "context" else values[parameter.name] for parameter in body.parameters
        )
        name = importable_name(node.type)
        assert name is not None
        return cls(node.type.id, name, arguments, key, path, CONTEXT in arguments)


CONTEXT = "<context>"
"""Stands among the arguments for the context, which the other side makes."""
