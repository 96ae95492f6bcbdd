"""Where tokens begin: which processes a run runs, and at which elements of a process or sub-process."""

from __future__ import annotations

import attrs

from trioflow.formats.bpmn.document import (
    Definitions,
    FlowNode,
    Scope,
)
from trioflow.formats.bpmn.elements import KEY, Around, Elements
from trioflow.formats.bpmn.meaning import called_process, quoted
from trioflow.model.graph import Connection, Endpoint


class Starts(Elements):
    """Lets tokens begin in processes and sub-processes."""

    def __init__(self, found: Definitions) -> None:
        super().__init__(found)
        self._entry: dict[str, str] = {}
        self._exit: dict[str, Endpoint] = {}
        self._begins: set[str] = set()
        self._ends_scopes = any(
            each.tag == "endEvent"
            and any(inner.name in ("terminateEventDefinition", "errorEventDefinition") for inner in each.definitions)
            for each in found.nodes.values()
        )

    def _starting(self) -> list[Scope]:
        """The processes that a run runs: those that may, that nobody calls, and that no message of another starts."""
        found = self._found
        called = {called_process(each.element) for each in found.nodes.values() if each.tag == "callActivity"}
        targets = {each.get("targetRef") for each in found.element.everything() if each.name == "messageFlow"}
        free = [
            each
            for each in found.processes
            if each.id not in called and not (each.starts and all(start.id in targets for start in each.starts))
        ]
        free = free or found.processes[:1]
        may = [each for each in free if each.element.get("isExecutable") != "false" and each.nodes] or free
        pools = {each.get("processRef") for each in found.element.everything() if each.name == "participant"}
        together = [each for each in may if each.id in pools]
        if len(may) > 1 and len(together) < len(may):
            may = [may[0], *(each for each in together if each is not may[0])]
            others = [each.id for each in free if each not in may]
            self._say(
                "info",
                "several-processes",
                f"process {may[0].id!r}",
                may[0].element,
                f"It is run. {', '.join(map(repr, others))}: not, as nothing starts them.",
            )
        return may

    def _open(self, process: Scope, *, runs: bool) -> None:
        """Where a process begins."""
        if not runs:
            return
        entries = self._entries_of(process)
        events = self._event_scopes(process)
        if self._ends_scopes or events:
            self._add(process.id, "bpmn.process", metadata={KEY: {"element": "process"}})
            self._begins.add(process.id)
            self._fill_scope(process, process.id, entries, events)
        elif len(entries) > 1 and process.starts and all(each.definitions for each in process.starts):
            self._begins.add(self._choice_of_starts(process))
        else:
            self._begins.update(entries)

    def _entries_of(self, scope: Scope) -> list[str]:
        """The nodes where tokens begin in a process or sub-process."""
        starts = [each for each in scope.starts if not each.definitions] or scope.starts
        if starts:
            return [self._entry[each.id] for each in starts]
        free = [
            each
            for each in scope.nodes
            if not each.incoming and each.id in self._entry and each.tag != "boundaryEvent"
            and not each.is_compensation and not each.is_event_scope
        ]  # fmt: skip
        return self._in_turn(scope, free) or [self._entry[each.id] for each in free]

    def _in_turn(self, scope: Scope, free: list[FlowNode]) -> list[str]:
        """Where the activities of an ad-hoc sub-process begin, if they are to be done one after the other."""
        condition = scope.element.first("completionCondition")
        if scope.element.name != "adHocSubProcess" or scope.owner is None:
            return []
        if condition is None and scope.element.get("ordering") != "Sequential":
            return []
        until = self._expression(condition, scope.owner) if condition is not None else ""
        if until and scope.element.get("ordering") != "Sequential":
            self._say(
                "info",
                "in-turn",
                str(scope.owner),
                scope.element,
                "Its activities are done one after the other, and its completion condition is asked in between.",
            )
        inputs = {"elements": [each.id for each in free], "until": until}
        id_ = self._add(
            f"{scope.id} (in turn)", "bpmn.ad_hoc", {name: value for name, value in inputs.items() if value}
        )
        for each in free:
            when = f"out.element == {quoted(each.id)}"
            self._wires.append(Connection(Endpoint(id_, "body"), Endpoint(self._entry[each.id], "enter"), when=when))
        return [id_]

    def _choice_of_starts(self, process: Scope) -> str:
        """Several start events, each for an event of its own: the first that comes starts the process."""
        waits = [wait for each in process.starts for wait in self._waits_of(each)]
        id_ = self._add(f"{process.id} (starts)", "bpmn.event_gateway", {"waits": [*map(attrs.asdict, waits)]})
        for each in process.starts:
            when = f'out.event == "{each.id}"'
            self._wires.append(Connection(Endpoint(id_, "caught"), Endpoint(self._entry[each.id], "enter"), when=when))
        return id_

    def _event_scopes(self, scope: Scope) -> list[Around]:
        """The sub-processes in it that an event starts."""
        found: list[Around] = []
        for node in scope.nodes:
            if node.is_event_scope and node.inner is not None:
                for start in node.inner.starts:
                    interrupts = start.element.get("isInterrupting") != "false"
                    found += (Around(wait, interrupts, self._entry[node.id]) for wait in self._waits_of(start))
        return found

    def _fill_scope(self, scope: Scope, id_: str, entries: list[str], events: list[Around]) -> None:
        """Let what is inside begin behind `body`, with what waits beside it."""
        body = Endpoint(id_, "body")
        if events:
            inner = self._around(f"{id_} (events)", entries, events)
            self._wires.append(Connection(body, Endpoint(inner[0], "enter")))
        else:
            self._wires += (Connection(body, Endpoint(each, "enter")) for each in entries)
        if not entries and scope.nodes:
            self._say(
                "warning",
                "no-start",
                f"{scope.element.name} {scope.id!r}",
                scope.element,
                "No token begins in it: it has no start event, and each element has an incoming flow.",
                "Add a start event.",
            )
