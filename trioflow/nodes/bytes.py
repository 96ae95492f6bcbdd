"""Bytes, encodings, checksums and compression. Places count from 0; negative ones count from the end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import zlib
from typing import Literal

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._packing import BadPacking, Unpacker
from trioflow.nodes._slices import SLICE, TURN, Steps, gathered, parts, sliced
from trioflow.nodes._text import Errors, decode_steps, encode_steps

Algorithm = Literal["sha256", "sha512", "sha3_256", "blake2b", "sha1", "md5"]
ByteOrder = Literal["big", "little"]

_PIECE = 1 << 18
"""Bytes that are looked at in one go."""


def _found(data: bytes, search: bytes, start: int) -> Steps[int]:
    """Where other bytes are, from a place on; -1 if they are not."""
    while start < len(data):
        place = data.find(search, start, start + _PIECE + len(search))
        if place >= 0:
            return place
        start += _PIECE
        yield TURN
    return data.find(search, start)


@sliced(id="bytes.from_text")
def from_text(text: str, encoding: str = "utf-8", errors: Errors = "strict") -> Steps[bytes]:
    """The text in an encoding. What the encoding has no bytes for is an error, or replaced by `?`, or left out.

    An unknown encoding is an error, and so is one that is not for text.

    >>> from_text("é")
    b'\\xc3\\xa9'
    """
    return (yield from encode_steps(text, encoding, "bytes.from_text", errors))


@sliced(id="bytes.to_text")
def to_text(data: bytes, encoding: str = "utf-8", errors: Errors = "strict") -> Steps[str]:
    r"""The text that bytes write in an encoding. What is not of it is an error, or replaced by U+FFFD, or left out.

    An unknown encoding is an error, and so is one that is not for text.

    >>> to_text(b"caf\xc3\xa9")
    'café'
    """
    return (yield from decode_steps(data, encoding, "bytes.to_text: it", errors))


@sliced(id="bytes.from_hex")
def from_hex(text: str) -> Steps[bytes]:
    r"""The bytes that pairs of hexadecimal digits write; white space may stand between. Anything else is an error.

    >>> from_hex("00 ff")
    b'\x00\xff'
    """
    try:
        if len(text) <= _PIECE:
            return bytes.fromhex(text)
        if not (text.isascii() and text.isalnum()):  # with white space between: take that out first
            text = "".join((yield from gathered(("".join(part.split()),) for part in parts(text, SLICE * 10))))
        return b"".join((yield from gathered((bytes.fromhex(part),) for part in parts(text, _PIECE))))
    except ValueError:
        raise ValueError(f"bytes.from_hex: expected pairs of hexadecimal digits, got {expect.shown(text)}.") from None


@sliced(id="bytes.to_hex")
def to_hex(data: bytes, separator: str = "") -> Steps[str]:
    r"""Two hexadecimal digits for each byte, in small letters, with the separator between.

    >>> to_hex(b"\x00\xff", ":")
    '00:ff'
    """
    if not separator:
        return "".join((yield from gathered((part.hex(),) for part in parts(data, SLICE * 100))))
    expect.at_most("bytes.to_hex", len(data) * (len(separator) + 2), "characters")
    return separator.join((yield from gathered([f"{byte:02x}" for byte in part] for part in parts(data))))


@sliced(id="bytes.from_base64")
def from_base64(text: str, url_safe: bool = False) -> Steps[bytes]:
    r"""The bytes that a text writes in base64, or in the form for URLs, in which `=` at the end may be missing.

    Other characters, white space too, and a wrong length, are errors.

    >>> from_base64("AP8=")
    b'\x00\xff'
    """
    padded = text + "=" * (-len(text) % 4) if url_safe else text
    try:
        if not padded.isascii():
            raise ValueError("it is not ASCII")
        size = _PIECE if "=" not in padded[:-4] else max(len(padded), 1)
        pieces = ((base64.b64decode(part, b"-_" if url_safe else None, validate=True),) for part in parts(padded, size))
        return b"".join((yield from gathered(pieces)))
    except ValueError as error:
        raise ValueError(f"bytes.from_base64: {expect.shown(text)} is not base64: {error}.") from None


@sliced(id="bytes.to_base64")
def to_base64(data: bytes, url_safe: bool = False) -> Steps[str]:
    r"""The bytes in base64, or in the form for URLs, without `=` at the end.

    >>> to_base64(b"\x00\xff")
    'AP8='
    """
    pieces = (
        (base64.b64encode(part, b"-_" if url_safe else None).decode(),) for part in parts(data, 3 * (_PIECE // 4))
    )
    encoded: list[str] = yield from gathered(pieces)
    if url_safe:
        encoded[-1] = encoded[-1].rstrip("=")
    return "".join(encoded)


@sliced(id="bytes.from_list")
def from_list(items: list[int]) -> Steps[bytes]:
    r"""The bytes with these numbers. A number that is not from 0 to 255 is an error that says where.

    >>> from_list([0, 255])
    b'\x00\xff'
    """
    for place, item in enumerate((yield from expect.numbers("bytes.from_list", items))):
        if not isinstance(item, int) or not 0 <= item <= 255:
            raise ValueError(
                f"bytes.from_list: expected whole numbers from 0 to 255, but item {place} is {expect.short(item)}."
            )
        if place and not place % SLICE:
            yield TURN
    return b"".join((yield from gathered((bytes(part),) for part in parts(items))))


@sliced(id="bytes.to_list")
def to_list(data: bytes) -> Steps[list[int]]:
    r"""The numbers of the bytes, each from 0 to 255.

    >>> to_list(b"\x00\xff")
    [0, 255]
    """
    return (yield from gathered(list(data[start : start + SLICE * 10]) for start in range(0, len(data), SLICE * 10)))


@tf.data_node(id="bytes.from_int")
def from_int(value: int, length: int, byte_order: ByteOrder = "big", signed: bool = False) -> bytes:
    r"""A whole number in so many bytes. One that does not fit is an error, and so is a negative one if not signed.

    >>> from_int(258, 2)
    b'\x01\x02'
    """
    try:
        return value.to_bytes(expect.at_most("bytes.from_int", length, "bytes"), byte_order, signed=signed)
    except OverflowError:
        kind = "signed" if signed else "unsigned"
        raise OverflowError(
            f"bytes.from_int: {expect.short(value)} does not fit into {expect.short(length)} {kind} bytes."
        ) from None


@tf.data_node(id="bytes.to_int")
def to_int(data: bytes, byte_order: ByteOrder = "big", signed: bool = False) -> int:
    r"""The whole number that the bytes write; 0 for none.

    >>> to_int(b"\x01\x02")
    258
    """
    return int.from_bytes(data, byte_order, signed=signed)


@tf.data_node(id="bytes.length")
def length(data: bytes) -> int:
    """The number of bytes.

    >>> length(b"abc")
    3
    """
    return len(data)


@tf.data_node(id="bytes.get")
def get(data: bytes, index: int) -> int:
    """The number of the byte at a place. A place that does not exist is an error.

    >>> get(b"abc", -1)
    99
    """
    if not -len(data) <= index < len(data):
        raise IndexError(f"bytes.get: there is no byte {expect.short(index)} in {len(data)} bytes.")
    return data[index]


@tf.data_node(id="bytes.slice")
def slice_(data: bytes, start: int = 0, stop: int | None = None) -> bytes:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends.

    >>> slice_(b"abcdef", 1, 3)
    b'bc'
    """
    return data[start:stop]


