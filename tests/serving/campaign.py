"""Three workers and a server, left under load while they are killed, stopped and updated.

`python tests/serving/campaign.py --seconds 300 --postgres`. The server has a nightly graph and a webhook. Its clock is
turned on by a night every few seconds; orders are posted, each twice, whatever becomes of the server. At the end every
order and every night is a job that is done, once, and whatever was told is counted.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import trio

import trioflow as tf
from trioflow.jobs.queue import Queue, variables_of
from trioflow.serving import Server
from trioflow.serving.signing import sign
from trioflow.serving.triggers import triggers_in

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "jobs")]
SECRET = "not so secret"  # noqa: S105 - of this campaign alone
TRIGGERS = {
    "night": {"cron": "30 2 * * *", "missed": "all", "graph": "job", "value": "job"},
    "orders": {"webhook": "/orders", "secret": "KEY", "graph": "job", "value": "job"},
}


class TurnedClock(tf.Clock):
    """A clock that others turn on: a file says by how many days."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime.datetime:
        days = len(self._file.read_bytes())
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)


def journal_at(store: str) -> tf.Journal:
    return tf.PostgresJournal(store) if store.startswith("postgres") else tf.SqliteJournal(store)


def serve(store: str, days: Path, port: int) -> None:
    """The server, in a process of its own. It runs no jobs: workers do."""
    from campaign import graph

    graphs = {"job": graph()}
    triggers = triggers_in({"triggers": TRIGGERS}, graphs)

    async def run() -> None:
        server = Server(
            journal_at(store), graphs, triggers, tokens=["token"], secrets={"KEY": SECRET}, runs=0, look=0.3,
            clock=TurnedClock(days),
        )  # fmt: skip
        async with server.serve(port=port):
            await trio.sleep_forever()

    trio.run(run)


