"""A program of all kinds of effects: files, a server, a database, a timer, a person, items side by side.

`python tests/durable/pipeline.py FOLDER URL [SETTING=VALUE ...]`; `ten_ways.py` lets it die.
"""

from __future__ import annotations

import datetime
import json
import os
import resource
import sys
from pathlib import Path

import trio

import trioflow as tf
from trioflow.durable import recorder, sqlite
from trioflow.model.clock import Clock

ITEMS = 6


@tf.exec_node(id="pipeline.write")
def write(folder: str, number: int, said: str) -> str:
    if (Path(folder) / "read-only").exists():
        raise PermissionError(f"nobody may write {number}.txt")
    path = Path(folder) / f"{number}.txt"
    path.write_text(said)
    return str(path)


@tf.exec_node(id="pipeline.enter", durable="transaction")
def enter(db: tf.Transaction, total: int) -> int:
    db.execute("create table if not exists ledger(total)")
    db.execute("insert into ledger values(?)", (total,))
    return total


def graph(folder: Path, url: str) -> tf.Graph:
    with tf.build() as g:
        g.variable("total", "int", default=0, merge="sum")
        items = g.add("flow.parallel_for", "items", times=ITEMS, limit=2)
        address = g.add("text.format", template=url + "/{a}", a=items.index)
        fetch = g.add("http.get", "fetch", url=address.result)
        keep = g.add(write, "keep", folder=str(folder), number=items.index, said=fetch.content)
        add = g.add("variable.add", "add", name="total", value=1)
        nap = g.add("flow.sleep", "nap", duration="300ms")
        answer = g.add("flow.wait_signal", "answer", name="go on")
        ledger = g.add(enter, "ledger", total=g.add("variable.get", name="total").result)
        last = g.add("http.get", "last", url=url + "/last")
        for source, target in (
            (g.add("flow.start").then, items.enter), (items.body, fetch.enter), (fetch.then, keep.enter),
            (keep.then, add.enter), (items.done, nap.enter), (nap.then, answer.enter), (answer.received, ledger.enter),
            (ledger.then, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    return g.graph


class Jumping(Clock):
    """The time, and what a file says beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime.datetime:
        beside = float(self._file.read_text()) if self._file.exists() else 0.0
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=beside)


async def main(folder: Path, url: str, settings: dict[str, str]) -> None:
    sqlite.LEASE = recorder.LEASE = float(settings.get("lease", "30"))
    journal = tf.SqliteJournal(folder / "runs.db")
    journal.by = f"process {os.getpid()}"
    cancel_after = float(settings.get("cancel", "inf"))
    if "full" in settings:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(settings["full"]), hard))
    services = {Clock: Jumping(folder / "beside")}
    with trio.move_on_after(cancel_after):
        if "retry" in settings:
            opened = tf.resume_run(journal, "run", graph(folder, url), retry=True, services=services)
        else:
            opened = tf.open_run(graph(folder, url), journal=journal, run_id="run", services=services)
        async with opened as run:
            result = await run.result()
        (folder / "result").write_text(json.dumps(result.variables["total"]))


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), sys.argv[2], dict(each.split("=", 1) for each in sys.argv[3:]))
