"""Puts the rules, vectors and mutants into a wheel as one archive; a checkout has them in `spec/`."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WHERE = "trioflow/conformance/spec.zip"
WHAT = ("rules/*.md", "vectors/**/*.json", "mutants/*.py")
ALWAYS = (1980, 1, 1, 0, 0, 0)
"""The time of all files: what is built twice is the same."""


class Archive(BuildHookInterface[Any]):
    """Called by hatchling before and after a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "spec.zip")
        spec = Path(self.root, "spec")
        with zipfile.ZipFile(path, "w") as archive:
            for each in sorted(found for pattern in WHAT for found in spec.glob(pattern)):
                info = zipfile.ZipInfo(each.relative_to(spec).as_posix(), ALWAYS)
                archive.writestr(info, each.read_bytes(), zipfile.ZIP_DEFLATED)
        build_data["force_include"][str(path)] = WHERE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
