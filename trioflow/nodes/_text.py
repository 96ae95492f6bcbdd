"""Text from bytes and back: strict, with errors that tell where, whole or in pieces that arrive one after the other."""

from __future__ import annotations

import codecs
from collections.abc import Iterator


class NotText(ValueError):
    """Bytes that are no text in the encoding that was asked for. `before` is the text up to there."""

    def __init__(self, message: str, before: str) -> None:
        super().__init__(message)
        self.before = before


def decode(data: bytes, encoding: str, where: str) -> str:
    """The text that bytes stand for, line ends as they are. Raises `NotText`, `LookupError`."""
    return Decoder(encoding, where)(data, last=True)


def encode(text: str, encoding: str, where: str) -> bytes:
    """The bytes of a text. Raises `ValueError` that tells which character has none, `LookupError`."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where}: {encoding} has no bytes for {text[error.start]!r}, the character at {error.start}."
        ) from None


class Decoder:
    """Decodes bytes that come in pieces."""

    def __init__(self, encoding: str, where: str) -> None:
        self._encoding = encoding
        self._where = where
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._offset = 0

    def __call__(self, data: bytes, *, last: bool = False) -> str:
        """The text of the next piece. Raises `NotText` that tells the byte and its offset from the beginning."""
        held: bytes = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, last)
        except UnicodeDecodeError as error:
            self._decoder.reset()
            raise NotText(
                f"{self._where} is not {self._encoding} text: byte 0x{error.object[error.start]:02x} at offset "
                f"{self._offset - len(held) + error.start}: {error.reason}.",
                before=self._decoder.decode(error.object[: error.start]),
            ) from None
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
