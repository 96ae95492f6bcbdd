"""URLs, taken apart and put together (RFC 3986)."""

from __future__ import annotations

import urllib.parse
from typing import Any, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect


class Parts(NamedTuple):
    """The parts of a URL; those that it does not have are empty."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str


def _split(node: str, url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # checked when it is asked for
    except ValueError as error:
        raise ValueError(f"{node}: {url!r} is not a URL: {error}.") from None
    return parts


@tf.data_node(id="url.parse")
def parse(url: str) -> Parts:
    """The parts of a URL, as they are written; the host in small letters. A bad host or port is an error.

    >>> parse("http://example.org:8080/a%20b?x=1#top")
    Parts(scheme='http', host='example.org', port=8080, path='/a%20b', query='x=1', fragment='top')
    """
    parts = _split("url.parse", url)
    return Parts(parts.scheme, parts.hostname or "", parts.port, parts.path, parts.query, parts.fragment)


@tf.data_node(id="url.join")
def join(base: str, reference: str) -> str:
    """What a reference means in a document with this URL. A bad host is an error.

    >>> join("http://example.org/a/b.html", "../c.html")
    'http://example.org/c.html'
    """
    _split("url.join", base)
    _split("url.join", reference)
    return urllib.parse.urljoin(base, reference)


@tf.data_node(id="url.encode")
def encode(text: str, keep: str = "") -> str:
    """The text as a part of a URL: all but letters, digits, `_.-~` and what to keep is written as %XX of UTF-8.

    A lone surrogate, which has no UTF-8, is an error, and so is a character to keep that is not ASCII.

    >>> encode("a/b ü")
    'a%2Fb%20%C3%BC'
    """
    if not keep.isascii():
        raise ValueError(f"url.encode: only ASCII can be kept, got {keep!r}.")
    return urllib.parse.quote(_utf8("url.encode", text), safe=keep)


@tf.data_node(id="url.decode")
def decode(text: str) -> str:
    """The text that a part of a URL writes, %XX read as UTF-8; what is no UTF-8 is an error. A plus stays a plus.

    >>> decode("a%2Fb%20%C3%BC")
    'a/b ü'
    """
    try:
        return urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError(f"url.decode: {text!r} is not UTF-8: {error.reason}.") from None


@tf.data_node(id="url.parse_query")
def parse_query(query: str) -> dict[str, str]:
    """The values of a query by name, without a question mark in front; of a name that comes twice, the last one.

    What is no UTF-8 is an error.

    >>> parse_query("q=a+b&page=2&empty=")
    {'q': 'a b', 'page': '2', 'empty': ''}
    """
    try:
        return dict(urllib.parse.parse_qsl(query, keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise ValueError(f"url.parse_query: {query!r} is not a query: {error}.") from None


@tf.data_node(id="url.write_query")
def write_query(values: dict[str, Any]) -> str:
    """A query of names and values, which are written as Python writes them for people.

    >>> write_query({"q": "a b", "page": 2})
    'q=a+b&page=2'
    """
    pairs = [(_utf8("url.write_query", str(key)), _utf8("url.write_query", str(each))) for key, each in values.items()]
    return urllib.parse.urlencode(pairs)


def _utf8(node: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{node}: {expect.shown(text)} holds a lone surrogate, which has no UTF-8.") from None
