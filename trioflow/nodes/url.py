"""URLs, taken apart and put together (RFC 3986)."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any, NamedTuple, cast

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._elsewhere import work
from trioflow.nodes._slices import SLICE, TURN, Steps, entries, gathered, parts, sliced


class Parts(NamedTuple):
    """The parts of a URL; those that it does not have are empty."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str
    user: str
    password: str


_MOST = 100_000
"""Characters that a URL may have: no server takes half of it."""


def _split(node: str, url: str) -> urllib.parse.SplitResult:
    if len(url) > _MOST:
        raise ValueError(f"{node}: {expect.short(url)} has {len(url):,} characters; a URL may have {_MOST:,} at most.")
    if found := _CONTROL.search(url):
        raise ValueError(f"{node}: {expect.short(url)} is not a URL: it has {found[0]!r} at {found.start()}.")
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # checked when it is asked for
    except ValueError as error:
        raise ValueError(f"{node}: {expect.short(url)} is not a URL: {error}.") from None
    return parts


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@tf.data_node(id="url.parse")
def parse(url: str) -> Parts:
    """The parts of a URL, as they are written; the host in small letters. A bad host or port is an error.

    So is a tab, a line end or another control character, which no URL has, and more than 100,000 characters.

    >>> parse("http://me@example.org/a%20b?x=1")
    Parts(scheme='http', host='example.org', port=None, path='/a%20b', query='x=1', fragment='', user='me', password='')
    """
    parts = _split("url.parse", url)
    return Parts(
        parts.scheme, parts.hostname or "", parts.port, parts.path, parts.query, parts.fragment,
        urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or ""),
    )  # fmt: skip


@tf.data_node(id="url.join")
def join(base: str, reference: str) -> str:
    """What a reference means in a document with this URL (RFC 3986, 5.2), whatever its scheme. A bad host is an error.

    >>> join("http://example.org/a/b.html", "../c.html")
    'http://example.org/c.html'
    """
    _split("url.join", base)
    _split("url.join", reference)
    scheme, authority, path, query, fragment = _reference(base)
    own, host, way, asked, fragment = _reference(reference)
    if own is not None:
        return _joined(own, host, _without_dots(way), asked, fragment)
    if host is not None:
        return _joined(scheme, host, _without_dots(way), asked, fragment)
    if not way:
        return _joined(scheme, authority, path, query if asked is None else asked, fragment)
    if not way.startswith("/"):
        way = f"/{way}" if authority is not None and not path else path[: path.rfind("/") + 1] + way
    return _joined(scheme, authority, _without_dots(way), asked, fragment)


_REFERENCE = re.compile(r"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
"""The parts of a URL (RFC 3986, appendix B); those that are not there are None."""


def _reference(url: str) -> tuple[str | None, str | None, str, str | None, str | None]:
    found = _REFERENCE.fullmatch(url)
    assert found is not None
    scheme, authority, path, query, fragment = found.groups()
    return scheme, authority, path, query, fragment


def _without_dots(path: str) -> str:
    """The path without `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    steps = path.split("/")
    for step in steps:
        if step == "..":
            if kept and (len(kept) > 1 or kept[0]):
                kept.pop()
        elif step != ".":
            kept.append(step)
    if steps[-1] in (".", ".."):
        kept.append("")
    text = "/".join(kept)
    return f"/{text}" if path.startswith("/") and not text.startswith("/") else text


def _joined(scheme: str | None, authority: str | None, path: str, query: str | None, fragment: str | None) -> str:
    return "".join(
        (
            "" if scheme is None else f"{scheme}:",
            "" if authority is None else f"//{authority}",
            path,
            "" if query is None else f"?{query}",
            "" if fragment is None else f"#{fragment}",
        )
    )


@tf.data_node(id="url.encode")
def encode(text: str, keep: str = "") -> str:
    """The text as a part of a URL: all but letters, digits, `_.-~` and what to keep is written as %XX of UTF-8.

    A lone surrogate, which has no UTF-8, is an error, and so is a character to keep that is not ASCII.

    >>> encode("a/b ü")
    'a%2Fb%20%C3%BC'
    """
    if not keep.isascii():
        raise ValueError(f"url.encode: only ASCII can be kept, got {expect.short(keep)}.")
    return urllib.parse.quote(_utf8("url.encode", text), safe=keep)


@sliced(id="url.decode")
def decode(text: str) -> Steps[str]:
    """The text that a part of a URL writes, %XX read as UTF-8; what is no UTF-8 is an error. A plus stays a plus.

    >>> decode("a%2Fb%20%C3%BC")
    'a/b ü'
    """
    try:
        decoded: str = yield from _here_or_away("unquoted", text)
    except ValueError as error:
        raise ValueError(f"url.decode: {expect.short(text)} is not UTF-8: {error}.") from None
    return decoded


_LONG = 10_000
"""Characters beyond which a text is taken apart in another process."""


def _here_or_away(name: str, text: str) -> Steps[Any]:
    job = work(name, text)
    return (yield job) if len(text) > _LONG else job.here()


@sliced(id="url.parse_query")
def parse_query(query: str) -> Steps[dict[str, str]]:
    """The values of a query by name, without a question mark in front; of a name that comes twice, the last one.

    What is no UTF-8 is an error.

    >>> parse_query("q=a+b&page=2&empty=")
    {'q': 'a b', 'page': '2', 'empty': ''}
    """
    try:
        pairs: list[tuple[str, str]] = yield from _here_or_away("queried", query)
    except ValueError as error:
        raise ValueError(f"url.parse_query: {expect.short(query)} is not a query: {error}.") from None
    return (yield from entries(pairs))


@sliced(id="url.write_query")
def write_query(values: dict[str, Any]) -> Steps[str]:
    """A query of names and values; of a list, one pair for each item. None is an empty value, true is `true`.

    Other values are written as Python writes them for people. A lone surrogate, which has no UTF-8, is an error.

    >>> write_query({"q": "a b", "page": 2, "tag": ["x", "y"], "all": True})
    'q=a+b&page=2&tag=x&tag=y&all=true'
    """
    pairs = yield from query_pairs("url.write_query", values)
    return "&".join((yield from gathered((urllib.parse.urlencode(part),) for part in parts(pairs, 500))))


def _text(node: str, value: object) -> Steps[str]:
    try:
        return (yield from text_of(value))
    except ValueError as error:
        raise ValueError(f"{node}: {error}.") from None


def query_pairs(node: str, values: dict[str, Any]) -> Steps[list[tuple[str, str]]]:
    """The names and values of a query, each as a text."""
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        name: str = yield from _text(node, key)
        for item in cast("list[Any]", value) if isinstance(value, list | tuple) else [value]:
            if isinstance(item, bool) or item is None:
                text = "" if item is None else str(item).lower()
            else:
                text = yield from _text(node, item)
            _utf8(node, name)
            _utf8(node, text)
            pairs.append((name, text))
            if not len(pairs) % SLICE:
                yield TURN
    return pairs


def _utf8(node: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{node}: {expect.shown(text)} holds a lone surrogate, which has no UTF-8.") from None
