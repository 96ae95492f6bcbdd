"""Expressions of a workflow, bound to where their names are: outputs, variables, the inputs of the graph (V3).

`out` are the outputs of the node that fired, `vars` the variables, `input` the inputs of the graph, `item` what the
stream gave, `progress` what the body has reported (W23), `error` what the firing failed with, `round` and `turn` its
place in the canonical order (W10, W15).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_origin

import attrs

from trioflow.errors import ExpressionFailed
from trioflow.expressions import Expression, compile_expression
from trioflow.model.graph import Graph, Interface, Outcome
from trioflow.model.node_type import NodeType
from trioflow.model.types import NAMED_TYPES
from trioflow.semantics.store import Cell
from trioflow.semantics.workflow.machine import Firing


@attrs.frozen(eq=False)
class Bound:
    """An expression, and the slots of what it names."""

    expression: Expression
    slots: tuple[tuple[str, int], ...]
    of_firing: tuple[str, ...]

    def values(
        self, cells: Sequence[Cell | None], firing: Firing | None, error: BaseException | None
    ) -> dict[str, Any]:
        """What its names stand for now. Raises `ExpressionFailed` for what nobody has written."""
        found: dict[str, Any] = {}
        for name, slot in self.slots:
            cell = cells[slot]
            if cell is None:
                raise ExpressionFailed(
                    f"The expression {self.expression.text!r} asks for {name}, which was not written: no body on "
                    "the way here has done so."
                )
            found[name] = cell.value
        for name in self.of_firing:
            if name == "error":
                found[name] = error
            else:
                found[name] = 0 if firing is None else firing.round if name == "round" else firing.turn
        return found

    def holds(self, cells: Sequence[Cell | None], firing: Firing | None, error: BaseException | None) -> bool:
        """Whether it holds. Raises `ExpressionFailed`."""
        return self.expression.holds(self.values(cells, firing, error))

    def value(self, cells: Sequence[Cell | None], firing: Firing | None, error: BaseException | None) -> Any:
        """What it is. Raises `ExpressionFailed`."""
        return self.expression.value(self.values(cells, firing, error))


def names_at(
    graph: Graph, node_type: NodeType, output: str | None = None, on: Collection[Outcome] = ()
) -> dict[str, type | None]:
    """The names that an expression may use at a node, or on a wire from this output of it, and their types."""
    names: dict[str, type | None] = {f"out.{socket.name}": _plain(socket.type) for socket in node_type.outputs}
    names |= {f"vars.{variable.name}": _plain(NAMED_TYPES.get(variable.type)) for variable in graph.variables}
    interface = graph.interface or Interface()
    if interface.is_exec:
        names |= {
            f"input.{each.name}": _plain(NAMED_TYPES.get(each.type)) for each in interface.inputs if not each.lazy
        }
    if item_of(node_type, output) is not None:
        names["item"] = None
    if "progress" in on:
        names["progress"] = None
    names |= {"error": None, "round": int, "turn": int}
    return {name: kind for name, kind in names.items() if all(part.isidentifier() for part in name.split("."))}


def bind(text: str, names: Mapping[str, type | None], slots: Mapping[str, int], *, condition: bool = False) -> Bound:
    """Compile an expression that was checked, with the slot of each name that has one."""
    expression = compile_expression(text, names, condition=condition)
    read = [name for name in expression.names if name in names]
    return Bound(
        expression,
        tuple((name, slots[name]) for name in read if name in slots),
        tuple(name for name in read if name not in slots),
    )


def item_of(node_type: NodeType, output: str | None) -> str | None:
    """The data output that holds the item, if an exec output is where a stream's items go out."""
    return next((stream.items[0].name for stream in node_type.streams if stream.fires.name == output), None)


def _plain(kind: Any) -> type | None:
    return kind if kind in (bool, int, float, str) and get_origin(kind) is None else None
