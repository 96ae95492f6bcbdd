"""The census's own nodes: how a program brings nodes to a graph. A module with functions and classes, nothing to register.

    trioflow run census --nodes trioflow.examples.census --set root=FOLDER

The command line adds this module by itself for the census, because the graph asks for it in its metadata.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import PurePosixPath
from typing import NamedTuple

import trioflow as tf


class Report(NamedTuple):
    """The outputs of `report`, one per field."""

    table: str
    text: str


@tf.data_node(id="census.record")
def record(path: str, digest: str, size: int, lines: int) -> dict[str, object]:
    """What is known of one file, by its path: one entry for the census."""
    return {path: (digest, size, lines)}


@tf.data_node(id="census.failed")
def failed(path: str, reason: str) -> dict[str, str]:
    """Why one file could not be read, by its path."""
    return {path: reason}


@tf.data_node(id="census.report")
def report(files: dict[str, tuple[str, int, int]], unreadable: dict[str, str]) -> Report:
    """The table to look at, and the JSON text to keep: files, lines and bytes by type, and files that are the same.

    A type is the suffix in small letters. Files are the same if their SHA-256 is; empty files are left out of that.
    """
    count: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    size: Counter[str] = Counter()
    same: dict[str, list[str]] = {}
    for path in sorted(files):
        digest, bytes_, line_ends = files[path]
        kind = PurePosixPath(path).suffix.lower() or "(none)"
        count[kind] += 1
        lines[kind] += line_ends
        size[kind] += bytes_
        if bytes_:
            same.setdefault(digest, []).append(path)
    kinds = sorted(count, key=lambda kind: (-size[kind], kind))
    duplicates = [
        {"sha256": digest, "bytes": files[paths[0]][1], "paths": paths}
        for digest, paths in same.items()
        if len(paths) > 1
    ]
    wasted = sum(files[paths[0]][1] * (len(paths) - 1) for paths in same.values())
    total = {"files": len(files), "lines": lines.total(), "bytes": size.total()}
    rows = [(kind, count[kind], lines[kind], size[kind]) for kind in kinds]
    table = [f"{'type':<12} {'files':>9} {'lines':>12} {'bytes':>16}"]
    table += [f"{kind:<12} {n:>9,} {ends:>12,} {weight:>16,}" for kind, n, ends, weight in rows]
    table += [f"{'total':<12} {total['files']:>9,} {total['lines']:>12,} {total['bytes']:>16,}"]
    table += [f"{len(duplicates):,} groups of identical files; {wasted:,} bytes could be saved"]
    table += [f"{len(unreadable):,} files could not be read"] if unreadable else []
    document = {
        "total": total,
        "types": {kind: {"files": n, "lines": ends, "bytes": weight} for kind, n, ends, weight in rows},
        "duplicates": duplicates,
        "unreadable": dict(sorted(unreadable.items())),
    }
    return Report("\n".join(table), json.dumps(document, indent=2, ensure_ascii=False) + "\n")


class Progress(tf.Node, id="census.progress"):
    """Reports how many files are done, as progress that whoever watches can show."""

    enter = tf.ExecIn()
    done = tf.DataIn(int, doc="files so far")
    message = tf.DataIn(str, default="", doc="what is at hand")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.report_progress(await ctx.get_input(self.done), None, await ctx.get_input(self.message))
        return self.then
