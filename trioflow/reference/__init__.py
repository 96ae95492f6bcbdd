"""The reference semantics: what a graph means, short enough to be believed.

Synchronous Python without trio and without any code of the engine. Each step cites its rule (spec/rules).
"""

from trioflow.reference.small_step import small_step

__all__ = ["small_step"]
