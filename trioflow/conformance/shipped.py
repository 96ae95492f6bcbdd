"""Where the rules, vectors and mutants are: in a checkout in `spec/`, in an installed package in one archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["PACKAGED", "PACKAGED_MUTANTS", "PACKAGED_RULES", "files"]

_ARCHIVE = Path(__file__).parent / "spec.zip"
"""Made when a wheel is built, by `hatch_build.py`."""
_SPEC: Traversable = zipfile.Path(_ARCHIVE) if _ARCHIVE.is_file() else Path(__file__).parents[2] / "spec"

PACKAGED = _SPEC / "vectors"
"""The vectors that come with the kit."""
PACKAGED_MUTANTS = _SPEC / "mutants"
"""The mutants that come with the kit."""
PACKAGED_RULES = _SPEC / "rules"
"""The rules in prose, which `trioflow explain` shows."""


def files(folder: Traversable, suffix: str, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """The files of a folder and those below whose names end so, by path relative to the folder."""
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.name.endswith(suffix):
            yield f"{above}{each.name}", each
        elif each.is_dir():
            yield from files(each, suffix, f"{above}{each.name}/")
