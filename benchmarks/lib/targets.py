"""What was promised about speed, as ratios within one session, and whether it is kept."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.lib.question import HUNDRED_THOUSAND, TEN_THOUSAND, THOUSAND, Question
from benchmarks.lib.results import Results, Summary
from benchmarks.lib.show import console_for_tables, machine_line
from benchmarks.lib.subject import BY_HAND, OURS, SUBJECTS, Subject
from benchmarks.questions import QUESTIONS

_STEPS = (
    *("loop", "loop_data", "chain", "hand_over", "chain_awaited", "fan_out", "data_chain", "data_diamonds"),
    *("data_layers", "data_reuse", "data_change", "emit", "emit_writes"),
)
"""Where engines compete: what is paid for each step, node or item. Who sleeps waits as long as anybody else."""
_COMMON = ("function_loop", "function_chain", "math_chain", "select_chain", "async_chain", "fizzbuzz")
_CHAINS_AND_DATA = ("chain", "chain_awaited", "data_chain", "data_diamonds", "data_layers")


def _seconds(summary: Summary) -> float:
    return summary.median


def _memory(summary: Summary) -> float:
    return summary.memory_run


@dataclass(frozen=True)
class AtMost:
    """One figure of trioflow may be so many times another, by whom it says, at a size or the greatest below it."""

    work: str
    workload: str
    against: str
    subject: str
    other: str
    bound: float
    size: int = HUNDRED_THOUSAND
    of: Callable[[Summary], float] = _seconds

    def judge(self, results: Results) -> Verdict | None:
        """None if it was not measured."""
        for size in sorted(results.sizes(self.workload), reverse=True):
            ours, other = results.of(self.workload, OURS, size), results.of(self.other, self.subject, size)
            if size <= self.size and ours is not None and other is not None:
                if ours.died is not None or other.died is not None:
                    continue
                ratio = self.of(ours) / max(self.of(other), 1e-12)
                where = f"{self.workload}, N = {size:,}"
                return Verdict(self.work, self.against, f"≤ {self.bound:g}×", ratio, ratio <= self.bound, where)
        return None


@dataclass(frozen=True)
class Faster:
    """So many times faster than a peer, in the worst of some workloads, from a size on."""

    peer: str
    bound: float
    workloads: Sequence[str] = _STEPS
    what: str = "every workload, from N = 1,000"

    def judge(self, results: Results) -> Verdict | None:
        """The worst ratio decides. None if nothing was measured."""
        ratios = dict(self._ratios(results))
        if not ratios:
            return None
        worst = min(ratios, key=ratios.__getitem__)
        middle = statistics.median(ratios.values())
        short = list(dict.fromkeys(workload for (workload, _), ratio in ratios.items() if ratio < self.bound))
        short_of = f"; short of it: {', '.join(short)}" if short else ""
        where = f"{worst[0]}, N = {worst[1]:,}; {middle:.3g}× in the middle{short_of}"
        need = "ahead" if self.bound == 1 else f"≥ {self.bound:g}× faster"
        return Verdict(self.what, _name(self.peer), need, ratios[worst], ratios[worst] >= self.bound, where)

    def _ratios(self, results: Results) -> Iterator[tuple[tuple[str, int], float]]:
        for workload in self.workloads:
            sizes = [size for size in results.sizes(workload) if self._both(results, workload, size)]
            # Whoever does not survive 1,000 is compared where it lives.
            for size in [size for size in sizes if size >= THOUSAND] or sizes:
                ours, peer = self._both(results, workload, size)
                yield (workload, size), peer.median / ours.median

    def _both(self, results: Results, workload: str, size: int) -> tuple[Summary, ...]:
        found = results.of(workload, OURS, size), results.of(workload, self.peer, size)
        return tuple(each for each in found if each is not None and each.died is None) if _alive(*found) else ()


@dataclass(frozen=True)
class Flat:
    """Cost per step hardly grows from 10,000 to 100,000 steps, or no more than a peer's, or the peer dies there."""

    peer: str
    bound: float = 1.5
    workloads: Sequence[str] = ("loop", "fan_out", "chain", "build")
    what: str = "growth of a step's cost from N = 10,000 to 100,000"

    def judge(self, results: Results) -> Verdict | None:
        """The worst growth of trioflow where the peer does better decides. None if nothing was measured."""
        growths: dict[str, tuple[float, float | None]] = {}
        for workload in self.workloads:
            ours, theirs = self._growth(results, workload, OURS), self._growth(results, workload, self.peer)
            if ours is not None and results.of(workload, self.peer, THOUSAND) is not None:
                growths[workload] = ours, theirs
        if not growths:
            return None
        lost = {
            workload: ours
            for workload, (ours, theirs) in growths.items()
            if theirs is not None and ours > max(theirs, self.bound)
        }
        worst = max(growth for growth, _ in growths.values())
        where = "; ".join(
            f"{workload} {ours:.2g}×, there {f'{theirs:.2g}×' if theirs is not None else 'dead'}"
            for workload, (ours, theirs) in growths.items()
        )
        return Verdict(self.what, _name(self.peer), f"≤ {self.bound:g}×, or theirs", worst, not lost, where)

    @staticmethod
    def _growth(results: Results, workload: str, subject: str) -> float | None:
        few, many = (results.of(workload, subject, size) for size in (TEN_THOUSAND, HUNDRED_THOUSAND))
        if few is None or many is None or not _alive(few, many):
            return None
        return many.median / few.median / 10


