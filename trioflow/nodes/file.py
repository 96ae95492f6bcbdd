"""Contents of files: reading, writing, streaming, hashing. Everything that blocks runs in a thread.

Cancelling takes effect at the next chunk. What is written replaces the file as a whole or not at all.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._disk import CHUNK, chunks, naming, open_regular, write_atomically
from trioflow.nodes._slices import in_turns
from trioflow.nodes._text import LineSplitter, codec, decode_steps, encode, encode_steps
from trioflow.nodes.loop import Loop

MOST = 1 << 26
"""Bytes that are read of a file unless more are asked for: none can fill the host's memory by mistake."""


class TooLarge(ValueError):
    """A file has more bytes than are read."""


class _Reading(tf.Node, abstract=True):
    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file")
    then = tf.ExecOut()


class ReadText(_Reading, id="file.read_text", durable="recorded"):
    r"""Reads a whole file as text, line ends as they are.

    A file that can't be read is an error, and so is one that is not text in the encoding: it tells at which byte.

    >>> _ = Path("note").write_text("hello\n")
    >>> fire("file.read_text", path="note", virtual=False)
    [('then', {'text': 'hello\n'})]
    """

    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")
    most = tf.DataIn(int, default=MOST, doc="bytes that are read; a larger file is an error")
    text = tf.DataOut(str, doc="what it says")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, encoding = await ctx.get_input(self.path), await ctx.get_input(self.encoding)
        codec(encoding, where := f"file.read_text: {str(path)!r}")
        data = await trio.to_thread.run_sync(_read, "file.read_text", path, await ctx.get_input(self.most))
        ctx.set_output(self.text, await in_turns(decode_steps(data, encoding, where)))
        return self.then


class ReadBytes(_Reading, id="file.read_bytes", durable="recorded"):
    r"""Reads a whole file. One that can't be read is an error.

    >>> _ = Path("data").write_bytes(b"\x00\xff")
    >>> fire("file.read_bytes", path="data", virtual=False)
    [('then', {'data': b'\x00\xff'})]
    """

    most = tf.DataIn(int, default=MOST, doc="bytes that are read; a larger file is an error")
    data = tf.DataOut(bytes, doc="what is in it")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, most = await ctx.get_input(self.path), await ctx.get_input(self.most)
        ctx.set_output(self.data, await trio.to_thread.run_sync(_read, "file.read_bytes", path, most))
        return self.then


def _read(node: str, path: Path, most: int) -> bytes:
    held = io.BytesIO()
    for chunk in chunks(path):
        if held.tell() + len(chunk) > most:
            raise TooLarge(
                f"{node}: {str(path)!r} has more than {most:,} bytes. Allow for more in `most`, or stream it."
            )
        held.write(chunk)
    return held.getvalue()


class _Writing(tf.Node, abstract=True):
    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file; its folder has to be there")
    then = tf.ExecOut()


class WriteText(_Writing, id="file.write_text", durable="recorded"):
    """Writes a whole file: it holds all of the text or what it held before. Its folder has to be there.

    Written beside it first, and put in its place once it is on the disk. A file that is replaced keeps its permissions;
    a link is followed. What is no file is not replaced: that is an error.

    >>> fire("file.write_text", path="note", text="hello", virtual=False)
    [('then', {})]
    """

    text = tf.DataIn(str, doc="what it shall say, line ends as they are")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, text = await ctx.get_input(self.path), await ctx.get_input(self.text)
        encoding = await ctx.get_input(self.encoding)
        data = await in_turns(encode_steps(text, encoding, f"file.write_text: {str(path)!r}"))
        await trio.to_thread.run_sync(write_atomically, path, _pieces(data))
        return self.then


class WriteBytes(_Writing, id="file.write_bytes", durable="recorded"):
    """Writes a whole file, as `file.write_text` does: it holds all of the bytes or what it held before.

    >>> fire("file.write_bytes", path="data", data=b"hello", virtual=False)
    [('then', {})]
    """

    data = tf.DataIn(bytes, doc="what shall be in it")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, data = await ctx.get_input(self.path), await ctx.get_input(self.data)
        await trio.to_thread.run_sync(write_atomically, path, _pieces(data))
        return self.then


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


