"""An interpreter of behaviour graphs, written from the standard's text: it shares nothing with the engine.

Values are computed when they are asked for, from the inputs back to what is constant or was left by a flow; control
goes from node to node. What is due when is in the agenda, what values mean in the operations.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from outside.khr import model
from outside.khr.agenda import Agenda, Moving
from outside.khr.document import Behaviour, Node, Wire
from outside.khr.operations import OPERATIONS


class TooLong(Exception):
    """A graph does more than anybody waits for."""


class Interpreter:
    """One execution of a behaviour graph."""

    def __init__(self, behaviour: Behaviour, most: int = 5_000) -> None:
        self.behaviour = behaviour
        self.variables = list(behaviour.variables)
        self.model = model.model_of(behaviour)
        self.agenda = Agenda(ticks=any(node.op == "event/onTick" for node in behaviour.nodes))
        self.left = most
        # What flow nodes keep from one activation to the next, and what stands at their outputs.
        self.outputs: dict[tuple[int, str], Any] = {}
        self.used: dict[int, set[Any]] = {}
        self.at: dict[int, float] = {}

    def run(self) -> None:
        """Until the tests of the graph are over."""
        deepest = sys.getrecursionlimit()
        sys.setrecursionlimit(max(deepest, 20_000))
        try:
            self._run()
        finally:
            sys.setrecursionlimit(deepest)

    def _run(self) -> None:
        nodes = self.behaviour.nodes
        for node in nodes:
            if node.op == "event/onStart":
                self.lead(node, "out")
        self.receive()
        while (due := self.agenda.until()) is not None:
            self.agenda.now = due
            while (done := self.agenda.take()) is not None:
                self.lead(nodes[done], "done")
                self.receive()
            times = self.agenda.tick()
            if times is None:
                continue
            self.move()
            for node in nodes:
                if node.op == "event/onTick":
                    self.outputs[node.index, "timeSinceStart"], self.outputs[node.index, "timeSinceLastTick"] = times
                    self.lead(node, "out")
            self.receive()

    def receive(self) -> None:
        """Events that were sent, in their order."""
        while self.agenda.events:
            event, values = self.agenda.events.popleft()
            for node in self.behaviour.nodes:
                if node.op == "event/receive" and int(node.configured("event", 0)) == event:
                    self.outputs.update({(node.index, name): value for name, value in values.items()})
                    self.lead(node, "out")

    def move(self) -> None:
        for index, moving in list(self.agenda.moving.items()):
            if self.agenda.moving.get(index) is not moving:
                continue  # what was done meanwhile has stopped it
            value, has_arrived = moving.at(self.agenda.now)
            if isinstance(moving.target, tuple):
                self.model, _ = model.write(self.model, list(moving.target), value)
            else:
                self.variables[moving.target] = value
            if has_arrived:
                del self.agenda.moving[index]
                self.lead(self.behaviour.nodes[index], "done")

    # --- values ---

    def value(self, node: Node, name: str, default: Any = None) -> Any:
        """The value of an input."""
        said = node.values.get(name, default)
        return self.output(said.node, said.socket) if isinstance(said, Wire) else said

    def output(self, index: int, socket: str) -> Any:
        """The value of an output."""
        node = self.behaviour.nodes[index]
        if node.op in OPERATIONS:
            function, inputs, outputs = OPERATIONS[node.op]
            result = function(*[self.value(node, name) for name in inputs])
            return result if len(outputs) == 1 else result[outputs.index(socket)]
        if node.op == "variable/get":
            return self.variables[int(node.configured("variable", 0))]
        if node.op == "pointer/get":
            found = model.read(self.model, self.steps(node), self.behaviour.types[node.configured("type", 2)])
            return found[0 if socket == "value" else 1]
        if node.op == "math/switch":
            selection = str(self.value(node, "selection"))
            cases = [str(int(each)) for each in node.configuration.get("cases", [])]
            return self.value(node, selection if selection in cases else "default")
        return self.outputs[index, socket] if (index, socket) in self.outputs else self.initial(node, socket)

    def initial(self, node: Node, socket: str) -> Any:
        """What stands at an output of a node that was not activated yet."""
        if node.op == "event/receive":
            return self.behaviour.events[int(node.configured("event", 0))][socket]
        if node.op == "flow/waitAll":
            return int(node.configured("inputFlows", 0))
        if node.op == "flow/for":
            return int(node.configured("initialIndex", 0))
        return {"currentCount": 0, "lastIndex": -1, "lastDelayIndex": -1}.get(socket, math.nan)

    def steps(self, node: Node) -> list[str]:
        pointer = node.configured("pointer", "")
        return model.steps_of(pointer, {name: self.value(node, name) for name in model.parameters_of(pointer)})

    # --- flows ---

    def lead(self, node: Node, socket: str) -> None:
        """Control leaves a node."""
        target = node.flows.get(socket)
        if target is not None:
            self.left -= 1
            if self.left <= 0:
                raise TooLong
            there = self.behaviour.nodes[target.node]
            getattr(self, there.op.replace("/", "_"))(there, target.socket)

    def flow_sequence(self, node: Node, socket: str) -> None:
        for way in sorted(node.flows):
            self.lead(node, way)

    def flow_branch(self, node: Node, socket: str) -> None:
        self.lead(node, "true" if self.value(node, "condition") else "false")

    def flow_switch(self, node: Node, socket: str) -> None:
        selection = self.value(node, "selection")
        self.lead(node, str(selection) if selection in node.configuration.get("cases", []) else "default")

    def flow_for(self, node: Node, socket: str) -> None:
        start, end = self.value(node, "startIndex"), self.value(node, "endIndex")
        self.outputs[node.index, "index"] = start
        while self.outputs[node.index, "index"] < end:
            inside = self.outputs[node.index, "index"]
            self.lead(node, "loopBody")
            self.outputs[node.index, "index"] = inside + 1
        self.lead(node, "completed")

    def flow_while(self, node: Node, socket: str) -> None:
        while self.value(node, "condition"):
            self.lead(node, "loopBody")
        self.lead(node, "completed")

    def flow_doN(self, node: Node, socket: str) -> None:
        count = self.output(node.index, "currentCount")
        if socket == "reset":
            self.outputs[node.index, "currentCount"] = 0
        elif count < self.value(node, "n"):
            self.outputs[node.index, "currentCount"] = count + 1
            self.lead(node, "out")

    def flow_multiGate(self, node: Node, socket: str) -> None:
        ways = sorted(node.flows)
        used = self.used.setdefault(node.index, set())
        if socket == "reset":
            used.clear()
            self.outputs[node.index, "lastIndex"] = -1
            return
        if len(used) == len(ways) and node.configured("isLoop", False):
            used.clear()
        for index, way in enumerate(ways):
            if index not in used:
                used.add(index)
                self.outputs[node.index, "lastIndex"] = index
                self.lead(node, way)
                return

    def flow_waitAll(self, node: Node, socket: str) -> None:
        entered, count = self.used.setdefault(node.index, set()), int(node.configured("inputFlows", 0))
        if socket == "reset":
            entered.clear()
            self.outputs[node.index, "remainingInputs"] = count
            return
        entered.add(socket)
        self.outputs[node.index, "remainingInputs"] = count - len(entered)
        self.lead(node, "completed" if len(entered) == count else "out")

    def flow_throttle(self, node: Node, socket: str) -> None:
        if socket == "reset":
            self.at.pop(node.index, None)
            self.outputs[node.index, "lastRemainingTime"] = math.nan
            return
        duration = self.value(node, "duration")
        if math.isnan(duration) or math.isinf(duration) or duration < 0:
            self.lead(node, "err")
            return
        if node.index in self.at and self.at[node.index] + duration > self.agenda.now:
            self.outputs[node.index, "lastRemainingTime"] = self.at[node.index] + duration - self.agenda.now
            return
        self.at[node.index] = self.agenda.now
        self.outputs[node.index, "lastRemainingTime"] = 0.0
        self.lead(node, "out")

    def flow_setDelay(self, node: Node, socket: str) -> None:
        if socket == "cancel":
            self.agenda.cancel(node=node.index)
            self.outputs[node.index, "lastDelayIndex"] = -1
            return
        duration = self.value(node, "duration")
        if math.isnan(duration) or math.isinf(duration) or duration < 0:
            self.lead(node, "err")
            return
        self.outputs[node.index, "lastDelayIndex"] = self.agenda.delay(node.index, duration)
        self.lead(node, "out")

    def flow_cancelDelay(self, node: Node, socket: str) -> None:
        self.agenda.cancel(index=self.value(node, "delayIndex"))
        self.lead(node, "out")

    def variable_set(self, node: Node, socket: str) -> None:
        indices = [int(each) for each in node.configuration["variables"]]
        values = [self.value(node, str(index)) for index in indices]
        for index, value in zip(indices, values, strict=True):
            self.variables[index] = value
            self.stop(index)
        self.lead(node, "out")

    def pointer_set(self, node: Node, socket: str) -> None:
        self.model, is_valid = model.write(self.model, self.steps(node), self.value(node, "value"))
        self.lead(node, "out" if is_valid else "err")

    def variable_interpolate(self, node: Node, socket: str) -> None:
        index = int(node.configured("variable", 0))
        self.begin(node, index, self.variables[index])

    def pointer_interpolate(self, node: Node, socket: str) -> None:
        steps = self.steps(node)
        start, is_valid = model.read(self.model, steps, self.behaviour.types[node.configured("type", 2)])
        if is_valid:
            self.begin(node, tuple(steps), start)
        else:
            self.lead(node, "err")

    def begin(self, node: Node, target: Any, start: Any) -> None:
        duration = self.value(node, "duration")
        if math.isnan(duration) or math.isinf(duration) or duration < 0:
            self.lead(node, "err")
            return
        self.stop(target)
        p1, p2 = self.value(node, "p1"), self.value(node, "p2")
        end = self.value(node, "value")
        self.agenda.moving[node.index] = Moving(target, start, end, self.agenda.now, duration, p1, p2)
        self.lead(node, "out")

    def stop(self, target: Any) -> None:
        self.agenda.moving = {key: each for key, each in self.agenda.moving.items() if each.target != target}

    def event_send(self, node: Node, socket: str) -> None:
        event = int(node.configured("event", 0))
        values = {name: self.value(node, name, initial) for name, initial in self.behaviour.events[event].items()}
        self.agenda.send(event, self.behaviour.event_names[event], values)
        self.lead(node, "out")

    def debug_log(self, node: Node, socket: str) -> None:
        said = tuple(self.value(node, name) for name in node.values)
        self.agenda.log.append((self.agenda.now, node.configured("message", ""), said))
        self.lead(node, "out")
