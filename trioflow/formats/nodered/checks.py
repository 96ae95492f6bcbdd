"""What of a node is understood: why one of a known type can't be taken over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trioflow.errors import NodeError, did_you_mean
from trioflow.formats import javascript
from trioflow.formats.fields import short
from trioflow.formats.nodered import jsonata
from trioflow.formats.nodered.draft import Placed
from trioflow.formats.nodered.mustache import mustache
from trioflow.formats.nodered.nodes.function import UNITS
from trioflow.formats.nodered.rules import RULES
from trioflow.formats.nodered.shape import dicts

VALUES = frozenset({"str", "num", "bool", "json", "msg", "flow", "global", "date", "env", "re", "prev", "full", "elem",
                    "seq", "jsonata", ""})  # fmt: skip


def problem_of(each: Placed) -> str | None:
    """Why a node of a kind that is known can't be taken over."""
    raw = each.raw
    buffers = [where for where, value in _fields(raw) if value == "bin"]
    if buffers:
        return f"`{buffers[0]}`: bin is not understood"
    try:
        check_expressions(raw)
        problem = _CHECKS[each.type](raw) if each.type in _CHECKS else None
        for name in _NUMBERS:
            if raw.get(name) not in (None, "") and not _is_number(raw[name]):
                return f"`{name}` is a number, got {short(raw[name])}"
    except javascript.NotUnderstood as error:
        limits = " (it is read as far as it is assignments, if and return)" if each.type == "function" else ""
        return f"{error}{limits}"
    except NodeError as error:
        return str(error)
    except (TypeError, ValueError) as error:
        return f"a field is not what it should be: {error}"
    for name in ("rules", "props"):
        if not isinstance(raw.get(name, []), list) or len(dicts(raw.get(name))) < len(raw.get(name, [])):
            return f"`{name}` is not a list of objects"
    return problem


def _function(raw: Mapping[str, Any]) -> str | None:
    javascript.program(str(raw.get("func", "")))
    return "it uses modules of Node.js" if raw.get("libs") else None


def _switch(raw: Mapping[str, Any]) -> str | None:
    unknown = [str(rule.get("t")) for rule in dicts(raw.get("rules")) if rule.get("t") not in RULES]
    if unknown:
        return f"there is no rule {unknown[0]!r} here.{did_you_mean(unknown[0], RULES)}"
    _path(raw.get("property", "payload"), raw.get("propertyType", "msg"))
    return None


def _change(raw: Mapping[str, Any]) -> str | None:
    if "rules" not in raw:
        return "it is of a version before 0.11"
    for rule in dicts(raw.get("rules")):
        if rule.get("t") not in ("set", "change", "delete", "move"):
            return f"there is no rule {rule.get('t')!r} here"
        _path(rule.get("p", "payload"), rule.get("pt", "msg"))
        if rule.get("t") in ("set", "move"):
            _value(rule.get("to", "payload"), rule.get("tot", "msg" if rule.get("t") == "move" else "str"))
    return None


def _of_message(raw: Mapping[str, Any]) -> str | None:
    _path(raw.get("field") or raw.get("property") or "payload", "msg")
    return None


def _template(raw: Mapping[str, Any]) -> str | None:
    if raw.get("syntax", "mustache") == "mustache" and "{{" in mustache(str(raw.get("template", "")), [{}]):
        return "`template`: a `{{` is not closed"
    return _of_message(raw)


def _debug(raw: Mapping[str, Any]) -> str | None:
    if raw.get("targetType", "msg") == "msg" and raw.get("complete") not in (True, False, "true", "false", "", None):
        _path(raw["complete"], "msg")
    return None


def _delay(raw: Mapping[str, Any]) -> str | None:
    kind = raw.get("pauseType", "delay")
    if kind not in ("delay", "delayv", "random", "rate") or raw.get("drop"):
        return f"`pauseType`: {kind!r} is not understood: only delay, delayv, random and rate"
    for name in ("timeoutUnits", "randomUnits"):
        if raw.get(name, "seconds") not in UNITS:
            return f"`{name}`: there is no unit {raw[name]!r}.{did_you_mean(str(raw[name]), UNITS)}"
    return None


