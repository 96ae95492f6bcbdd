"""What a run looks like while it runs: live on a terminal, plain lines elsewhere. All of it on standard error."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trioflow.semantics import events

REFRESH = 10
"""Times a second."""


class Watcher:
    """Follows a run's events: what is active, what is done, what nodes report. An observer."""

    def __init__(self) -> None:
        self.active: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.progress: dict[str, events.Progress] = {}
        self.started = time.monotonic()

    def __call__(self, event: events.Event) -> None:
        node = event.node or ""
        match event:
            case events.NodeStarted():
                self.active[node] += 1
            case events.NodeCompleted() | events.NodeSkipped() | events.NodeFailed():
                self._close(node)
                self.done[node] += 1
            case events.NodeCancelled():
                self._close(node)
                self.cancelled[node] += 1
            case events.Progress():
                known = self.progress.get(node)
                # Concurrent items may report out of order.
                if known is None or event.done >= known.done or event.total != known.total:
                    self.progress[node] = event
            case events.Feedback():
                self.say(f"{event.level}: {event.message}")
            case events.MergeConflict():
                self.say(f"warning: variable {event.variable!r} was written by several strands; {event.kept!r} is kept")
            case _:
                pass

    def say(self, text: str) -> None:
        """A line for people."""
        click.echo(text, err=True)

    def summary(self) -> str:
        """One line, for the end."""
        done = self.done.total()
        seconds = time.monotonic() - self.started
        return f"{done:,} activations of {len(self.done)} nodes in {seconds:.1f} s"

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def _close(self, node: str) -> None:
        self.active[node] -= 1
        if not self.active[node]:
            del self.active[node]


class LiveWatcher(Watcher):
    """The same on a terminal: a picture that changes in place."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(file=sys.stderr)
        self._live = Live(
            console=self._console, refresh_per_second=REFRESH, get_renderable=self._picture, transient=True
        )

    def say(self, text: str) -> None:
        self._console.print(Text(text))

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def _picture(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("node")
        table.add_column("active", justify="right")
        table.add_column("done", justify="right")
        table.add_column("", ratio=1, no_wrap=True)
        for node in sorted({*self.active, *self.progress}):
            table.add_row(
                Text(node), f"{self.active[node]:,}", f"{self.done[node]:,}", self._progress_of(self.progress.get(node))
            )
        table.add_row("", "", "", Text(self.summary(), style="dim"))
        return table

    @staticmethod
    def _progress_of(progress: events.Progress | None) -> Text:
        if progress is None:
            return Text("")
        if not progress.total:
            return Text(f"{progress.done:,.0f} {progress.message}")
        filled = min(20, int(20 * progress.done / progress.total))
        bar = "━" * filled + "╌" * (20 - filled)
        return Text(f"{bar} {progress.done:,.0f} of {progress.total:,.0f} {progress.message}")


def watcher(*, plain: bool) -> Watcher:
    """The one that suits: live only if standard error is a terminal."""
    return LiveWatcher() if sys.stderr.isatty() and not plain else Watcher()
