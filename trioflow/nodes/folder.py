"""Files and folders as a whole: looking, walking, making, copying, moving, deleting. All of it runs in threads.

Errors of the system name the path. Looking at files is not the same in every run, of course.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import trio

import trioflow as tf
from trioflow.nodes._disk import chunks, naming, write_atomically
from trioflow.nodes.loop import Loop


class Walk(tf.Node, id="file.walk", durable="source"):
    """Sends every regular file below a folder down `body`, as a stream, sorted by path; then goes on at `done`.

    Symbolic links are not followed, and not sent. A folder that can't be read is reported as a warning and counted. A
    root that is no folder is an error. Concurrent if the node's settings in the graph say so.

    >>> Path("below").mkdir()
    >>> _ = Path("below/note").write_text("hello")
    >>> for fired in fire("file.walk", root=".", virtual=False):
    ...     print(fired)
    ('body', {'path': 'below/note', 'relative': 'below/note', 'size': 5, 'count': 1})
    ('done', {'unreadable': []})
    """

    enter = tf.ExecIn()
    root = tf.DataIn(Path, doc="the folder")
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
        unreadable: list[str] = []
        folders = [root]
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            count, last = ctx.resumed((0, ""))
            if not await trio.Path(root).is_dir():
                raise NotADirectoryError(f"file.walk: {str(root)!r} is not a folder.")
            while folders:
                folder = folders.pop()
                try:
                    files, below = await trio.to_thread.run_sync(_list_folder, folder)
                except OSError as error:
                    unreadable.append(str(folder))
                    ctx.emit_feedback(f"can't read folder {folder}: {error.strerror}", "warning")
                    continue
                folders += reversed(below)
                for path, size in files:
                    relative = path.relative_to(root).as_posix()
                    if last and _order(relative) <= _order(last):
                        continue  # it was sent before the run was resumed
                    count += 1
                    ctx.mark((count, relative))
                    with loop.round:
                        await ctx.emit(
                            self.path, str(path), {self.relative: relative, self.size: size, self.count: count}
                        )
        ctx.set_output(self.unreadable, unreadable)


def _order(relative: str) -> list[tuple[bool, str]]:
    """What comes first on a walk: in each folder the files, then the folders."""
    *folders, name = relative.split("/")
    return [*((True, folder) for folder in folders), (False, name)]


def _list_folder(folder: Path) -> tuple[list[tuple[Path, int]], list[Path]]:
    """Files with their sizes, and folders, each sorted by name."""
    files: list[tuple[Path, int]] = []
    folders: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since it was listed
            if stat.S_ISDIR(status.st_mode):
                folders.append(folder / entry.name)
            elif stat.S_ISREG(status.st_mode):
                files.append((folder / entry.name, status.st_size))
    return files, folders


class ListFolder(tf.Node, id="file.list", durable="recorded"):
    """The names in a folder that fit a pattern, sorted. A path that is no folder, or can't be read, is an error.

    >>> for name in "b.txt", "a.txt", "c.md":
    ...     Path(name).touch()
    >>> fire("file.list", folder=".", pattern="*.txt", virtual=False)
    [('then', {'names': ['a.txt', 'b.txt'], 'paths': ['a.txt', 'b.txt']})]
    """

    enter = tf.ExecIn()
    folder = tf.DataIn(Path, default=Path(), doc="the folder")
    pattern = tf.DataIn(str, default="*", doc="such as *.txt: * is any text, ? one character, [ab] one of them")
    hidden = tf.DataIn(bool, default=False, doc="also names that begin with a point")
    names = tf.DataOut(list[str], doc="the names")
    paths = tf.DataOut(list[str], doc="the same with the folder in front")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        folder, pattern = await ctx.get_input(self.folder), await ctx.get_input(self.pattern)
        hidden = await ctx.get_input(self.hidden)
        names = await trio.to_thread.run_sync(_names, folder, pattern, hidden)
        ctx.set_output(self.names, names)
        ctx.set_output(self.paths, [str(folder / name) for name in names])
        return self.then


def _names(folder: Path, pattern: str, hidden: bool) -> list[str]:
    with naming(folder):
        names = [path.name for path in folder.iterdir()]
    return sorted(name for name in fnmatch.filter(names, pattern) if hidden or not name.startswith("."))


class Status(NamedTuple):
    """What is known of a path."""

    kind: str
    size: int
    modified: datetime
    permissions: int


@tf.data_node(id="file.exists", durable="recorded", volatile=True)
async def exists(path: Path) -> bool:
    """Whether something is there; a link that leads nowhere is nothing. A path that can't be looked at is an error.

    >>> trio.run(exists, Path("nothing"))
    False
    """
    return await trio.to_thread.run_sync(_exists, path)


def _exists(path: Path) -> bool:
    with naming(path):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


@tf.data_node(id="file.is_file", durable="recorded", volatile=True)
async def is_file(path: Path) -> bool:
    """Whether there is a regular file, or a link to one. A path that can't be looked at is an error.

    >>> trio.run(is_file, Path("."))
    False
    """
    return await trio.to_thread.run_sync(_kind_is, path, stat.S_ISREG)


@tf.data_node(id="file.is_folder", durable="recorded", volatile=True)
async def is_folder(path: Path) -> bool:
    """Whether there is a folder, or a link to one. A path that can't be looked at is an error.

    >>> trio.run(is_folder, Path("."))
    True
    """
    return await trio.to_thread.run_sync(_kind_is, path, stat.S_ISDIR)


def _kind_is(path: Path, test: Callable[[int], bool]) -> bool:
    with naming(path):
        try:
            return test(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False


@tf.data_node(id="file.size", durable="recorded", volatile=True)
async def size(path: Path) -> int:
    """The bytes in a file. A path with nothing there is an error.

    >>> _ = Path("note").write_text("hello")
    >>> trio.run(size, Path("note"))
    5
    """
    return (await status(path)).size


@tf.data_node(id="file.status", durable="recorded", volatile=True)
async def status(path: Path) -> Status:
    """What is there: file, folder or other; its bytes, when it was changed, its permissions. Links are followed.

    A path with nothing there is an error.

    >>> trio.run(status, Path(".")).kind
    'folder'
    """
    return await trio.to_thread.run_sync(_status, path)


def _status(path: Path) -> Status:
    with naming(path):
        found = path.stat()
    kind = "file" if stat.S_ISREG(found.st_mode) else "folder" if stat.S_ISDIR(found.st_mode) else "other"
    return Status(kind, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC), stat.S_IMODE(found.st_mode))


class MakeFolder(tf.Node, id="file.make_folder", durable="recorded"):
    """Makes a folder, and those above it that are missing. One that is there stays as it is; a file there is an error.

    >>> fire("file.make_folder", path="a/b", virtual=False)
    [('then', {})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the folder")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.to_thread.run_sync(_make_folder, await ctx.get_input(self.path))
        return self.then


def _make_folder(path: Path) -> None:
    with naming(path):
        path.mkdir(parents=True, exist_ok=True)


class DeleteFile(tf.Node, id="file.delete", durable="recorded"):
    """Deletes a file, or a link but not what it leads to. A folder is an error, and so is nothing, unless allowed.

    >>> Path("note").touch()
    >>> fire("file.delete", path="note", virtual=False)
    [('then', {})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file")
    missing_ok = tf.DataIn(bool, default=False, doc="whether it may be missing")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, missing_ok = await ctx.get_input(self.path), await ctx.get_input(self.missing_ok)
        await trio.to_thread.run_sync(_delete, path, missing_ok)
        return self.then


def _delete(path: Path, missing_ok: bool) -> None:
    with naming(path):
        if path.is_dir() and not path.is_symlink():
            raise IsADirectoryError(f"{str(path)!r} is a folder: file.delete_folder deletes it with all that is in it.")
        path.unlink(missing_ok=missing_ok)


class DeleteFolder(tf.Node, id="file.delete_folder", durable="recorded"):
    """Deletes a folder with all that is in it. Links are deleted, not what they lead to. No folder is an error.

    Cancelled between two files; what is deleted by then is deleted.

    >>> Path("folder").mkdir()
    >>> fire("file.delete_folder", path="folder", virtual=False)
    [('then', {})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the folder")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path = await ctx.get_input(self.path)
        await trio.to_thread.run_sync(_delete_folder, path)
        return self.then


def _delete_folder(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        raise NotADirectoryError(f"file.delete_folder: {str(path)!r} is not a folder.")
    # Bottom-up; shutil.rmtree can't be cancelled.
    for folder, folders, files in os.walk(path, topdown=False, onerror=_raise):
        for name in files:
            trio.from_thread.check_cancelled()
            Path(folder, name).unlink()
        for name in folders:
            below = Path(folder, name)
            if below.is_symlink():
                below.unlink()
            else:
                below.rmdir()
    path.rmdir()


def _raise(error: OSError) -> None:
    raise error


class _Placing(tf.Node, abstract=True):
    enter = tf.ExecIn()
    source = tf.DataIn(Path, doc="what is there")
    target = tf.DataIn(Path, doc="where it shall be; its folder has to be there")
    overwrite = tf.DataIn(bool, default=False, doc="whether a file that is there already may be replaced")
    then = tf.ExecOut()


class CopyFile(_Placing, id="file.copy", durable="recorded"):
    """Copies a file, with its permissions. The target holds all of it or what it held before.

    A target that is there already is an error, unless `overwrite` is set; a source that is no file is one, too.
    Cancelled between two chunks.

    >>> _ = Path("note").write_text("hello")
    >>> fire("file.copy", source="note", target="copy", virtual=False)
    [('then', {'size': 5})]
    """

    size = tf.DataOut(int, doc="bytes copied")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        source, target = await ctx.get_input(self.source), await ctx.get_input(self.target)
        overwrite = await ctx.get_input(self.overwrite)
        ctx.set_output(self.size, await trio.to_thread.run_sync(_copy, source, target, overwrite))
        return self.then


def _copy(source: Path, target: Path, overwrite: bool) -> int:
    _check_free(target, overwrite)
    return write_atomically(target, chunks(source), like=source)


class MoveFile(_Placing, id="file.move", durable="recorded"):
    """Gives a file or folder another name or place, at once. A target that is there is an error, unless `overwrite`.

    To another file system a file is copied first, and taken away when the copy is complete; a folder can't be moved
    there.

    >>> _ = Path("note").write_text("hello")
    >>> fire("file.move", source="note", target="moved", virtual=False)
    [('then', {})]
    """

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        source, target = await ctx.get_input(self.source), await ctx.get_input(self.target)
        await trio.to_thread.run_sync(_move, source, target, await ctx.get_input(self.overwrite))
        return self.then


def _move(source: Path, target: Path, overwrite: bool) -> None:
    _check_free(target, overwrite)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV or source.is_dir():
            raise
        write_atomically(target, chunks(source), like=source)
        source.unlink()


def _check_free(target: Path, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{str(target)!r} is there already; set `overwrite` to replace it.")


class TemporaryFolder(tf.Node, id="file.temporary_folder", durable="replayed"):
    """Makes an empty folder of its own for as long as `body` runs; then deletes it with all that is in it; `done`.

    It is deleted also if the body fails or is cancelled.

    >>> [output for output, _ in fire("file.temporary_folder", virtual=False)]
    ['body', 'done']
    """

    enter = tf.ExecIn()
    path = tf.DataOut(str, doc="the folder")
    body = tf.ExecOut(doc="what uses it")
    done = tf.ExecOut(doc="when it is gone again")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path = await ctx.once(_new_folder)
        try:
            await ctx.trigger(self.body, {self.path: path})
        finally:
            # Deleting is not cancelled half way, but it can't hold up a cancellation for long either.
            with trio.move_on_after(_CLEANING, shield=True):
                await trio.to_thread.run_sync(_clear, path, abandon_on_cancel=True)
        return self.done


_CLEANING = 30.0


async def _new_folder() -> str:
    return await trio.to_thread.run_sync(tempfile.mkdtemp)


def _clear(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