class _Appending(tf.Node, abstract=True):
    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file, which is made if it is not there; its folder has to be there")
    then = tf.ExecOut()


class AppendText(_Appending, id="file.append_text", durable="recorded"):
    r"""Writes a text at the end of a file, with a line end after it unless `end` says otherwise.

    Once begun it is not cancelled, so that all of it is there or nothing. In one piece: what others append meanwhile
    is before or after it.

    >>> fire("file.append_text", path="log", text="one", enter=["enter", "enter"], virtual=False)
    [('then', {}), ('then', {})]
    >>> Path("log").read_text()
    'one\none\n'
    """

    text = tf.DataIn(str, doc="what is added")
    end = tf.DataIn(str, default="\n", doc="what is added after it")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        path, text = await ctx.get_input(self.path), await ctx.get_input(self.text) + await ctx.get_input(self.end)
        encoding = await ctx.get_input(self.encoding)
        codec(encoding, where := f"file.append_text: {str(path)!r}")

        def append() -> None:
            how, goes_on = _going_on(path, encoding)
            _append(path, encode(text, how, where, goes_on=goes_on))

        await trio.to_thread.run_sync(append)
        return self.then


class AppendBytes(_Appending, id="file.append_bytes", durable="recorded"):
    """Writes bytes at the end of a file, as `file.append_text` does.

    >>> fire("file.append_bytes", path="data", data=b"ab", enter=["enter", "enter"], virtual=False)
    [('then', {}), ('then', {})]
    >>> Path("data").read_bytes()
    b'abab'
    """

    data = tf.DataIn(bytes, doc="what is added")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.to_thread.run_sync(_append, await ctx.get_input(self.path), await ctx.get_input(self.data))
        return self.then


def _going_on(path: Path, encoding: str) -> tuple[str, bool]:
    """The encoding in which a file goes on, and whether it has begun: its byte order mark stands at its start only."""
    try:
        with open_regular(path) as file, naming(path):
            head = file.read(4) or b""
    except FileNotFoundError:
        head = b""
    name = codec(encoding, "").name
    for known, mark, order in _MARKS:
        if name == known and head.startswith(mark):
            return order, True
    return encoding, bool(head)


_MARKS = (
    ("utf-16", codecs.BOM_UTF16_BE, "utf-16-be"),
    ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("utf-32", codecs.BOM_UTF32_BE, "utf-32-be"),
    ("utf-32", codecs.BOM_UTF32_LE, "utf-32-le"),
)
"""Encodings whose order of bytes the mark at a file's start tells."""


def _append(path: Path, data: bytes) -> None:
    with open_regular(path, "a") as file, naming(path):
        before = os.fstat(file.fileno()).st_size
        written = file.write(data)
        if written < len(data):  # the disk is full, or a limit reached
            os.truncate(file.fileno(), before)
            raise OSError(f"{str(path)!r}: only {written} of {len(data)} bytes could be appended; none were kept.")


