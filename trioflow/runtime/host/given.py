"""What a run is given besides its graph: the arguments of `run`, `open_run` and `stream`, in one place."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypedDict, cast

import attrs

from trioflow.errors import did_you_mean
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.model.values import NO_VALUES
from trioflow.runtime.base.options import RunOptions, RunResult
from trioflow.runtime.base.watch import Observer
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan
from trioflow.semantics.planning import kept_plan


class Keeper(ABC):
    """What `journal=` of a run may be: it carries the run out in place of the engine, which it calls for that (J1)."""

    @abstractmethod
    async def run(self, plan: Plan, given: Given) -> RunResult:
        """What `trioflow.run` does with such a run."""

    @abstractmethod
    def open_run(self, plan: Plan, given: Given) -> AbstractAsyncContextManager[Any]:
        """What `trioflow.open_run` does with such a run; the block gets a `Run`."""


class RunArguments(TypedDict, total=False):
    """What a run may be given besides its graph. All of it may be left out."""

    registry: Registry | None
    """The node types that the graph may name; the standard ones, if nothing is said. A plan has its own."""
    variables: Mapping[str, object] | None
    """Start values of variables, by name."""
    services: Mapping[type | str, Any] | None
    """Objects that bodies find through `ctx.services`, by type or name."""
    secrets: Mapping[str, str] | None
    """Values that the graph names as `{"secret": NAME}`, by name (A10)."""
    options: RunOptions | None
    observers: Sequence[Observer]
    middleware: Sequence[Middleware]
    journal: Keeper | None
    """Where the run is kept, so that it can be resumed."""
    run_id: str | None
    """The name of the run in the journal. A name that is there means that run, which is resumed."""
    suspend_after: float | None
    """Seconds in which all of the run waits for timers and signals, after which it is put away: it raises
    `RunSuspended`, and needs no process until then. Without it a run waits. For runs that are kept."""


_DEFAULTS = RunOptions()

OUTSIDE = (
    "trioflow runs on trio, and this is not inside of trio.run. Write trio.run(trioflow.run, graph), or in a program "
    "of asyncio start trio's loop in a thread of its own: asyncio.to_thread(trio.run, ...)."
)
"""What is said to whoever runs a graph elsewhere."""


@attrs.frozen
class Given:
    """The same, complete."""

    options: RunOptions = _DEFAULTS
    variables: Mapping[str, object] = NO_VALUES
    services: Mapping[type | str, Any] = attrs.field(factory=dict[type | str, Any])
    secrets: Mapping[str, str] = NO_VALUES
    observers: Sequence[Observer] = ()
    middleware: Sequence[Middleware] = ()
    journal: Keeper | None = None
    run_id: str | None = None
    suspend_after: float | None = None
    activation: Callable[..., Any] | None = None
    """What activations are made of, if they are not just `BodyContext`."""


_EXPECTED: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "registry": (Registry, "a Registry"),
    "options": (RunOptions, "RunOptions"),
    "variables": (Mapping, "a mapping of names to values"),
    "services": (Mapping, "a mapping of types or names to objects"),
    "secrets": (Mapping, "a mapping of names to texts"),
    "observers": (Iterable, "a list of callables"),
    "middleware": (Sequence, "a list of callables"),
    "journal": (Keeper, "a journal, such as SqliteJournal"),
    "run_id": (str, "a text"),
    "suspend_after": ((int, float), "a number of seconds"),
}


def given(graph: Graph | Plan, arguments: RunArguments) -> tuple[Plan, Given]:
    """The plan and the arguments of a run. Raises `InvalidGraph`, and `TypeError`, which tells of all that is wrong."""
    registry: Registry | None = None
    if arguments:
        named = cast("dict[str, Any]", arguments)
        _check(named)
        registry = named.get("registry")
        made = Given(**{name: each for name, each in named.items() if each is not None and name != "registry"})
    else:
        made = _NOTHING
    plan = graph if isinstance(graph, Plan) else kept_plan(graph, registry)
    if plan.policed or (arguments and made.options.policies is not NO_VALUES):
        asked: tuple[Sequence[Middleware], ...] = importlib.import_module(_POLICIES).policies_of(plan, made)
        outside, inside = asked
        made = attrs.evolve(made, middleware=(*outside, *made.middleware, *inside))
    return plan, made


_NOTHING = Given()

_POLICIES = "trioflow.policies.nesting"
"""What makes the middlewares that policies ask for. It is on a floor above, so a run that needs it imports it."""


def _check(arguments: Mapping[str, object]) -> None:
    problems: list[str] = []
    for name, value in arguments.items():
        expected = _EXPECTED.get(name)
        if expected is None:
            problems.append(
                f"A run takes no argument {name!r}.{did_you_mean(name, _EXPECTED)} It takes: {', '.join(_EXPECTED)}."
            )
        elif value is not None and not isinstance(value, expected[0]):
            problems.append(f"{name}= must be {expected[1]}, got {type(value).__name__}.")
    middleware = arguments.get("middleware")
    if isinstance(middleware, Sequence):
        wrong = [each for each in middleware if not isinstance(each, Middleware)]
        if wrong:
            problems.append(f"middleware= must hold objects of subclasses of trioflow.Middleware, got {wrong[0]!r}.")
    secrets = arguments.get("secrets")
    if isinstance(secrets, Mapping):
        strange = [name for name, value in cast("Mapping[object, object]", secrets).items() if type(value) is not str]
        if strange:
            problems.append(f"secrets= must hold texts; {strange[0]!r} is not a text.")
    problems += _kept(arguments)
    if problems:
        raise TypeError("\n".join(problems))


def _kept(arguments: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with how the run is to be kept."""
    if ("journal" in arguments) is not ("run_id" in arguments):
        yield "journal= and run_id= come together: where the run is kept, and under which name."
    if arguments.get("run_id") == "":
        yield "run_id= must not be empty: it is the name by which the run is resumed."
    if arguments.get("suspend_after") is not None and arguments.get("journal") is None:
        yield "suspend_after= is for runs that are kept: give journal= and run_id=, too."
