"""Jobs and steps as nodes. A job or step that its condition leaves out fires, does nothing, and says `skipped`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, cast

import attrs
import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.actions.expressions import STATUS, Tree, as_text, evaluate, filled, holds, parse, unwrapped
from trioflow.nodes._command import CommandFailed, open_command

_MOST = 1 << 26
_GRACE = 2.0


class StepFailed(NodeError):
    """A step of a job has failed."""


class JobFailed(NodeError):
    """A step of a job has failed, and nothing says that it goes on."""


class RunFailed(NodeError):
    """Jobs of a workflow have failed."""


def job_variable(job: str) -> str:
    """The variable that says how a job has ended: a mapping with `result`, `outputs` and `error`."""
    return f"job {job}"


@attrs.define
class _Seen:
    """What expressions see at one place: contexts, and how it went so far."""

    contexts: dict[str, Any]
    failed: bool
    skipped: bool = False

    def value(self, tree: Tree) -> Any:
        functions = {
            "success": lambda: not self.failed and not self.skipped,
            "failure": lambda: self.failed,
            "always": lambda: True,
            "cancelled": lambda: False,
        }
        return evaluate(tree, self.contexts, functions)

    def filled(self, value: Any) -> Any:
        return filled(value, self.value)

    def permits(self, condition: Any) -> bool:
        """Whether a condition holds; one that asks for no status asks for success, too."""
        if isinstance(condition, bool):
            return condition and not self.failed and not self.skipped
        if not condition:
            return not self.failed and not self.skipped
        tree = parse(unwrapped(str(condition)))
        if STATUS.isdisjoint(tree.calls()) and (self.failed or self.skipped):
            return False
        return holds(self.value(tree))


def _contexts(ctx: tf.Context, more: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: ctx.get_variable(name) for name in ("github", "inputs", "vars", "secrets", "env", "matrix")}
    found["runner"] = {"os": "macOS" if sys.platform == "darwin" else "Linux", "temp": tempfile.gettempdir()}
    return {**found, **more}


JOB_ENV = "job env"
"""The variable with the environment of the job that runs, and what its steps have added."""


class Job(tf.Node, id="actions.job", durable="replayed"):
    """A job: its steps are behind `body`, once or for each combination of its matrix, which run at the same time.

    Whether it runs, its condition and the results of the jobs that it needs say. It fails when a step has.
    """

    enter = tf.ExecIn()
    job: tf.DataIn[Any] = tf.DataIn(dict, doc="what the document says of it")
    body = tf.ExecOut(concurrent=True, doc="its steps")
    then = tf.ExecOut()
    skipped = tf.ExecOut(doc="when its condition does not hold")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        job: Mapping[str, Any] = await ctx.get_input(self.job)
        needs = {each: ctx.get_variable(job_variable(each)) for each in job["needs"]}
        results = [(ctx.get_variable(job_variable(each)) or {}).get("result") for each in job["ancestors"]]
        seen = _Seen(_contexts(ctx, {"needs": needs}), "failure" in results, "skipped" in results)
        variable = job_variable(job["id"])
        if not seen.permits(job.get("if")):
            ctx.set_variable(variable, {"result": "skipped", "outputs": {}})
            return self.skipped
        ctx.set_variable("needs", needs)
        error = await self._steps(ctx, job, seen)
        outputs = dict(ctx.get_variable("outputs") or {})
        if error is None or seen.filled(job.get("continue-on-error", False)) is True:
            ctx.set_variable(variable, {"result": "success", "outputs": outputs})
            return self.then
        ctx.set_variable(variable, {"result": "failure", "outputs": outputs, "error": error})
        raise JobFailed(f"The job {job['id']!r} has failed: {error}")

    async def _steps(self, ctx: tf.Context, job: Mapping[str, Any], seen: _Seen) -> str | None:
        """Run the steps; what went wrong."""
        strategy = seen.filled(job.get("strategy", {}))
        instances = combinations(strategy.get("matrix")) if strategy.get("matrix") else [None]
        at_once = int(strategy.get("max-parallel") or len(instances) or 1)
        errors: list[str] = []
        minutes = float(seen.filled(job.get("timeout-minutes", 360)))
        with ctx.time_limit(minutes * 60) as limit:
            for begin in range(0, len(instances), at_once):
                try:
                    if at_once == 1 or instances == [None]:
                        self._begin(ctx, job, instances[begin])
                        await ctx.trigger(self.body)
                    else:
                        async with ctx.branches() as branches:
                            for each in instances[begin : begin + at_once]:
                                self._begin(ctx, job, each)
                                branches.start(self.body)
                except Exception as error:
                    errors.append(_said(error))
                    if strategy.get("fail-fast", True) is not False:
                        break
        if limit.expired:
            errors.append(f"it took longer than {minutes:g} minutes")
        return "; ".join(dict.fromkeys(errors)) or None

    @staticmethod
    def _begin(ctx: tf.Context, job: Mapping[str, Any], instance: Mapping[str, Any] | None) -> None:
        for name in ("steps", "outputs"):
            ctx.set_variable(name, {})
        ctx.set_variable("matrix", instance or {})
        seen = _Seen(_contexts(ctx, {"needs": ctx.get_variable("needs")}), failed=False)
        ctx.set_variable(JOB_ENV, {**(seen.contexts["env"] or {}), **_texts(seen.filled(job.get("env", {})))})


def _said(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(_said(each) for each in error.exceptions))
    return str(error)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: as_text(each) for name, each in values.items()}


def combinations(matrix: Any) -> list[dict[str, Any]]:
    """The combinations of a matrix, with `exclude` and `include`."""
    if not isinstance(matrix, Mapping):
        raise NodeError(f"A matrix is a mapping of lists, got {matrix!r}.")
    said = cast("Mapping[str, Any]", matrix)
    axes = {name: each if isinstance(each, list) else [each] for name, each in said.items()
            if name not in ("include", "exclude")}  # fmt: skip
    found = [dict(zip(axes, each, strict=True)) for each in product(*axes.values())] if axes else []
    for out in said.get("exclude") or ():
        found = [each for each in found if any(each.get(name) != value for name, value in out.items())]
    originals = [dict(each) for each in found]
    for more in said.get("include") or ():
        fits = [
            index
            for index, each in enumerate(originals)
            if all(each[name] == value for name, value in more.items() if name in each)
        ]
        for index in fits:
            found[index] |= more
        if not fits:
            found.append(dict(more))
    return found


class _Step(tf.Node, abstract=True):
    enter = tf.ExecIn()
    step: tf.DataIn[Any] = tf.DataIn(dict, doc="what the document says of it")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        step: Mapping[str, Any] = await ctx.get_input(self.step)
        steps: dict[str, Any] = ctx.get_variable("steps") or {}
        failed = any(each["conclusion"] == "failure" for each in steps.values())
        job = {"status": "failure" if failed else "success"}
        more = {"steps": steps, "needs": ctx.get_variable("needs"), "env": ctx.get_variable(JOB_ENV), "job": job}
        seen = _Seen(_contexts(ctx, more), failed)
        if not seen.permits(step.get("if")):
            self._record(ctx, step, "skipped", "skipped", {})
            return self.then
        seen.contexts["env"] = {**(seen.contexts["env"] or {}), **_texts(seen.filled(step.get("env", {})))}
        minutes = seen.filled(step.get("timeout-minutes"))
        try:
            with ctx.time_limit(float(minutes) * 60) if minutes else contextlib.nullcontext() as limit:
                outputs = await self.work(ctx, step, seen)
            if limit is not None and limit.expired:
                raise StepFailed(f"it took longer than {minutes:g} minutes")
        except Exception as error:
            goes_on = seen.filled(step.get("continue-on-error", False)) is True
            self._record(ctx, step, "failure", "success" if goes_on else "failure", {}, _said(error))
            if goes_on:
                ctx.emit_feedback(f"{step['name']}: {_said(error)}", "warning")
                return self.then
            raise StepFailed(f"The step {step['name']!r}: {_said(error)}") from error
        self._record(ctx, step, "success", "success", outputs)
        return self.then

    async def work(self, ctx: tf.Context, step: Mapping[str, Any], seen: _Seen) -> Mapping[str, Any]:
        """What the step does; its outputs."""
        raise NotImplementedError

    @staticmethod
    def _record(
        ctx: tf.Context,
        step: Mapping[str, Any],
        outcome: str,
        conclusion: str,
        outputs: Mapping[str, Any],
        error: str = "",
    ) -> None:
        said = {"outcome": outcome, "conclusion": conclusion, "outputs": dict(outputs)}
        said |= {"error": f"the step {step['name']!r}: {error}"} if error else {}
        ctx.set_variable("steps", {**(ctx.get_variable("steps") or {}), step["id"]: said})


class Run(_Step, id="actions.run", durable="recorded", capabilities={"scripts", "processes", "files", "network"}):
    """Runs the script of a step in a shell, and prints what that writes."""

    async def work(self, ctx: tf.Context, step: Mapping[str, Any], seen: _Seen) -> Mapping[str, Any]:
        script = as_text(seen.filled(step["run"]))
        folder = seen.filled(step.get("working-directory")) or None
        with tempfile.TemporaryDirectory(prefix="trioflow-") as kept:
            files = {
                name: Path(kept) / name
                for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
            }
            for each in files.values():
                each.touch()
            environment = {**os.environ, "CI": "true", **seen.contexts["env"]}
            environment |= {name: str(each) for name, each in files.items()}
            command = _command(str(seen.filled(step.get("shell")) or ""), script, Path(kept))
            await _execute(command, Path(folder) if folder else None, environment)
            more = _assigned(files["GITHUB_ENV"].read_text(encoding="utf-8"))
            added = files["GITHUB_PATH"].read_text(encoding="utf-8").split("\n")
            outputs = _assigned(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))
        path = [each for each in added if each]
        if path:
            more["PATH"] = os.pathsep.join([*reversed(path), environment.get("PATH", "")])
        if more:
            ctx.set_variable(JOB_ENV, {**(ctx.get_variable(JOB_ENV) or {}), **more})
        return outputs


def _command(shell: str, script: str, folder: Path) -> list[str]:
    """The command that runs a script, as the documentation says for each shell."""
    names = {"": "bash" if shutil.which("bash") else "sh", "python": "python3"}
    name = names.get(shell, shell)
    suffix = {"python3": ".py", "pwsh": ".ps1"}.get(name, ".sh")
    file = folder / f"script{suffix}"
    file.write_text(script, encoding="utf-8")
    if "{0}" in name:
        return [part.replace("{0}", str(file)) for part in name.split()]
    known = {
        "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if shell else ["bash", "-e"],
        "sh": ["sh", "-e"], "python3": [shutil.which("python3") or sys.executable], "pwsh": ["pwsh", "-command"],
    }  # fmt: skip
    if name not in known:
        raise StepFailed(f"there is no shell {shell!r}; use bash, sh, python or pwsh, or a command with {{0}}")
    return [*known[name], str(file)]


async def _execute(command: list[str], folder: Path | None, environment: Mapping[str, str]) -> None:
    """Run a command; what it writes is printed when it has ended."""
    output, errors = bytearray(), bytearray()
    async with open_command("actions.run", command, folder=folder, environment=environment, grace=_GRACE) as running:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(running.feed, b"")
            nursery.start_soon(running.output.keep, output, _MOST, nursery.cancel_scope)
            nursery.start_soon(running.errors.keep, errors, _MOST, nursery.cancel_scope)
            await running.finish()
        code = running.exit_code
    for stream, written in ((sys.stdout, output), (sys.stderr, errors)):
        text = written.decode(errors="replace")
        stream.write(text if not text or text.endswith("\n") else f"{text}\n")
    if code:
        raise CommandFailed("actions.run", command[0], code, errors.decode(errors="replace"))


def _assigned(text: str) -> dict[str, str]:
    """What a script has written into one of the files: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        name, several, end = line.partition("<<")
        if several and "=" not in name:
            value: list[str] = []
            for each in lines:
                if each == end:
                    break
                value.append(each)
            found[name] = "\n".join(value)
        elif "=" in line:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


