"""How busy the host is: by psutil (extra `governor`), and in a container by what its control group may use."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from trioflow.errors import MissingExtra
from trioflow.policies.machines.flow import Load

CGROUP = Path("/sys/fs/cgroup")


class HostLoad:
    """Reads the load: each call gives it as it was since the call before. Raises `MissingExtra` without psutil.

    Where the process is in a control group (version 2) with limits of its own, they are what counts: processor time of
    the group over what it may use, and memory of the group that can't be given back against its limit.
    """

    def __init__(self, cgroup: Path = CGROUP) -> None:
        try:
            import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtra("A governor", "governor") from error
        self._psutil = psutil
        self._cgroup = cgroup
        self._cores = self._allowed()
        self._before = (time.monotonic(), self._used())
        psutil.cpu_percent()  # the first call says nothing

    def __call__(self) -> Load:
        """The load since the last call. Takes some 100 µs, and blocks so long."""
        cpu = self._psutil.cpu_percent()
        memory = float(self._psutil.virtual_memory().available)
        used, now = self._used(), time.monotonic()
        before, used_before = self._before
        self._before = (now, used)
        if self._cores is not None and used is not None and used_before is not None and now > before:
            cpu = 100 * (used - used_before) / (now - before) / self._cores
        most, current = self._number("memory.max"), self._number("memory.current")
        if most is not None and current is not None:
            memory = min(memory, most - current + self._of("memory.stat", "inactive_file"))
        return Load(min(100.0, cpu), memory)

    def _allowed(self) -> float | None:
        """How many processors the control group may use; None if it has no limit."""
        words = self._read("cpu.max").split()
        if len(words) != 2 or words[0] == "max":
            return None
        return min(os.cpu_count() or math.inf, int(words[0]) / int(words[1]))

    def _used(self) -> float | None:
        """Seconds of processor time that the control group has used."""
        used = self._of("cpu.stat", "usage_usec")
        return used / 1e6 if used else None

    def _number(self, name: str) -> float | None:
        text = self._read(name).strip()
        return float(text) if text.isdigit() else None

    def _of(self, name: str, key: str) -> float:
        for line in self._read(name).splitlines():
            word, _, value = line.partition(" ")
            if word == key:
                return float(value)
        return 0.0

    def _read(self, name: str) -> str:
        try:
            return (self._cgroup / name).read_text(encoding="ascii")
        except OSError:
            return ""