@tf.data_node(id="bytes.concat")
def concat(a: bytes, b: bytes) -> bytes:
    """One after the other.

    >>> concat(b"ab", b"c")
    b'abc'
    """
    return a + b


@sliced(id="bytes.join")
def join(items: list[bytes], separator: bytes = b"") -> Steps[bytes]:
    """All items, with the separator between. An item that is not bytes is an error.

    >>> join([b"a", b"b"], b"-")
    b'a-b'
    """
    for place, item in enumerate(items):
        if not isinstance(item, bytes):
            raise TypeError(f"bytes.join: expected bytes, but item {place} is {expect.shown(item)}.")
        if place and not place % SLICE:
            yield TURN
    expect.at_most("bytes.join", sum(map(len, items)) + len(separator) * len(items), "bytes")
    return separator.join(items)


@sliced(id="bytes.split")
def split(data: bytes, separator: bytes) -> Steps[list[bytes]]:
    """The parts between the separators. An empty separator is an error.

    >>> split(b"a-b", b"-")
    [b'a', b'b']
    """
    if not separator:
        raise ValueError("bytes.split: empty separator.")
    found: list[bytes] = []
    begin = size = 0
    while (end := data.find(separator, begin, begin + _PIECE)) >= 0 or begin + _PIECE < len(data):
        if end < 0:  # a long part: its end is looked for from where it may begin
            end = yield from _found(data, separator, begin)
            if end < 0:
                break
        found.append(data[begin:end])
        size += end - begin + 50
        begin = end + len(separator)
        if size > _PIECE:
            size = 0
            yield TURN
    found.append(data[begin:])
    return found


