"""Workers that are killed and stopped at random, while they run jobs: nothing is lost, and nothing is done twice.

`python tests/jobs/campaign.py --jobs 10000 --faults 500 --postgres`. Each job has steps that are recorded, and a
transaction that enters it into a ledger. At the end all jobs are done, and each is in the ledger once.

`--kinds` names what happens: workers are killed, stopped for longer than their lease, updated to another version of the
nodes; and with a PostgreSQL of its own, `cut`: the network drops everything without telling, `crash`: the server dies
and is started again, `full`: its disk is full for a while (a small file system is mounted, which root may do).
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
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import trio

import trioflow as tf
from trioflow.jobs import Queue, variables_of

HERE = Path(__file__).parent
LEASE = 2.0
STEPS = 3
KINDS = ("kill", "stop", "update", "cut", "crash", "full")


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
        self,
        journal: tf.Journal,
        store: str,
        folder: Path,
        seed: int = 0,
        runs: int = 20,
        lease: float = LEASE,
        kinds: Sequence[str] = ("kill", "stop"),
        database: Database | None = None,
    ) -> None:
        self.lease = lease
        self.kinds = kinds
        self.database = database
        self.version = 1
        self.journal, self.store, self.folder, self.runs = journal, store, folder, runs
        self.random = random.Random(seed)
        self.world = folder / "world"
        self.world.touch()
        self.log = folder / "log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.stopped: list[tuple[float, subprocess.Popen[bytes]]] = []
        self.leaving: list[subprocess.Popen[bytes]] = []
        self.faults: Counter[str] = Counter()

    def start(self) -> None:
        environment = {
            **os.environ,
            "CAMPAIGN_WORLD": str(self.world),
            "CAMPAIGN_VERSION": str(self.version),
            "PYTHONPATH": f"{HERE}:{HERE.parent.parent}",
        }
        command = [sys.executable, "-m", "trioflow", "worker", "--store", self.store, "--nodes", "campaign_nodes"]
        if self.version > 1:
            command += ["--changed"]  # those that would go on with what old ones have begun may be killed
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

    def fault(self, *, pauses: float = 1.5) -> None:
        """One of the kinds that were asked for. A worker that is killed, stopped or updated has another in its place."""
        kind = self.random.choice(self.kinds)
        self.faults[kind] += 1
        if kind in {"cut", "crash", "full"}:
            assert self.database is not None
            self.database.fault(kind, 1.2 * self.lease)
            return
        worker = self.random.choice(self.workers)
        self.workers.remove(worker)
        if kind == "kill":
            worker.kill()
            worker.wait()
        elif kind == "stop":
            worker.send_signal(signal.SIGSTOP)
            self.stopped.append((time.monotonic() + pauses * self.lease, worker))
        else:
            self.version += 1
            worker.terminate()
            self.leaving.append(worker)
        self.start()

    def wake(self, *, all_: bool = False) -> None:
        """Let those go on that were stopped long enough; then they are surplus, and end."""
        awake = [(due, worker) for due, worker in self.stopped if all_ or time.monotonic() > due]
        for each in awake:  # all of them, as one may hold a row that another one waits for
            self.stopped.remove(each)
            each[1].send_signal(signal.SIGCONT)
        if awake:
            time.sleep(0.3)  # they try to write what they had in hand
        for _, worker in awake:
            worker.terminate()
            self.leaving.append(worker)

    def left(self) -> None:
        """Wait for the end of those that were told to end."""
        for worker in self.leaving:
            worker.wait(60)

    def replace(self) -> None:
        """Start one for each that has ended by itself: it was begun while the store was away."""
        for worker in [*self.workers]:
            if worker.poll() is not None:
                self.workers.remove(worker)
                self.faults["could not begin"] += 1
                self.start()

    def waiting(self) -> int:
        try:
            counts = tf.jobs.Queue(self.journal).store.counts()
        except tf.JournalUnusable:
            return 1
        return sum(count for (_, status), count in counts.items() if status in {"queued", "leased"})

    def close(self) -> None:
        for _, worker in self.stopped:
            worker.send_signal(signal.SIGCONT)
        for worker in [*self.workers, *(worker for _, worker in self.stopped)]:
            worker.terminate()
        for worker in [*self.workers, *self.leaving, *(worker for _, worker in self.stopped)]:
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
        entered = [variables_of(each)["job"] for each in done]
        unknown = [each.id for each in done if self.journal.show(each.id).status != "completed"]
        return {
            "jobs": len(names),
            "done": len(done),
            "waiting": self.waiting(),
            "lost": len(names) - self.waiting() - len(done) + sum(ledger[each] == 0 for each in entered) + len(unknown),
            "doubled": sum(count > 1 for count in ledger.values()),
            "effects": len(world),
            "effects begun again": sum(count - 1 for count in world.values()),
            "leases lost": self.log.read_text(errors="replace").count("its lease was lost"),
            **self.faults,
        }


class Database:
    """A PostgreSQL of this campaign's own: behind a network that may be cut, on a disk that may be full."""

    def __init__(self, folder: Path, *, small: bool) -> None:
        from postgres import Proxy, Server, fresh_address

        self.disk = folder / "disk"
        self.disk.mkdir()
        self.mounted = small
        if small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(self.disk)], check=True)
        data = self.disk / "data"
        data.mkdir(mode=0o755)
        self.server = Server(data)
        address = fresh_address(self.server.address, durable=True)
        socket_folder = Path(address.partition("host=")[2].partition("&")[0])
        between = Path(tempfile.mkdtemp(prefix="pgcut"))
        self.proxy = Proxy(between, str(socket_folder / ".s.PGSQL.5432"))
        self.address = address.replace(str(socket_folder), str(between))
        self.direct = address

    def fault(self, kind: str, seconds: float) -> None:
        """For so long; then it is as before."""
        if kind == "cut":
            self.proxy.passes.clear()
            time.sleep(seconds)
            self.proxy.passes.set()
            return
        if kind == "full":
            with suppress(OSError), (self.disk / "filler").open("wb") as filler:
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
            time.sleep(seconds)
            (self.disk / "filler").unlink()
        else:
            pid = int((self.disk / "data" / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)  # as a crash: what was not on the disk is gone
            time.sleep(0.3 * seconds)
        self._is_there_again()

    def _is_there_again(self) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                self.server.start()
                with tf.PostgresJournal(self.direct, patience=1.0) as journal:
                    journal.runs(status="stuck")
                return
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)

    def close(self) -> None:
        """It is stopped, and its disk is gone."""
        self.proxy.close()
        with suppress(Exception):
            self.server.stop()
        if self.mounted:
            time.sleep(0.5)
            subprocess.run(["umount", "-l", str(self.disk)], check=False)


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
            campaign.replace()
            if sum(campaign.faults.values()) < faults:
                campaign.fault()
        campaign.wake(all_=True)
        while campaign.waiting() and time.monotonic() < end:
            time.sleep(0.1)
            campaign.replace()
        campaign.left()
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
    arguments.add_argument("--kinds", default="kill,stop", help=f"of {', '.join(KINDS)}")
    given = arguments.parse_args()
    kinds = given.kinds.split(",")
    if wrong := {*kinds} - {*KINDS}:
        arguments.error(f"--kinds: there is no {', '.join(wrong)}; there are {', '.join(KINDS)}")
    sys.path.insert(0, str(HERE.parent))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("it was told to end"))  # its workers and its server end with it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server is somebody else
        store = str(folder / "jobs.db")
        database = Database(folder, small="full" in kinds) if given.postgres else None
        journal: tf.Journal = tf.SqliteJournal(store)
        if database is not None:
            store, journal = database.address, tf.PostgresJournal(database.direct, patience=60.0)
        begun = time.monotonic()
        try:
            came = run(
                Campaign(journal, store, folder, given.seed, kinds=kinds, database=database),
                given.jobs,
                given.faults,
                given.workers,
                given.seconds,
                given.pause,
            )
        finally:
            if isinstance(journal, tf.PostgresJournal):
                journal.close()
            if database is not None:
                database.close()
        print(json.dumps({**came, "seconds": round(time.monotonic() - begun, 1)}, indent=1))
        if came["lost"] or came["doubled"] or came["done"] != came["jobs"]:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
