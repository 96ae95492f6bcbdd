"""A small explicit-state model checker: all states, all moves, the shortest way to whatever is wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import attrs

from trioflow.errors import TrioflowError

S = TypeVar("S", bound=Hashable)


class Model(Protocol[S]):
    """What is explored: states are compared by value, moves have names."""

    @property
    def initial(self) -> S:
        """Where it begins."""
        ...

    def moves(self, state: S) -> Iterable[tuple[str, S]]:
        """What can happen next, with the state that it leads to; in the same order each time."""
        ...

    def fault(self, state: S) -> str | None:
        """The invariant that this state breaks, in words; None if it keeps all."""
        ...

    def is_end(self, state: S) -> bool:
        """Whether everything may be over here. Every other state must have a move, and a way to an end."""
        ...


class CounterExample(TrioflowError):
    """A model can get where it must not. `path` are the moves of a shortest way there, `state` is what it leads to."""

    def __init__(self, reason: str, path: Sequence[str], state: object) -> None:
        moves = "\n".join(f"  {number}. {move}" for number, move in enumerate(path, 1)) or "  (at the beginning)"
        super().__init__(f"{reason}\n{moves}\n  leads to {state}")
        self.reason = reason
        self.path = tuple(path)
        self.state = state


@attrs.frozen(eq=False)
class Exploration(Generic[S]):
    """All that a model can do: the moves of each state, and how each state was first reached."""

    edges: Mapping[S, Sequence[tuple[str, S]]]
    came: Mapping[S, tuple[str, S] | None]
    """The last move of a shortest way to a state, and where it started; None for the initial state."""
    to_end: Mapping[S, int]
    """How many moves a state is away from an end."""

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.edges)

    @property
    def moves(self) -> int:
        """How many moves there are, counted for each state."""
        return sum(map(len, self.edges.values()))

    def path_to(self, state: S) -> list[str]:
        """The moves of a shortest way to a state."""
        path: list[str] = []
        while (last := self.came[state]) is not None:
            path.append(last[0])
            state = last[1]
        return path[::-1]

    def covering_paths(self) -> Iterator[list[str]]:
        """Ways from the beginning to an end that together take every move of every state at least once.

        Each goes to the nearest move that is left as long as there is one ahead, so that they are few.
        """
        left = {state: [*moves] for state, moves in self.edges.items()}
        start = next(iter(self.edges))
        while (way := self._to_next(start, left)) is not None:
            path, state = list[str](), start
            while way is not None:
                path += way[0]
                move, state = left[way[1]].pop()
                path.append(move)
                way = self._to_next(state, left)
            while self.to_end[state]:
                move, state = min(self.edges[state], key=lambda edge: self.to_end[edge[1]])
                path.append(move)
            yield path

    def _to_next(self, start: S, left: Mapping[S, Sequence[object]]) -> tuple[list[str], S] | None:
        """The way to the nearest state with a move that is left."""
        ways: dict[S, list[str]] = {start: []}
        queue = deque([start])
        while queue:
            state = queue.popleft()
            if left[state]:
                return ways[state], state
            for move, after in self.edges[state]:
                if after not in ways:
                    ways[after] = [*ways[state], move]
                    queue.append(after)
        return None


def explore(model: Model[S], limit: int = 100_000) -> Exploration[S]:
    """Visit every state. Raises `CounterExample` for the first that breaks an invariant or can't end.

    Breadth first, so the counterexample of a broken invariant and of a deadlock is a shortest one. Raises
    `RuntimeError` if there are more than `limit` states.
    """
    edges: dict[S, Sequence[tuple[str, S]]] = {}
    came: dict[S, tuple[str, S] | None] = {model.initial: None}
    seen = Exploration(edges, came, {})
    queue = deque([model.initial])
    while queue:
        state = queue.popleft()
        reason = model.fault(state)
        if reason is not None:
            raise CounterExample(reason, seen.path_to(state), state)
        edges[state] = [*model.moves(state)]
        if not edges[state] and not model.is_end(state):
            raise CounterExample("deadlock: nothing can happen, and it is not the end", seen.path_to(state), state)
        for move, after in edges[state]:
            if after not in came:
                came[after] = (move, state)
                queue.append(after)
        if len(came) > limit:
            raise RuntimeError(f"There are more than {limit} states. Make the model smaller, or raise the limit.")
    to_end = _distances(model, edges)
    for state in edges:
        if state not in to_end:
            raise CounterExample("no end can be reached any more", seen.path_to(state), state)
    return attrs.evolve(seen, to_end=to_end)


def _distances(model: Model[S], edges: Mapping[S, Sequence[tuple[str, S]]]) -> dict[S, int]:
    before: dict[S, list[S]] = {state: [] for state in edges}
    for state, moves in edges.items():
        for _, after in moves:
            before[after].append(state)
    distances = {state: 0 for state in edges if model.is_end(state)}
    queue = deque(distances)
    while queue:
        state = queue.popleft()
        for source in before[state]:
            if source not in distances:
                distances[source] = distances[state] + 1
                queue.append(source)
    return distances