@sliced(id="bytes.find")
def find(data: bytes, search: bytes, start: int = 0) -> Steps[int]:
    """The first place from `start` on where the other bytes are; -1 if there is none.

    >>> find(b"banana", b"an", 2)
    3
    """
    return (yield from _found(data, search, start)) if 0 <= start < len(data) - _PIECE else data.find(search, start)


@sliced(id="bytes.reverse")
def reverse(data: bytes) -> Steps[bytes]:
    """In the opposite order.

    >>> reverse(b"abc")
    b'cba'
    """
    return b"".join((yield from gathered((part[::-1],) for part in reversed([*parts(data, _PIECE)]))))


@sliced(id="bytes.hash")
def hash_(data: bytes, algorithm: Algorithm = "sha256") -> Steps[str]:
    """A checksum in hexadecimal digits. SHA-1 and MD5 are there for old files, and keep nobody out.

    >>> hash_(b"")[:16]
    'e3b0c44298fc1c14'
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for number, part in enumerate(parts(data, _PIECE)):
        if number:
            yield TURN
        digest.update(part)
    return digest.hexdigest()


@sliced(id="bytes.hmac")
def hmac_(data: bytes, key: bytes, algorithm: Algorithm = "sha256") -> Steps[str]:
    """A checksum, in hexadecimal digits, that only who knows the key can make.

    >>> hmac_(b"message", b"key")[:16]
    '6e9ef29b75fffc5b'
    """
    if len(key) > _PIECE:  # a long key counts as its hash (RFC 2104)
        long_key = hashlib.new(algorithm, usedforsecurity=False)
        for part in parts(key, _PIECE):
            long_key.update(part)
            yield TURN
        key = long_key.digest()
    digest = hmac.new(key, digestmod=algorithm)
    for number, part in enumerate(parts(data, _PIECE)):
        if number:
            yield TURN
        digest.update(part)
    return digest.hexdigest()


@sliced(id="bytes.crc32")
def crc32(data: bytes) -> Steps[int]:
    """The checksum CRC-32, a number of 32 bits: for mistakes of lines and disks, not of people.

    >>> crc32(b"123456789") == 0xCBF43926
    True
    """
    found = 0
    for number, part in enumerate(parts(data, _PIECE)):
        if number:
            yield TURN
        found = zlib.crc32(part, found)
    return found


@sliced(id="bytes.compress")
def compress(data: bytes, level: int = 6) -> Steps[bytes]:
    """The bytes in zlib's form; level 0 only packs, 9 takes the most time. Other levels are errors.

    >>> len(compress(bytes(1000))) < 30
    True
    """
    if not 0 <= level <= 9:
        raise ValueError(f"bytes.compress: expected a level from 0 to 9, got {expect.short(level)}.")
    packer = zlib.compressobj(level)
    pieces: list[bytes] = []
    for number, part in enumerate(parts(data, _PIECE >> (2 if level > 6 else 1))):
        if number:
            yield TURN
        pieces.append(packer.compress(part))
    return b"".join((*pieces, packer.flush()))


@sliced(id="bytes.decompress")
def decompress(data: bytes, most: int = expect.MOST) -> Steps[bytes]:
    """What `bytes.compress` packed, or gzip, of one member or several.

    Bytes that are no such thing, that are cut off, or that something follows, are an error. More than so many bytes are
    an error too: a small input may be made to unpack without end.

    >>> decompress(compress(b"abc"))
    b'abc'
    """
    expect.positive("bytes.decompress", "most", most)
    unpacker = Unpacker("either")
    held = io.BytesIO()
    try:
        for place, piece in enumerate(unpacker(data)):
            if place and not place % 4:
                yield TURN
            if held.tell() + len(piece) > most:
                raise ValueError(f"bytes.decompress: more than {expect.short(most)} bytes come out.")
            held.write(piece)
        unpacker.end()
    except BadPacking as error:
        raise ValueError(f"bytes.decompress: expected bytes of zlib or gzip: {error}.") from None
    return held.getvalue()
