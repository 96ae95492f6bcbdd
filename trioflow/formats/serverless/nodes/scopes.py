"""Tasks that hold tasks, and the workflow around all of them."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import trioflow as tf
from trioflow.formats.serverless.nodes.events import events_for
from trioflow.formats.serverless.problem import WorkflowError, fits, standard
from trioflow.formats.serverless.schemas import check_schema
from trioflow.formats.serverless.session import open_session
from trioflow.formats.serverless.task import (
    DATA,
    INPUT,
    NAMES,
    WORKFLOW,
    Composite,
    Doing,
    Task,
    moment,
    part,
)

WIDTH = 8
"""How many ways a switch or a fork has."""
WIDE = 64
"""How many a wide one has."""


class _End(tf.Unwind):
    """Back to the workflow, which is over."""


class _Exit(tf.Unwind):
    """Back to the extension around: what it extends is not done."""


class Workflow(tf.Node, id="serverless.workflow", durable="replayed"):
    """A workflow: takes its input, does its tasks, and gives its output, which is the variable `output` as well.

    `document` is the document without its tasks. The input is the variable `input`, or `given` where that is
    wired. A task may end it early, from any depth. It fails with the `WorkflowError` that no task has caught.
    """

    needs_packages = {"jq": "jq>=1.8"}  # noqa: RUF012 - read only

    enter = tf.ExecIn()
    document = tf.DataIn(dict[str, Any], doc="the document without its tasks")
    given: tf.DataIn[Any] = tf.DataIn(object, default=None, doc="its input, where it is called")
    output: tf.DataOut[Any] = tf.DataOut(object, doc="its output")
    tasks = tf.ExecOut(doc="its first task")
    done = tf.ExecOut(doc="when it is over")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        document = await ctx.get_input(self.document)
        raw = await ctx.get_input(self.given) if ctx.is_connected(self.given) else ctx.get_variable(INPUT)
        about = {"id": ctx.key, "definition": document, "startedAt": moment(ctx.now())}
        doing = Doing(ctx, document, "")
        try:
            async with open_session(ctx) as session:
                starting = part(document, "schedule").get("on")
                if starting is not None and raw == {}:
                    raw = await events_for(doing, starting, session.events)
                check_schema(part(document, "input").get("schema"), raw, "input")
                ctx.set_variable(WORKFLOW, {**about, "input": raw})
                shape = part(document, "input").get("from")
                doing.input = raw if shape is None else doing.shape(shape, raw)
                ctx.set_variable(WORKFLOW, {**about, "input": doing.input})
                ctx.set_variable(DATA, doing.input)
                output = await self._tasks(doing, document)
        except WorkflowError as error:
            error.instance = error.instance or "/"
            raise
        ctx.set_variable(DATA, output)
        ctx.set_output(self.output, output)
        return self.done

    async def _tasks(self, doing: Doing, document: Mapping[str, Any]) -> Any:
        ctx = doing.ctx
        limit = doing.used("timeouts", document.get("timeout"))
        ended = False
        try:
            if limit is None:
                await ctx.trigger(self.tasks)
            else:
                with ctx.time_limit(seconds := doing.seconds(limit["after"])) as scope:
                    await ctx.trigger(self.tasks)
                if scope.expired:
                    raise standard("timeout", f"The workflow took longer than {seconds:g} s.")
        except _End:
            ended = True
        result = ctx.get_variable(DATA)
        if ended:
            ctx.set_variable(NAMES, {})
        taken = part(document, "output")
        if "as" in taken:
            result = doing.shape(taken["as"], result, output=result)
        check_schema(taken.get("schema"), result, "output")
        return result


class End(tf.Node, id="serverless.end", durable="replayed"):
    """Ends the workflow, from within tasks that hold tasks: `then: end`."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        raise _End


