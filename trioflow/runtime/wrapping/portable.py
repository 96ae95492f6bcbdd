"""Bodies that can run in another process: what they need there, or why they can't (A9).

Code is never shipped by value, only by name.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.model.by_name import importable_name
from trioflow.model.node_type import FunctionBody
from trioflow.runtime.base.inputs import value_of
from trioflow.semantics.identity import origin_text

if TYPE_CHECKING:
    from trioflow.runtime.base.options import RunOptions
    from trioflow.runtime.context import BodyContext
    from trioflow.runtime.wrapping.sent import Sent
    from trioflow.semantics.events import Kind
    from trioflow.semantics.plan import Plan, PlanNode
    from trioflow.semantics.store import Cell


@attrs.frozen
class Portable:
    """The body of a function node, ready to be pickled: whoever has the same code installed can run it.

    `type` is the node type's id; `function` says where its code is, `module:name`. `arguments` are the values of its
    inputs in the order of its parameters, with `CONTEXT` where it gets a context, which `wants_context` says too.
    `seed` is that of the generator that `ctx.random` would be, `path` is the activation's.
    """

    type: str
    function: str
    arguments: tuple[Any, ...]
    seed: str
    path: tuple[int, ...]
    wants_context: bool

    def generator(self) -> random.Random:
        """The generator that `ctx.random` is for this attempt (R6)."""
        return random.Random(self.seed)

    @classmethod
    def of(cls, node: PlanNode, cells: Sequence[Cell], key: str, path: tuple[int, ...]) -> Portable:
        """The body of this node with the cells of its inputs."""
        body = node.type.body
        assert isinstance(body, FunctionBody)
        values: Mapping[str, Any] = {
            planned.socket.name: value_of(planned, cell) for planned, cell in zip(node.inputs, cells, strict=False)
        }
        arguments = tuple(
            CONTEXT if parameter.fill == "context" else values[parameter.name] for parameter in body.parameters
        )
        name = importable_name(node.type)
        assert name is not None
        return cls(node.type.id, name, arguments, key, path, CONTEXT in arguments)


CONTEXT = "<context>"
"""Stands among the arguments for the context, which the other side makes."""


@attrs.frozen
class PortableCall:
    """A call of an exec graph, ready to be pickled: whoever has the same code installed can carry it out as a whole.

    `plan` is that of the run, pickled; `graph` and `node` say where in it the call is. `inputs` are the values of the
    eager inputs, with where they come from, by place. The rest is what makes the call the same as it would be here:
    where it is (`path`, `depth`, `prefix`, `strand`), the name of the run that keys are made of, its options and
    secrets, and what its observers want to know.
    """

    type: str
    plan: bytes
    graph: int
    node: int
    entered: str | None
    inputs: tuple[tuple[int, Any, str], ...]
    path: tuple[int, ...]
    depth: int
    prefix: str
    run_name: str
    options: RunOptions
    secrets: Mapping[str, str]
    kinds: tuple[Kind, ...] | None
    """Of events that are wanted; None for all."""
    values: bool

    @classmethod
    def of(cls, context: BodyContext, cells: Sequence[Cell]) -> PortableCall:
        """The call of this activation with the cells of its inputs."""
        node, run = context.plan, context.run
        frame = context.strand.frame
        graphs = graphs_of(run.plan)
        options = run.options
        steps = None if options.max_steps is None else max(1, options.max_steps - run.steps)
        given = zip(enumerate(node.inputs), cells, strict=False)
        return cls(
            type=node.type.id,
            plan=pack(run.plan),
            graph=next(place for place, each in enumerate(graphs) if each is frame.plan),
            node=node.index,
            entered=context.entered,
            inputs=tuple(
                (place, value_of(planned, cell), origin_text(cell.origin)) for (place, planned), cell in given
            ),
            path=context.path,
            depth=context.depth,
            prefix=frame.prefix,
            run_name=context.run_name,
            options=attrs.evolve(options, max_steps=steps, timeout=None, stay_open=False, parallel_initiators=False),
            secrets=dict(run.secrets),
            kinds=() if run.observed is None else run.observed.wanted(),
            values=run.observed is not None and run.observed.values,
        )


@attrs.frozen
class Returned:
    """What became of a call that was carried out elsewhere, and all that it has told and counted."""

    outputs: Mapping[str, Any]
    exit: str | None
    error: BaseException | None
    told: Sequence[Sent]
    steps: int
    evaluations: int
    forks: int
    elapsed: float


def pack(plan: Plan) -> bytes:
    """A plan as it is sent, once for all calls. Raises what types and values that can't be sent raise."""
    packed: bytes | None = plan.cache.get("packed")
    if packed is None:
        packed = plan.cache["packed"] = pickle.dumps(plan)
    return packed


def graphs_of(plan: Plan) -> list[Plan]:
    """A plan and those of all graphs that are called in it, each once, in an order that every process finds."""
    found = [plan]
    known = {id(plan)}
    for each in found:
        for node in each.nodes:
            if node.graph is not None and id(node.graph) not in known:
                known.add(id(node.graph))
                found.append(node.graph)
    return found
