"""What do the common cases cost: functions, standard nodes, lazy inputs, nodes that await, variables?

The other questions ask for the best case of each kind; these are what graphs are mostly made of.
"""

from __future__ import annotations

from benchmarks.lib.question import HUNDRED, TEN_THOUSAND, THOUSAND, Question, Workload

_SIZES = (HUNDRED, THOUSAND, TEN_THOUSAND)

QUESTION = Question(
    "common",
    "What do the common cases cost?",
    (
        Workload(
            "function_loop", "a `flow.for` of N rounds whose body is a function that takes the index", "round", _SIZES
        ),
        Workload(
            "function_chain", "N functions one after the other, each with the result of the one before", "node", _SIZES
        ),
        Workload("math_chain", "a chain of N `math.add`, demanded at its end", "node", _SIZES),
        Workload("select_chain", "a chain of N `logic.select`, demanded at its end", "node", _SIZES),
        Workload("async_chain", "a chain of N async data nodes, demanded at its end", "node", _SIZES),
        Workload("variable_loop", "a `flow.for` of N rounds that adds its index to a variable", "round", _SIZES),
        Workload("fizzbuzz", "the example fizzbuzz, N rounds: twelve standard nodes each", "round", _SIZES),
    ),
)
