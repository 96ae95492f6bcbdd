"""Nodes that concurrent strands enter, and that are for one: they remember, or leave the loop around them.

What one strand leaves at a node that remembers the others do not see (F6): `flow.join` behind the branches of
`flow.parallel` is entered once by each strand, and never goes on. Nothing fails, so it is told before the run, where
all ways to such a node come from strands of one other node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import count

from trioflow.model.composition import ENTER, LEAVING
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import ExecOut
from trioflow.semantics.report import Problem, warning
from trioflow.semantics.topology import initiators, may_await
from trioflow.semantics.wiring import Wiring

_ROOT = -1


def check_strands(wiring: Wiring) -> Iterator[Problem]:
    """A node that remembers needs a way to it on which one strand sees what was there before (F6)."""
    if wiring.graph.kind == "workflow":
        yield from _leaving_firings(wiring)
        return  # whether other firings are concurrent depends on the tokens
    remembering = [place for place, view in enumerate(wiring.views) if view is not None and view.type.remembers]
    leaving = [place for place, node in enumerate(wiring.graph.nodes) if node.type in LEAVING]
    starting = {place: started for place in range(len(wiring.views)) if (started := _starting(wiring, place))}
    if not wiring.complete or not (remembering or leaving) or not starting:
        return
    flow = _Flow(wiring, starting)
    by_items, by_branches = flow.entered_per_item(), flow.entered_by_branches()
    for place in leaving:
        if place in by_items:
            yield _no_loop(
                wiring, place, f"each item of {wiring.name(by_items[place])} enters it in a strand of its own",
                "Let the stream run sequentially, or set a variable with a merge policy and look at it after the loop.",
            )  # fmt: skip
    for place in remembering:
        if place in by_items:
            owner = by_items[place]
            what = f"each item of {wiring.name(owner)} enters it in a strand of its own"
            yield _problem(wiring, place, owner, what, ", let the stream run sequentially")
        elif place in by_branches:
            owner = by_branches[place]
            what = f"it is entered by concurrent branches of {wiring.name(owner)} only"
            yield _problem(wiring, place, owner, what)


def _leaving_firings(wiring: Wiring) -> Iterator[Problem]:
    """A firing of a workflow runs in a strand of its own, so it can't leave a loop, inside or around (W9)."""
    for place, node in enumerate(wiring.graph.nodes):
        if node.type in LEAVING:
            cure = "Take another wire by a condition (`when`), or end the scope with flow.stop."
            yield _no_loop(wiring, place, "a firing of a workflow runs in a strand of its own", cure)


def _no_loop(wiring: Wiring, place: int, why: str, cure: str) -> Problem:
    message = f"{wiring.name(place)} ({wiring.graph.nodes[place].type}) can leave no loop: {why}."
    return warning("no-loop-to-leave", f"nodes[{place}]", message, cure, "F1")


def _problem(wiring: Wiring, place: int, owner: int, what: str, or_else: str = "") -> Problem:
    view, by = wiring.views[place], wiring.views[owner]
    assert view is not None
    assert by is not None
    started = _starting(wiring, owner)
    rest = [output.name for output in by.type.exec_outputs if output.name not in started]
    done = "done" if "done" in rest else rest[0] if len(rest) == 1 else None
    joined = f"from {done!r} of {wiring.name(owner)}" if done else f"after {wiring.name(owner)}"
    return warning(
        "split-memory",
        f"nodes[{place}]",
        f"{wiring.name(place)} ({view.type.id}) remembers in each strand for itself, and {what}: "
        "none sees what the others left there.",
        f"Enter it {joined}, where the strands are joined{or_else}, or collect in a variable with a merge policy.",
        "F6",
    )


def _starting(wiring: Wiring, place: int) -> dict[str, bool]:
    """The exec outputs of a node that start strands, and whether they do so for each item of a stream."""
    view, settings = wiring.views[place], wiring.graph.nodes[place].stream
    if view is None:
        return {}
    found = {output.name: False for output in view.type.exec_outputs if output.concurrent}
    for stream in view.type.streams:
        mode = settings.mode if settings is not None and settings.mode is not None else stream.mode
        if mode == "concurrent":  # S2
            found[stream.fires.name] = True
    return found