class Exit(tf.Node, id="serverless.exit", durable="replayed"):
    """Leaves the tasks that an extension does before a task, and that task with it: `then: exit` there."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        raise _Exit


class Do(Composite, id="serverless.do", durable="replayed"):
    """Does its tasks one after the other; its output is that of the last one."""

    tasks = tf.ExecOut(doc="its first task")

    async def perform(self, doing: Doing) -> Any:
        return await self.run(doing, self.tasks, doing.input)


class Function(Composite, id="serverless.function", durable="replayed"):
    """Calls a function of the document: `with` is the input of the task that the function is."""

    tasks = tf.ExecOut(doc="the task that the function is")

    async def perform(self, doing: Doing) -> Any:
        return await self.run(doing, self.tasks, doing.fill(doing.definition.get("with", {})))


class For(Composite, id="serverless.for", durable="replayed"):
    """Does its tasks for each item, as long as `while` holds. Each round goes on with what the one before gave."""

    tasks = tf.ExecOut(doc="the first task of a round")

    async def perform(self, doing: Doing) -> Any:
        loop, condition = part(doing.definition, "for"), doing.definition.get("while")
        items = doing.ask(loop["in"], doing.input)
        if items is None:
            items = []
        if not isinstance(items, list):
            raise doing.failed("expression", f"for.in must give a list, got {type(items).__name__}.")
        data, names = doing.input, doing.ctx.get_variable(NAMES)
        for index, item in enumerate(items):
            doing.ctx.set_variable(NAMES, {**names, loop.get("each", "item"): item, loop.get("at", "index"): index})
            if condition is not None and not doing.holds(condition, data):
                break
            data = await self.run(doing, self.tasks, data)
        return data


class Try(Composite, id="serverless.try", durable="replayed"):
    """Does its tasks; if one fails with an error that fits, tries again by its policy, then does those of `catch`.

    Those of `catch` begin with what it began with. Without any, and without a policy, that is its output.
    """

    tasks = tf.ExecOut(doc="what may fail")
    catch = tf.ExecOut(doc="when it has failed")

    async def perform(self, doing: Doing) -> Any:
        catch = part(doing.definition, "catch")
        name: str = catch.get("as", "error")
        policy = doing.used("retries", catch.get("retry"))
        began = doing.ctx.now() if isinstance(policy, Mapping) else None
        retrying = Retrying(doing, policy, began) if began is not None else None
        while True:
            try:
                return await self._attempt(doing, retrying)
            except WorkflowError as error:
                problem = error.as_data()
                if not self._fits(doing, catch, problem, name):
                    raise
                if retrying is not None and await retrying.again(problem, name):
                    continue
                if retrying is not None and not doing.ctx.is_connected(self.catch):
                    raise
            names = doing.ctx.get_variable(NAMES)
            doing.ctx.set_variable(NAMES, {**names, name: problem})
            return await self.run(doing, self.catch, doing.input)

    async def _attempt(self, doing: Doing, retrying: Retrying | None) -> Any:
        limit = None if retrying is None else retrying.of_each
        if limit is None:
            return await self.run(doing, self.tasks, doing.input)
        with doing.ctx.time_limit(limit):
            return await self.run(doing, self.tasks, doing.input)
        raise doing.failed("timeout", f"An attempt took longer than {limit:g} s.")

    @staticmethod
    def _fits(doing: Doing, catch: Mapping[str, Any], problem: Mapping[str, Any], name: str) -> bool:
        more = {name: problem}
        wanted = doing.fill(part(part(catch, "errors"), "with"))
        if not fits(problem, wanted):
            return False
        if "when" in catch and not doing.holds(catch["when"], doing.input, **more):
            return False
        return not ("exceptWhen" in catch and doing.holds(catch["exceptWhen"], doing.input, **more))


class Retrying:
    """A retry policy while a task is tried: how often, for how long, and what is waited in between."""

    def __init__(self, doing: Doing, policy: Mapping[str, Any], began: datetime.datetime) -> None:
        self._doing = doing
        self._policy = policy
        limit = part(policy, "limit")
        attempt = part(limit, "attempt")
        self._most: int | None = attempt.get("count")
        self.of_each = doing.seconds(attempt["duration"]) if "duration" in attempt else None
        self._in_all = doing.seconds(limit["duration"]) if "duration" in limit else None
        self._retries = 0
        self._waited = 0.0
        self._began = began

    async def again(self, problem: Mapping[str, Any], name: str) -> bool:
        """Whether there is another attempt; then it has waited for it."""
        doing, policy, more = self._doing, self._policy, {name: problem}
        if "when" in policy and not doing.holds(policy["when"], doing.input, **more):
            return False
        if "exceptWhen" in policy and doing.holds(policy["exceptWhen"], doing.input, **more):
            return False
        if self._most is not None and self._retries >= self._most:
            return False
        wait = self._delay(doing.ctx.random)
        if self._in_all is not None:
            spent = (doing.ctx.now() - self._began).total_seconds()
            # The host's clock is not the one on which is waited: in a test that one may be virtual.
            if max(spent, self._waited) + wait > self._in_all:
                return False
        self._retries += 1
        self._waited += wait
        doing.ctx.emit_feedback(f"try again in {wait:g} s: {problem.get('title', problem['type'])}", "warning", "retry")
        await doing.ctx.sleep(wait)
        return True

    def _delay(self, chance: random.Random) -> float:
        doing, policy = self._doing, self._policy
        first = doing.seconds(policy["delay"]) if "delay" in policy else 0.0
        backoff, before = part(policy, "backoff"), self._retries
        if "exponential" in backoff:
            first *= float(part(backoff, "exponential").get("factor", 2)) ** before
        elif "linear" in backoff:
            step = part(backoff, "linear").get("increment")
            first += (first if step is None else doing.seconds(step)) * before
        jitter = part(policy, "jitter")
        if jitter:
            first += chance.uniform(doing.seconds(jitter["from"]), doing.seconds(jitter["to"]))
        return first


class _Switch(Task, abstract=True):
    async def perform(self, doing: Doing) -> Any:
        for index, item in enumerate(cast("list[Mapping[str, Any]]", doing.definition["switch"])):
            (case,) = item.values()
            if "when" not in case or doing.holds(case["when"], doing.input):
                doing.way = getattr(self, f"case_{index + 1}")
                break
        return doing.input


class Switch(_Switch, id="serverless.switch", durable="replayed"):
    """Goes on at the first case whose condition holds, or that has none; at `then` if there is no such case."""

    locals().update({f"case_{each}": tf.ExecOut() for each in range(1, WIDTH + 1)})


class WideSwitch(_Switch, id="serverless.wide_switch", durable="replayed"):
    """As `serverless.switch`, with more cases."""

    locals().update({f"case_{each}": tf.ExecOut() for each in range(1, WIDE + 1)})


class _Fork(Composite, abstract=True):
    width: ClassVar[int] = WIDTH

    async def perform(self, doing: Doing) -> Any:
        ctx = doing.ctx
        ctx.set_variable(DATA, doing.input)
        numbers = [each for each in range(1, self.width + 1) if ctx.is_connected(f"branch_{each}")]
        if not part(doing.definition, "fork").get("compete", False):
            async with ctx.branches() as branches:
                for number in numbers:
                    branches.start(f"branch_{number}")
            return [await ctx.get_input(f"result_{number}") for number in numbers]
        started: dict[tf.Fork, int] = {}
        async with ctx.branches() as branches:
            for number in numbers:
                started[branches.start(f"branch_{number}")] = number
            first = await branches.wait_first()
            branches.cancel()
        return await ctx.get_input(f"result_{started[first]}")


def _sockets(width: int) -> dict[str, Any]:
    ways = {f"branch_{each}": tf.ExecOut(concurrent=True) for each in range(1, width + 1)}
    results = {f"result_{each}": tf.DataIn(object, default=None, doc="what it gave") for each in range(1, width + 1)}
    return {"width": width, **results, **ways}


class Fork(_Fork, id="serverless.fork", durable="replayed"):
    """Does its branches at the same time, each on its own view of the data, and gives a list of what they gave.

    If they compete, the first that ends gives the output, and the others are cancelled.
    """

    locals().update(_sockets(WIDTH))


class WideFork(_Fork, id="serverless.wide_fork", durable="replayed"):
    """As `serverless.fork`, with more branches."""

    locals().update(_sockets(WIDE))


class Extended(Composite, id="serverless.extended", durable="replayed"):
    """A task with what an extension of the document does before and after it, where its condition holds."""

    before = tf.ExecOut(doc="what the extension does before")
    tasks = tf.ExecOut(doc="the task itself")
    after = tf.ExecOut(doc="what the extension does afterwards")

    async def perform(self, doing: Doing) -> Any:
        task = {**doing.definition["task"]}
        about = {"name": task.get("name", ""), "reference": doing.reference, "definition": task, **task}
        condition = doing.definition.get("when")
        if condition is not None and not doing.holds(condition, doing.input, task=about):
            return await self.run(doing, self.tasks, doing.input)
        try:
            data = await self.run(doing, self.before, doing.input)
        except _Exit:
            return doing.ctx.get_variable(DATA)
        data = await self.run(doing, self.tasks, data)
        return await self.run(doing, self.after, data)
