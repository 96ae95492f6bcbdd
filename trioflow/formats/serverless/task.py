"""What all tasks do around their own work: conditions, input, output, context, time limits, errors.

The data that goes from task to task is a variable of the graph, and so are the context, the names that loops and
handlers add, and what is known of the workflow. So concurrent branches see their own, and join as all strands do.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, cast

import trioflow as tf
from trioflow.formats.serverless import duration
from trioflow.formats.serverless.expressions import body_of, evaluate, filled, holds
from trioflow.formats.serverless.problem import Standard, WorkflowError, standard
from trioflow.formats.serverless.schemas import check_schema

INPUT = "input"
"""The variable with what the workflow is given. Where it starts, the host may set it."""
DATA = "output"
"""The variable with what the last task gave; in the end the output of the workflow."""
CONTEXT = "context"
"""The variable that tasks export to: `$context`."""
NAMES = "names"
"""The variable with the names that loops and handlers add, and their values."""
WORKFLOW = "workflow"
"""The variable with what is known of the workflow: `$workflow`."""

RUNTIME: Mapping[str, Any] = {"name": "trioflow", "version": tf.__version__, "metadata": {}}


def moment(when: datetime.datetime) -> dict[str, Any]:
    """A date and time as expressions see it."""
    seconds = when.timestamp()
    return {
        "iso8601": when.isoformat().replace("+00:00", "Z"),
        "epoch": {"seconds": int(seconds), "milliseconds": int(seconds * 1000)},
    }


class Doing:
    """One execution of a task: its definition and place in the document, its data, and what expressions see."""

    def __init__(self, ctx: tf.Context, definition: Mapping[str, Any], reference: str) -> None:
        self.ctx = ctx
        self.definition = definition
        self.reference = reference
        self.input: Any = None
        self.way: tf.ExecOut | None = None
        """Where it goes on, if that is not `then`."""
        self._task: dict[str, Any] | None = None

    def variables(self, **more: Any) -> dict[str, Any]:
        """What expressions may name."""
        if self._task is None:
            self._task = {
                "name": self.reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~"),
                "reference": self.reference,
                "definition": self.definition,
                "startedAt": moment(self.ctx.now()),
            }
        return {
            "context": self.ctx.get_variable(CONTEXT),
            "input": self.input,
            "task": {**self._task, "input": self.input},
            "workflow": self.ctx.get_variable(WORKFLOW),
            "runtime": RUNTIME,
            "authorization": None,
            **self.ctx.get_variable(NAMES),
            **more,
        }

    def ask(self, expression: str, data: Any, **more: Any) -> Any:
        """What an expression gives, with or without `${ }` around it."""
        return evaluate(expression, data, self.variables(**more))

    def holds(self, expression: str, data: Any, **more: Any) -> bool:
        """Whether a condition holds."""
        return holds(self.ask(expression, data, **more))

    def fill(self, value: Any) -> Any:
        """A value of the definition with what its expressions give for the input."""
        return filled(value, self.input, self.variables())

    def shape(self, value: Any, data: Any, **more: Any) -> Any:
        """What `from` or `as` makes of data: an expression, or an object with expressions in it."""
        if isinstance(value, str):
            return evaluate(body_of(value), data, self.variables(**more))
        return filled(value, data, self.variables(**more))

    def seconds(self, value: Any) -> float:
        """A duration of the definition."""
        try:
            return duration.seconds(self.fill(value))
        except ValueError as error:
            raise standard("expression", f"{error}.") from None

    def used(self, section: str, value: Any) -> Any:
        """A part of the definition, or what the workflow has under that name in `use`."""
        if not isinstance(value, str):
            return value
        workflow = self.ctx.get_variable(WORKFLOW)
        found = part(part(workflow.get("definition"), "use"), section).get(value)
        if found is None:
            raise standard("configuration", f"use.{section} has no {value!r}.")
        return found

    def failed(self, kind: Standard, detail: str, status: int | None = None) -> WorkflowError:
        """An error of this task, to be raised."""
        return standard(kind, detail, status=status, instance=self.reference)


def part(value: Any, key: str) -> Mapping[str, Any]:
    """An object in an object; an empty one if it is not there."""
    found = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


class Task(tf.Node, abstract=True):
    """A task: `task` is its definition, with the lists of tasks in it left out, since these are nodes of their own."""

    needs_packages = {"jq": "jq>=1.8"}  # noqa: RUF012 - read only

    enter = tf.ExecIn()
    task = tf.DataIn(dict[str, Any], doc="its definition")
    reference = tf.DataIn(str, default="", doc="the JSON pointer of the task in its document")
    output: tf.DataOut[Any] = tf.DataOut(object, doc="what it gave")
    then = tf.ExecOut(doc="when it is done")
    skipped = tf.ExecOut(doc="when its condition does not hold")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        doing = Doing(ctx, await ctx.get_input(self.task), await ctx.get_input(self.reference))
        names = ctx.get_variable(NAMES)
        try:
            return await self._do(doing)
        except WorkflowError as error:
            error.instance = error.instance or doing.reference
            raise
        except tf.LimitExceeded:
            raise
        except Exception as error:
            raise doing.failed("runtime", f"{type(error).__name__}: {error}") from error
        finally:
            # A handler above sees the names that are its own.
            if ctx.get_variable(NAMES) is not names:
                ctx.set_variable(NAMES, names)

    async def _do(self, doing: Doing) -> tf.ExecOut | None:
        ctx, definition = doing.ctx, doing.definition
        doing.input = raw = ctx.get_variable(DATA)
        if "if" in definition and not doing.holds(definition["if"], raw):
            ctx.set_output(self.output, raw)
            return self.skipped
        given, taken, exported = part(definition, "input"), part(definition, "output"), part(definition, "export")
        check_schema(given.get("schema"), raw, "input")
        if "from" in given:
            doing.input = doing.shape(given["from"], raw)
            ctx.set_variable(DATA, doing.input)
        limit = doing.used("timeouts", definition.get("timeout"))
        seconds = doing.seconds(limit["after"]) if limit is not None else None
        result: Any = None
        with ctx.time_limit(seconds) if seconds is not None else nullcontext() as scope:
            result = await self.perform(doing)
        if scope is not None and scope.expired:
            raise doing.failed("timeout", f"it took longer than {seconds:g} s.")
        if "as" in taken:
            result = doing.shape(taken["as"], result, output=result)
        check_schema(taken.get("schema"), result, "output")
        if "as" in exported:
            context = doing.shape(exported["as"], result, output=result)
            check_schema(exported.get("schema"), context, "context")
            ctx.set_variable(CONTEXT, context)
        ctx.set_variable(DATA, result)
        ctx.set_output(self.output, result)
        return doing.way or self.then

    async def perform(self, doing: Doing) -> Any:
        """Do the work; gives the raw output."""
        raise NotImplementedError


class Composite(Task, abstract=True):
    """A task with tasks in it."""

    async def run(self, doing: Doing, body: tf.ExecOut, data: Any) -> Any:
        """Run the tasks behind an exec output on the data; gives what the last one gave."""
        doing.ctx.set_variable(DATA, data)
        await doing.ctx.trigger(body)
        return doing.ctx.get_variable(DATA)
