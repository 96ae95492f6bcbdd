"""What does the page cost the run that it shows, and how quick is it itself?"""

from __future__ import annotations

from benchmarks.lib.question import (
    HUNDRED,
    HUNDRED_THOUSAND,
    MILLION,
    TEN_THOUSAND,
    THOUSAND,
    Question,
    Workload,
)

_SIZES = (TEN_THOUSAND, HUNDRED_THOUSAND)
_GRAPHS = (300, 5_000)
_FEW = (HUNDRED, THOUSAND)
_EVENTS = (HUNDRED_THOUSAND, MILLION)

QUESTION = Question(
    "studio",
    "What does the page cost the run that it shows, and how quick is it itself?",
    (
        Workload("studio_none", "processor time of a loop of N triggers and data nodes, no page", "step", _SIZES),
        Workload("studio_stop", "the same with a breakpoint that is not reached", "step", _SIZES),
        Workload("studio_glance", "the same in a page that looks from time to time", "step", _SIZES),
        Workload("studio_follow", "the same in a page that follows each event", "step", _SIZES),
        Workload("studio_record", "the same recorded, with no page", "step", _SIZES),
        Workload("studio_pause", "from asking for a pause until a reader is told of it, N nodes", "", _FEW),
        Workload("studio_step", "from asking for a step to its answer, N nodes", "", _FEW),
        Workload("studio_load", "from opening a page on N nodes to its first picture", "", _GRAPHS, 100, 120.0),
        Workload(
            "studio_frame",
            "a frame while N nodes are zoomed and 1,000 wires a second light up",
            "",
            _GRAPHS,
            100,
            120.0,
        ),
        Workload("studio_moment", "any moment of a recording of N events, in the page", "", _EVENTS, 100, 120.0),
    ),
)
