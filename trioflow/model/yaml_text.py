"""YAML as a spelling of JSON: the extra `yaml`.

Scalars follow the core schema of YAML 1.2, so that `no` and `on` stay texts and nothing turns into a date. What JSON
can't say is refused: anchors, tags, several documents in a text. The text is read event by event instead of by
PyYAML's constructors, which can't be bounded: no depth of nesting exhausts the stack, and each problem has a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from trioflow.errors import MissingExtra
from trioflow.model.json_text import BadText, Repeated

try:
    import yaml
except ImportError as missing:
    raise MissingExtra("YAML", "yaml") from missing

# The parser and the emitter in C are ten times as fast, but not every build of PyYAML has them.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_DEEPEST = 900
"""Levels of nesting that are read: fewer than any PyYAML reads, so that it does not depend on the release what is."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def read(text: str) -> Any:
    """The tree of dicts and lists in a YAML text; a `Repeated` stands for an object with repeated keys.

    NaN and infinities come through as floats: whoever looks at the tree refuses them. Raises `BadText`, and
    `RecursionError` for a text that is nested too deeply.
    """
    bad = _FORBIDDEN.search(text)
    if bad is not None:
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        raise BadText(
            f"line {line}, column {column}: the character U+{ord(bad[0]):04X} is not allowed in YAML. Write it as an "
            "escape in a text in double quotes."
        )
    try:
        return _build(text)
    except yaml.MarkedYAMLError as error:
        if error.problem_mark and _open_brackets(text[: error.problem_mark.index + 1]) > _DEEPEST:
            # PyYAML scans brackets in a row before it tells of the first, and since 6.0.4 has a limit of its own.
            raise RecursionError from None
        at = f"{_place(error.problem_mark)}: " if error.problem_mark else ""
        raise BadText(f"{at}{error.problem}.") from error
    except yaml.YAMLError as error:
        raise BadText(" ".join(str(error).split())) from error


def marks(text: str) -> Iterator[tuple[Literal["[", "{", "]", "scalar"], int, int, Any]]:
    """Where lists and objects begin and end, and where values stand, by line and column. Raises `BadText`."""
    try:
        event: Any
        for event in yaml.parse(text, Loader=_Loader):
            at = event.start_mark.line + 1, event.start_mark.column + 1
            if isinstance(event, yaml.ScalarEvent):
                yield "scalar", *at, _scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                yield "{" if isinstance(event, yaml.MappingStartEvent) else "[", *at, None
            elif isinstance(event, yaml.CollectionEndEvent):
                yield "]", *at, None
    except yaml.YAMLError as error:
        raise BadText(str(error)) from error


def write(tree: Mapping[str, Any]) -> str:
    """The tree as YAML, in the order of its keys. Raises `BadText` for a text that YAML can't hold."""
    try:
        return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
    except UnicodeEncodeError as error:
        raise BadText(
            "a text holds half of a surrogate pair, which YAML can't say. Write the document as JSON."
        ) from error
    except ValueError as error:
        # Python converts no integer of thousands of digits.
        raise BadText(f"{error}.") from error


def _build(text: str) -> Any:
    # Each open list or object is a list of what it holds so far; the first one stands for the whole text.
    stack: list[list[Any]] = [[]]
    starts: list[Any] = []
    documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.ScalarEvent):
            _refuse(event)
            stack[-1].append(_scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse(event)
            if len(stack) > _DEEPEST:
                raise RecursionError  # nobody could look at the tree, and libyaml gets slower with every level
            stack.append([])
            starts.append(event.start_mark)
        elif isinstance(event, yaml.SequenceEndEvent):
            done = stack.pop()
            starts.pop()
            stack[-1].append(done)
        elif isinstance(event, yaml.MappingEndEvent):
            done = stack.pop()
            stack[-1].append(_mapping(done, starts.pop()))
        elif isinstance(event, yaml.AliasEvent):
            raise BadText(f"{_place(event.start_mark)}: aliases (*{event.anchor}) are not read. Repeat the value.")
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise BadText(f"{_place(event.start_mark)}: a second document starts. Write one graph per file.")
    return stack[0][0] if stack[0] else None


def _open_brackets(text: str) -> int:
    return text.count("[") + text.count("{") - text.count("]") - text.count("}")


def _refuse(event: Any) -> None:
    if event.anchor is not None:
        raise BadText(f"{_place(event.start_mark)}: anchors (&{event.anchor}) are not read. Repeat the value.")
    if event.tag not in (None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
        raise BadText(f"{_place(event.start_mark)}: tags ({event.tag}) are not read. Write a plain value.")


def _scalar(event: Any) -> Any:
    # `implicit[0]` says that the scalar is plain: no quotes and no tag.
    if not event.implicit[0]:
        return event.value
    try:
        return _resolve(event.value)
    except ValueError as error:
        # Python converts no integer of thousands of digits.
        raise BadText(f"{_place(event.start_mark)}: {error}.") from error


def _resolve(value: str) -> Any:
    if value in _NULL:
        return None
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    if value[0] not in "+-.0123456789":
        return value
    if _INT.fullmatch(value):
        return int(value)
    if _OTHER_BASE.fullmatch(value):
        return int(value, 0)
    if _FLOAT.fullmatch(value):
        return float(value)
    if _NOT_FINITE.fullmatch(value):
        return float(value.replace(".", ""))
    return value


def _mapping(flat: list[Any], start: Any) -> dict[Any, Any]:
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    try:
        made = dict(pairs)
    except TypeError:
        raise BadText(f"{_place(start)}: a list or an object can't be a key. Keys are texts.") from None
    return made if len(made) == len(pairs) else Repeated(pairs)


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


class _Dumper(_BaseDumper):  # type: ignore[misc]  # one of two classes, known at runtime
    """Writes no anchors, and quotes every text that `_resolve` would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _quoted(dumper: Any, text: str) -> Any:
    is_text = _INT.fullmatch(text) is None and isinstance(_resolve(text), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_text else '"')


_Dumper.add_representer(str, _quoted)
