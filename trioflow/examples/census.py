"""The census's own nodes: how a program brings nodes to a graph. Functions and classes, nothing to register.

    trioflow run census.json --nodes trioflow.examples.census --set root=FOLDER

(`trioflow run census` finds both by itself.) Everything else in the graph is a standard node.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import trio

import trioflow as tf

Row = tuple[str, str, int, int]
"""One file: path below the root, SHA-256, bytes, lines as `wc -l` counts them."""


class BadReportPath(tf.GraphError):
    """The report can't be written where it should go: found out before hours of work, not after them."""


@tf.exec_node(id="census.check_report", durable="recorded")
async def check_report(path: str) -> None:
    """Make sure that a report can be written to `path`; an empty path asks for none."""
    if path:
        try:
            await trio.to_thread.run_sync(_try_to_write, Path(path))
        except OSError as error:
            raise BadReportPath(f"variable 'report': {path!r} can't be written: {error.strerror}") from None


def _try_to_write(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder")
    with tempfile.TemporaryFile(dir=path.parent):
        pass  # the report replaces what is there, so it is the folder that must be writable


@tf.data_node(id="census.expected")
async def expected(root: str) -> int:
    """How many files there are, roughly: only for the progress bar, so that it knows its end.

    A data node: it is asked once per file, and evaluated once, because its input does not change.
    """
    return await trio.to_thread.run_sync(_count_files, root)


def _count_files(root: str) -> int:
    return sum(
        not os.path.islink(os.path.join(folder, name))  # noqa: PTH114, PTH118 - a Path for each would double the time
        for folder, _, names in os.walk(root or ".")  # as file.walk understands it
        for name in names
    )


@tf.data_node(id="census.record")
def record(path: str, digest: str, size: int, lines: int) -> Row:
    """What is known of one file."""
    return path, digest, size, lines


@tf.data_node(id="census.unreadable")
def unreadable(path: str, error: object) -> tuple[str, str]:
    """Why a file could not be read. What is no trouble with a file is a mistake in the graph, and goes on as it is."""
    if isinstance(error, OSError):
        return path, error.strerror or str(error)
    raise error if isinstance(error, Exception) else TypeError(f"census.unreadable: {error!r} is not an exception")


class Progress(tf.Node, id="census.progress", durable="replayed"):
    """Counts the files that are done and reports it as progress, for whoever watches.

    State on `self` is shared by all concurrent items, in whatever order they end: right for a progress bar, wrong for
    anything that gets into the result.
    """

    enter = tf.ExecIn()
    total = tf.DataIn(int, doc="files expected")
    message = tf.DataIn(str, default="", doc="what is at hand")
    then = tf.ExecOut()

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._done = 0

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        self._done += 1
        ctx.report_progress(self._done, await ctx.get_input(self.total), await ctx.get_input(self.message))
        return self.then


class Report(NamedTuple):
    """The outputs of `census.report`, one per field."""

    table: str
    text: str


@tf.data_node(id="census.report")
def report(files: list[Row], unreadable: list[tuple[str, str]], folders: list[str]) -> Report:
    """The table to look at, and the same in JSON with all duplicates: files, lines and bytes by type.

    A type is the suffix in small letters. Duplicates are files with the same SHA-256; empty files, which are all the
    same, are left out of that.
    """
    count: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    size: Counter[str] = Counter()
    same: dict[str, list[str]] = {}
    bytes_of: dict[str, int] = {}
    for path, digest, bytes_, line_ends in sorted(files):
        kind = _shown(PurePosixPath(path).suffix.lower()) or "(none)"
        count[kind] += 1
        lines[kind] += line_ends
        size[kind] += bytes_
        if bytes_:
            same.setdefault(digest, []).append(path)
            bytes_of[digest] = bytes_
    duplicates = [
        {"sha256": digest, "bytes": bytes_of[digest], "paths": paths}
        for digest, paths in same.items()
        if len(paths) > 1
    ]
    saved = sum(bytes_of[digest] * (len(paths) - 1) for digest, paths in same.items())
    kinds = sorted(count, key=lambda kind: (-size[kind], kind))
    width = max(12, *map(len, kinds)) if kinds else 12
    table = [
        f"{'type':<{width}} {'files':>9} {'lines':>12} {'bytes':>16}",
        *(f"{kind:<{width}} {count[kind]:>9,} {lines[kind]:>12,} {size[kind]:>16,}" for kind in kinds),
        f"{'total':<{width}} {len(files):>9,} {lines.total():>12,} {size.total():>16,}",
        f"{len(duplicates):,} groups of identical files; {saved:,} bytes could be saved",
    ]
    if unreadable or folders:
        table.append(f"not counted because they could not be read: {len(unreadable):,} files, {len(folders):,} folders")
    document = {
        "total": {"files": len(files), "lines": lines.total(), "bytes": size.total()},
        "types": {kind: {"files": count[kind], "lines": lines[kind], "bytes": size[kind]} for kind in kinds},
        "duplicates": duplicates,
        "unreadable": {"files": dict(sorted(unreadable)), "folders": sorted(folders)},
    }
    return Report("\n".join(table), json.dumps(document, indent=2) + "\n")


def _shown(text: str) -> str:
    """Names of files may hold anything, even what no terminal should get."""
    return text if text.isprintable() else ascii(text)[1:-1]
