"""What nodes of one run remember: messages that are joined, the contexts of flows. All strands share it, as there."""

from __future__ import annotations

from typing import Any

import attrs

import trioflow as tf


@attrs.define
class Memory:
    """Of one run: what each node keeps, and contexts by the id of a flow; that of all is ``."""

    users: int = 0
    nodes: dict[str, dict[str, Any]] = attrs.Factory(dict[str, dict[str, Any]])
    contexts: dict[str, dict[str, Any]] = attrs.Factory(dict[str, dict[str, Any]])

    def of_node(self, id_: str) -> dict[str, Any]:
        """What a node keeps."""
        return self.nodes.setdefault(id_, {})

    def context(self, flow: str = "") -> dict[str, Any]:
        """The context of a flow, or of all."""
        return self.contexts.setdefault(flow, {})


_MEMORIES: dict[int, Memory] = {}


def hold(services: tf.Services) -> Memory:
    """The memory of the run with these services, until `release`."""
    memory = _MEMORIES.setdefault(id(services), Memory())
    memory.users += 1
    return memory


def release(services: tf.Services) -> None:
    """One of those that held the memory is torn down."""
    memory = _MEMORIES[id(services)]
    memory.users -= 1
    if not memory.users:
        del _MEMORIES[id(services)]
