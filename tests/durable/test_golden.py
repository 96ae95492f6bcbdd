"""Journals that older versions have written are read, and their runs resumed, as if nothing had happened."""

from __future__ import annotations

import shutil

import pytest
from durable.golden import ACTED, DYING, DYING_LONG, GOLDENS, go

import trioflow as tf
from trioflow.durable.moment import moments_among

NAMES = sorted(path.name for path in GOLDENS.iterdir())
FORMATS = [name for name in NAMES if "moments" not in name]
WITH_MOMENTS = [name for name in NAMES if "moments" in name]
WHOLE = ["kinds", "once", *range(4), *range(10, 16), "fails", "last"]
LEFT = {
    "at the beginning": WHOLE, "in items": WHOLE[4:], "in a loop": WHOLE[10:], "at the end": ["last"], "never": [],
    "waits": ["fails", "last"],
}  # fmt: skip
"""What is still to be done."""


def copied(name, kind, folder):
    """A journal of a version, which may be written to."""
    golden = GOLDENS / name / kind
    if kind == "files":
        shutil.copytree(golden, folder / kind)
        return tf.FileJournal(folder / kind)
    shutil.copy(golden, folder / kind)
    return tf.SqliteJournal(folder / kind)


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["files", "runs.db"])
@pytest.mark.parametrize("name", WITH_MOMENTS)
def test_moments_of_another_version(tmp_path, name, kind):
    """J26: a run goes on from them, and nothing before is done again."""
    journal = copied(name, kind, tmp_path)
    everything = [*range(9), *range(100, 109), *range(200, 209)]
    for run_id, dies in DYING_LONG.items():
        moments = moments_among(journal.entries(run_id))
        assert {"in rounds": "rounds", "in a circle": "call/<scope>", "put off": "later"}[run_id] in {
            moment.node for moment in moments
        }
        assert len(journal.entries(run_id)) < 10
        assert journal.history(run_id)
        assert go(journal, run_id).variables["times"] == 9
        assert everything[everything.index(dies) :] == ACTED
    journal.vacuum()


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["files", "runs.db"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_journal_of_another_version(tmp_path, name, kind):
    """What was recorded is not done again, and comes back as it was."""
    journal = copied(name, kind, tmp_path)
    assert [each.id for each in journal.runs()] == [*DYING, "waits"]
    for run_id, left in LEFT.items():
        if left == WHOLE or run_id in {"in items", "in a loop", "waits"}:
            assert tf.send_signal(journal, run_id, "paid", {"by": "eve"}, key="1", by="eve")
        result = go(journal, run_id)
        assert sorted(map(str, ACTED)) == sorted(map(str, left)), run_id
        kept = result.variables["kept"]
        assert (repr(kept["error"]), kept["tuple"], kept["set"]) == (
            "ValueError('wrong', 3)",
            (1, {2: "two"}),
            {1, 2, 3},
        )
        assert (result.variables["times"], result.output("asks", "said"), result.output("last")) == (
            1,
            [7, True],
            "last",
        )
        if name != "format-1":  # which kept none
            assert journal.audit(run_id)[0].what == "started"
    journal.vacuum()
