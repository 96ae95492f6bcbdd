"""Large values in a folder of files: one folder for each, with its text and an empty file for each run that uses it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import urllib.parse
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from trioflow.durable.blobs import Blobs, as_written
from trioflow.errors import JournalUnusable

_TEXT = "text"


class BlobFiles:
    """The large values of a `FileJournal` (J27). What is kept for a run is kept before the record that refers to it.

    A process that dies in between leaves a value behind that nothing refers to, until the run is rewritten or pruned,
    or the journal vacuumed. Raises `JournalUnusable` where files can't be written.
    """

    def __init__(self, folder: Path, *, sync: bool) -> None:
        self._folder = folder
        self._sync = sync

    def read(self, digest: str) -> str:
        """Raises `JournalUnusable` if it is missing, or not what was written."""
        try:
            text = (self._folder / digest / _TEXT).read_bytes().decode("utf-8", "surrogatepass")
        except (OSError, ValueError):
            text = None
        return as_written(digest, text, f"The journal {self._folder.parent}")

    def keep(self, run_id: str, blobs: Blobs, uses: Iterable[str]) -> None:
        """Keep these, and that a run uses them or others that are there, such that both are durable."""
        if not (uses := [*uses]):
            return
        with self._alone():
            for digest in uses:
                folder = self._folder / digest
                if not (folder / _TEXT).exists():
                    if digest not in blobs:
                        self.read(digest)  # which raises that it is missing
                    self._write(folder, blobs[digest])
                (folder / _file_of(run_id)).touch()
                self._settle(folder)

    def used_by(self, run_id: str) -> set[str]:
        """The digests of those that a run uses, or might."""
        name = _file_of(run_id)
        return {path.parent.name for path in self._folder.glob(f"*/{name}")} if self._folder.exists() else set()

    def release(self, run_id: str, gone: Iterable[str]) -> None:
        """A run does not use these any more; what no run uses is removed."""
        if not (gone := [*gone]):
            return
        with self._alone():
            for digest in gone:
                folder = self._folder / digest
                (folder / _file_of(run_id)).unlink(missing_ok=True)
                if {path.name for path in folder.iterdir()} <= {_TEXT}:
                    shutil.rmtree(folder)

    def _write(self, folder: Path, text: str) -> None:
        folder.mkdir(exist_ok=True)
        making = folder / f"{_TEXT}.new"
        with making.open("wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            if self._sync:
                os.fsync(file.fileno())
        making.replace(folder / _TEXT)

    def _settle(self, folder: Path) -> None:
        if self._sync:
            for each in (folder, self._folder):
                opened = os.open(each, os.O_RDONLY)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Nobody else keeps or releases any meanwhile."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise unusable(self._folder.parent, error) from error


def unusable(folder: Path, error: OSError) -> JournalUnusable:
    """The error that the files of a journal can't be read or written, and what to do."""
    cure = {
        errno.ENOSPC: "The disk is full: make room.",
        errno.EDQUOT: "No more may be written there: make room.",
        errno.EACCES: "Make it and what is in it writable, or name another folder.",
        errno.EROFS: "Make it writable, or name another folder.",
        errno.ENOTDIR: "It must be a folder: name another one, which is made if it is not there.",
    }.get(error.errno or 0, "Look at the disk that it is on.")
    return JournalUnusable(
        f"The journal {folder} can't be used ({error}). {cure} The run stays as it was and can be resumed."
    )


def _file_of(run_id: str) -> str:
    return f"{urllib.parse.quote(run_id, safe=' ')}.run"
