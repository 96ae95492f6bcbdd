"""The display for terminals: what runs, how often, how far, redrawn ten times a second below what is printed."""

from __future__ import annotations

import io
import itertools
import os
import sys
from typing import TextIO

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trioflow.cli.counted import counted
from trioflow.cli.display import Display, Watched
from trioflow.formats import visible
from trioflow.semantics.events import Feedback, Progress

_REDRAW_EVERY = 0.1
_MOST_NODES = 12
_MOST_PENDING = 1 << 16
_LONGEST_BAR = 30
_LONGEST_NAME = 20
_LEVELS = {"debug": "dim", "info": "cyan", "warning": "yellow", "error": "bold red"}


def display_for(stream: TextIO) -> Display:
    """A live display if the stream is a terminal that can move its cursor, otherwise plain lines."""
    return LiveDisplay(stream) if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb" else Display()


class LiveDisplay(Display):
    """Draws on a terminal. What the graph prints, and feedback, scrolls by above."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)
        self._run: Watched | None = None
        self._progress: dict[str, Progress] = {}
        self._replaced: list[tuple[str, TextIO]] = []
        # What goes above the drawing the next time it is drawn: text as it is, or styled.
        self._pending: list[str | Text] = []
        self._pending_size = 0
        self._asking = False
        self._live = self._drawing()

    def _drawing(self) -> Live:
        """One that begins where the cursor is."""
        return Live(
            console=self._console,
            auto_refresh=False,  # a thread of its own would read the counts while they change
            transient=True,
            redirect_stdout=False,  # what goes into a pipe or a file is not touched
            redirect_stderr=False,
            vertical_overflow="crop",
            get_renderable=self._render,
        )

    def open(self, run: Watched) -> None:
        self._run = run
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream.isatty():
                self._replaced.append((name, stream))
                setattr(sys, name, _Above(self))
        self._live.start()

    def close(self) -> None:
        for name, stream in self._replaced:
            getattr(sys, name).end_line()
            setattr(sys, name, stream)
        self._replaced.clear()
        self._write_pending()
        self._live.stop()

    async def refresh(self) -> None:
        while True:
            if not self._asking:
                self._write_pending()
                self._live.refresh()
            await trio.sleep(_REDRAW_EVERY)

    def ask(self, text: str) -> None:
        """Leave the terminal to somebody who types behind this text: nothing is drawn until `answered`."""
        self._live.stop()
        self._write_pending()
        self._asking = True
        self.write(text)

    def write(self, text: str) -> None:
        """Write something as it is, while nothing is drawn."""
        self._stream.write(text)
        self._stream.flush()

    def answered(self) -> None:
        """Draw again, from a line of its own on."""
        self._asking = False
        self._live = self._drawing()
        self._live.start()

    def show_cursor(self) -> None:
        """Give the terminal its cursor back at once. Safe in a signal handler."""
        os.write(self._stream.fileno(), b"\x1b[?25h")

    def line(self, text: str | Text) -> None:
        # The drawing is taken away and drawn anew around what goes above it, so that is done for many lines at once.
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size > _MOST_PENDING:
            self._write_pending()

    def feedback(self, event: Feedback) -> None:
        level = Text(visible(f"{event.level}: "), style=_LEVELS.get(event.level, ""))
        self.line(level + Text(visible(f"{event.node}: {event.message}")))

    def progress(self, event: Progress) -> None:
        assert event.node is not None
        self._progress[event.node] = event

    def _write_pending(self) -> None:
        pending, self._pending, self._pending_size = self._pending, [], 0
        for styled, lines in itertools.groupby(pending, lambda line: isinstance(line, Text)):
            if styled:
                self._console.print(*lines, sep="\n", soft_wrap=True)
            else:
                self._console.out("\n".join(map(str, lines)), highlight=False)

    def _render(self) -> RenderableType:
        if self._run is None:
            return Text()
        now = self._run.statistics()
        done, strands = counted(now.steps, "step"), counted(now.strands, "strand")
        head = Text(f"{now.status.value}  {now.elapsed:.1f} s  {done}  {strands}", "bold")
        left = self.left(now.elapsed)
        if left is not None:
            head.append(f"  about {left:.0f} s left")
        parts: list[RenderableType] = [head]
        if self._progress:
            parts.append(self._bars())
        if self.tally.nodes:
            parts.append(self._table())
        return Group(*parts)

    def _bars(self) -> Table:
        bar_width = min(_LONGEST_BAR, self._console.width // 4)
        table = Table.grid(padding=(0, 2))
        for width in (None, bar_width, None, None):
            table.add_column(no_wrap=True, width=width)
        for node, event in self._progress.items():
            name = Text(visible(node))
            name.truncate(_LONGEST_NAME, overflow="ellipsis")
            done = Text(f"{event.done:,g}")
            if event.total:
                bar = ProgressBar(total=event.total, completed=min(event.done, event.total))
                done.append(f" of {event.total:,g}")
            else:
                bar = ProgressBar(total=None)
            message = Text(visible(event.message), style="dim")
            # The message gets what the other columns leave; a table would take it from all of them.
            room = self._console.width - name.cell_len - bar_width - done.cell_len - 8
            message.truncate(max(0, room), overflow="ellipsis")
            table.add_row(name, bar, done, message)
        return table

    def _table(self) -> Table:
        room = max(1, min(_MOST_NODES, self._console.height - 5 - len(self._progress)))
        # The busiest nodes first, among equals in the order of their first start.
        nodes = sorted(self.tally.nodes.items(), key=lambda item: (-item[1].active, -item[1].failed))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=40)
        for _ in range(3):
            table.add_column(no_wrap=True, justify="right")
        for node, tally in nodes[:room]:
            table.add_row(
                Text(visible(node)),
                Text(f"{tally.active:,} active", style="green" if tally.active else "dim"),
                Text(f"{tally.done:,} done"),
                Text(f"{tally.failed:,} failed" if tally.failed else "", style="red"),
            )
        if len(nodes) > room:
            table.add_row(Text(f"and {len(nodes) - room:,} more nodes", style="dim"))
        return table


class _Above(io.TextIOBase):
    """Stands for a terminal's stdout or stderr while the display is up: whole lines go above what is drawn."""

    def __init__(self, display: LiveDisplay) -> None:
        self._display = display
        self._begun = ""
        self._asking = False
        self._answered = ""

    def write(self, text: str) -> int:
        if self._asking:
            self._display.write(text)
            self._answered = text
            if text.endswith("\n"):
                self.end_line()
        else:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._display.line(line)
        return len(text)

    def flush(self) -> None:
        """A line that was begun is wanted to be seen: a question, until flushed once more with nothing added to it."""
        if self._begun:
            self._display.ask(self._begun)
            self._asking, self._begun = True, ""
        elif self._asking and not self._answered:
            self.end_line()
        self._answered = ""

    def end_line(self) -> None:
        """Write what was begun and not ended; what was asked is answered."""
        if self._begun:
            self._display.line(self._begun)
            self._begun = ""
        if self._asking:
            self._asking = False
            self._display.answered()

    def isatty(self) -> bool:
        return True

    def writable(self) -> bool:
        return True
