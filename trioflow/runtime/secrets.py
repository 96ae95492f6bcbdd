"""Literals that name a secret: their value is asked of the host when somebody wants it (A10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioflow.errors import UnknownSecret, did_you_mean
from trioflow.model.secret import reveal
from trioflow.semantics.store import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping


class SecretCell(Cell):
    """The cell of such a literal. Its value is never written anywhere else."""

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
