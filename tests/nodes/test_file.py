"""Contents of files: real ones, in real threads."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.nodes import _disk
from trioflow.nodes._disk import NotRegular, write_atomically
from trioflow.nodes._text import Decoder, LineSplitter, NotText, decode
from trioflow.testing import fire


def do(node_type, **inputs):
    return fire(
        node_type,
        virtual=False,
        **{name: str(value) if isinstance(value, os.PathLike) else value for name, value in inputs.items()},
    )


def given_by(node_type, **inputs):
    [(output, values)] = do(node_type, **inputs)
    assert output == "then"
    return values


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("text", ["", "a\r\nb\rc\n", "ä€😀", "\ufeffx"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_text_comes_back_as_it_was(tmp_path, text, encoding):
    """Whatever is written is read, line ends included."""
    do("file.write_text", path=tmp_path / "f", text=text, encoding=encoding)
    assert given_by("file.read_text", path=tmp_path / "f", encoding=encoding) == {"text": text}


def test_bytes_come_back_as_they_were(tmp_path):
    data = bytes(range(256)) * 10_000
    do("file.write_bytes", path=tmp_path / "f", data=data)
    assert given_by("file.read_bytes", path=tmp_path / "f") == {"data": data}


def test_appending(tmp_path):
    """What was there stays; a file that is not there is made."""
    path = tmp_path / "log"
    do("file.append_text", path=path, text="ä")
    do("file.append_text", path=path, text="b", end="")
    do("file.append_bytes", path=path, data=b"\xff")
    assert path.read_bytes() == "ä\nb".encode() + b"\xff"


def test_binary_where_text_is_expected(tmp_path):
    """The error names the file and the byte, however far on it is."""
    path = tmp_path / "f"
    path.write_bytes((b"a" * 999 + b"\n") * 3_000 + b"ab\xff")
    for node_type in "file.read_text", "file.lines":
        with pytest.raises(NotText) as caught:
            do(node_type, path=path)
        assert str(caught.value) == (
            f"{node_type}: {str(path)!r} is not utf-8 text: byte 0xff at offset 3000002: invalid start byte."
        )


def test_text_that_an_encoding_can_not_express(tmp_path):
    with pytest.raises(ValueError, match="latin-1 has no bytes for '€', the character at 1."):
        do("file.write_text", path=tmp_path / "f", text="a€", encoding="latin-1")
    with pytest.raises(LookupError, match="there is no text encoding 'klingon'"):
        do("file.write_text", path=tmp_path / "f", text="a", encoding="klingon")
    assert names(tmp_path) == []


READING = ["file.read_text", "file.read_bytes", "file.lines", "file.chunks", "file.hash"]
WRITING = {
    "file.write_text": {"text": "x"}, "file.write_bytes": {"data": b"x"}, "file.append_text": {"text": "x"},
    "file.append_bytes": {"data": b"x"},
}  # fmt: skip


@pytest.mark.parametrize("node_type", READING)
def test_what_can_not_be_read(tmp_path, node_type):
    """Nothing there, a folder, a pipe that nobody writes, a device without end, an impossible name: each names the path."""
    with pytest.raises(FileNotFoundError, match=f"No such file or directory: '{tmp_path}/none'"):
        do(node_type, path=tmp_path / "none")
    with pytest.raises(IsADirectoryError, match=f"Is a directory: '{tmp_path}'"):
        do(node_type, path=tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for path in tmp_path / "pipe", "/dev/zero":
        with pytest.raises(NotRegular, match=f"'{path}' is not a regular file."):
            do(node_type, path=path)
    with pytest.raises(ValueError, match=r"'a\\x00b' can't be a path: embedded null byte."):
        do(node_type, path="a\0b")


@pytest.mark.parametrize("node_type", WRITING)
def test_what_can_not_be_written(tmp_path, node_type):
    """A folder that is missing, a folder of that name, a device: each names the path, and nothing is left behind."""
    inputs = WRITING[node_type]
    for path, error in (
        (tmp_path / "no" / "f", FileNotFoundError), (tmp_path, OSError), ("/dev/null", NotRegular), ("a\0b", ValueError)
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            do(node_type, path=path, **inputs)
        assert repr(str(path)) in str(caught.value)
    assert names(tmp_path) == []
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    """A new one has those that the system gives new files; a link stays one."""
    old, new, link = tmp_path / "old", tmp_path / "new", tmp_path / "link"
    old.write_text("before")
    old.chmod(0o640)
    link.symlink_to("old")
    before = os.umask(0o027)
    try:
        for path in link, new:
            do("file.write_text", path=path, text="after")
    finally:
        os.umask(before)
    assert (old.read_text(), link.is_symlink()) == ("after", True)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o640, 0o640]
    assert names(tmp_path) == ["link", "new", "old"]


def test_nothing_is_half_written_when_it_fails(tmp_path, monkeypatch):
    """A disk that is full, in the middle or at the end, leaves the file as it was and nothing beside it."""
    path = tmp_path / "f"
    path.write_text("before")

    def full(*args):
        raise OSError(28, "No space left on device")

    def pieces():
        yield b"some"
        full()

    async def write(pieces):
        await trio.to_thread.run_sync(write_atomically, path, pieces)

    with pytest.raises(OSError, match="No space left on device"):
        trio.run(write, pieces())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
        do("file.write_text", path=path, text="after")
    assert (names(tmp_path), path.read_text()) == (["f"], "before")


def test_nothing_is_half_written_when_cancelled(tmp_path):
    """Cancelled between two chunks the file is what it was, and nothing is beside it."""
    path = tmp_path / "f"
    path.write_text("before")
    reached = threading.Event()

    def pieces():
        while True:
            yield b"some"
            reached.set()
            time.sleep(0.001)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, write_atomically, path, pieces())
            await trio.to_thread.run_sync(reached.wait)
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert (names(tmp_path), path.read_text()) == (["f"], "before")


def test_appending_on_a_full_disk(tmp_path, monkeypatch):
    """Of what does not fit as a whole nothing is kept."""
    path = tmp_path / "f"
    path.write_text("before")

    class Full(_disk.FileIO):
        def write(self, data):
            return super().write(data[:2])

    monkeypatch.setattr(_disk, "FileIO", Full)
    with pytest.raises(OSError, match="only 2 of 6 bytes could be appended; none were kept."):
        do("file.append_text", path=path, text="after")
    assert path.read_text() == "before"


def test_reading_is_cancelled_between_chunks(tmp_path, monkeypatch):
    """Cancelling waits for the chunk at hand, not for the whole file."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * 5_000_000)
    chunks, read = [], _disk.FileIO.read

    async def main():
        async with trio.open_nursery() as nursery:

            class Watched(_disk.FileIO):
                def read(self, size=-1):
                    chunks.append(size)
                    if len(chunks) == 2:
                        trio.from_thread.run_sync(nursery.cancel_scope.cancel)
                    return read(self, size)

            monkeypatch.setattr(_disk, "FileIO", Watched)
            with tf.build() as g:
                g.connect(g.add("flow.start").then, g.add("file.read_bytes", path=str(path)).enter)
            nursery.start_soon(tf.run, g.graph)

    trio.run(main)
    assert len(chunks) == 2


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8"), max_size=30), st.lists(st.integers(0, 60), max_size=5))
def test_lines_do_not_depend_on_the_pieces(text, cuts):
    r"""However the bytes come, the lines are those between `\n`, without a `\r` before it."""
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    split = LineSplitter("utf-8", 1000, "here")
    found = [line for begin, end in zip(places, places[1:], strict=False) for line in split(data[begin:end])]
    found += split(b"", last=True)
    *ended, last = text.split("\n")
    assert found == [line.removesuffix("\r") for line in ended] + ([last] if last else [])


