"""Values that stay where they were made, in files that all processes of a host read, preferably in memory."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import uuid
import weakref
from pathlib import Path
from typing import Any

import attrs

from trioflow.model.held import Held

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - files of our own in a folder that only we may read


_used: set[str] = set()
"""The folders that this process has written to."""


@attrs.frozen
class Keeper:
    """Keeps values in a folder, in whatever process it is asked to. They are removed once nobody has them any more."""

    folder: str

    def keep(self, data: bytes) -> Kept:
        """A value, pickled, as what is sent to the run."""
        _used.add(self.folder)
        path = Path(self.folder, uuid.uuid4().hex)
        path.write_bytes(data)
        return Kept(str(path), len(data))

    @classmethod
    def made(cls) -> Keeper:
        """One with a folder of its own, which goes with it."""
        shared = str(_IN_MEMORY) if os.access(_IN_MEMORY, os.W_OK) else None
        folder = tempfile.mkdtemp(prefix="trioflow-", dir=shared)
        keeper = cls(folder)
        weakref.finalize(keeper, shutil.rmtree, folder, ignore_errors=True)
        return keeper


@attrs.frozen
class Kept:
    """Where a value is, as the process that has made it tells the run."""

    path: str
    size: int


class HeldInFile(Held):
    """Stands for such a value in the run. The file goes with the last of them."""

    __slots__ = ("_keeper", "_path")

    def __init__(self, kept: Kept, keeper: Keeper) -> None:
        super().__init__(kept.size)
        self._path = kept.path
        self._keeper = keeper  # its folder lives as long as what is in it
        weakref.finalize(self, _remove, kept.path)

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (self._path,)


def load(path: str) -> Any:
    """The value in that file."""
    with Path(path).open("rb") as file:
        return pickle.load(file)  # noqa: S301 - written by a process of ours


def remove_left() -> None:
    """Remove all that this process has kept: the run that it was for has been killed."""
    for folder in _used:
        shutil.rmtree(folder, ignore_errors=True)


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
