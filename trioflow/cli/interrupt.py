"""Ctrl-C, and the terminal or the system that wants an end: the first one asks, the second one kills."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import trio

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def on_interrupt(ask: Callable[[], None], at_once: Callable[[], None]) -> Generator[None]:
    """At the first SIGINT, SIGTERM or SIGHUP, call `ask` from trio's loop, and leave the next one to the system.

    `trio.open_signal_receiver` would keep the second one from killing a process whose loop is held up by a body that
    never awaits, which is when people press Ctrl-C twice. `at_once` is called in the signal handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    token = trio.lowlevel.current_trio_token()
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    # A signal that the parent process has told us to ignore stays ignored: `nohup`, jobs in the background of scripts.
    ours = [each for each, handler in before.items() if handler is not signal.SIG_IGN]

    def handle(signum: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        at_once()
        token.run_sync_soon(ask)

    for each in ours:
        signal.signal(each, handle)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, before[each])