class Uses(_Step, id="actions.uses", durable="replayed"):
    """A step that uses an action: what does its work is behind `body`, and leaves outputs in a variable."""

    given: tf.DataOut[Any] = tf.DataOut(dict, doc="what `with` says")
    body = tf.ExecOut(doc="what the host gives for the action")

    async def work(self, ctx: tf.Context, step: Mapping[str, Any], seen: _Seen) -> Mapping[str, Any]:
        ctx.set_variable("used", None)
        await ctx.trigger(self.body, {self.given: seen.filled(step.get("with", {}))})
        used = ctx.get_variable("used")
        return cast("Mapping[str, Any]", used) if isinstance(used, Mapping) else {}


class Nothing(_Step, id="actions.nothing", durable="replayed"):
    """A step for which there is nothing to do where the host runs, such as checking out what is there."""

    async def work(self, ctx: tf.Context, step: Mapping[str, Any], seen: _Seen) -> Mapping[str, Any]:
        return {}


class End(tf.Node, id="actions.end", durable="replayed"):
    """Behind the last step of a job: sets its outputs, and fails if a step has failed."""

    enter = tf.ExecIn()
    outputs: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="names and expressions")

    async def execute(self, ctx: tf.Context) -> None:
        steps: Mapping[str, Any] = ctx.get_variable("steps") or {}
        failed = [each for each in steps.values() if each["conclusion"] == "failure"]
        more = {"steps": steps, "needs": ctx.get_variable("needs"), "env": ctx.get_variable(JOB_ENV)}
        seen = _Seen(_contexts(ctx, more), bool(failed))
        ctx.set_variable("outputs", _texts(seen.filled(await ctx.get_input(self.outputs))))
        if failed:
            raise StepFailed("; ".join(each["error"] for each in failed))


