"""Files. Everything that blocks runs in a thread; cancelling waits for the chunk at hand, never for a whole file."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

import trio

import trioflow as tf

CHUNK = 1 << 20


class Walk(tf.Node, id="file.walk"):
    """Sends every regular file below a folder down `body`, as a stream, sorted by path; then goes on at `done`.

    Symbolic links are not followed, and not sent. A folder that can't be read is reported as a warning and counted. A
    root that is no folder is an error. Concurrent if the node's settings in the graph say so.
    """

    enter = tf.ExecIn()
    root = tf.DataIn(str, doc="the folder")
    limit = tf.DataIn(int, default=0, doc="concurrent files in flight, 0 for any number; the settings' limit wins")
    path = tf.DataOut(str, doc="the file, with the root in front")
    relative = tf.DataOut(str, doc="the file, as seen from the root, with / between folders")
    size = tf.DataOut(int, doc="bytes")
    count = tf.DataOut(int, doc="files sent so far, this one included")
    unreadable = tf.DataOut(list, doc="folders that could not be read, when done")
    body = tf.ExecOut(doc="one file")
    done = tf.ExecOut(doc="after the last file")
    files = tf.Stream(path, relative, size, count, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        root = await ctx.get_input(self.root)
        ctx.configure_stream(self.path, limit=await ctx.get_input(self.limit))
        if not await trio.Path(root).is_dir():
            raise NotADirectoryError(f"file.walk: {root!r} is not a folder.")
        count = 0
        unreadable: list[str] = []
        folders = [root]
        while folders:
            folder = folders.pop()
            try:
                files, below = await trio.to_thread.run_sync(_list_folder, folder)
            except OSError as error:
                unreadable.append(folder)
                ctx.emit_feedback(f"can't read folder {folder}: {error.strerror}", "warning")
                continue
            folders += reversed(below)
            for path, size in files:
                count += 1
                relative = Path(os.path.relpath(path, root)).as_posix()  # noqa: ASYNC240 - compares names only
                await ctx.emit(self.path, path, {self.relative: relative, self.size: size, self.count: count})
        ctx.set_output(self.unreadable, unreadable)


def _list_folder(folder: str) -> tuple[list[tuple[str, int]], list[str]]:
    """Files with their sizes, and folders, each sorted by name."""
    files: list[tuple[str, int]] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since it was listed
            if stat.S_ISDIR(status.st_mode):
                folders.append(entry.path)
            elif stat.S_ISREG(status.st_mode):
                files.append((entry.path, status.st_size))
    return files, folders


class ReadText(tf.Node, id="file.read_text"):
    """Reads a whole file as text. A file that can't be read or decoded is an error."""

    enter = tf.ExecIn()
    path = tf.DataIn(str, doc="the file")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")
    text = tf.DataOut(str, doc="what it says")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path = trio.Path(await ctx.get_input(self.path))
        ctx.set_output(self.text, await path.read_text(encoding=await ctx.get_input(self.encoding)))
        return self.then


class WriteText(tf.Node, id="file.write_text"):
    """Writes a whole file: it holds all of the text or what it held before. Its folder has to be there."""

    enter = tf.ExecIn()
    path = tf.DataIn(str, doc="the file")
    text = tf.DataIn(str, doc="what it shall say, written as UTF-8")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, text = await ctx.get_input(self.path), await ctx.get_input(self.text)
        await trio.to_thread.run_sync(write_atomically, Path(path), text)
        return self.then


def write_atomically(path: Path, text: str) -> None:
    """Write a file beside the old one and put it in its place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Hash(tf.Node, id="file.hash"):
    """The hash of a file's bytes, their number, and the number of line ends in them, in one reading."""

    enter = tf.ExecIn()
    path = tf.DataIn(str, doc="the file")
    algorithm = tf.DataIn(str, default="sha256", doc="a name that hashlib knows")
    digest = tf.DataOut(str, doc="in hexadecimal digits")
    size = tf.DataOut(int, doc="bytes read")
    lines = tf.DataOut(int, doc="line feeds read")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, algorithm = await ctx.get_input(self.path), await ctx.get_input(self.algorithm)
        # One thread for the whole file: for small files the way there and back costs more than the reading.
        digest, size, lines = await trio.to_thread.run_sync(_hash_file, path, algorithm)
        ctx.set_output(self.digest, digest)
        ctx.set_output(self.size, size)
        ctx.set_output(self.lines, lines)
        return self.then


def _hash_file(path: str, algorithm: str) -> tuple[str, int, int]:
    digest = hashlib.new(algorithm)
    size = lines = 0
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n")
            trio.from_thread.check_cancelled()
    return digest.hexdigest(), size, lines
