"""Runs scenarios and judges them by their steps. A step that is not understood fails its scenario."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs
import trio

import trioflow as tf
from trioflow.conformance.serverless.gherkin import Scenario, Step
from trioflow.conformance.serverless.stubs import serving
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in
from trioflow.formats.serverless import FORMAT, Hosts, WorkflowError
from trioflow.model.document import read_text

_LIMIT = 30.0
"""Seconds that a scenario may take."""


class Failed(Exception):
    """A scenario has not come to what it says, with the reason."""


@attrs.frozen
class Verdict:
    """What became of a scenario: the reason why it failed, empty if it passed."""

    scenario: Scenario
    problem: str = ""


@attrs.define
class _Situation:
    document: str = ""
    input: Any = None
    output: Any = None
    error: WorkflowError | None = None
    ran: bool = False
    started: list[str] = attrs.field(factory=list[str])


def judge(scenarios: list[Scenario]) -> list[Verdict]:
    """The verdicts on scenarios, with the stubs served meanwhile. Starts a loop of trio's."""
    return trio.run(_judge, scenarios)


async def _judge(scenarios: list[Scenario]) -> list[Verdict]:
    async with serving() as instead:
        return [Verdict(each, await _problem(each, Hosts(instead, only=True))) for each in scenarios]


async def _problem(scenario: Scenario, hosts: Hosts) -> str:
    situation = _Situation()
    judged = False
    try:
        with trio.move_on_after(_LIMIT) as scope:
            for step in scenario.steps:
                if step.says == "the workflow is executed":
                    await _execute(situation, hosts)
                else:
                    judged |= _follow(situation, step)
        if scope.cancelled_caught:
            return f"It took longer than {_LIMIT:g} s."
    except Failed as error:
        return str(error)
    except (tf.TrioflowError, ExceptionGroup) as error:
        return f"{type(error).__name__}: {error}"
    return "" if judged else "It has no step that judges anything."


async def _execute(situation: _Situation, hosts: Hosts) -> None:
    imported = import_document(document_in(situation.document, name="scenario", syntax="yaml"), format=FORMAT)
    if imported.errors:
        raise Failed("; ".join(map(str, imported.errors)))
    places = {node.id: node.inputs.get("reference") for node in imported.graph.nodes}

    def started(event: Any) -> None:
        reference = places.get(event.node)
        if isinstance(reference, str):
            situation.started.append(reference.rpartition("/")[2])

    given: dict[str, Any] = {} if situation.input is None else {"input": situation.input}
    observer = tf.observe(started, kinds=[tf.events.NodeStarted])
    situation.ran = True
    try:
        result = await tf.run(imported.graph, variables=given, services={Hosts: hosts}, observers=[observer])
        situation.output = result.variables["output"]
    except WorkflowError as error:
        situation.error = error


def _follow(situation: _Situation, step: Step) -> bool:
    """Do what a step says; gives whether it judges."""
    for pattern, follow in _STEPS.items():
        found = re.fullmatch(pattern, step.says)
        if found is not None:
            value = read_text(step.text, format="yaml", source="step") if step.text is not None else None
            return follow(situation, value if pattern != _DEFINITION else step.text, *found.groups())
    raise Failed(f"This step is not understood: {step.says}")


def _define(situation: _Situation, text: Any) -> bool:
    # The language of a text stands in the line of its quotes, and is not part of it.
    situation.document = text or ""
    return False


def _give(situation: _Situation, value: Any) -> bool:
    situation.input = value
    return False


def _completed(situation: _Situation) -> Any:
    if not situation.ran:
        raise Failed("The workflow was not executed.")
    if situation.error is not None:
        raise Failed(f"The workflow faulted: {situation.error}")
    return situation.output


def _completes(situation: _Situation, value: Any) -> bool:
    _completed(situation)
    return True


def _completes_with(situation: _Situation, value: Any) -> bool:
    _equal(_completed(situation), value, "output")
    return True


def _has_properties(situation: _Situation, value: Any, names: str) -> bool:
    for name in re.findall(r"'([^']*)'", names):
        _property(_completed(situation), name)
    return True


def _has_property(situation: _Situation, value: Any, name: str) -> bool:
    _equal(_property(_completed(situation), name), value, name)
    return True


def _contains(situation: _Situation, value: Any, name: str, count: str) -> bool:
    found = _property(_completed(situation), name)
    if not isinstance(found, list) or len(found) != int(count):
        raise Failed(f"{name} must have {count} items, got {found!r}.")
    return True


def _faults(situation: _Situation, value: Any) -> bool:
    if situation.error is None:
        raise Failed(f"The workflow completed with {situation.output!r}, and should have faulted.")
    for key, expected in cast("Mapping[str, Any]", value or {}).items():
        _equal(situation.error.as_data().get(key), expected, key)
    return True


def _runs_at(situation: _Situation, value: Any, name: str, place: str) -> bool:
    ran = situation.started
    if not ran or ran[0 if place == "first" else -1] != name:
        raise Failed(f"{name} should run {place}, and these ran: {', '.join(ran) or 'none'}.")
    return True


def _runs_after(situation: _Situation, value: Any, name: str, before: str) -> bool:
    ran = situation.started
    if name not in ran or before not in ran or ran.index(name) < ran.index(before):
        raise Failed(f"{name} should run after {before}, and these ran: {', '.join(ran) or 'none'}.")
    return True


def _property(value: Any, name: str) -> Any:
    for key in name.split("."):
        if not isinstance(value, Mapping) or key not in value:
            raise Failed(f"The output has no property {name!r}: {value!r}")
        value = cast("Mapping[str, Any]", value)[key]
    return value


def _equal(value: Any, expected: Any, what: str) -> None:
    if value != expected or isinstance(value, bool) is not isinstance(expected, bool):
        raise Failed(f"{what} should be {expected!r}, got {value!r}.")


_DEFINITION = r"a workflow with definition:"
_STEPS: Mapping[str, Callable[..., bool]] = {
    _DEFINITION: _define,
    r"given the workflow input is:": _give,
    r"the workflow should complete": _completes,
    r"the workflow should complete with output:": _completes_with,
    r"the workflow output should have properties (.+)": _has_properties,
    r"the workflow output should have an? '([^']+)' property with value:": _has_property,
    r"the workflow output should have an? '([^']+)' property containing (\d+) items?": _contains,
    r"the workflow should fault": _faults,
    r"the workflow should fault with error:": _faults,
    r"(\S+) should run (first|last)": _runs_at,
    r"(\S+) should run after (\S+)": _runs_after,
}
