"""DBOS on SQLite: a workflow whose steps are recorded, one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS, DBOSConfig

DISTRIBUTION = "dbos"
RUNNER = "asyncio"
CANNOT = {
    **dict.fromkeys(("effects_file", "effects_power"), "a database, as its driver opens it"),
    "effects_memory": "no store in memory",
}


def effects_sqlite(size: int) -> Callable[[], Awaitable[int]]:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": f"sqlite:///{tempfile.mkdtemp(prefix='trioflow-bench-')}/runs.db",
        "log_level": "ERROR",
        "run_admin_server": False,
    }
    DBOS(config=config)

    @DBOS.step()
    async def effect(number: int) -> int:
        return number + 1

    @DBOS.workflow()
    async def workflow() -> int:
        done = 0
        for number in range(size):
            done = await effect(number)
        return done

    DBOS.launch()

    async def run() -> Any:
        return await workflow()

    return run
