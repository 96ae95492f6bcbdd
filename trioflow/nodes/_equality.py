"""What the nodes call equal, and the order that they give: one rule for all of them.

1 and 1.0 are equal; 1 and true are not; not-a-number is equal to nothing. Moments that have a zone are equal if they
are the same moment, whatever clocks show there. Lists, dictionaries and sets are equal if what they hold is, by this
rule at every depth.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from trioflow.nodes._slices import SLICE, TURN, Steps, batches, copied, finished, gathered, parts, released

T = TypeVar("T")

_PLAIN = frozenset({int, float, str, bool, bytes, type(None)})
_THEMSELVES = frozenset({int, str, bytes, type(None)})
"""Types whose values are keys as they are."""


def settled(moment: datetime.datetime) -> datetime.datetime:
    """The same moment with its offset for a zone.

    Python compares two moments of one zone by what its clocks show, which is wrong in an hour that comes twice, and
    takes those in such an hour for equal to none of another zone. With offsets it is right. Without a zone: as it is.
    """
    offset = moment.utcoffset()
    return moment if offset is None else moment.replace(tzinfo=datetime.timezone(offset), fold=0)


def same(a: object, b: object) -> bool:
    """Whether two values are equal. Lists, dictionaries and sets of many items are compared in one go."""
    if type(a) in _PLAIN and type(b) in _PLAIN:
        return isinstance(a, bool) is isinstance(b, bool) and a == b
    return finished(compared(a, b))


def compared(a: object, b: object) -> Steps[bool]:
    """Whether two values are equal."""
    if type(a) in _PLAIN and type(b) in _PLAIN:  # as mostly
        return isinstance(a, bool) is isinstance(b, bool) and bool(a == b)
    around: list[tuple[int, int]] = []
    pairs: list[Iterator[tuple[Any, Any]]] = [iter(((a, b),))]
    count = 0
    while pairs:
        for x, y in pairs[-1]:
            count += 1
            if not count % SLICE:
                yield TURN
            found = _compared(x, y)
            if found is False:
                return False
            if found is not True and (id(x), id(y)) not in around:  # otherwise they hold themselves
                around.append((id(x), id(y)))
                pairs.append(found)
                break
        else:
            pairs.pop()
            if around:
                around.pop()
    return True


def _compared(a: Any, b: Any) -> bool | Iterator[tuple[Any, Any]]:
    """Whether two values are equal, or pairs that have to be."""
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    if type(a) in _PLAIN and type(b) in _PLAIN:
        return bool(a == b)
    if isinstance(a, datetime.datetime) and isinstance(b, datetime.datetime):
        return settled(a) == settled(b)
    for kind in (list, tuple):
        if isinstance(a, kind) and isinstance(b, kind):
            return len(a) == len(b) and zip(a, b, strict=True)
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and _of_dictionaries(a, b)
    if isinstance(a, set | frozenset) and isinstance(b, set | frozenset):
        return len(a) == len(b) and _of_dictionaries(dict.fromkeys(a), dict.fromkeys(b))
    return bool(a == b)


def _of_dictionaries(a: dict[Any, Any], b: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Pairs that have to be equal if the dictionaries are."""
    keyed: dict[Any, Any] | None = None
    for name, value in a.items():
        if type(name) is str:
            yield (value, b[name]) if name in b else (True, False)
            continue
        if keyed is None:
            keyed = {}
            for other, its in b.items():
                keyed[key(other)] = its
                yield True, True  # so that it counts
        known = key(name)
        yield (value, keyed[known]) if known in keyed else (True, False)


