"""What is kept of what a run tells."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.studio.frames import MOST_MESSAGES
from trioflow.studio.scene import Scene
from trioflow.studio.watching import Watcher

from .pages import registry, summing

E = tf.events


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (E.Feedback("it's <b>", "info", None), "info: it's <b>"),
        (E.Progress(1, 4, "files"), "1 of 4 files"),
        (E.Progress(2.5, None, ""), "2.5"),
        (E.BreakpointFailed("b1", ValueError("no")), "b1: its condition failed: ValueError: no"),
        (E.MergeConflict("v", 1, 2), "v: 1 was kept, 2 lost"),
        (E.LimitReached("max_steps", 10), "the limit max_steps of 10 was reached"),
        (E.EvaluationFailed(ValueError("no")), "ValueError: no"),
    ],
)
def test_what_is_said(event, text):
    """Each in a line for people, with its node."""
    watcher = Watcher(Scene(summing(), registry()))
    watcher(event.at("r", 1, 0.5, (1,), "add", 0))
    (message,) = watcher.messages
    assert (message["text"], message["node"], message["path"], message["time"]) == (text, 3, "1", 0.5)


def test_old_messages_are_dropped():
    """The last ones are kept, with their numbers."""
    watcher = Watcher(Scene(summing(), registry()))
    for number in range(MOST_MESSAGES + 50):
        watcher.say("Note", str(number))
    assert [watcher.messages[0]["n"], watcher.messages[-1]["n"]] == [51, MOST_MESSAGES + 50]


def test_nodes_that_are_not_drawn():
    """They are counted in what was looked at, and nowhere else."""
    watcher = Watcher(Scene(summing(), registry()))
    watcher(E.NodeStarted(None).at("r", 1, 0.5, (1,), "elsewhere", 0))
    assert watcher.drain() and not watcher.drain()
    assert (watcher.looked, watcher.counts, watcher.flow) == (1, {}, {})


def test_how_far_a_node_has_come():
    """Of how much, and how long the rest takes at that pace; another activation begins anew."""
    watcher = Watcher(Scene(summing(), registry()))

    def progress(path, time, done, total=10, node="add"):
        watcher(E.Progress(done, total, "files").at("r", 1, time, path, node, 0))
        return watcher.progress.get("3", {}).get("left")

    assert progress((1,), 5.0, 0) is None
    assert progress((1,), 6.0, 2) == 4
    assert watcher.progress["3"] == {"done": 2, "total": 10, "message": "files", "left": 4}
    assert progress((1,), 9.0, 10) == 0
    assert progress((2,), 10.0, 0) is None
    assert progress((2,), 11.0, 1, None) is None
    progress((1,), 5.0, 0, node="elsewhere")
    assert [*watcher.progress] == ["3"]
