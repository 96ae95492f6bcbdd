"""What file nodes share: opening, writing so that nothing is ever half written, errors that name the path.

All of it blocks, and is for threads. Cancelling waits for the chunk at hand, never for a whole file: for that, only
regular files are opened. Reading a pipe or a device could wait for ever.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Generator, Iterable, Iterator
from io import FileIO
from pathlib import Path

import trio

CHUNK = 1 << 20


class NotRegular(OSError):
    """What is read or written is no regular file, but a pipe, a device or the like."""


@contextlib.contextmanager
def naming(path: Path) -> Generator[None, None, None]:
    """Errors of the system inside name this path, whatever it was that the system could not find."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error = type(error)(error.errno, error.strerror, str(path))  # what has had two names says `-> None`
            raise error from None
        raise
    except ValueError as error:  # a character that no path can have, or that the file system can't write
        raise ValueError(f"{str(path)!r} can't be a path: {error}.") from None


def open_regular(path: Path, mode: str = "r") -> FileIO:
    """Open a file without buffering. Raises `NotRegular` for what is none, at once, or `OSError` with the path."""
    with naming(path):
        file = FileIO(path, mode, opener=_opener)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise NotRegular(f"{str(path)!r} is not a regular file.")
        return file


def _opener(path: str | os.PathLike[str], flags: int) -> int:
    # Opening a pipe that nobody writes would block without the flag.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def chunks(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """A file's bytes in pieces. Between them cancelling takes effect."""
    with open_regular(path) as file:
        while True:
            with naming(path):
                chunk = file.read(size)
            if not chunk:
                return
            yield chunk
            trio.from_thread.check_cancelled()


def write_atomically(path: Path, pieces: Iterable[bytes], *, like: Path | None = None) -> int:
    """Write a file beside the old one, and put it in its place when all of it is on the disk. Returns its size.

    The file holds all of it or what it held before, whatever happens and whenever it is cancelled. A link is followed.
    The permissions are those of the file that is replaced, or those of `like`. Raises `NotRegular`, `OSError`.
    """
    with naming(path):
        target = Path(os.path.realpath(path))
        old = _status(target)
        if old is not None and not stat.S_ISREG(old.st_mode):
            kind = "a folder" if stat.S_ISDIR(old.st_mode) else "not a regular file"
            raise NotRegular(f"{str(path)!r} is {kind}, and can't be replaced by a file.")
        permissions = _status(like) if like is not None else old
        beside = target.parent / f".{secrets.token_hex(8)}.part"
        size = 0
        # O_EXCL: nobody's file is ever taken for ours.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                with naming(path):
                    size += file.write(piece)
                trio.from_thread.check_cancelled()
            with naming(path):
                file.flush()
                if permissions is not None:
                    beside.chmod(stat.S_IMODE(permissions.st_mode))
                os.fsync(file.fileno())
        with naming(path):
            beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return size


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name in a folder outlives a crash, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