def _join(raw: Mapping[str, Any]) -> str | None:
    if raw.get("mode", "auto") not in ("auto", "custom") or raw.get("timeout"):
        return "only joining of parts, and of a number of messages, is understood"
    known = raw.get("build", "array") in ("array", "object", "string", "merged")
    return None if known else f"build={raw.get('build')!r} is not understood"


def _batch(raw: Mapping[str, Any]) -> str | None:
    return None if raw.get("mode", "count") == "count" else "only groups by number are understood"


def _link_out(raw: Mapping[str, Any]) -> str | None:
    mode = raw.get("mode", "link")
    return None if mode in ("link", "return") else f"mode={mode!r} is not understood"


def _link_call(raw: Mapping[str, Any]) -> str | None:
    if raw.get("linkType", "static") != "static":
        return "a link whose target the message names is not understood"
    return None if raw.get("links") else "it does not say what it calls"


def _inject(raw: Mapping[str, Any]) -> str | None:
    kind = str(raw.get("payloadType", ""))
    if kind not in VALUES:
        return f"`payloadType`: there is no kind of value {kind!r}.{did_you_mean(kind, VALUES - {''})}"
    for prop in dicts(raw.get("props")):
        _path(prop.get("p", "payload"), "msg")
        _value(prop.get("v", ""), prop.get("vt", "str"))
    _value(raw.get("payload", ""), raw.get("payloadType", "str"))
    return None


def _value(text: Any, kind: Any) -> None:
    """Raise `NotUnderstood` for what is no value of its kind."""
    if kind == "json" and isinstance(text, str):
        try:
            json.loads(text)
        except ValueError as error:
            raise javascript.NotUnderstood(f"{short(text)} is not JSON: {error}") from None
    elif text:
        _path(text, kind)


def _path(path: Any, kind: Any) -> None:
    """Raise `NotUnderstood` for what leads nowhere."""
    if kind in ("msg", "flow", "global"):
        try:
            javascript.expression(str(path))
        except javascript.NotUnderstood as error:
            raise javascript.NotUnderstood(f"{path!r} is not a path to a value: {error}") from None


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "function": _function,
    "switch": _switch,
    "change": _change,
    **dict.fromkeys(("range", "json", "rbe", "split"), _of_message),
    "template": _template,
    "debug": _debug,
    "delay": _delay,
    "join": _join,
    "batch": _batch,
    "link out": _link_out,
    "link call": _link_call,
    "inject": _inject,
}


_NUMBERS = (
    "timeout",
    "repeat",
    "onceDelay",
    "count",
    "overlap",
    "rate",
    "nbRateUnits",
    "minin",
    "maxin",
    "minout",
    "maxout",
    "randomFirst",
    "randomLast",
    "arraySplt",
)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _fields(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The types of values that stand in a node, with their fields."""
    for name, value in raw.items():
        if name.endswith(("Type", "tot", "fromt")) and isinstance(value, str):
            yield name, value
        elif name in ("rules", "props"):
            for each in dicts(value):
                for inner in ("t", "vt", "v2t", "tot", "fromt", "pt"):
                    yield f"{name}.{inner}", each.get(inner)


_TYPED = (("property", "propertyType"), ("payload", "payloadType"), ("msgKey", "msgKeyType"), ("v", "vt"),
          ("v2", "v2t"), ("to", "tot"), ("from", "fromt"), ("p", "pt"))  # fmt: skip
"""The fields that hold a value, and those that say of which kind it is."""


def check_expressions(raw: Mapping[str, Any]) -> None:
    """Raise `NotUnderstood` for the first expression in JSONata in a node that is none."""
    for each in (raw, *dicts(raw.get("rules")), *dicts(raw.get("props"))):
        texts = [each.get(name) for name, kind in _TYPED if each.get(kind) == "jsonata"]
        if each.get("t") == "jsonata_exp":
            texts.append(each.get("v"))
        for text in texts:
            jsonata.check(str(text))
