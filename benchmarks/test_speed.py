"""How much longer a graph takes than the same work written by hand, in the same process: `python -m pytest benchmarks`.

Nothing here fails for being slow: machines differ. The table at the end is for people.
"""

from __future__ import annotations

import pytest
import trio
from workloads import PAIRS, STEPS, run_of


@pytest.mark.parametrize("side", ["graph", "by hand"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_ratio(benchmark, pair, side):
    benchmark.group = f"{pair.name}|{'' if pair.aim is None else f'{pair.aim:g}'}"
    benchmark.extra_info["steps"] = STEPS
    work = run_of(pair.graph()) if side == "graph" else pair.by_hand
    benchmark.pedantic(trio.run, args=(work,), rounds=15, warmup_rounds=1)
