"""Dask: the same delayed functions, computed by its threads."""

from benchmarks.subjects import dask as _dask
from benchmarks.subjects.dask import (
    data_chain,
    data_change,
    data_diamonds,
    data_layers,
    emit,
    fan_out,
    sleepers,
    workflow_chain,
    workflow_fan,
    workflow_layers,
)

__all__ = [
    "data_chain",
    "data_change",
    "data_diamonds",
    "data_layers",
    "emit",
    "fan_out",
    "sleepers",
    "workflow_chain",
    "workflow_fan",
    "workflow_layers",
]

DISTRIBUTION = "dask"
RUNNER = "plain"
CANNOT = _dask.CANNOT | {"build": "as with its synchronous scheduler", "import": "as with its synchronous scheduler"}

_dask.SCHEDULER = "threads"