class _Unhashed:
    """Something that can only be compared with others one by one."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed) and same(self.value, other.value)

    def __hash__(self) -> int:
        return hash(type(self.value))


def key(value: Any) -> Any:
    """What is equal for two values, and can be a key, exactly if the values are equal. Raises `ValueError`."""
    try:
        return _key(value)
    except RecursionError:
        raise ValueError("a value is nested too deeply to be compared") from None


def _key(value: Any) -> Any:  # noqa: C901 - one rule for each kind of value
    kind = type(value)
    if kind in _THEMSELVES:
        return value
    if kind is bool:
        return bool, value
    if isinstance(value, float):
        return value if value == value else object()  # noqa: PLR0124 - only not-a-number is not itself
    if isinstance(value, datetime.datetime):
        return settled(value)
    if isinstance(value, list):
        return list, tuple(map(_key, cast("list[object]", value)))
    if isinstance(value, tuple):
        return tuple, tuple(map(_key, cast("tuple[object, ...]", value)))
    if isinstance(value, dict):
        return dict, frozenset((_key(name), _key(item)) for name, item in cast("dict[object, object]", value).items())
    if isinstance(value, set | frozenset):
        return set, frozenset(map(_key, cast("set[Any]", value)))
    if isinstance(value, bytearray):
        return bytes(value)
    try:
        hash(value)
    except TypeError:
        return _Unhashed(value)
    return value


def weight(value: object, most: int = SLICE) -> int:
    """How many values there are in a value, at every depth and itself included; counted until there are `most`."""
    count = 1
    waiting: list[Any] = [value]
    for item in waiting:  # which grows meanwhile
        if isinstance(item, _CONTAINERS):
            count += len(item)
            if count >= most:
                break
            waiting += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str | bytes):
            count += len(item) >> 6
            if count >= most:
                break
    return count


_CONTAINERS = (dict, list, tuple, set, frozenset)


def keyed(value: Any) -> Steps[Any]:
    """The key of a value that may be large."""
    if type(value) in _THEMSELVES:
        return value
    if isinstance(value, list | tuple) and weight(value) >= SLICE:
        found: list[Any] = yield from _keys_of(cast("list[Any]", value))
        return list if isinstance(value, list) else tuple, tuple(found)
    if isinstance(value, dict) and weight(value) >= SLICE:
        entries = cast("dict[object, object]", value)
        items: list[Any] = yield from _keys_of(list(entries.values()))
        names: list[Any] = yield from _keys_of(list(entries))
        return dict, frozenset(zip(names, items, strict=True))
    return key(value)


def keys_of(node: str, items: Iterable[Any]) -> Steps[list[Any]]:
    """The keys of values. Raises `ValueError` for one that is nested too deeply."""
    try:
        return (yield from _keys_of(items))
    except (RecursionError, ValueError):
        raise ValueError(f"{node}: an item is nested too deeply to be compared.") from None


def _keys_of(items: Iterable[Any]) -> Steps[list[Any]]:
    found: list[Any] = []
    done = 0
    for item in items:
        done += 1
        if type(item) in _THEMSELVES:
            found.append(item)
        else:
            found.append((yield from keyed(item)))
            done += weight(item)
        if done >= SLICE:
            done = 0
            yield TURN
    return found


def unique(node: str, items: Sequence[Any]) -> Steps[list[Any]]:
    """The items without those that are equal to one before them."""
    keys = yield from keys_of(node, items)
    first: dict[Any, Any] = {}
    for number, (known, item) in enumerate(zip(keys, items, strict=True)):
        if number and not number % SLICE:
            yield TURN
        first.setdefault(known, item)
    found = yield from gathered(batches(first.values()))
    yield from released(keys)
    yield from released(first)
    return found


def members_of(node: str, items: Sequence[Any], others: Sequence[Any]) -> Steps[list[bool]]:
    """Of each item, whether it is equal to one of the others."""
    known: set[Any] = set()
    for number, part in enumerate(parts((yield from keys_of(node, others)))):
        if number:
            yield TURN
        known.update(part)
    keys = yield from keys_of(node, items)
    found = yield from gathered([each in known for each in part] for part in parts(keys))
    yield from released(keys)
    yield from released(known)
    return found


def equal_ones(items: Sequence[Any], item: Any) -> Steps[list[bool]]:
    """Of each of the items, whether it is equal to one value."""
    found: list[bool] = []
    for number, each in enumerate(items, 1):
        found.append((yield from compared(each, item)) if type(each) not in _PLAIN else same(each, item))
        if not number % SLICE:
            yield TURN
    return found


def first_place(items: Sequence[Any], item: Any, places: Iterable[int] | None = None) -> Steps[int]:
    """The first of these places, or of all, at which there is an equal item; -1 if there is none."""
    for number, place in enumerate(range(len(items)) if places is None else places, 1):
        each = items[place]
        if (yield from compared(each, item)) if type(each) not in _PLAIN else same(each, item):
            return place
        if not number % SLICE:
            yield TURN
    return -1


def order(value: Any) -> Any:
    """What Python compares as the rule wants it: moments by when they are. Raises `ValueError` for not-a-number."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - only not-a-number is not itself
        raise ValueError("not-a-number, which is neither smaller nor greater than others")
    if isinstance(value, datetime.datetime):
        return settled(value)
    if isinstance(value, list):
        return [order(item) for item in cast("list[object]", value)]
    if isinstance(value, tuple):
        return tuple(order(item) for item in cast("tuple[object, ...]", value))
    return value