class Lines(tf.Node, id="file.lines", durable="source"):
    r"""Sends the lines of a text file down `body`, without their ends (`\n` or `\r\n`); then goes on at `done`.

    A stream in constant memory: a chunk is read when it is needed. A file that can't be read, that is not text in the
    encoding (the error tells at which byte), or that has a line of more than `longest` characters is an error.

    >>> _ = Path("list").write_text("one\ntwo")
    >>> fire("file.lines", path="list", virtual=False)
    [('body', {'line': 'one', 'number': 1}), ('body', {'line': 'two', 'number': 2}), ('done', {})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")
    longest = tf.DataIn(int, default=1 << 20, doc="characters of a line at most")
    limit = tf.DataIn(int, default=0, doc="concurrent lines in flight, 0 for any number; the settings' limit wins")
    line = tf.DataOut(str, doc="the line")
    number = tf.DataOut(int, doc="its number, from 1")
    body = tf.ExecOut(doc="one line")
    done = tf.ExecOut(doc="after the last line")
    lines = tf.Stream(line, number, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        path, longest = await ctx.get_input(self.path), await ctx.get_input(self.longest)
        ctx.configure_stream(self.line, limit=await ctx.get_input(self.limit))
        where = f"file.lines: {str(path)!r}"
        split = LineSplitter(await ctx.get_input(self.encoding), longest, where)
        number = 0
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            sent = ctx.resumed(0)
            with await trio.to_thread.run_sync(open_regular, path) as file:
                last = False
                while not last:
                    chunk = await trio.to_thread.run_sync(_next_chunk, path, file)
                    last = not chunk
                    for line in split(chunk, last=last):
                        number += 1
                        if number <= sent:
                            continue  # it was sent before the run was resumed
                        ctx.mark(number)
                        with loop.round:
                            await ctx.emit(self.line, line, {self.number: number})


class Chunks(tf.Node, id="file.chunks", durable="source"):
    """Sends the bytes of a file down `body` in pieces of `size`, the last perhaps shorter; then goes on at `done`.

    A stream in constant memory. A file that can't be read, or a size below 1, is an error.

    >>> _ = Path("data").write_bytes(b"abc")
    >>> fire("file.chunks", path="data", size=2, virtual=False)
    [('body', {'chunk': b'ab', 'offset': 0}), ('body', {'chunk': b'c', 'offset': 2}), ('done', {})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file")
    size = tf.DataIn(int, default=CHUNK, doc="bytes of a piece")
    limit = tf.DataIn(int, default=0, doc="concurrent pieces in flight, 0 for any number; the settings' limit wins")
    chunk = tf.DataOut(bytes, doc="a piece")
    offset = tf.DataOut(int, doc="where it begins")
    body = tf.ExecOut(doc="one piece")
    done = tf.ExecOut(doc="after the last piece")
    pieces = tf.Stream(chunk, offset, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        path, size = await ctx.get_input(self.path), expect.at_least_one("file.chunks", await ctx.get_input(self.size))
        ctx.configure_stream(self.chunk, limit=await ctx.get_input(self.limit))
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            offset = ctx.resumed(0)
            with await trio.to_thread.run_sync(open_regular, path) as file:
                file.seek(offset)
                while chunk := await trio.to_thread.run_sync(_next_chunk, path, file, size):
                    ctx.mark(offset + len(chunk))
                    with loop.round:
                        await ctx.emit(self.chunk, chunk, {self.offset: offset})
                    offset += len(chunk)


def _next_chunk(path: Path, file: FileIO, size: int = CHUNK) -> bytes:
    """The next bytes, as many as wanted unless the file ends."""
    with naming(path):
        chunk = file.read(size) or b""
        while 0 < len(chunk) < size and (more := file.read(size - len(chunk))):
            chunk += more
        return chunk


class Hash(tf.Node, id="file.hash", durable="recorded"):
    r"""The hash of a file's bytes, their number, and the number of line ends in them, in one reading.

    A file that can't be read, or an algorithm that hashlib does not know, is an error.

    >>> _ = Path("data").write_bytes(b"a\n")
    >>> fire("file.hash", path="data", algorithm="md5", virtual=False)
    [('then', {'digest': '60b725f10c9c85c70d97880dfe8191b3', 'size': 2, 'lines': 1})]
    """

    enter = tf.ExecIn()
    path = tf.DataIn(Path, doc="the file")
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


def _hash_file(path: Path, algorithm: str) -> tuple[str, int, int]:
    try:
        digest = hashlib.new(algorithm)
        digest.hexdigest()
    except (ValueError, TypeError) as error:  # those with a result of any length want to know which
        raise ValueError(f"file.hash: algorithm {expect.short(algorithm)}: {error}.") from None
    size = lines = 0
    for chunk in chunks(path):
        digest.update(chunk)
        size += len(chunk)
        lines += chunk.count(b"\n")
    return digest.hexdigest(), size, lines
