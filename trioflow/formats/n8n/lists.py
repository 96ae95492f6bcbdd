"""What nodes do with lists of items: conditions, joining, sorting, taking apart. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

from trioflow.errors import NodeError
from trioflow.formats import javascript
from trioflow.formats.n8n.expressions import Item, Outputs, read, write

_COMPARED = {
    "equals": "a == b",
    "equal": "a == b",
    "notEquals": "a != b",
    "notEqual": "a != b",
    "gt": "a > b",
    "larger": "a > b",
    "lt": "a < b",
    "smaller": "a < b",
    "gte": "a >= b",
    "largerEqual": "a >= b",
    "lte": "a <= b",
    "smallerEqual": "a <= b",
    "after": "a > b",
    "before": "a < b",
}
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "notContains": lambda text, part: part not in text,
    "startsWith": str.startswith,
    "notStartsWith": lambda text, part: not text.startswith(part),
    "endsWith": str.endswith,
    "notEndsWith": lambda text, part: not text.endswith(part),
    "regex": lambda text, part: re.search(part.strip("/"), text) is not None,
    "notRegex": lambda text, part: re.search(part.strip("/"), text) is None,
}
OPERATIONS = frozenset(
    {
        *_COMPARED,
        *_TEXTS,
        "exists",
        "notExists",
        "empty",
        "notEmpty",
        "isEmpty",
        "isNotEmpty",
        "true",
        "false",
        "lengthEquals",
        "lengthGt",
        "lengthLt",
    }
)


def holds(operation: str, left: Any, right: Any, *, ignores_case: bool = False) -> bool:
    """Whether a condition holds."""
    if ignores_case:
        left, right = (each.lower() if isinstance(each, str) else each for each in (left, right))
    if operation in _COMPARED:
        return bool(javascript.evaluate(javascript.expression(_COMPARED[operation]), {"a": left, "b": right}))
    if operation in ("exists", "notExists"):
        return (left is not None) is (operation == "exists")
    if operation in ("true", "false"):
        return javascript.holds(left) is (operation == "true")
    if operation.lower().endswith("empty"):
        return (left in (None, "", [], {})) is ("not" not in operation.lower())
    if operation.startswith("length"):
        return holds(operation.removeprefix("length").lower(), len(left or ()), int(right))
    if operation in ("contains", "notContains") and isinstance(left, list):
        return (right in left) is (operation == "contains")
    return _TEXTS[operation]("" if left is None else javascript.as_text(left), javascript.as_text(right))


def conditions_of(said: Any) -> list[tuple[str, Any, Any]]:
    """The conditions of a node of any version: operation, left, right."""
    if not isinstance(said, Mapping):
        return []
    listed: Any = said.get("conditions")
    if isinstance(listed, list):
        return [
            (
                str((each.get("operator") or {}).get("operation", "equals")),
                each.get("leftValue"),
                each.get("rightValue"),
            )
            for each in listed
            if isinstance(each, dict) and isinstance(each.get("operator") or {}, dict)
        ]
    found: list[tuple[str, Any, Any]] = []
    for kind, each_of in said.items():
        usual = "equal" if kind in ("string", "boolean") else "smaller"
        found += (
            (str(each.get("operation", usual)), each.get("value1"), each.get("value2"))
            for each in (each_of if isinstance(each_of, list) else [])
            if isinstance(each, dict)
        )
    return found


def meets(conditions: list[tuple[str, Any, Any]], any_of_them: bool, ignores_case: bool) -> bool:
    """Whether all conditions hold, or any."""
    found = (holds(*each, ignores_case=ignores_case) for each in conditions)
    return any(found) if any_of_them else all(found)


def merged(mode: str, inputs: list[list[Item]], said: Mapping[str, Any]) -> list[Item]:
    """Several inputs as one list."""
    if mode == "append":
        return [item for each in inputs for item in each]
    if mode == "choose":
        return inputs[min(int(said.get("useDataOfInput", 1)) - 1, len(inputs) - 1)]
    first, second = inputs[0], inputs[1] if len(inputs) > 1 else []
    if mode == "position":
        longest = max(map(len, inputs)) if said.get("includeUnpaired") else min(map(len, inputs))
        return [
            {key: value for each in inputs if at < len(each) for key, value in each[at].items()}
            for at in range(longest)
        ]
    if mode == "all":
        return [{**one, **other} for one in first for other in second]
    pairs: list[tuple[str, str]] = said["fields"]
    alike = [
        (one, [other for other in second if all(read(one, left) == read(other, right) for left, right in pairs)])
        for one in first
    ]
    matched = [{**one, **other} for one, others in alike for other in others]
    alone = [one for one, others in alike if not others]
    others_alone = [other for other in second if not any(other in others for _, others in alike)]
    return {
        "keepMatches": matched,
        "keepNonMatches": [*alone, *others_alone],
        "enrichInput1": [each for one, others in alike for each in ([{**one, **other} for other in others] or [one])],
        "enrichInput2": [*matched, *others_alone],
        "keepEverything": [*matched, *alone, *others_alone],
    }[str(said.get("joinMode", "keepMatches"))]


def ordered(items: list[Item], fields: list[tuple[str, bool]]) -> list[Item]:
    """Items by fields; each with whether it goes down."""

    def compare(one: Item, other: Item) -> int:
        for name, down in fields:
            left, right = read(one, name), read(other, name)
            texts = isinstance(left, str) and isinstance(right, str)
            pair: Any = (left.lower(), right.lower()) if texts else (left, right)
            names = {"a": pair[0], "b": pair[1]}
            if javascript.evaluate(javascript.expression("a < b"), names):
                return 1 if down else -1
            if javascript.evaluate(javascript.expression("a > b"), names):
                return -1 if down else 1
        return 0

    return sorted(items, key=cmp_to_key(compare))


def without_repetitions(items: list[Item], fields: list[str]) -> list[Item]:
    """Each item once, as far as all fields or these count."""
    seen: set[str] = set()
    found: list[Item] = []
    for each in items:
        key = json.dumps([read(each, name) for name in fields] if fields else each, sort_keys=True, default=str)
        if key not in seen:
            seen.add(key)
            found.append(each)
    return found


def split_out(items: list[Item], fields: list[str], *, keeps: bool, named: str) -> list[Item]:
    """An item for each entry of a list in an item."""
    found: list[Item] = []
    for each in items:
        lists = [value if isinstance(value := read(each, name), list) else [value] for name in fields]
        for at in range(max(map(len, lists), default=0)):
            item: Item = {key: value for key, value in each.items() if key not in fields} if keeps else {}
            for name, entries in zip(fields, lists, strict=True):
                entry = entries[at] if at < len(entries) else None
                if isinstance(entry, dict) and not keeps and not named:
                    item |= entry
                else:
                    item[named or name] = entry
            found.append(item)
    return found


def aggregated(items: list[Item], said: Mapping[str, Any]) -> list[Item]:
    """All items as one."""
    if said.get("aggregate", "aggregateIndividualFields") == "aggregateAllItemData":
        return [{str(said.get("destinationFieldName") or "data"): items}]
    item: Item = {}
    for each in (said.get("fieldsToAggregate") or {}).get("fieldToAggregate", ()):
        name = str(each.get("fieldToAggregate", ""))
        into = str(each.get("outputFieldName") or name) if each.get("renameField") else name.rpartition(".")[2]
        item[into] = [value for one in items if (value := read(one, name)) is not None]
    return [item]


def assigned(item: Item, said: list[tuple[str, Any]], *, keeps: bool) -> Item:
    """An item with fields that are set, and the others or not."""
    found: Item = dict(item) if keeps else {}
    for name, value in said:
        write(found, name, value)
    return found


def converted(value: Any, kind: str) -> Any:
    """A value of the type that an assignment names. Raises `NodeError` for what is none."""
    try:
        match kind:
            case "number":
                return (
                    javascript.evaluate(javascript.expression("Number(a)"), {"a": value})
                    if isinstance(value, str)
                    else value
                )
            case "boolean":
                return value.lower() == "true" if isinstance(value, str) else bool(value)
            case "string":
                return "" if value is None else javascript.as_text(value)
            case "array" | "object":
                return json.loads(value) if isinstance(value, str) else value
            case _:
                return value
    except ValueError as error:
        raise NodeError(f"{value!r} is not of type {kind}: {error}") from error


def routed(count: int, number: int, item: Item, outputs: Outputs) -> Outputs:
    """Outputs with one more item at one of them."""
    while len(outputs) < count:
        outputs.append([])
    outputs[number].append(item)
    return outputs
