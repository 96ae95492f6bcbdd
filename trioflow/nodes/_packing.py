"""Unpacking what is compressed: never more at once than is asked for, and all or an error.

Gzip may have several members, one after the other (RFC 1952, 2.2), and zeros at its end. What is cut off, or followed
by something else, is an error.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Literal

Form = Literal["gzip", "deflate", "either"]

PIECE = 1 << 16
"""Bytes that come out in one go: half a millisecond's work at most."""

_WBITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS, "either": zlib.MAX_WBITS | 32}


class BadPacking(ValueError):
    """Bytes that are not compressed as they should be, or not all of them."""


class Unpacker:
    """Unpacks bytes that come in pieces: gzip, zlib's form, which HTTP calls deflate, or either, as its head says."""

    def __init__(self, form: Form) -> None:
        self._form: Form = form
        self._unpacker = zlib.decompressobj(_WBITS[form])
        self._begun = False  # whether bytes of this member have come
        self._members = 0

    def __call__(self, data: bytes) -> Iterator[bytes]:
        """What comes out, in pieces; an empty one says only that time has passed. Raises `BadPacking`."""
        while data:
            if self._unpacker.eof:
                data = self._next_member(data)
                continue
            try:
                piece = self._unpacker.decompress(data, PIECE)
            except zlib.error as error:
                if self._form == "deflate" and not self._begun:  # some servers leave zlib's head away
                    self._form, self._unpacker = "either", zlib.decompressobj(-zlib.MAX_WBITS)
                    continue
                raise BadPacking(f"it is not packed well: {error}") from None
            self._begun = True
            data = self._unpacker.unconsumed_tail or (self._unpacker.unused_data if self._unpacker.eof else b"")
            yield piece
            while not data and len(piece) == PIECE and not self._unpacker.eof:  # what it has taken in, but not given
                piece = self._unpacker.decompress(b"", PIECE)
                data = self._unpacker.unused_data if self._unpacker.eof else b""
                yield piece

    def _next_member(self, data: bytes) -> bytes:
        """Get ready for what follows a member that has ended."""
        self._members += 1
        if not data.strip(b"\0"):
            return b""
        if self._form != "gzip" and not data.startswith(b"\x1f\x8b"):
            raise BadPacking("something follows what is packed")
        self._unpacker = zlib.decompressobj(_WBITS["gzip"])
        self._begun = False
        return data.lstrip(b"\0") if self._form == "gzip" else data

    def end(self) -> None:
        """Nothing, unless something is missing. Raises `BadPacking`."""
        if not self._unpacker.eof and (self._begun or not self._members):
            raise BadPacking("it is cut off")
