"""Who has a run: a process of a host, for so long as its lease lasts (J14).

A lease is the promise to renew it; whoever finds it expired may take the run, whether its holder has died or was only
stopped, whose writes fail from then on. If the holder is known to be dead, nobody needs to wait for the lease.
"""

from __future__ import annotations

import functools
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import attrs

LEASE = 30.0
"""Seconds. It is renewed after a third of that."""


@attrs.frozen
class Owner:
    """A process, such that no other one is taken for it."""

    host: str
    """The host since it was started, and the space of process numbers on it."""
    process: int
    born: str
    """When it was started, as the system counts."""

    def __str__(self) -> str:
        return f"{self.host} {self.process} {self.born}"

    @property
    def shown(self) -> str:
        """For messages."""
        return f"process {self.process} on {self.host.partition('/')[0]}"


def read_owner(text: str) -> Owner:
    """What `str` gave."""
    host, process, born = text.rsplit(" ", 2)
    return Owner(host, int(process), born)


def this_process() -> Owner:
    """Who we are. Not cached: a process may have been forked."""
    return Owner(_host(), os.getpid(), _born(os.getpid()))


def is_dead(owner: Owner) -> bool:
    """Whether a process is known to be gone; of other hosts nothing is known, but of this one before it restarted."""
    here = _host()
    if owner.host != here:
        return owner.host.partition("/")[0] == here.partition("/")[0] and owner.host.split("/")[1] != here.split("/")[1]
    try:
        os.kill(owner.process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is there, and not ours
    return _born(owner.process) != owner.born


def boot_time() -> float:
    """Seconds since the host was started: a clock that nobody sets, and that goes on while the host sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@functools.cache
def _host() -> str:
    boot = space = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}/{boot}/{space}"


def _born(process: int) -> str:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "?"
    fields = status.rpartition(")")[2].split()
    return "dead" if fields[0] in {"Z", "X"} else fields[19]
