"""Properties of a run: what the host and the bodies tell each other beside the graph, by name and with their types."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar, overload

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.sockets import UNSET

T = TypeVar("T")


class Properties(MutableMapping[str, Any]):
    """Values by name. `run.properties` has those of a run; bodies find them as the service `Properties`.

    They are shared by all strands, so no result should depend on them: use variables for that.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    @overload
    def typed(self, name: str, kind: type[T]) -> T: ...
    @overload
    def typed(self, name: str, kind: type[T], default: T) -> T: ...
    def typed(self, name: str, kind: type[Any], default: Any = UNSET) -> Any:
        """The value of this name, which must be of this type; the default if there is none.

        Raises `UnknownName` if there is neither, and `TypeError` for a value of another type.
        """
        if name not in self._values and default is not UNSET:
            return default
        value = self[name]
        if not isinstance(value, kind):
            raise TypeError(f"Property {name!r} is {type(value).__name__}, and not {kind.__name__}.")
        return value

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise UnknownName(
                f"There is no property {name!r}.{did_you_mean(name, self._values)} There are: "
                f"{', '.join(self._values) or 'none'}."
            )
        return self._values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, or the default."""
        return self._values.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self[name]
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Properties({self._values})"