class Call(tf.Node, id="actions.call", durable="replayed"):
    """Before a workflow that a job calls: what that is given."""

    enter = tf.ExecIn()
    job: tf.DataIn[Any] = tf.DataIn(dict, doc="what the document says of the job")
    given: tf.DataOut[Any] = tf.DataOut(dict, doc="its inputs, secrets, and contexts")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        job: Mapping[str, Any] = await ctx.get_input(self.job)
        seen = _Seen(_contexts(ctx, {"needs": ctx.get_variable("needs")}), failed=False)
        secrets = seen.contexts["secrets"] if job.get("secrets") == "inherit" else seen.filled(job.get("secrets") or {})
        given = {"inputs": seen.filled(job.get("with") or {}), "secrets": secrets}
        ctx.set_output(self.given, {**given, **{name: seen.contexts[name] for name in ("github", "vars")}})
        return self.then


class Begin(tf.Node, id="actions.begin", durable="replayed"):
    """Where a called workflow begins: its inputs, secrets and contexts are variables from then on."""

    enter = tf.ExecIn()
    given: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="what the job that calls it gives")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        given: Mapping[str, Any] = await ctx.get_input(self.given)
        ctx.set_variable("inputs", {**(ctx.get_variable("inputs") or {}), **given.get("inputs", {})})
        for name in ("secrets", "github", "vars"):
            if name in given:
                ctx.set_variable(name, given[name])
        return self.then


class Conclusion(tf.Node, id="actions.conclusion", durable="replayed"):
    """Behind all jobs: fails if one has failed."""

    enter = tf.ExecIn()
    jobs: tf.DataIn[Any] = tf.DataIn(list, doc="their ids")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        ended = {each: ctx.get_variable(job_variable(each)) or {} for each in await ctx.get_input(self.jobs)}
        failed = [f"{name} ({each['error']})" for name, each in ended.items() if each.get("result") == "failure"]
        if failed:
            raise RunFailed(f"{len(failed)} of {len(ended)} jobs failed: {'; '.join(failed)}")
        return None


class Return(Conclusion, id="actions.return", durable="replayed"):
    """Behind all jobs of a called workflow: sets its outputs, and fails if a job has failed."""

    values: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="names and expressions")
    outputs: tf.DataOut[Any] = tf.DataOut(dict, doc="what it gives to the job that calls it")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await super().execute(ctx)
        jobs = {each: ctx.get_variable(job_variable(each)) or {} for each in await ctx.get_input(self.jobs)}
        seen = _Seen(_contexts(ctx, {"jobs": jobs}), failed=False)
        ctx.set_output(self.outputs, _texts(seen.filled(await ctx.get_input(self.values))))
        return self.then
