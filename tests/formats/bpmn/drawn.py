"""Processes drawn at random, of what all engines have: script tasks, gateways in blocks, loops, sub-processes, ends."""

from __future__ import annotations

import random
from collections import Counter


class Drawn:
    """A process of about so many elements. `x` is its only input; each loop has a counter of its own.

    `expected` is how often each task and each gateway that parts ways fires by the standard's text: as blocks are nested.
    """

    def __init__(
        self,
        seed: int,
        size: int = 12,
        kinds=("sequence", "exclusive", "parallel", "inclusive", "loop", "sub", "merge"),
    ) -> None:
        self.chance, self.kinds, self.left = random.Random(seed), kinds, size
        self.count, self.x, self.times = 0, self.chance.randint(0, 11), 1
        self.expected: Counter[str] = Counter()
        self.nested_in_loop, self._around = False, ""
        self.text = self._process()

    def _id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def _process(self) -> str:
        lines: list[str] = []
        start, first, end = self._id("start"), self._id("task"), self._id("end")
        lines.append(f'<startEvent id="{start}"/>')
        lines.append(f'<scriptTask id="{first}" scriptFormat="python"><script>x = {self.x}</script></scriptTask>')
        lines.append(f'<endEvent id="{end}"/>')
        self.expected[first] += 1
        self._flow(lines, start, first)
        last = self._block(lines, first, 0)
        self._flow(lines, last, end)
        return (
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="http://example.com/drawn">'
            f'<process id="p" isExecutable="true">{"".join(lines)}</process></definitions>'
        )

    def _flow(self, lines: list[str], source: str, target: str, condition: str = "") -> str:
        id_ = self._id("flow")
        inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        lines.append(f'<sequenceFlow id="{id_}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>')
        return id_

    def _task(self, lines: list[str], before: str, script: str = "") -> str:
        id_ = self._id("task")
        script = script or f"v{self.count} = x + {self.chance.randint(1, 9)}"
        lines.append(f'<scriptTask id="{id_}" scriptFormat="python"><script>{script}</script></scriptTask>')
        self._flow(lines, before, id_)
        self.expected[id_] += self.times
        return id_

    def _condition(self) -> tuple[str, bool]:
        by, rest = self.chance.randint(2, 4), self.chance.randint(0, 3)
        return f"x % {by} == {rest}", self.x % by == rest

    def _block(self, lines: list[str], before: str, depth: int) -> str:
        """A block behind an element; the element that it ends with."""
        self.left -= 1
        kind = self.chance.choice(self.kinds) if depth < 4 and self.left > 0 else "task"
        if kind == "sequence":
            for _ in range(self.chance.randint(1, 3)):
                before = self._block(lines, before, depth + 1)
            return before
        if kind in ("exclusive", "parallel", "inclusive"):
            return self._ways(lines, before, depth, kind)
        if kind == "loop":
            return self._loop(lines, before, depth)
        if kind == "sub":
            return self._sub(lines, before, depth)
        if kind == "merge":
            return self._merge(lines, before)
        return self._task(lines, before)

    def _ways(self, lines: list[str], before: str, depth: int, kind: str) -> str:
        self.nested_in_loop |= kind != "exclusive" and "l" in self._around
        around, self._around = self._around, self._around + kind[0]
        split, join = self._id("split"), self._id("join")
        count = self.chance.randint(2, 3)
        place = len(lines)
        self._flow(lines, before, split)
        default, taken, times = "", 0, self.times
        self.expected[split] += times
        for index in range(count):
            inner = self._id("task")
            lines.append(
                f'<scriptTask id="{inner}" scriptFormat="python"><script>w{self.count} = 1</script></scriptTask>'
            )
            is_default = index == count - 1 and kind != "parallel"
            condition, holds = (
                self._condition() if kind != "parallel" and not is_default else ("", not is_default or not taken)
            )
            holds = holds and not (kind == "exclusive" and taken)
            taken += holds
            self.times = times * holds
            self.expected[inner] += self.times
            flow = self._flow(lines, split, inner, condition)
            default = flow if is_default else default
            self._flow(lines, self._block(lines, inner, depth + 1), join)
        self.times = times
        self._around = around
        said = f' default="{default}"' if default else ""
        lines.insert(place, f'<{kind}Gateway id="{split}"{said}/><{kind}Gateway id="{join}"/>')
        return join

    def _loop(self, lines: list[str], before: str, depth: int) -> str:
        counter, merge, split = self._id("c"), self._id("merge"), self._id("split")
        before = self._task(lines, before, f"{counter} = 0")
        place = len(lines)
        self._flow(lines, before, merge)
        most, times, around = self.chance.randint(1, 3), self.times, self._around
        self._around += "l"
        self.times = times * most
        last = self._task(lines, self._block(lines, merge, depth + 1), f"{counter} = {counter} + 1")
        self.expected[split] += self.times
        self.times, self._around = times, around
        self._flow(lines, last, split)
        out = self._task_alone(lines)
        self._flow(lines, split, merge, f"{counter} &lt; {most}")
        default = self._flow(lines, split, out)
        lines.insert(place, f'<exclusiveGateway id="{merge}"/><exclusiveGateway id="{split}" default="{default}"/>')
        return out

    def _task_alone(self, lines: list[str]) -> str:
        id_ = self._id("task")
        lines.append(f'<scriptTask id="{id_}" scriptFormat="python"><script>u{self.count} = 1</script></scriptTask>')
        self.expected[id_] += self.times
        return id_

    def _sub(self, lines: list[str], before: str, depth: int) -> str:
        id_, start, end = self._id("sub"), self._id("start"), self._id("end")
        inner = [f'<startEvent id="{start}"/>', f'<endEvent id="{end}"/>']
        self._flow(inner, self._block(inner, start, depth + 1), end)
        lines.append(f'<subProcess id="{id_}">{"".join(inner)}</subProcess>')
        self._flow(lines, before, id_)
        return id_

    def _merge(self, lines: list[str], before: str) -> str:
        """Two tokens that nothing joins: what is behind them fires twice, and ends there."""
        split, behind, end = self._id("split"), self._id("task"), self._id("end")
        lines.append(f'<parallelGateway id="{split}"/><endEvent id="{end}"/>')
        lines.append(f'<scriptTask id="{behind}" scriptFormat="python"><script>m{self.count} = 2</script></scriptTask>')
        self._flow(lines, before, split)
        self.expected[split] += self.times
        self.expected[behind] += 2 * self.times
        for _ in range(2):
            self._flow(lines, self._task(lines, split), behind)
        self._flow(lines, behind, end)
        on = self._task_alone(lines)
        self._flow(lines, split, on)
        return on
