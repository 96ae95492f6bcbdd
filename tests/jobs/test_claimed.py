"""What a worker changes about a journal, and what it does not."""

from __future__ import annotations

import trioflow as tf
from trioflow.jobs.claimed import ClaimedJournal


def test_what_a_journal_says_of_itself_stays():
    """Whether and when there are moments is the journal's, for workers, too."""
    for checkpoint in (None, tf.Checkpoint(every=7, history=False)):
        journal = tf.MemoryJournal()
        journal.checkpoint = checkpoint
        claimed = ClaimedJournal(journal, lambda transaction: None)
        assert (claimed.checkpoint, claimed.blocking) == (checkpoint, journal.blocking)
        assert (claimed.ready(0.0), repr(claimed)) == ([], repr(journal))
