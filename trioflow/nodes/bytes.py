"""Bytes, encodings, checksums and compression. Places count from 0; negative ones count from the end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from typing import Literal

import trioflow as tf
from trioflow.nodes import _expect as expect

Algorithm = Literal["sha256", "sha512", "sha3_256", "blake2b", "sha1", "md5"]
ByteOrder = Literal["big", "little"]
Errors = Literal["strict", "replace", "ignore"]


def _check(node: str, encoding: str) -> None:
    # Python does not look for the encoding of nothing.
    try:
        " ".encode(encoding)
    except UnicodeError:
        return  # the encoding is there, without a space
    except (LookupError, ValueError):
        raise ValueError(f"{node}: there is no text encoding {encoding!r}; one is 'utf-8'.") from None


@tf.data_node(id="bytes.from_text")
def from_text(text: str, encoding: str = "utf-8", errors: Errors = "strict") -> bytes:
    """The text in an encoding. What the encoding has no bytes for is an error, or replaced by `?`, or left out.

    An unknown encoding is an error, and so is one that is not for text.

    >>> from_text("é")
    b'\\xc3\\xa9'
    """
    _check("bytes.from_text", encoding)
    try:
        return text.encode(encoding, errors)
    except ValueError as error:
        raise ValueError(f"bytes.from_text: {expect.shown(text)} can't be encoded: {error}.") from None


@tf.data_node(id="bytes.to_text")
def to_text(data: bytes, encoding: str = "utf-8", errors: Errors = "strict") -> str:
    r"""The text that bytes write in an encoding. What is not of it is an error, or replaced by U+FFFD, or left out.

    An unknown encoding is an error, and so is one that is not for text.

    >>> to_text(b"caf\xc3\xa9")
    'café'
    """
    _check("bytes.to_text", encoding)
    try:
        return data.decode(encoding, errors)
    except ValueError as error:
        raise ValueError(f"bytes.to_text: {expect.shown(data)} can't be decoded: {error}.") from None


@tf.data_node(id="bytes.from_hex")
def from_hex(text: str) -> bytes:
    r"""The bytes that pairs of hexadecimal digits write; white space may stand between. Anything else is an error.

    >>> from_hex("00 ff")
    b'\x00\xff'
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"bytes.from_hex: expected pairs of hexadecimal digits, got {expect.shown(text)}.") from None


@tf.data_node(id="bytes.to_hex")
def to_hex(data: bytes, separator: str = "") -> str:
    r"""Two hexadecimal digits for each byte, in small letters, with the separator between.

    >>> to_hex(b"\x00\xff", ":")
    '00:ff'
    """
    return separator.join(f"{byte:02x}" for byte in data) if separator else data.hex()


@tf.data_node(id="bytes.from_base64")
def from_base64(text: str, url_safe: bool = False) -> bytes:
    r"""The bytes that a text writes in base64, or in the form for URLs, in which `=` at the end may be missing.

    Other characters, white space too, and a wrong length, are errors.

    >>> from_base64("AP8=")
    b'\x00\xff'
    """
    padded = text + "=" * (-len(text) % 4) if url_safe else text
    try:
        return base64.b64decode(padded, altchars=b"-_" if url_safe else None, validate=True)
    except ValueError as error:
        raise ValueError(f"bytes.from_base64: {expect.shown(text)} is not base64: {error}.") from None