def test_a_character_that_is_cut_off():
    """The error tells where the character begins."""
    with pytest.raises(NotText, match="here is not utf-8 text: byte 0xe2 at offset 1: unexpected end of data."):
        decode(b"a\xe2\x82", "utf-8", "here")
    decoder = Decoder("utf-8", "here")
    assert decoder(b"a\xe2") == "a"
    with pytest.raises(NotText, match="byte 0xe2 at offset 1: invalid continuation byte."):
        decoder(b"\x82x")


def test_lines(tmp_path):
    """Line ends of both kinds are taken off; lines before a fault are sent; a line may not be too long."""
    path = tmp_path / "f"
    path.write_bytes(b"one\r\n\ntwo")
    assert [values["line"] for _, values in do("file.lines", path=path)[:-1]] == ["one", "", "two"]
    path.write_bytes(b"")
    assert do("file.lines", path=path) == [("done", {})]
    path.write_bytes(b"abc\nabcd\n")
    seen = []
    with pytest.raises(ValueError, match=f"file.lines: '{path}': a line has more than 3 characters."):
        do("file.lines", path=path, longest=3, body=lambda: seen.append(1))
    assert seen == [1]
    assert [output for output, _ in do("file.lines", path=path, body="flow.break")] == ["body", "done"]


def test_chunks(tmp_path):
    """All bytes in order, in pieces of the size that was asked for."""
    path = tmp_path / "f"
    data = os.urandom(10_001)
    path.write_bytes(data)
    fired = do("file.chunks", path=path, size=2_000)
    assert b"".join(values["chunk"] for _, values in fired[:-1]) == data
    assert [values["offset"] for _, values in fired[:-1]] == list(range(0, 10_001, 2_000))
    with pytest.raises(ValueError, match="file.chunks needs 1 or more, got 0."):
        do("file.chunks", path=path, size=0)


def test_hash(tmp_path):
    """As hashlib has it; an algorithm that it does not know, or that has no certain length, is an error."""
    path = tmp_path / "f"
    path.write_bytes(b"a\n" * 1_000_000)
    assert given_by("file.hash", path=path) == {
        "digest": hashlib.sha256(b"a\n" * 1_000_000).hexdigest(), "size": 2_000_000, "lines": 1_000_000
    }  # fmt: skip
    for algorithm in "sha0", "shake_128":
        with pytest.raises(ValueError, match=f"file.hash: algorithm '{algorithm}': "):
            do("file.hash", path=path, algorithm=algorithm)


def test_no_file_is_left_open(tmp_path):
    """Also when reading fails, or a loop over lines is left."""
    path = tmp_path / "f"
    path.write_bytes(b"a\nb\n\xff")
    before = len(os.listdir("/proc/self/fd"))
    do("file.lines", path=path, body="flow.break")
    for bad in path, "/dev/zero", tmp_path:
        with pytest.raises((NotText, OSError)):
            do("file.lines", path=bad)
    assert len(os.listdir("/proc/self/fd")) == before
