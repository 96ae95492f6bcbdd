"""Functions with several exec outputs: they return the name of the one at which control goes on (T6)."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args, get_origin

from trioflow.errors import NodeDefinitionError, NodeError, did_you_mean
from trioflow.model.sockets import ExecOut
from trioflow.model.types import describe_value

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType

Exits: TypeAlias = "Sequence[str] | Mapping[str, str]"
"""Names of exec outputs, in order; as a mapping with what each is for."""

_ANNOTATED = (
    "a function with exits returns the name of one: annotate that as `str` or `Literal`, or with its result "
    "`tuple[str, T]`"
)


def exec_outputs(exits: Exits) -> tuple[ExecOut, ...]:
    """The sockets of these names."""
    docs = exits if isinstance(exits, Mapping) else dict.fromkeys(exits, "")
    found: list[ExecOut] = []
    for name, doc in docs.items():
        found.append(ExecOut(doc=doc))
        found[-1].name = name
    return tuple(found)


def result_beside(exits: Exits | None, hint: Any, where: str) -> Any:
    """The type of the result of a function whose annotation is this, without the exec output that it returns, too.

    Without exits it is what the annotation says. Raises `NodeDefinitionError` for exits that are none, and annotations
    that say something else.
    """
    if exits is None:
        return hint
    names = [*exits] if isinstance(exits, Sequence | Mapping) and not isinstance(exits, str) else []
    if not names or not all(isinstance(name, str) and name for name in names) or len({*names}) != len(names):
        raise NodeDefinitionError(
            f"{where}: exits={exits!r}. Name its exec outputs, each once and in order: exits=('yes', 'no'), or as a "
            "mapping with what each is for."
        )
    result: Any = None
    if get_origin(hint) is tuple:
        if len(get_args(hint)) != 2:
            raise NodeDefinitionError(f"{where}: {_ANNOTATED}.")
        hint, result = get_args(hint)
    hints = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    literals = [value for each in hints if get_origin(each) is Literal for value in get_args(each)]
    wrong = [repr(value) for value in literals if value not in names]
    if wrong:
        raise NodeDefinitionError(f"{where}: it may return {', '.join(wrong)}, and its exits are {', '.join(names)}.")
    if not all(each in (str, object, None, types.NoneType) or get_origin(each) is Literal for each in hints):
        raise NodeDefinitionError(f"{where}: {_ANNOTATED}.")
    return result


def chosen(node_type: NodeType, result: Any) -> tuple[str | None, Any]:
    """Of what a function with several exec outputs has returned: at which of them it goes on, and its result.

    None ends there. Raises `NodeError` for anything else.
    """
    name, value = result, None
    if node_type.outputs:
        if not isinstance(result, tuple) or len(result) != 2:
            raise NodeError(
                f"{node_type.id} returned {describe_value(result)}. It has to return an exec output and its result: "
                f"`return {node_type.exec_outputs[0].name!r}, result`."
            )
        name, value = result
    if name is not None and (not isinstance(name, str) or name not in node_type.exec_output_index):
        names = [each.name for each in node_type.exec_outputs]
        near = did_you_mean(name, names) if isinstance(name, str) else ""
        raise NodeError(
            f"{node_type.id} returned {describe_value(name)} as the exec output at which it goes on.{near} "
            f"It has: {', '.join(names)}."
        )
    return name, value