@tf.data_node(id="bytes.to_base64")
def to_base64(data: bytes, url_safe: bool = False) -> str:
    r"""The bytes in base64, or in the form for URLs, without `=` at the end.

    >>> to_base64(b"\x00\xff")
    'AP8='
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() if url_safe else base64.b64encode(data).decode()


@tf.data_node(id="bytes.from_list")
def from_list(items: list[int]) -> bytes:
    r"""The bytes with these numbers. A number that is not from 0 to 255 is an error that says where.

    >>> from_list([0, 255])
    b'\x00\xff'
    """
    for place, item in enumerate(expect.numbers("bytes.from_list", items)):
        if not isinstance(item, int) or not 0 <= item <= 255:
            raise ValueError(f"bytes.from_list: expected whole numbers from 0 to 255, but item {place} is {item!r}.")
    return bytes(items)


@tf.data_node(id="bytes.to_list")
def to_list(data: bytes) -> list[int]:
    r"""The numbers of the bytes, each from 0 to 255.

    >>> to_list(b"\x00\xff")
    [0, 255]
    """
    return list(data)


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
        raise OverflowError(f"bytes.from_int: {value} does not fit into {length} {kind} bytes.") from None


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
        raise IndexError(f"bytes.get: there is no byte {index} in {len(data)} bytes.")
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


@tf.data_node(id="bytes.join")
def join(items: list[bytes], separator: bytes = b"") -> bytes:
    """All items, with the separator between. An item that is not bytes is an error.

    >>> join([b"a", b"b"], b"-")
    b'a-b'
    """
    for place, item in enumerate(items):
        if not isinstance(item, bytes):
            raise TypeError(f"bytes.join: expected bytes, but item {place} is {expect.shown(item)}.")
    return separator.join(items)


@tf.data_node(id="bytes.split")
def split(data: bytes, separator: bytes) -> list[bytes]:
    """The parts between the separators. An empty separator is an error.

    >>> split(b"a-b", b"-")
    [b'a', b'b']
    """
    if not separator:
        raise ValueError("bytes.split: empty separator.")
    return data.split(separator)


@tf.data_node(id="bytes.find")
def find(data: bytes, search: bytes, start: int = 0) -> int:
    """The first place from `start` on where the other bytes are; -1 if there is none.

    >>> find(b"banana", b"an", 2)
    3
    """
    return data.find(search, start)


@tf.data_node(id="bytes.reverse")
def reverse(data: bytes) -> bytes:
    """In the opposite order.

    >>> reverse(b"abc")
    b'cba'
    """
    return data[::-1]


@tf.data_node(id="bytes.hash")
def hash_(data: bytes, algorithm: Algorithm = "sha256") -> str:
    """A checksum in hexadecimal digits. SHA-1 and MD5 are there for old files, and keep nobody out.

    >>> hash_(b"")[:16]
    'e3b0c44298fc1c14'
    """
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


@tf.data_node(id="bytes.hmac")
def hmac_(data: bytes, key: bytes, algorithm: Algorithm = "sha256") -> str:
    """A checksum, in hexadecimal digits, that only who knows the key can make.

    >>> hmac_(b"message", b"key")[:16]
    '6e9ef29b75fffc5b'
    """
    return hmac.new(key, data, algorithm).hexdigest()


@tf.data_node(id="bytes.crc32")
def crc32(data: bytes) -> int:
    """The checksum CRC-32, a number of 32 bits: for mistakes of lines and disks, not of people.

    >>> crc32(b"123456789") == 0xCBF43926
    True
    """
    return zlib.crc32(data)


@tf.data_node(id="bytes.compress")
def compress(data: bytes, level: int = 6) -> bytes:
    """The bytes in zlib's form; level 0 only packs, 9 takes the most time. Other levels are errors.

    >>> len(compress(bytes(1000))) < 30
    True
    """
    if not 0 <= level <= 9:
        raise ValueError(f"bytes.compress: expected a level from 0 to 9, got {level}.")
    return zlib.compress(data, level)


@tf.data_node(id="bytes.decompress")
def decompress(data: bytes, most: int = 100_000_000) -> bytes:
    """What `bytes.compress` packed, or gzip. Bytes that are no such thing, or only a part of it, are an error.

    More than so many bytes are an error too: a small input may be made to unpack without end.

    >>> decompress(compress(b"abc"))
    b'abc'
    """
    expect.positive("bytes.decompress", "most", most)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # zlib or gzip, as its head says
    try:
        unpacked = unpacker.decompress(data, min(most, expect.MOST) + 1)
    except zlib.error as error:
        raise ValueError(f"bytes.decompress: expected bytes of zlib or gzip: {error}.") from None
    if len(unpacked) > min(most, expect.MOST):
        raise ValueError(f"bytes.decompress: more than {min(most, expect.MOST)} bytes come out.")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("bytes.decompress: the bytes are cut off, or something follows them.")
    return unpacked
