"""Who is asked: every engine, where its file is, and how to get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OURS = "trioflow"
BY_HAND = "by_hand"
PEERS_EXTRA = "pip install -e '.[bench-peers]'"


@dataclass(frozen=True)
class Subject:
    """An engine; `key` is the name of its file in `subjects/` or `node/`, `kind` says how steps are run."""

    key: str
    name: str
    language: Literal["python", "node"] = "python"

    @property
    def install(self) -> str:
        """What to do when it is missing."""
        if self.language == "node":
            return "install Node.js 18 or later with npm; its packages are then fetched by this command"
        return PEERS_EXTRA


SUBJECTS: tuple[Subject, ...] = (
    Subject(BY_HAND, "by hand, in trio"),
    Subject(OURS, "trioflow"),
    Subject("langgraph", "LangGraph"),
    Subject("pydantic_graph", "pydantic-graph"),
    Subject("burr", "Burr"),
    Subject("hamilton", "Hamilton"),
    Subject("hamilton_async", "Hamilton, async"),
    Subject("llama_index", "LlamaIndex workflows"),
    Subject("haystack", "Haystack"),
    Subject("ryvencore", "ryvencore"),
    Subject("py_trees", "py_trees"),
    Subject("prefect", "Prefect"),
    Subject("dbos_sqlite", "DBOS, SQLite"),
    Subject("dask", "Dask, synchronous"),
    Subject("dask_threads", "Dask, threads"),
    Subject("tenacity", "tenacity"),
    Subject("stamina", "stamina"),
    Subject("purgatory", "purgatory"),
    Subject("aiolimiter", "aiolimiter"),
    Subject("procrastinate", "procrastinate, PostgreSQL"),
    Subject("dbos", "DBOS, PostgreSQL"),
    Subject("celery", "Celery, Redis"),
    Subject("dramatiq", "dramatiq, Redis"),
    Subject("rete", "Rete", "node"),
    Subject("baklava", "BaklavaJS", "node"),
    Subject("litegraph", "litegraph.js", "node"),
    Subject("react_flow", "React Flow", "node"),
    Subject("behave_graph", "behave-graph", "node"),
    Subject("node_red", "Node-RED", "node"),
)
"""In the order of the tables."""
