"""Journals that older versions have written are read, and their runs gone on with, as if nothing had happened."""

from __future__ import annotations

import shutil

import pytest
from durable.golden import ACTED, DYING, GOLDENS, go

import trioflow as tf

FORMATS = sorted(path.name for path in GOLDENS.iterdir())
WHOLE = ["kinds", "once", *range(4), *range(10, 16), "fails", "last"]
LEFT = {
    "at the beginning": WHOLE, "in items": WHOLE[4:], "in a loop": WHOLE[10:], "at the end": ["last"], "never": [],
    "waits": ["fails", "last"],
}  # fmt: skip
"""What is still to be done."""


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["files", "runs.db"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_journal_of_another_version(tmp_path, name, kind):
    """What was recorded is not done again, and comes back as it was."""
    golden = GOLDENS / name / kind
    if kind == "files":
        shutil.copytree(golden, tmp_path / kind)
        journal = tf.FileJournal(tmp_path / kind)
    else:
        shutil.copy(golden, tmp_path / kind)
        journal = tf.SqliteJournal(tmp_path / kind)
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
