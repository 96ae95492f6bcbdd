"""When moments of a run are taken, and whether what they supersede is kept."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names)


def _history(_: object, __: object, value: object) -> None:
    if type(value) is not bool and not (type(value) is int and value > 0):
        raise ValueError(f"history must be True, False, or a number of moments from 1, got {value!r}.")


@attrs.frozen
class Checkpoint:
    """When moments are taken (J26), as far as what is open in the run allows it.

    `every`: after so many records. `seconds`: also when so many have passed since the last one, on trio's clock.
    `nodes`: also after each record of one of these nodes, and in each round of one of these loops, by the names that
    they have as seen from the outermost graph.

    `history`: whether what a moment supersedes is kept, for those who look back or fork the run there; a number is that
    of the last moments of which it is. Without it a run that goes round for ever has a journal of one size.
    """

    every: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    history: bool | int = attrs.field(default=True, validator=_history)
    seconds: float | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(attrs.validators.gt(0))
    )
    nodes: Sequence[str] = attrs.field(default=(), kw_only=True, converter=_names)
