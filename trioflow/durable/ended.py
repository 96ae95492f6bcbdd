"""What a run came to, as it is kept: what it left behind, or what it has failed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.blobs import outcome_of
from trioflow.durable.codec import decode, decode_failure, encode, parse
from trioflow.errors import Unrecordable
from trioflow.runtime.base.options import RunResult, RunStatistics, RunStatus

if TYPE_CHECKING:
    from trioflow.durable.records import RunInfo


def left(result: RunResult) -> dict[str, Any]:
    """What a run left behind, without what no journal can hold."""
    statistics = attrs.asdict(result.statistics)
    del statistics["status"]
    return {
        "v": _recordable(result.variables),
        "o": {node: _recordable(outputs) for node, outputs in result.outputs.items()},
        "s": statistics,
    }


def _recordable(values: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in values.items():
        try:
            written[name] = encode(value, name)
        except Unrecordable:
            continue
    return written


def ended(info: RunInfo) -> RunResult:
    """The result of a run that has ended before; raises what it has failed with."""
    said = parse(outcome_of(info))
    if "e" in said:
        raise decode_failure(said["e"])
    return RunResult(
        {name: decode(value) for name, value in said["v"].items()},
        {node: {name: decode(value) for name, value in outputs.items()} for node, outputs in said["o"].items()},
        RunStatistics(status=RunStatus.COMPLETED, **said["s"]),
        info.id,
    )
