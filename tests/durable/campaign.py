"""A crash at every operation of all vectors and of many drawn graphs: `python tests/durable/campaign.py FIRST END`."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]


def campaign(first: int, end: int) -> int:
    """Says what came of it; gives the number of faults."""
    from durable.crashing import VECTORS, Tally, crash_everywhere, deterministic

    from trioflow.conformance.strategies import request_number

    tally, skipped, faults, began = Tally(), 0, Counter[str](), time.monotonic()
    named = [(each.name, each.request) for each in VECTORS if first == 0]
    named += [(str(number), request_number(number, "durable", with_actions=False)) for number in range(first, end)]
    for name, request in named:
        if not deterministic(request):
            skipped += 1
            continue
        try:
            crash_everywhere(request, tally, most=400)
        except AssertionError as error:
            if "it did not die" not in str(error):  # the number of operations depends on the schedule
                faults[f"{name}: {error}"] += 1
        except Exception as error:
            faults[f"{name}: {error!r}"[:300]] += 1
    print(f"{tally}, skipped {skipped}, {time.monotonic() - began:.0f} s, {len(faults)} faults")
    print(*faults, sep="\n")
    return len(faults)


if __name__ == "__main__":
    sys.exit(min(1, campaign(int(sys.argv[1]), int(sys.argv[2]))))
