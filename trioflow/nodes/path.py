"""Names of files and folders, without looking at any file.

An input takes a text or a `path`; results are texts, which every input for a path takes. Names are those of the system
that the graph runs on: on Windows a backslash separates folders too.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path, PurePosixPath

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._slices import finished

_LONGEST = 4096
"""Characters of a pattern, as many as a path may have."""


@tf.data_node(id="path.join")
def join(path: Path, other: Path) -> str:
    """The other path as seen from the first; an absolute one stays as it is.

    >>> join(Path("a/b"), Path("c.txt"))
    'a/b/c.txt'
    """
    return str(path / other)


@tf.data_node(id="path.name")
def name(path: Path) -> str:
    """The last part; empty for a root and for the current folder.

    >>> name(Path("a/b.tar.gz"))
    'b.tar.gz'
    """
    return path.name


@tf.data_node(id="path.stem")
def stem(path: Path) -> str:
    """The last part without its suffix.

    >>> stem(Path("a/b.tar.gz"))
    'b.tar'
    """
    return path.stem


@tf.data_node(id="path.suffix")
def suffix(path: Path) -> str:
    """The suffix of the last part, with its point; empty if it has none. A point in front is part of the name.

    >>> suffix(Path("a/b.tar.gz"))
    '.gz'
    """
    return path.suffix


@tf.data_node(id="path.parent")
def parent(path: Path) -> str:
    """The path without its last part: `.` for a single name, a root for itself. Purely by name: `a/..` gives `a`.

    >>> parent(Path("a/b/c.txt"))
    'a/b'
    """
    return str(path.parent)


@tf.data_node(id="path.parts")
def parts(path: Path) -> list[str]:
    """The folders and the name, the root first if there is one; none for the current folder.

    >>> parts(Path("/a/b.txt"))
    ['/', 'a', 'b.txt']
    """
    return list(path.parts)


@tf.data_node(id="path.from_parts")
def from_parts(parts: list[str]) -> str:
    """The path that these parts make; `.` for none. A part that is not a text is an error.

    >>> from_parts(["/", "a", "b.txt"])
    '/a/b.txt'
    """
    names = finished(expect.texts("path.from_parts", parts[:_LONGEST]))
    if len(parts) > _LONGEST or sum(map(len, names)) > _LONGEST * 8:
        raise ValueError(f"path.from_parts: expected parts of {_LONGEST * 8} characters together at most.")
    return str(Path(*names))


@tf.data_node(id="path.with_name")
def with_name(path: Path, name: str) -> str:
    """The path with another last part. A path without one, and a name that is none, are errors.

    >>> with_name(Path("a/b.txt"), "c.md")
    'a/c.md'
    """
    try:
        return str(path.with_name(name))
    except ValueError as error:
        raise ValueError(
            f"path.with_name: {expect.short(str(path))} can't be named {expect.short(name)}: {error}."
        ) from None


@tf.data_node(id="path.with_suffix")
def with_suffix(path: Path, suffix: str) -> str:
    """The path with another suffix, with its point; an empty one takes it away.

    A path without a last part, and a suffix that is none, are errors.

    >>> with_suffix(Path("a/b.txt"), ".md")
    'a/b.md'
    """
    try:
        return str(path.with_suffix(suffix))
    except ValueError:
        raise ValueError(
            f"path.with_suffix: {expect.short(str(path))} can't have the suffix {expect.short(suffix)}."
        ) from None


@tf.data_node(id="path.relative_to")
def relative_to(path: Path, base: Path) -> str:
    """The path as seen from a folder above it, or beside it, with `..`; by name alone: links are not followed.

    Seeing an absolute path from a relative one, or the other way round, is an error, and so is `..` in the base.

    >>> relative_to(Path("/a/b/c.txt"), Path("/a/d"))
    '../b/c.txt'
    """
    if path.anchor != base.anchor or ".." in base.parts:
        raise ValueError(f"path.relative_to: {expect.short(str(path))} can't be seen from {expect.short(str(base))}.")
    both = [*itertools.takewhile(lambda pair: pair[0] == pair[1], zip(path.parts, base.parts, strict=False))]
    return str(Path(*[".."] * (len(base.parts) - len(both)), *path.parts[len(both) :]))


@tf.data_node(id="path.is_within")
def is_within(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or below it, once `.` and `..` are resolved by name; links are not followed.

    A relative path is never within an absolute one, or the other way round.

    >>> is_within(Path("data/../secret"), Path("data"))
    False
    """
    inner, outer = Path(os.path.normpath(path)), Path(os.path.normpath(folder))
    depth = len(outer.parts)
    if inner.anchor != outer.anchor:
        return False
    if inner.parts[:depth] == outer.parts:
        return ".." not in inner.parts[depth:]
    return set(outer.parts) == {".."} and inner.parts.count("..") < depth


@tf.data_node(id="path.normalize")
def normalize(path: Path) -> str:
    """Without `..` where a folder stands before it, by name alone; `.` if nothing is left. Links are not followed.

    >>> normalize(Path("a/b/../c"))
    'a/c'
    """
    return os.path.normpath(path)


@tf.data_node(id="path.is_absolute")
def is_absolute(path: Path) -> bool:
    """Whether a path starts at a root.

    >>> is_absolute(Path("a/b"))
    False
    """
    return path.is_absolute()


@tf.data_node(id="path.matches")
def matches(path: Path, pattern: str) -> bool:
    """Whether the end of a path matches a pattern: `*` is any part of a name, `?` one character, `[ab]` one of these.

    A pattern that starts at a root has to match all of the path. An empty pattern is an error.

    >>> matches(Path("a/b.txt"), "*.txt")
    True
    """
    try:
        if len(pattern) <= _LONGEST:
            return path.match(pattern)
    except ValueError:
        pass
    raise ValueError(f"path.matches: expected a pattern such as '*.txt', got {expect.short(pattern)}.")


@tf.data_node(id="path.to_posix")
def to_posix(path: Path) -> str:
    """The path with / between folders, on every system.

    >>> to_posix(Path("a/b.txt"))
    'a/b.txt'
    """
    return str(PurePosixPath(path.as_posix()))
