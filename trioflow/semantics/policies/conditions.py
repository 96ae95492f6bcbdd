"""Which errors a policy is for: by names of classes, and by codes such as `http.5xx` (P1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

STATUS = re.compile(r"http\.([1-5x][0-9x][0-9x])")
"""A code for the status of an answer, with `x` for any digit."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, at any depth, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def names_of(kind: type[BaseException]) -> Iterator[str]:
    """The names under which an error is known: those of its class and of the classes above, short and in full."""
    for each in kind.__mro__:
        if issubclass(each, BaseException):
            yield each.__name__
            yield f"{each.__module__}.{each.__qualname__}"


def condition(names: Collection[str]) -> Callable[[BaseException], bool]:
    """Whether an error that is no group has one of these names, or one of these codes.

    A name means a class and those below it: `OSError`, or in full `package.module.Error`. `http.5xx` means errors with
    a `status` of that kind. Anything else that has a point in it may also be the `code` of an error.
    """
    statuses = [re.compile(found[1].replace("x", "[0-9]")) for name in names if (found := STATUS.fullmatch(name))]
    wanted = frozenset(name for name in names if not STATUS.fullmatch(name))
    kinds: dict[type[BaseException], bool] = {}

    def holds(error: BaseException) -> bool:
        kind = type(error)
        if kind not in kinds:
            kinds[kind] = not wanted.isdisjoint(names_of(kind))
        if kinds[kind] or getattr(error, "code", None) in wanted:
            return True
        status = getattr(error, "status", None) if statuses else None
        return isinstance(status, int) and any(each.fullmatch(str(status)) for each in statuses)

    return holds


def known_names() -> set[str]:
    """The short and full names of all classes of errors that this process has seen so far."""
    found: set[str] = set()
    waiting: list[type[BaseException]] = [BaseException]
    while waiting:
        kind = waiting.pop()
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name not in found:
            found |= {kind.__name__, name}
            waiting += type.__subclasses__(kind)
    return found
