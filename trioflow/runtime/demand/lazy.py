"""Lazy inputs of functions: asked for by those that await, returned in place of a value by those that don't (D7)."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

from trioflow.model.function_node import Lazy
from trioflow.model.node_type import FunctionBody
from trioflow.runtime.base.cells import FAILED, NOTHING
from trioflow.runtime.base.inputs import Pull, current, missing, output_of, value_of
from trioflow.runtime.demand.context import EvaluationContext
from trioflow.semantics.memo import Evaluation
from trioflow.semantics.plan import PORT, PlanInput
from trioflow.semantics.store import Cell


class LazyInput(Lazy[Any]):
    """A lazy input of one evaluation."""

    __slots__ = ("context", "planned")

    def __init__(self, context: EvaluationContext, planned: PlanInput) -> None:
        self.context = context
        self.planned = planned

    def __call__(self) -> Coroutine[Any, Any, Any]:
        """Its value, resolved now. A cancellation point."""
        return self.context.ask(self.planned)


def picking(context: EvaluationContext) -> Returned:
    """The body of a function that may return one of its lazy inputs."""
    node = context.plan
    body = node.type.body
    assert isinstance(body, FunctionBody)
    arguments = [
        LazyInput(context, planned) if planned.lazy else value_of(planned, cell)
        for planned, cell in zip(node.inputs, context.used, strict=False)  # of a volatile one the moment is there, too
    ]
    return Returned(context, body.function(*arguments))


class Returned:
    """What a plain function with lazy inputs has returned, as a body that the loop runs: a value, or one of the inputs.

    It is what a coroutine that returns the value, or awaits the input and returns that, would be, and costs less.
    """

    __slots__ = ("_context", "_input", "_result", "_steps")

    def __init__(self, context: EvaluationContext, result: Any) -> None:
        self._context = context
        self._result = result
        self._input: PlanInput | None = None
        if type(result) is LazyInput and result.context is context:
            self._input = result.planned
        # How the input is asked for where that takes more than one step.
        self._steps: Coroutine[Any, Any, Any] | None = None

    def __await__(self) -> Generator[Any, Any, Any]:
        """The value, for a middleware. A cancellation point if it is that of an input."""
        return self._result if self._input is None else (yield from self._result().__await__())

    def send(self, answer: Evaluation | None) -> Any:
        """Go on, with what was asked for; gives what must be evaluated first, or raises `StopIteration(value)`."""
        if self._steps is not None:
            return self._steps.send(answer)
        planned = self._input
        if planned is None:
            raise StopIteration(self._result)
        context = self._context
        activation = context.line
        if answer is not None:
            raise StopIteration(self._value(planned, output_of(answer, activation.strand.store, planned)))
        if planned.source is PORT or context.begun is not None:
            steps = self._steps = self._result()
            return steps.send(None)
        cell = current(activation, planned)
        if cell is None:
            return Pull(activation, planned.upstream)
        raise StopIteration(self._value(planned, cell))

    def _value(self, planned: PlanInput, cell: Cell) -> Any:
        context = self._context
        context.pulled.append((planned, cell))
        if cell is NOTHING:
            raise missing(context.plan, planned)
        return value_of(planned, cell)

    def throw(self, error: BaseException) -> Any:
        """What was asked for has failed, or was cancelled."""
        if self._steps is not None:
            return self._steps.throw(error)
        if isinstance(error, Exception):
            assert self._input is not None
            self._context.pulled.append((self._input, FAILED))
            self._context.note_failure()
        raise error

    def close(self) -> None:
        """It has not begun, or is given up."""
        if self._steps is not None:
            self._steps.close()
