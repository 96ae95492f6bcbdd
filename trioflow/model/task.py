"""Functions as nodes, with their policy said in one go: `@task(retry=3, timeout="10s")`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, overload

from trioflow.errors import NodeDefinitionError, did_you_mean
from trioflow.model.durability import Doubt, Durability, Duration
from trioflow.model.exits import Exits
from trioflow.model.function_node import FunctionNode, exec_node
from trioflow.model.node_type import Capability
from trioflow.model.policy import (
    KEYS,
    BreakerPolicy,
    FallbackPolicy,
    LimitPolicy,
    Policy,
    Priority,
    RatePolicy,
    RetryPolicy,
    RunOnPolicy,
)

P = ParamSpec("P")
R = TypeVar("R")


class TaskSettings(TypedDict, total=False):
    """What `task` may be told: what `exec_node` takes, and the keys of a `Policy`, in their short forms, too."""

    id: str
    capabilities: Iterable[Capability]
    durable: Durability
    exits: Exits
    on_doubt: Doubt
    remembers: bool
    version: str
    timeout: Duration
    attempt_timeout: Duration
    retry: int | RetryPolicy
    breaker: float | BreakerPolicy
    rate: str | RatePolicy
    limit: int | LimitPolicy
    limiter: str
    quota: Mapping[str, int]
    patience: Duration
    priority: Priority
    fallback: str | FallbackPolicy
    skip: bool
    quarantine: int
    run_on: str | RunOnPolicy


@overload
def task(function: Callable[P, R], /) -> FunctionNode[P, R]: ...
@overload
def task(**settings: Unpack[TaskSettings]) -> Callable[[Callable[P, R]], FunctionNode[P, R]]: ...
def task(
    function: Callable[P, R] | None = None, /, **settings: Any
) -> FunctionNode[P, R] | Callable[[Callable[P, R]], FunctionNode[P, R]]:
    """Make a function an exec node, as `exec_node` does, and say its policy by the keys of one.

    `@task(retry=3, timeout="10s")` is `@exec_node(policy=Policy(retry=3, timeout="10s"))`; `TaskSettings` are all that
    it takes. Graphs and runs may say otherwise for single nodes (P8). Raises `NodeDefinitionError`, also for settings
    that there are not, `ValueError` and `TypeError` as `Policy` does.
    """
    unknown = [name for name in settings if name not in TaskSettings.__annotations__]
    if unknown:
        known = [*TaskSettings.__annotations__]
        told = [f"A task has no setting {name!r}.{did_you_mean(name, known)}" for name in unknown]
        raise NodeDefinitionError(f"{' '.join(told)} It takes {', '.join(known)}.")
    policy = {name: value for name, value in settings.items() if name in KEYS}
    traits = {name: value for name, value in settings.items() if name not in KEYS}
    decorate = exec_node(**traits, policy=Policy(**policy) if policy else None)
    return decorate if function is None else decorate(function)