class Site:
    """The server, whoever posts to it, and the nights."""

    def __init__(self, store: str, folder: Path, seed: int) -> None:
        self.store, self.folder = store, folder
        self.days = folder / "days"
        self.days.touch()
        self.random = random.Random(seed)
        self.port = 20_000 + os.getpid() % 20_000
        self.server: subprocess.Popen[bytes] | None = None
        self.orders: list[str] = []
        self.answers: Counter[str] = Counter()
        self.begin()

    def begin(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{HERE.parent / 'jobs'}:{HERE.parent.parent}"}
        command = [sys.executable, str(HERE / "campaign.py"), "--serve", self.store, str(self.days), str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(command, env=environment, stderr=log, cwd=HERE)

    def kill(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.wait()
        self.begin()

    def post(self) -> None:
        """An order, twice; again and again until the server has said that it has it."""
        name = f"order-{len(self.orders)}"
        body = json.dumps(name).encode()
        headers = {"x-hub-signature-256": sign(SECRET, body), "idempotency-key": name}
        self.orders.append(name)
        times, end = 0, time.monotonic() + 60
        while times < 2:
            if time.monotonic() > end:
                raise TimeoutError(f"The server takes no orders:\n{(self.folder / 'server.log').read_text()[-2000:]}")
            try:
                url = f"http://127.0.0.1:{self.port}/hooks/orders"
                answer = httpx.post(url, content=body, headers=headers, timeout=5.0, trust_env=False)
                self.answers[str(answer.status_code)] += 1
                times += answer.status_code < 300
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1
            if times < 2:
                time.sleep(0.1)

    def night(self) -> None:
        with self.days.open("ab") as days:
            days.write(b".")


def run(
    seconds: float, *, postgres: bool, faults: float, seed: int = 0, nights: float = 10.0, workers: int = 3
) -> dict[str, object]:
    """A campaign: gives what came of it. `faults` and `nights` are seconds between two, about."""
    from campaign import Campaign
    from postgres import fresh_address

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = fresh_address(durable=True) if postgres else str(folder / "jobs.db")
        journal = journal_at(store)
        crew = Campaign(journal, store, folder, seed, runs=10, lease=2.0, kinds=("kill", "stop", "update"))
        journal.transaction(lambda database: database.execute("create table ledger(job text)"))
        site = Site(store, folder, seed)
        due = 0
        try:
            site.post()  # it is there
            site.night()
            begun = time.monotonic()
            for _ in range(workers):
                crew.start()
            next_fault, next_night = faults, nights
            while (now := time.monotonic() - begun) < seconds:
                site.post()
                crew.wake()
                crew.replace()
                if now > next_fault:
                    next_fault = now + faults * site.random.uniform(0.5, 1.5)
                    if site.random.random() < 0.2:
                        site.kill()
                        crew.faults["server killed"] += 1
                    else:
                        crew.fault()
                if now > next_night:
                    next_night = now + nights
                    site.night()
                time.sleep(site.random.uniform(0.0, 0.1))
            crew.wake(all_=True)
            end = time.monotonic() + 90
            due = len(site.days.read_bytes())
            store_ = Queue(journal).store
            while time.monotonic() < end:
                jobs = store_.jobs(limit=10**9)
                if all(job.ended for job in jobs) and sum("night" in str(job.key) for job in jobs) >= due:
                    break
                time.sleep(0.3)
        finally:
            crew.close()
            assert site.server is not None
            site.server.kill()
            site.server.wait()
        jobs = Queue(journal).store.jobs(limit=10**9)
        named = Counter(str(variables_of(job)["job"]) for job in jobs)
        ledger = Counter(
            row[0] for row in journal.transaction(lambda database: database.execute("select job from ledger"))
        )
        told = crew.log.read_text(errors="replace")
        came: dict[str, object] = {
            "orders": len(site.orders),
            "nights": due,
            "jobs": len(jobs),
            "jobs by status": dict(Counter(job.status for job in jobs)),
            "orders without a job": sum(named[each] == 0 for each in site.orders),
            "orders with two": sum(named[each] > 1 for each in site.orders),
            "night jobs": len(jobs) - len(site.orders),
            "lost": sum(ledger[each] == 0 for each in named),
            "doubled": sum(count > 1 for count in ledger.values()),
            "answers": dict(site.answers),
            "begun by attempts": told.count(": attempt "),
            "leases lost": told.count("its lease was lost"),
            "handed back": told.count(": handed back"),
            "told": dict(kinds_of(told).most_common()),
            "told by the server": dict(kinds_of((folder / "server.log").read_text(errors="replace")).most_common()),
            "tracebacks in the logs": told.count("Traceback")
            + (folder / "server.log").read_text(errors="replace").count("Traceback"),
            **crew.faults,
            "seconds": round(time.monotonic() - begun, 1),
        }
        if isinstance(journal, tf.PostgresJournal):
            journal.close()
        return came


def kinds_of(log: str) -> Counter[str]:
    """The lines of a log by kind, so that all of them can be read: without names, numbers and times."""
    names = re.compile(r"\b[0-9a-f]{8,}\b|\bworker [\w.-]+|\bjob [\w.-]+|'[^']*'|[\d.]+")
    return Counter(names.sub("…", line).strip() for line in log.splitlines() if line.strip())


def is_right(came: dict[str, object]) -> bool:
    """Whether every order and every night is a job that was done, once."""
    statuses = came["jobs by status"]
    return (
        statuses == {"done": came["jobs"]}
        and came["night jobs"] == came["nights"]
        and not any(came[name] for name in ("orders without a job", "orders with two", "lost", "doubled"))
    )


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--faults", type=float, default=3.0, help="seconds between two, about")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--postgres", action="store_true")
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("it was told to end"))  # its workers and its server end with it
    came = run(given.seconds, postgres=given.postgres, faults=given.faults, seed=given.seed)
    print(json.dumps(came, indent=1))
    if not is_right(came):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
