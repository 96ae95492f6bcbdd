"""Text from bytes and back: strict, with errors that tell where, whole or in pieces that arrive one after the other.

All bytes from outside become text here, and all text goes out here: files, answers, commands, sockets.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable, Iterator
from typing import Literal

from trioflow.nodes._slices import TURN, Steps

Errors = Literal["strict", "replace", "ignore"]

_PIECE = 1 << 18
"""Bytes, or characters, that are looked at in one go."""


class NotText(ValueError):
    """Bytes that are no text in the encoding that was asked for. `before` is the text up to there."""

    def __init__(self, message: str, before: str) -> None:
        super().__init__(message)
        self.before = before


class NoEncoding(ValueError, LookupError):
    """A name of no text encoding."""


def codec(encoding: str, where: str) -> codecs.CodecInfo:
    """The text encoding of that name. Raises `NoEncoding`, also for one that is for bytes, such as `hex`."""
    try:
        found = codecs.lookup(encoding) if len(encoding) <= _LONGEST_NAME else None
        if found is not None and found._is_text_encoding and found.incrementaldecoder and found.incrementalencoder:
            return found
    except (LookupError, ValueError):  # there is no such name, or it could not be one
        pass
    raise NoEncoding(f"{where}: there is no text encoding {_short(encoding)}; one is 'utf-8'.")


_LONGEST_NAME = 100


def _short(encoding: str) -> str:
    return repr(encoding if len(encoding) <= 60 else f"{encoding[:57]}...")


def decode(data: bytes, encoding: str, where: str, errors: Errors = "strict") -> str:
    """The text that bytes stand for, line ends as they are. Raises `NotText`, `NoEncoding`."""
    return Decoder(encoding, where, errors)(data, last=True)


def decode_steps(data: bytes, encoding: str, where: str, errors: Errors = "strict") -> Steps[str]:
    """As `decode`, in slices."""
    if len(data) <= _PIECE:
        return decode(data, encoding, where, errors)
    decoder = Decoder(encoding, where, errors)
    pieces: list[str] = []
    for start in range(0, len(data), _PIECE):
        pieces.append(decoder(data[start : start + _PIECE], last=start + _PIECE >= len(data)))
        yield TURN
    return "".join(pieces)


def encode(text: str, encoding: str, where: str, errors: Errors = "strict", *, goes_on: bool = False) -> bytes:
    """The bytes of a text; without a byte order mark if it goes on from something.

    Raises `ValueError` that tells which character has none, and `NoEncoding`.
    """
    return b"".join(_encoded(text, encoding, where, errors, goes_on=goes_on))


def encode_steps(text: str, encoding: str, where: str, errors: Errors = "strict") -> Steps[bytes]:
    """As `encode`, in slices."""
    pieces: list[bytes] = []
    for piece in _encoded(text, encoding, where, errors):
        if pieces:
            yield TURN
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _encoded(text: str, encoding: str, where: str, errors: Errors, *, goes_on: bool = False) -> Iterator[bytes]:
    info = codec(encoding, where)
    assert info.incrementalencoder is not None
    encoder = info.incrementalencoder(errors)
    if goes_on:
        encoder.setstate(0)  # as if the mark had been written
    for start in range(0, max(len(text), 1), _PIECE):
        piece, last = text[start : start + _PIECE], start + _PIECE >= len(text)
        yield _of_piece(functools.partial(encoder.encode, piece, last), piece, start, encoding, where)


def _of_piece(make: Callable[[], bytes], piece: str, start: int, encoding: str, where: str) -> bytes:
    try:
        return make()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where}: {encoding} has no bytes for {piece[error.start : error.start + 1]!r}, "
            f"the character at {start + error.start}."
        ) from None
    except UnicodeError as error:
        raise ValueError(f"{where}: {encoding} has no bytes for this text: {error}.") from None


class Decoder:
    """Decodes bytes that come in pieces."""

    def __init__(self, encoding: str, where: str, errors: Errors = "strict") -> None:
        info = codec(encoding, where)
        self._encoding = encoding
        self._where = where
        assert info.incrementaldecoder is not None
        self._decoder = info.incrementaldecoder(errors)
        self._offset = 0

    def __call__(self, data: bytes, *, last: bool = False) -> str:
        """The text of the next piece. Raises `NotText` that tells the byte and its offset from the beginning."""
        held: bytes = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, last)
        except UnicodeDecodeError as error:
            self._decoder.reset()
            try:
                before = self._decoder.decode(error.object[: error.start])
            except UnicodeError:
                before = ""
            raise NotText(
                f"{self._where} is not {self._encoding} text: byte 0x{error.object[error.start]:02x} at offset "
                f"{self._offset - len(held) + error.start}: {error.reason}.",
                before=before,
            ) from None
        except UnicodeError as error:
            raise NotText(f"{self._where} is not {self._encoding} text: {error}.", before="") from None
        self._offset += len(data)
        return text


class LineSplitter:
    r"""Makes lines of bytes that come in pieces. A line ends with `\n` or `\r\n`, the last one also without."""

    def __init__(self, encoding: str, longest: int, where: str) -> None:
        self._decoder = Decoder(encoding, where)
        self._longest = longest
        self._where = where
        self._begun: list[str] = []
        self._length = 0

    def __call__(self, data: bytes, *, last: bool = False) -> Iterator[str]:
        """The lines that the next piece completes. Raises `NotText`, after the lines before it, or `ValueError`."""
        problem: NotText | None = None
        try:
            text = self._decoder(data, last=last)
        except NotText as error:
            text, problem = error.before, error
        *ended, begun = text.split("\n")
        for line in ended:
            self._add(line)
            yield self._take().removesuffix("\r")
        self._add(begun)
        if problem is not None:
            raise problem
        if last and self._length:
            yield self._take()

    def _add(self, part: str) -> None:
        self._begun.append(part)
        self._length += len(part)
        if self._length > self._longest:
            raise ValueError(f"{self._where}: a line has more than {self._longest:,} characters.")

    def _take(self) -> str:
        line = "".join(self._begun)
        self._begun.clear()
        self._length = 0
        return line