class _Flow:
    """Where control goes: from the root to the nodes that start, and on, through a mark for what starts strands.

    Nodes are known by their place. A mark is a number beyond: one for each output that starts strands, and before
    those of one node, if there are several, one for all of them.
    """

    def __init__(self, wiring: Wiring, starting: Mapping[int, Mapping[str, bool]]) -> None:
        self._wiring = wiring
        self._after: dict[int, list[int]] = defaultdict(list)
        self._before: dict[int, list[int]] = defaultdict(list)
        # The node of a mark for all its outputs that start strands; that of a mark for one, and whether for items.
        self._branches: dict[int, int] = {}
        self._outputs: dict[int, tuple[int, bool]] = {}
        numbers = count(len(wiring.views))
        marks: dict[tuple[int, str], int] = {}
        for place, started in starting.items():
            source = place
            if len(started) > 1:
                source = next(numbers)
                self._branches[source] = place
                self._lead(place, source)
            for name, of_items in started.items():
                mark = marks[place, name] = next(numbers)
                self._outputs[mark] = place, of_items
                self._lead(source, mark)
        for place, (node, view) in enumerate(zip(wiring.graph.nodes, wiring.views, strict=True)):
            if node.type == ENTER or (view is not None and view.type.listens is not None):
                self._lead(_ROOT, place)
        for place in initiators(wiring):
            self._lead(_ROOT, place)
        for wire in wiring.graph.connections:
            place, name = wiring.place[wire.source.node], wire.source.socket
            view = wiring.views[place]
            if view is not None and isinstance(view.outputs[name], ExecOut):
                self._lead(marks.get((place, name), place), wiring.place[wire.target.node])
        self._order = self._numbered()
        for place in self._order:
            self._before[place] = [before for before in self._before[place] if before in self._order or before == _ROOT]

    def _lead(self, source: int, target: int) -> None:
        self._after[source].append(target)
        self._before[target].append(source)

    def entered_per_item(self) -> dict[int, int]:
        """The nodes that each item of another node enters once: by one way, on which no body may come back.

        What is entered more than once in the strand of one item may be meant to remember for that item alone.
        """
        owners: dict[int, int] = {}
        awaiting: dict[NodeType, bool] = {}
        for place in self._order:
            owner, of_items = self._outputs.get(place, (_ROOT, False))
            before = self._before[place][0]
            if of_items:
                owners[place] = owner
                continue
            # What starts strands does so once for each of its outputs.
            once = self._is_mark(place) or self._is_mark(before) or not self._may_await(before, awaiting)
            if once and before in owners and len(self._before[place]) == 1:
                owners[place] = owners[before]
        return owners

    def _is_mark(self, place: int) -> bool:
        return place in self._outputs or place in self._branches

    def _may_await(self, place: int, known: dict[NodeType, bool]) -> bool:
        view = self._wiring.views[place] if place != _ROOT else None
        if view is None:
            return False
        if view.type not in known:
            known[view.type] = may_await(view.type)
        return known[view.type]

    def entered_by_branches(self) -> dict[int, int]:
        """The nodes to which all ways lead through concurrent outputs of another, the nearest, through several."""
        around = self._nearest_marks()
        owners: dict[int, int] = {_ROOT: _ROOT}  # by mark
        for mark in self._order:
            if mark in self._branches:
                owners[mark] = self._branches[mark]
            elif mark in self._outputs:
                outer = around[mark]  # if that is the mark for all of them, ways lead through this one only
                owners[mark] = owners[around[outer] if outer in self._branches else outer]
        return {place: owners[around[place]] for place in self._order if owners[around[place]] != _ROOT}

    def _nearest_marks(self) -> dict[int, int]:
        """For each node and mark that is reached: the last mark, or the root, that all ways to it go through.

        These are dominators, found as Cooper, Harvey and Kennedy do, of marks alone.
        """
        around = {_ROOT: _ROOT}
        changed = True
        while changed:
            changed = False
            for place in self._order:
                found: int | None = None
                for before in self._before[place]:
                    if before in around:  # otherwise it is reached through this one
                        mark = before if self._is_mark(before) else around[before]
                        found = mark if found is None else _common(found, mark, around, self._order)
                if around.get(place) != found:
                    assert found is not None
                    around[place] = found
                    changed = True
        return around

    def _numbered(self) -> dict[int, int]:
        """All that is reached, with its number: each after what leads to it, unless that is reached through it."""
        left: list[int] = []
        seen = {_ROOT}
        path = [(_ROOT, iter(self._after[_ROOT]))]
        while path:
            place, ways = path[-1]
            following = next((each for each in ways if each not in seen), None)
            if following is None:
                path.pop()
                left.append(place)
            else:
                seen.add(following)
                path.append((following, iter(self._after[following])))
        return {place: number for number, place in enumerate(reversed(left[:-1]))}


def _common(a: int, b: int, around: Mapping[int, int], order: Mapping[int, int]) -> int:
    """The last mark around both."""
    while a != b:
        if order.get(a, _ROOT) > order.get(b, _ROOT):
            a = around[a]
        else:
            b = around[b]
    return a
