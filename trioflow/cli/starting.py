"""Ctrl-C while Python still imports the command line ends that at once, with its exit code and without a traceback.

Importing this module is enough. It does nothing in other programs.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

INTERRUPTED = 130
_PYTHONS = signal.default_int_handler


def is_command_line() -> bool:
    """Whether this process was started as `trioflow` or `python -m trioflow`, and has got no further than importing."""
    if sys.argv[:1] == ["-m"]:
        started = sys.orig_argv
        return started[started.index("-m") + 1] in {"trioflow", "trioflow.cli"}
    return os.path.basename("".join(sys.argv[:1])).removesuffix(".exe") == "trioflow"  # noqa: PTH119


def imported() -> None:
    """From here on there may be something to clean up: Ctrl-C is what it is in any program in Python."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _PYTHONS)


def _leave(signum: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


if (
    is_command_line()
    and threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is _PYTHONS  # not where it is ignored
):
    signal.signal(signal.SIGINT, _leave)