@dataclass(frozen=True)
class Verdict:
    """One row: what was to be reached, and what was."""

    work: str
    against: str
    bound: str
    ratio: float
    reached: bool
    where: str


def _alive(*summaries: Summary | None) -> bool:
    return all(each is not None and each.died is None for each in summaries)


def _name(key: str) -> str:
    return next(subject.name for subject in SUBJECTS if subject.key == key)


TARGETS: tuple[AtMost | Faster | Flat, ...] = (
    AtMost("trigger in a loop", "loop", "by hand, with a check per step", BY_HAND, "loop", 4),
    AtMost("hand-over step", "hand_over", "by hand, with a check per step", BY_HAND, "hand_over", 4),
    AtMost("a loop with one observer that counts", "observers_1", "itself without", OURS, "observers_0", 1.5),
    AtMost("re-used demand", "data_reuse", "awaited function", BY_HAND, "data_reuse", 2),
    AtMost("evaluation of a data node", "data_chain", "awaited function", BY_HAND, "data_chain", 8, TEN_THOUSAND),
    AtMost("a function in a loop", "function_loop", "awaited function, with a check", BY_HAND, "function_loop", 3),
    AtMost("a chain of functions", "function_chain", "awaited function, with a check", BY_HAND, "function_chain", 3),
    AtMost("math.add in a chain", "math_chain", "awaited function", BY_HAND, "math_chain", 7),
    AtMost("logic.select in a chain", "select_chain", "awaited function", BY_HAND, "select_chain", 25),
    AtMost("an async data node in a chain", "async_chain", "awaited function", BY_HAND, "async_chain", 25),
    AtMost("a round of fizzbuzz", "fizzbuzz", "awaited functions", BY_HAND, "fizzbuzz", 15),
    AtMost("concurrent emit, with join", "emit", "start_soon of an empty function", BY_HAND, "emit", 2),
    AtMost("100,000 sleepers: time", "sleepers", "nursery of sleepers", BY_HAND, "sleepers", 2),
    AtMost("100,000 that wait together: time", "together", "nursery of waiters", BY_HAND, "together", 2),
    AtMost("100,000 that wait together: memory", "together", "nursery of waiters", BY_HAND, "together", 2, of=_memory),
    AtMost("validate and plan, per node", "plan", "building two dicts and a list", BY_HAND, "build", 25, TEN_THOUSAND),
    *(Faster(peer, 40) for peer in ("langgraph", "llama_index", "haystack", "pydantic_graph")),
    Faster("burr", 20),
    Faster("hamilton_async", 4),
    *(Faster(peer, 1) for peer in ("ryvencore", "py_trees", "node_red")),
    Faster("rete", 1, _CHAINS_AND_DATA, "chains and data, from N = 1,000"),
    *(Flat(peer) for peer in ("rete", "litegraph", "behave_graph")),
    *(
        Faster(peer, 1, ("loop", "fan_out"), "loop and fan-out: constant factor (as close as possible)")
        for peer in ("rete", "litegraph", "behave_graph")
    ),
)


def questions() -> list[Question]:
    """What has to be asked to judge all targets."""
    needed = {*_STEPS, *_COMMON, "observers_0", "observers_1", "sleepers", "together", "plan", "build"}
    return [
        Question(each.name, each.asks, tuple(workload for workload in each.workloads if workload.name in needed))
        for each in QUESTIONS
        if any(workload.name in needed for workload in each.workloads)
    ]


def show(results: Results, subjects: Iterable[Subject]) -> None:
    """A row for each target whose subjects were asked for."""
    console = console_for_tables()
    console.print(machine_line(results))
    table = Table("what", "against", "bound", "measured", "reached", "where")
    asked = {subject.key for subject in subjects}
    for target in TARGETS:
        rival = target.subject if isinstance(target, AtMost) else target.peer
        if rival not in asked:
            continue
        verdict = target.judge(results)
        if verdict is None:
            why = results.cannot.get(rival, {}).get("", "not measured")
            work = target.work if isinstance(target, AtMost) else target.what
            against = target.against if isinstance(target, AtMost) else _name(rival)
            bound = f"≤ {target.bound:g}×" if isinstance(target, AtMost) else ""
            table.add_row(work, against, bound, "-", "-", why)
        else:
            measured = f"{verdict.ratio:.3g}×"
            reached = "yes" if verdict.reached else "no"
            table.add_row(verdict.work, verdict.against, verdict.bound, measured, reached, verdict.where)
    console.print(table)
