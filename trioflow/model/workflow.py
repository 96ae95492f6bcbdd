"""Building workflows in Python: `with workflow() as w: ...; w.graph` (W1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trioflow.errors import UnknownSocket
from trioflow.model.builder import BoundSocket, Builder, Handle
from trioflow.model.durability import Duration
from trioflow.model.graph import UNDO_GRACE, Connection, Endpoint, Graph, GraphNode, Keeping, Outcome, UndoOn, WireData
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import DataIn, DataOut, ErrorMode, ExecIn, ExecOut

SETTINGS = frozenset((
    "join", "min", "unmet", "rest", "choose", "most", "priority", "limit", "group", "queue", "undo", "undo_from", "set",
    "policy",
))  # fmt: skip
"""What `add` takes besides inputs: the settings of nodes in a workflow."""


class WorkflowBuilder(Builder):
    """A builder whose exec wires carry tokens. Nodes stand for their only exec socket on either side."""

    def __init__(
        self,
        registry: Registry | None = None,
        *,
        limit: int | None = None,
        groups: Mapping[str, int] | None = None,
        on_error: ErrorMode = "fail",
        keep_outputs: Keeping = "all",
        undo_on: Sequence[UndoOn] = ("failed",),
        undo_grace: Duration = UNDO_GRACE,
        implicit: bool = False,
    ) -> None:
        super().__init__(registry)
        self._settings: dict[str, Any] = {
            "limit": limit, "groups": groups or {}, "on_error": on_error, "keep_outputs": keep_outputs,
            "undo_on": undo_on, "undo_grace": undo_grace,
        }  # fmt: skip
        self._implicit = implicit

    def __enter__(self) -> WorkflowBuilder:
        return self

    def connect(
        self,
        source: Any,
        target: Any,
        *,
        on: Outcome | Sequence[Outcome] = "completed",
        when: str | None = None,
        otherwise: bool = False,
        priority: int = 0,
        data: Mapping[str, str | WireData] | None = None,
    ) -> None:
        """Wire an output to an input, or a node to a node (W2).

        `on`: how the source must have ended; `when`: a condition; `otherwise`: taken where no condition held beside it;
        `priority`: where only one is chosen (W3); `data`: what inputs of the target get, as expressions. Raises
        `UnknownSocket` for what is no output, or no input.
        """
        start = _end(source, outgoing=True, named="completed" in ((on,) if isinstance(on, str) else on))
        end = _end(target, outgoing=False, named=True)
        more: dict[str, Any] = {"data": data or {}}
        self._connections.append(
            Connection(start, end, on=on, when=when, otherwise=otherwise, priority=priority, **more)
        )

    def after(self, source: Any, *targets: Any) -> None:
        """Let these nodes fire after that one: a wire to each of them."""
        for target in targets:
            self.connect(source, target)

    def _add(self, node_type: NodeType, id: str | None, inputs: Mapping[str, Any]) -> Handle:
        own = {socket.name for socket in node_type.inputs}
        settings = {name: value for name, value in inputs.items() if name in SETTINGS - own}
        undo = settings.get("undo")
        if isinstance(undo, Handle):
            settings["undo"] = undo._id
        handle = super()._add(node_type, id, {name: value for name, value in inputs.items() if name not in settings})
        if settings:
            self._nodes[handle._id] = attrs.evolve(self._nodes[handle._id], **settings)
        if self._implicit and node_type.exec_inputs:
            sources = dict.fromkeys(value.node for value in inputs.values() if isinstance(value, BoundSocket))
            for source in sources:
                self._draw_wire(source, handle)
        return handle

    def _draw_wire(self, source: str, target: Handle) -> None:
        """A data wire from an exec node orders, too: what people expect who come from Prefect or Hamilton."""
        known: GraphNode = self._nodes[source]
        source_type = self._types.get(known.type) or self._registry.find(known.type)
        if source_type is not None and source_type.exec_outputs:
            self.connect(Handle(source, source_type), target)

    @property
    def graph(self) -> Graph:
        """The workflow as built so far."""
        return attrs.evolve(super().graph, kind="workflow", **self._settings)


def _end(end: Any, *, outgoing: bool, named: bool) -> Endpoint:
    if isinstance(end, Handle):
        node_type = end._type
        sockets: Sequence[ExecOut | ExecIn] = node_type.own_exec_outputs if outgoing else node_type.exec_inputs
        if named and len(sockets) != 1:
            side = "output" if outgoing else "input"
            names = ", ".join(f"{end._id}.{socket.name}" for socket in sockets) or "none"
            raise UnknownSocket(
                f"Node {end._id!r} ({node_type.id}) stands for its only exec {side}, and it has {len(sockets)}: "
                f"{names}. Name the one that is meant."
            )
        return Endpoint(end._id, sockets[0].name if named else "")
    kinds = (ExecOut, DataOut) if outgoing else (ExecIn, DataIn)
    if isinstance(end, BoundSocket) and (isinstance(end.socket, kinds) or isinstance(end.twin, kinds)):
        return end.endpoint
    role = "output" if outgoing else "input"
    raise UnknownSocket(
        f"connect(source, target) needs an {role} of a node in this workflow here, or a node, not "
        f"{end!r}. Write w.connect(a, b), or w.connect(a.approved, b), with a and b from w.add(...)."
    )


def workflow(
    registry: Registry | None = None,
    *,
    limit: int | None = None,
    groups: Mapping[str, int] | None = None,
    on_error: ErrorMode = "fail",
    keep_outputs: Keeping = "all",
    undo_on: Sequence[UndoOn] = ("failed",),
    undo_grace: Duration = UNDO_GRACE,
    implicit: bool = False,
) -> WorkflowBuilder:
    """A new builder of a workflow: `build` for graphs whose exec wires carry tokens (W1).

    `limit`: firings under way at once; `groups`: limits by name that nodes share (W16); `on_error`: whether a failure
    that no wire takes ends it at once, or is collected (W12); `keep_outputs`: "needed" lets go of outputs that nothing
    can read any more (W20); `undo_on` and `undo_grace`: after what else than a failure what was done is undone, and in
    how many seconds (W22). `implicit`: a data wire from an exec node to an exec node draws the exec wire too. `add`
    takes settings of the node besides inputs: `w.add(decide, join="first")`.
    """
    return WorkflowBuilder(
        registry,
        limit=limit,
        groups=groups,
        on_error=on_error,
        keep_outputs=keep_outputs,
        undo_on=undo_on,
        undo_grace=undo_grace,
        implicit=implicit,
    )
