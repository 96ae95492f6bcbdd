"""The data graphs of the question `data`, as tables, for engines that are given a graph as a whole."""

from __future__ import annotations

import itertools

Table = dict[str, tuple[str, ...]]
"""By name of a node: the names of the nodes that it uses. None: the value 1; one: it and 1; two: the greater, and 1."""


def chain(size: int) -> tuple[Table, str, int]:
    """A chain: the table, the name of its end, and the value there."""
    table: Table = {"n0": ()}
    for number in range(1, size):
        table[f"n{number}"] = (f"n{number - 1}",)
    return table, f"n{size - 1}", size


def diamonds(size: int) -> tuple[Table, str, int]:
    """Diamonds on top of each other."""
    table: Table = {"d0": ()}
    count = size // 3
    for number in range(count):
        table[f"l{number}"] = table[f"r{number}"] = (f"d{number}",)
        table[f"d{number + 1}"] = (f"l{number}", f"r{number}")
    return table, f"d{count}", 1 + 2 * count


def layers(size: int) -> tuple[Table, list[str], int]:
    """Layers of ten; all nodes of the last are wanted."""
    count = size // 10
    table: Table = {f"n0_{place}": () for place in range(10)}
    for layer in range(1, count):
        for place in range(10):
            table[f"n{layer}_{place}"] = (f"n{layer - 1}_{place}", f"n{layer - 1}_{(place - 1) % 10}")
    return table, [f"n{count - 1}_{place}" for place in range(10)], count


def tree(size: int) -> tuple[Table, str]:
    """A tree above `size` leaves, of which the first uses `changing`, a value that comes from outside."""
    table: Table = {"leaf0": ("changing",)}
    table |= {f"leaf{number}": () for number in range(1, size)}
    layer = list(table)
    names = (f"t{number}" for number in itertools.count())
    while len(layer) > 1:
        above = []
        for start in range(0, len(layer), 2):
            above.append(next(names))
            table[above[-1]] = tuple(layer[start : start + 2])
        layer = above
    return table, layer[0]


def wide(size: int) -> Table:
    """One node, and all others using it."""
    return {"n0": (), **{f"n{number}": ("n0",) for number in range(1, size)}}


def expression(uses: tuple[str, ...]) -> str:
    """What a node computes, in Python."""
    if len(uses) == 2:
        return f"max({', '.join(uses)}) + 1"
    return f"{uses[0]} + 1" if uses else "1"


def source_of(table: Table, keyword: str = "def") -> str:
    """A module with a function for each node."""
    return "\n".join(
        f"{keyword} {name}({', '.join(f'{use}: int' for use in uses)}) -> int:\n    return {expression(uses)}\n"
        for name, uses in table.items()
    )
