"""Cells that stand for something, and those that each execution of a graph makes for itself (D1, M1, A10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trioflow.errors import UnknownSecret, did_you_mean
from trioflow.model.secret import reveal
from trioflow.model.values import own_copy
from trioflow.semantics.plan import Plan
from trioflow.semantics.store import Cell, Store, empty_store, new_cell

NOTHING = new_cell(None, -1, "unset")
"""In place of the cell of an input that nothing supplies (D1)."""

LAZY = new_cell(None, -1, "lazy")
"""In place of the cell of a lazy input among those of eager ones."""

FAILED = new_cell(None, -1, "failed")
"""In place of the cell of an input whose source failed while a body asked for it."""


class OwnCell(Cell):
    """The cell of a literal or default that an execution of a graph has made for itself: it is of its input's type."""

    __slots__ = ()


class SecretCell(Cell):
    """The cell of a literal that names a secret: its value is asked of the host when somebody wants it (A10).

    It is never written anywhere else.
    """

    __slots__ = ("_name", "_secrets", "_where")

    def __init__(self, secrets: Mapping[str, str], name: str, where: str) -> None:
        self._secrets = secrets
        self._name = name
        self._where = where

    @property
    def value(self) -> Any:
        """The secret. Raises `UnknownSecret`."""
        found = self._secrets.get(self._name)
        if found is None:
            known = sorted(self._secrets)
            raise UnknownSecret(
                f"Input {self._where} names the secret {self._name!r}, which the host does not have."
                f"{did_you_mean(self._name, known)} It has: {', '.join(known) or 'none'}. Give it to whoever runs the "
                f"graph: secrets={{{self._name!r}: ...}}."
            )
        return reveal(found)


def first_store(plan: Plan, next_serial: Callable[[], int], secrets: Mapping[str, str], prefix: str = "") -> Store:
    """The store that an execution starts with: variables at their defaults, and literals that could be changed (M1)."""
    store = empty_store(plan.size, plan.variables, plan.merges, next_serial, plan.readers, plan.ranges)
    for slot, variable in enumerate(plan.variables):
        store.write(slot, own_copy(variable.default), f"${variable.name}")
    for planned in plan.own:
        name = f"{prefix}{planned.node}.{planned.socket.name}"
        cell: Cell
        if planned.secret is not None:
            cell = SecretCell(secrets, planned.secret, name)
        else:
            assert planned.make is not None
            cell = OwnCell()
            cell.value = planned.make()
        cell.serial = -1
        cell.origin = f"={name}"
        cell.memo = None
        store.cells[planned.own] = cell
    return store
