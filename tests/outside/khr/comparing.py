"""Random graphs, run here and by the interpreter: `python -m outside.khr.comparing --count 20000`, in `tests/`."""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

from outside.khr.document import behaviours_of
from outside.khr.interpreter import Interpreter, TooLong
from outside.khr.random_graphs import random_document
from outside.khr.verdicts import run


def difference(seed: int) -> str | None:
    """In what the engine and the interpreter differ for the graph of a seed: empty if in nothing, None if it is too long."""
    (behaviour,) = behaviours_of(random_document(seed))
    expected = Interpreter(behaviour, most=2_000)
    try:
        expected.run()
    except TooLong:
        return None
    ended = run(behaviour)
    for what, ours, theirs in (
        ("said", ended.agenda.log, expected.agenda.log),
        ("sent", ended.agenda.sent, expected.agenda.sent),
        ("variables", ended.variables, expected.variables),
        ("model", ended.model, expected.model),
    ):
        if not same(ours, theirs):
            return f"{what}: the engine has {ours!r}, the interpreter {theirs!r}"
    return ""


def same(one: Any, other: Any) -> bool:
    """Whether two values are the very same; not-a-number is not-a-number."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="how many graphs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    given = parser.parse_args()
    began, compared, seed, differing = time.perf_counter(), 0, given.first, 0
    while compared < given.count:
        found = difference(seed)
        if found is not None:
            compared += 1
            if found:
                differing += 1
                print(f"seed {seed}: {found}")
            if compared % 1000 == 0:
                print(f"{compared:,} compared, {differing} differ, {time.perf_counter() - began:.0f} s", flush=True)
        seed += 1
    raise SystemExit(1 if differing else 0)


if __name__ == "__main__":
    main()
