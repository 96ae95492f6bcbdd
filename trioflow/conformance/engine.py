"""This engine as a port, in the same process: it answers requests under a controlled schedule."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import attrs
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.capabilities import EVERY
from trioflow.conformance.schedule import Controller
from trioflow.conformance.scripted import NODE_TYPES, Diary, codes_of
from trioflow.contract.trace import as_text, event, result
from trioflow.model.structure import graph_from
from trioflow.runtime.base.schedule import current_schedule
from trioflow.runtime.host.run import Run
from trioflow.semantics import events
from trioflow.semantics.validation import validate

REGISTRY = tf.Registry()
REGISTRY.add(*NODE_TYPES)


class _Log:
    """An observer: a run's events as the contract has them."""

    def __init__(self) -> None:
        self.trace: list[dict[str, Any]] = []

    def __call__(self, told: events.Event) -> None:
        translate = _EVENTS.get(type(told))
        if translate is not None:
            kind, *fields = translate
            details = [getattr(told, name) for name in fields]
            origin = [each.as_tuple() if isinstance(each, events.Path) else each for each in details]
            self.trace.append(event(kind, told.path.as_tuple(), *origin))


_EVENTS: dict[type[events.Event], tuple[str, ...]] = {
    events.NodeStarted: ("started", "node", "entered"),
    events.NodeCompleted: ("completed", "node", "handed_over"),
    events.NodeFailed: ("failed", "node", "origin"),
    events.NodeCancelled: ("cancelled", "node"),
    events.EvaluationStarted: ("evaluating", "node"),
    events.EvaluationCompleted: ("evaluated", "node", "key"),
    events.EvaluationFailed: ("unevaluated", "node"),
    events.EvaluationCancelled: ("unevaluated", "node"),
    events.StrandForked: ("forked",),
    events.StrandJoined: ("joined",),
    events.MergeConflict: ("conflict", "variable"),
    events.Feedback: ("feedback", "tag"),
}


class _Host:
    """What the host does meanwhile (spec/INTERPRETING.md, 9), and the steps as they are answered."""

    def __init__(self, request: Mapping[str, Any], controller: Controller, log: _Log) -> None:
        self._actions: list[Mapping[str, Any]] = list(request.get("actions") or ())
        self._controller = controller
        self._log = log
        self._seen = self._told = self._releases = 0
        self.steps: list[dict[str, Any]] = [{"do": "begin"}]
        self.run: Run | None = None

    def act(self, stuck: bool) -> bool:
        """Perform an action if one is due, or if nothing else can be done."""
        self.catch_up()
        if self.run is None:
            return False
        if stuck and not self._actions and self.run.gate.statistics().parked:
            self._actions.append({"at": 0, "do": "resume"})
        if not self._actions:
            return False
        at = self._actions[0]["at"]
        if not (stuck or (at in self._controller.enabled if isinstance(at, str) else self._releases >= at)):
            return False
        action = self._actions.pop(0)
        self.steps.append({"do": "action", "action": action})
        self._perform(self.run, action)
        return True

    def catch_up(self) -> None:
        """Note the last step, and what happened in it."""
        for step in self._controller.steps[self._seen :]:
            self._seen += 1
            if step.chosen is not None:
                self._releases += 1
                self.steps.append({"do": "release", "enabled": list(step.enabled), "chosen": step.chosen})
            else:
                assert step.now is not None
                self.steps.append({"do": "time", "now": round(step.now)})
        told = self._log.trace[self._told :]
        self._told = len(self._log.trace)
        self.steps[-1]["events"] = sorted([*self.steps[-1].get("events", ()), *map(as_text, told)])

    @staticmethod
    def _perform(run: Run, action: Mapping[str, Any]) -> None:
        match action["do"]:
            case "pause":
                run.gate.pause()
            case "resume":
                run.gate.resume()
            case "step":
                if run.gate.closed:
                    run.gate.step(action["count"])
            case "step-into" | "step-over" | "step-out" as step:
                _step_by_path(run.gate, step, tuple(action["path"]))
            case "breakpoint":
                run.gate.add_breakpoint(action["node"])
            case "wire-breakpoint":
                run.gate.add_breakpoint(wire=action["wire"])
            case "cancel":
                run.cancel()
            case "publish":
                with contextlib.suppress(tf.RunFinished):  # its initiators have ended: it is dropped
                    run.publish_nowait(action["event"], action.get("payload"))
            case other:
                raise ValueError(f"There is no action {other!r}.")


def _step_by_path(gate: tf.Gate, step: str, path: tuple[int, ...]) -> None:
    steps = {"step-into": gate.step_into, "step-over": gate.step_over, "step-out": gate.step_out}
    if gate.closed and any(each.path == path for each in gate.parked_at()):
        steps[step](path)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a request on this engine; gives all fields of a result (spec/INTERPRETING.md, 6). Blocks until it is done."""
    graph = graph_from(request["graph"])
    problems = _problems(graph)
    if problems:
        return {**result("invalid", problems=problems), "canonical": None}
    return answer_for(graph, request)


def answer_for(graph: tf.Graph | tf.Plan, request: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a graph that is known to be valid, or its plan, in place of the one in the request."""
    clock = MockClock()
    return trio.run(_answer, graph, request, clock, clock=clock)


def problems_of(request: Mapping[str, Any]) -> list[list[str]]:
    """What is wrong with a request's graph: codes and paths, sorted (M5)."""
    return _problems(graph_from(request["graph"]))


def _problems(graph: tf.Graph) -> list[list[str]]:
    return sorted([problem.code, problem.path] for problem in validate(graph, REGISTRY).errors)


async def _answer(graph: tf.Graph | tf.Plan, request: Mapping[str, Any], clock: MockClock) -> dict[str, Any]:
    diary, log = Diary(), _Log()
    diary.began = trio.current_time()
    controller = Controller(list(request.get("choices") or ()), clock)
    host = _Host(request, controller, log)
    left: tf.RunResult | None = None
    status, errors = "completed", list[str]()

    async def drive() -> None:
        await controller.run(host.act)

    async with trio.open_nursery() as nursery:
        token = current_schedule.set(controller)
        try:
            async with tf.open_run(
                graph,
                registry=REGISTRY,
                variables=request.get("variables") or {},
                services={"diary": diary},
                options=_options(request.get("options") or {}),
                observers=[log],
            ) as run:
                host.run = run
                nursery.start_soon(drive)
                left = await run.result()
        except tf.RunAborted:
            status = "cancelled"
        except Exception as error:
            status, errors = "failed", codes_of(error)
        finally:
            current_schedule.reset(token)
            nursery.cancel_scope.cancel()
    host.catch_up()
    return result(
        status,
        log.trace,
        errors=errors,
        variables=dict(left.variables) if left is not None else {},
        outputs={node: dict(values) for node, values in left.outputs.items()} if left is not None else {},
        life=diary.life,
        steps=host.steps,
    )


def _options(options: Mapping[str, Any]) -> tf.RunOptions:
    named = {name: value for name, value in options.items() if name != "streams" and value is not None}
    streams = {node: tf.StreamSettings(**settings) for node, settings in options.get("streams", {}).items()}
    return attrs.evolve(tf.RunOptions(turn_after=math.inf, max_ahead=0), streams=streams, **named)


class EnginePort:
    """This engine as a `Port`: in the same process, at level 3. A context manager, as ports that are processes are."""

    name = "trioflow"
    level = 3
    capabilities = EVERY

    def __enter__(self) -> EnginePort:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request of the type `run`."""
        return {"type": "result", "id": request.get("id", 0), **answer(request)}

    def close(self) -> None:
        """Nothing to end."""
