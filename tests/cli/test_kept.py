"""What is said of a run that is kept while it waits."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.cli.display import Display
from trioflow.cli.kept import tell_signals

with tf.build() as g:
    g.connect(g.add("flow.start").then, g.add("flow.wait_signal", name="paid").enter)


class Told(Display):
    """Has the lines; the first one says that there is one."""

    def __init__(self):
        super().__init__()
        self.lines, self.first = [], trio.Event()

    def line(self, text):
        self.lines.append(text)
        self.first.set()


@pytest.mark.parametrize(
    ("open_journal", "option"),
    [
        (lambda folder: tf.SqliteJournal(folder / "runs.db"), "{}/runs.db"),
        (lambda folder: tf.FileJournal(folder / "runs"), "{}/runs"),
        (lambda _: tf.MemoryJournal(), "JOURNAL"),  # as that of a database, whose address may have a password in it
    ],
    ids=["sqlite", "files", "neither"],
)
def test_how_a_signal_is_sent_is_said_once(open_journal, option, tmp_path):
    async def main():
        told = Told()
        journal = open_journal(tmp_path)
        async with tf.open_run(g.graph, journal=journal, run_id="a") as run, trio.open_nursery() as nursery:
            nursery.start_soon(tell_signals, run, told)
            await told.first.wait()
            await trio.sleep(0.3)  # in which it looks again
            await run.signal("paid")
            await run.result()
            nursery.cancel_scope.cancel()
        return told.lines

    assert trio.run(main) == [
        "waiting for the signal 'paid'; to send it: trioflow runs signal a paid --payload JSON --journal "
        + option.format(tmp_path)
    ]


def test_a_run_that_is_not_kept_waits_for_no_signal():
    with tf.build() as g:
        g.add("flow.start")

    async def main():
        async with tf.open_run(g.graph) as run:
            await tell_signals(run, Display())

    trio.run(main)