_SORTED = 4_000
"""Items that are sorted in one go."""


def sorted_by(node: str, items: Sequence[Any], keys: Sequence[Any], descending: bool) -> Steps[list[Any]]:
    """The items in the order of their keys, which have to have one; items with equal keys as they were."""
    try:
        ordering = yield from _order_keys(node, keys)
        if keys is items and ordering is keys:
            return (yield from _ordered(items, None, descending))
        places = yield from _ordered(range(len(keys)), ordering.__getitem__, descending)
    except TypeError as error:
        raise TypeError(f"{node}: the items can't be compared: {error}.") from None
    except RecursionError:
        raise ValueError(f"{node}: an item is nested too deeply to be compared.") from None
    found = yield from gathered(map(items.__getitem__, part) for part in parts(places, SLICE * 10))
    if ordering is not keys:
        yield from released(cast("list[Any]", ordering))
    yield from released(places)
    return found


def _order_keys(node: str, keys: Sequence[Any]) -> Steps[Sequence[Any]]:
    """What stands for the keys where they are compared: they themselves, if that is right."""
    found: list[Any] = []
    changed = False
    for place, each in enumerate(keys):
        if place and not place % SLICE:
            yield TURN
        if type(each) in _THEMSELVES:
            found.append(each)
            continue
        try:
            found.append(order(each))
        except ValueError as error:
            raise ValueError(f"{node}: item {place} is {error}.") from None
        changed = changed or found[-1] is not each
    return found if changed else keys


def _ordered(items: Sequence[T], by: Callable[[T], Any] | None, descending: bool) -> Steps[list[T]]:
    """The items in the order of what `by` gives.

    Many are sorted in runs; items taken from these then cut the runs into buckets, so that what is merged in one go is
    small too. What is equal to such an item is a bucket of its own, and needs no sorting.
    """
    order_of: Any = by
    if len(items) <= _SORTED:
        return sorted(items, key=order_of, reverse=descending)
    runs: list[list[T]] = []
    for part in parts(items, _SORTED):
        runs.append(sorted(part, key=order_of))
        yield TURN
    # From other places of each run, as all have about the same quarters.
    step = _SORTED // 4
    sample = sorted(
        (item for number, run in enumerate(runs) for item in run[number * 617 % step :: step]), key=order_of
    )
    yield TURN
    buckets: list[list[T]] = []
    begins = [0] * len(runs)
    for cut in sample[::4]:
        limit: Any = cut if by is None else by(cut)
        below: list[T] = []
        equal: list[T] = []
        for number, run in enumerate(runs):
            at = bisect_left(run, limit, begins[number], key=order_of)
            after = bisect_right(run, limit, at, key=order_of)
            below += run[begins[number] : at]
            equal += run[at:after]
            begins[number] = after
        buckets += (sorted(below, key=order_of, reverse=descending), equal)
        yield TURN
    rest = [item for run, begin in zip(runs, begins, strict=True) for item in run[begin:]]
    buckets.append(sorted(rest, key=order_of, reverse=descending))
    found = yield from copied(*(reversed(buckets) if descending else buckets))
    for waste in (*runs, *buckets):
        waste.clear()
        yield TURN
    return found


def in_order(members: Iterable[Any]) -> list[Any]:
    """As `in_order_steps`, in one go."""
    return finished(in_order_steps(members))


def in_order_steps(members: Iterable[Any]) -> Steps[list[Any]]:
    """The members of a set in an order that depends on nothing but the members.

    Numbers come first, in ascending order, then texts, then everything else by its type and its written form. Python's
    own order of texts in a set differs from process to process.
    """
    found: list[Any] = yield from gathered(batches(members))
    ranks: list[Any] = yield from gathered(map(rank, part) for part in parts(found))
    places: Sequence[int] = yield from _ordered(range(len(found)), ranks.__getitem__, descending=False)
    return (yield from gathered(map(found.__getitem__, part) for part in parts(places)))


def rank(value: object) -> tuple[Any, ...]:
    """Where a member of a set comes."""
    if isinstance(value, int | float):
        return (0, value != value, 0 if value != value else value, isinstance(value, bool))  # noqa: PLR0124 - NaN is last
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, tuple):
        return (2, *map(rank, cast("tuple[object, ...]", value)))
    if isinstance(value, frozenset):
        return (3, *map(rank, in_order(value)))
    return (4, type(value).__name__, repr(value))
