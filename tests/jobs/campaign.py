"""Workers that are killed and stopped at random, while they run jobs: nothing is lost, and nothing is done twice.

`python tests/jobs/campaign.py --jobs 10000 --faults 500 --postgres`. Each job has steps that are recorded, and a
transaction that enters it into a ledger. At the end all jobs are done, and each is in the ledger once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import trio

import trioflow as tf
from trioflow.jobs import Queue

HERE = Path(__file__).parent
LEASE = 2.0
STEPS = 3


def graph() -> tf.Graph:
    return tf.loads(
        json.dumps(
            {
                "trioflow": "1.0",
                "variables": [{"name": "job", "type": "str", "default": ""}],
                "nodes": [
                    {"id": "start", "type": "flow.start"},
                    {"id": "each", "type": "flow.for", "inputs": {"times": STEPS}},
                    {"id": "name", "type": "variable.get", "inputs": {"name": "job"}},
                    {"id": "work", "type": "campaign.work"},
                    {"id": "enter", "type": "campaign.enter"},
                ],
                "connections": [
                    {"from": "start.then", "to": "each.enter"},
                    {"from": "each.body", "to": "work.enter"},
                    {"from": "each.index", "to": "work.number"},
                    {"from": "name.result", "to": "work.job"},
                    {"from": "name.result", "to": "enter.job"},
                    {"from": "each.done", "to": "enter.enter"},
                ],
            }
        )
    )


class Campaign:
    """Some workers of a store, and what is done to them."""

    def __init__(
        self, journal: tf.Journal, store: str, folder: Path, seed: int = 0, runs: int = 20, lease: float = LEASE
    ) -> None:
        self.lease = lease
        self.journal, self.store, self.folder, self.runs = journal, store, folder, runs
        self.random = random.Random(seed)
        self.world = folder / "world"
        self.world.touch()
        self.log = folder / "log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.stopped: list[tuple[float, subprocess.Popen[bytes]]] = []
        self.faults: Counter[str] = Counter()

    def start(self) -> None:
        environment = {**os.environ, "CAMPAIGN_WORLD": str(self.world), "PYTHONPATH": f"{HERE}:{HERE.parent.parent}"}
        command = [sys.executable, "-m", "trioflow", "worker", "--store", self.store, "--nodes", "campaign_nodes"]
        with self.log.open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [*command, "--lease", f"{self.lease}s", "--runs", str(self.runs)],
                    env=environment,
                    stderr=log,
                    cwd=HERE,
                )
            )

    def put(self, jobs: int) -> list[str]:
        names = [f"job-{number}" for number in range(jobs)]
        queue = Queue(self.journal, limit=max(jobs, 1))

        async def put() -> None:
            for begin in range(0, jobs, 500):
                await queue.put_many(graph(), [{"job": name} for name in names[begin : begin + 500]], attempts=50)

        self.journal.transaction(lambda database: database.execute("create table ledger(job text)"))
        trio.run(put)
        return names

    def fault(self, *, pauses: float = 1.5 * LEASE) -> None:
        """Kill a worker, or stop it for longer than its lease; another one is started in its place."""
        worker = self.random.choice(self.workers)
        self.workers.remove(worker)
        if self.random.random() < 0.5:
            worker.kill()
            worker.wait()
            self.faults["killed"] += 1
        else:
            worker.send_signal(signal.SIGSTOP)
            self.stopped.append((time.monotonic() + pauses, worker))
            self.faults["stopped"] += 1
        self.start()

    def wake(self, *, all_: bool = False) -> None:
        """Let those go on that were stopped long enough; then they are surplus, and end."""
        for due, worker in [*self.stopped]:
            if all_ or time.monotonic() > due:
                self.stopped.remove((due, worker))
                worker.send_signal(signal.SIGCONT)
                time.sleep(0.3)  # it tries to write what it had in hand
                worker.terminate()
                self.workers_ended = worker.wait(20)

    def waiting(self) -> int:
        counts = tf.jobs.Queue(self.journal).store.counts()
        return sum(count for (_, status), count in counts.items() if status in {"queued", "leased"})

    def close(self) -> None:
        for _, worker in self.stopped:
            worker.send_signal(signal.SIGCONT)
        for worker in [*self.workers, *(worker for _, worker in self.stopped)]:
            worker.terminate()
        for worker in [*self.workers, *(worker for _, worker in self.stopped)]:
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()

    def came(self, names: list[str]) -> dict[str, int]:
        """What is wrong, and how often what happened."""
        store = Queue(self.journal).store
        done = store.jobs(status="done", limit=10**9)
        ledger = Counter(
            row[0] for row in self.journal.transaction(lambda database: database.execute("select job from ledger"))
        )
        world = Counter(self.world.read_text().splitlines())
        unknown = [each.id for each in done if self.journal.show(each.id).status != "completed"]
        return {
            "jobs": len(names),
            "done": len(done),
            "lost": sum(ledger[name] == 0 for name in names) + len(unknown),
            "doubled": sum(count > 1 for count in ledger.values()),
            "effects": len(world),
            "effects begun again": sum(count - 1 for count in world.values()),
            "leases lost": self.log.read_text(errors="replace").count("its lease was lost"),
            **self.faults,
        }


def run(campaign: Campaign, jobs: int, faults: int, workers: int, seconds: float, pause: float) -> dict[str, int]:
    """A campaign from its beginning: gives what came of it."""
    names = campaign.put(jobs)
    try:
        for _ in range(workers):
            campaign.start()
        end = time.monotonic() + seconds
        while campaign.waiting() and time.monotonic() < end:
            time.sleep(campaign.random.uniform(0.5, 1.5) * pause)
            campaign.wake()
            if sum(campaign.faults.values()) < faults:
                campaign.fault()
        campaign.wake(all_=True)
        while campaign.waiting() and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        campaign.close()
    return campaign.came(names)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--jobs", type=int, default=500)
    arguments.add_argument("--faults", type=int, default=25)
    arguments.add_argument("--workers", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--seconds", type=float, default=300.0)
    arguments.add_argument("--pause", type=float, default=1.0, help="seconds between two faults, about")
    arguments.add_argument("--postgres", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = str(folder / "jobs.db")
        if given.postgres:
            sys.path.insert(0, str(HERE.parent))
            from postgres import fresh_address

            store = fresh_address()
        journal = tf.PostgresJournal(store) if given.postgres else tf.SqliteJournal(store)
        begun = time.monotonic()
        came = run(
            Campaign(journal, store, folder, given.seed),
            given.jobs,
            given.faults,
            given.workers,
            given.seconds,
            given.pause,
        )
        print(json.dumps({**came, "seconds": round(time.monotonic() - begun, 1)}, indent=1))
        if isinstance(journal, tf.PostgresJournal):
            journal.close()
        if came["lost"] or came["doubled"] or came["done"] != came["jobs"]:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
