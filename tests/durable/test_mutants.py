"""Each rule of kept runs, broken in a small way, is noticed by the test of that rule."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest
from durable import (
    test_agenda,
    test_audit,
    test_changes,
    test_checkpoint,
    test_forking,
    test_moments,
    test_moments_open,
    test_outbox,
    test_policies,
    test_running,
    test_signals,
    test_stores,
    test_suspending,
    test_undoing,
)

import trioflow as tf
from trioflow.conformance.mutants import Mutant
from trioflow.durable import deeds, forking, retrying, running
from trioflow.durable.activation import JournalledActivation, JournalledTimeLimit
from trioflow.durable.agenda import JournalledAgenda
from trioflow.durable.blobs import lifted
from trioflow.durable.elapsed import Elapsed
from trioflow.durable.memory import _MemorySession
from trioflow.durable.moment import Moment
from trioflow.durable.observing import Held
from trioflow.durable.outbox import Outbox
from trioflow.durable.recorder import Cutoff, Recorder
from trioflow.durable.recording import Recording
from trioflow.durable.scopes import KeptScope
from trioflow.durable.waiting import Waits
from trioflow.runtime.workflow.scope import ScopeRun


def in_memory(test, *given):
    """Run a test of the rule with a journal in memory."""
    return lambda folder: test(tf.MemoryJournal(), *given)


def often(probe):
    """A probe that notices under some orders of tasks only, which trio draws: where the rule is broken it is asked often."""

    def probed(folder):
        for _ in range(40 if folder.name == "broken" else 1):
            probe(folder)

    return probed


def alone(test, *given):
    """Run a test of the rule that makes its own journal."""
    return lambda folder: test(*given)


def on_disk(test):
    """Run a test of the rule that needs a folder."""
    return test


MUTANTS = [
    (Mutant("j1_recorded_ones_dispatch", "J1", "", ((Recording.__call__, "if outcome.dispatched:", "if False:"),)), in_memory(test_running.test_recorded_bodies_dispatch_nothing)),
    (Mutant("j2_asks_the_time_anew", "J2", "", ((JournalledActivation.now, "return found", "pass"),)), in_memory(test_running.test_what_a_context_is_asked)),
    (Mutant("j3_acts_before_it_is_durable", "J3", "", ((Recording.__call__, "await recorder.before_effect()", "pass"),)), alone(test_running.test_a_record_is_durable_before_the_next_effect)),
    (Mutant("j4_no_intent", "J4", "", ((Recording._intend, "recorder.put(intent, name, INTENT, None)", "pass"),)), in_memory(test_running.test_in_doubt)),
    (Mutant("j5_a_transaction_without_its_record", "J5", "", ((Recording._transact, "return [Entry(key, context.name, DONE, dump(said))]", "return []"),)), on_disk(test_running.test_a_transaction_and_its_record_are_one)),
    (Mutant("j6_does_it_again", "J6", "", ((Recording.__call__, "known is not None and known.kind == DONE", "known is not None and known.kind == RAN"),)), in_memory(test_running.test_it_goes_on_where_it_was)),
    (Mutant("j6_depends_on_nothing", "J6", "", ((Recording._evaluate, 'said.get("r", ())', "()"),)), in_memory(test_running.test_what_a_recorded_value_depends_on, "before n")),
    (Mutant("j7_fails_with_another", "J7", "", ((Recording._again, 'raise decode_failure(said["e"])', 'raise OSError("y")'),)), in_memory(test_running.test_failures)),
    (Mutant("j8_cut_off_is_not_kept", "J8", "", ((Recorder.put_late, "key in self.closed", "True"),)), in_memory(test_running.test_a_race_has_the_same_winner)),
    (Mutant("j8_failures_come_at_once", "J8", "", ((Recorder.in_turn, "if not self._is_ahead(entry):", "if True:"),)), often(alone(test_undoing.test_all_that_was_done_is_undone, test_undoing.CUT_OFF["failed"], 10**9, 1))),
    (Mutant("j8_cuts_off_what_undoes", "J8", "", ((Recorder._cut_off, "if each in self.undoing:", "if False:"),)), alone(test_undoing.test_all_that_was_done_is_undone, test_undoing.CUT_OFF["race"], 10**9, 1)),
    (Mutant("j9_begins_anew", "J9", "", ((JournalledTimeLimit.__enter__, "if known is None:", "if True:"),)), in_memory(test_running.test_a_time_limit_expires_again)),
    (Mutant("j9_before_all_is_replayed", "J9", "", ((Recorder._expire, "while self._is_run_again_inside(cutoff):", "while False:"),)), in_memory(test_running.test_what_had_ended_in_time_ends_again)),
    (Mutant("j9_what_was_cut_off_is_over", "J9", "", ((Cutoff.holds, "return self.scope is not None", "return False"),)), in_memory(test_running.test_a_time_limit_around_a_wait_expires_again, "set")),
    (Mutant("j9_the_limit_begins_anew", "J9", "", ((Elapsed.entry, "self.before +", "0.0 +"),)), in_memory(test_running.test_the_time_limit_of_a_run)),
    (Mutant("j10_sleeps_all_of_it_again", "J10", "", ((JournalledActivation._sleep, "min(max(remaining, 0.0), seconds)", "seconds"),)), in_memory(test_running.test_timers, 4.0, 6.0)),
    (Mutant("j10_longer_for_a_clock_set_back", "J10", "", ((JournalledActivation._sleep, "min(max(remaining, 0.0), seconds)", "max(remaining, 0.0)"),)), in_memory(test_running.test_timers, -100.0, 10.0)),
    (Mutant("j11_another_seed", "J11", "", ((running._prepare, "seed=new.seed", "seed=given.options.seed"),)), in_memory(test_running.test_what_a_context_is_asked)),
    (Mutant("j12_other_inputs_are_as_good", "J12", "", ((Recording._again, 'said.get("i", digest) != digest', "False"),)), in_memory(test_running.test_other_inputs)),
    (Mutant("j12_another_node_is_as_good", "J12", "", ((Recorder.find, "entry.node != node", "False"),)), in_memory(test_running.test_another_node)),
    (Mutant("j13_another_graph_is_as_good", "J13", "", ((running._look_at, 'resuming.on_change == "refuse"', "False"),)), alone(test_changes.test_what_has_changed_in_the_graph)),
    (Mutant("j14_whoever_has_lost_it_writes", "J14", "", ((_MemorySession._mine, "raise lost(self._kept.new.id)", "pass"),)), in_memory(test_running.test_whoever_loses_its_run_does_nothing_more)),
    (Mutant("j16_one_more_is_kept", "J16", "", ((forking.fork_run, "before(entries, tuple(at), run_id)", "[*entries]"),)), alone(test_forking.test_a_fork_does_again_what_comes_after)),
    (Mutant("j17_told_again", "J17", "", ((Held.__call__, "not self._recorder.replaying or", "True or"),)), in_memory(test_running.test_observers_are_not_told_again)),
    (Mutant("j16_undone_before_it_failed", "J16", "", ((forking._is_behind, "return by < end and not end.startswith(by)", "return True"),)), alone(test_undoing.test_a_fork_before_it_was_undone, test_undoing.failing, "wrong", ["fails 0"])),
    (Mutant("j18_what_was_undone_stays_undone", "J18", "", ((retrying._undone, "if not on_the_way:", "if False:"),)), alone(test_undoing.test_a_retry_does_again_what_was_undone, test_undoing.failing, 10**9)),
    (Mutant("j18_undoes_what_the_graph_undid", "J18", "", ((retrying._undone, "if not on_the_way:", "if True:"), (retrying._undone, "entries[first:]", "entries[:]"))), alone(test_undoing.test_a_retry_does_again_what_was_undone, test_undoing.on_the_way, 10**9)),
    (Mutant("j24_handled_before_the_join", "J24", "", ((JournalledAgenda._comes_after_the_join, "return known is not None and", "return False and known is not None and"),)), alone(test_agenda.test_what_the_hosts_events_put_off, 10**9)),
    (Mutant("j24_does_not_wait_for_the_host", "J24", "", ((JournalledAgenda._again, "await all_blocked()", "pass"),)), alone(test_agenda.test_what_the_hosts_events_put_off, 10**9)),
    (Mutant("j26_forgets_what_may_be_undone", "J26", "", ((ScopeRun.has_to_undo, "not each.begun and", "False and"),)), alone(test_undoing.test_what_is_undone_is_behind_no_moment)),
    (Mutant("j26_undone_before_all_else", "J26", "", ((Moment.covers, "self._undone(part) if self.at else part", "part"),)), alone(test_undoing.test_what_undoes_is_as_old_as_what_it_undoes)),
    (Mutant("j18_waits_to_be_cut_off_again", "J18", "", ((retrying._not_cut_off, 'said.pop("c", None)', 'said.get("c")'),)), alone(test_undoing.test_a_retry_of_what_ended_while_it_was_cut_off)),
    (Mutant("j18_only_the_failure_is_forgotten", "J18", "", ((retrying.retry, "place >= after and entry.key > key", "False and entry.key > key"),)), in_memory(test_running.test_retry)),
    (Mutant("j20_is_forgotten", "J20", "", ((_MemorySession.rewrite, "kept.history += all_lifted(superseded)[0]", "pass"),)), in_memory(test_stores.test_rewriting)),
    (Mutant("j21_taken_twice", "J21", "", ((Recorder._look, "signal.number not in self.taken", "True"),)), alone(test_signals.test_each_is_taken_once_in_order)),
    (Mutant("j22_while_others_work", "J22", "", ((Waits.all_wait.fget, "state.busy == len(", "state.busy >= len("),)), alone(test_suspending.test_not_while_anything_else_goes_on)),
    (Mutant("j22_inside_of_a_time_limit", "J22", "", ((Waits.all_wait.fget, "or self.limits", ""),)), alone(test_suspending.test_not_inside_of_a_time_limit)),
    (Mutant("j23_policies_forget", "J23", "", ((Recording._put, 'said["p"] = remembered', "pass"),)), alone(test_policies.test_an_open_breaker_stays_open, 50, ["c"], ["CircuitOpen"])),
    (Mutant("j24_begins_anew", "J24", "", ((JournalledActivation.due_in, "return found", "pass"),)), alone(test_agenda.test_timers_of_the_agenda)),
    (Mutant("j26_handled_once_more", "J26", "", ((JournalledAgenda._all_gone, "or host.may_put_off(asked)", ""),)), alone(test_checkpoint.test_hearing_for_ever, 1, False)),
    (Mutant("j26_a_firing_is_counted_twice", "J26", "", ((KeptScope._moment, "steps + own.steps - 1", "steps + own.steps"),)), alone(test_moments_open.test_a_circle_here_and_there, "inclusive")),
    (Mutant("j25_events_of_the_host_are_not_kept", "J25", "", ((Recorder.put_published, "self.put(entry.key, event, PUBLISHED, payload)", "pass"),)), alone(test_agenda.test_the_hosts_events, "run")),
    (Mutant("j27_stays_in_the_record", "J27", "", ((lifted, "len(text) <= LIMIT", "True"),)), in_memory(test_stores.test_large_values_are_kept_once)),
    (Mutant("j28_nobody_knows", "J28", "", ((deeds.note, "store.note(run_id, deed(what, by or store.by, detail))", "pass"),)), alone(test_audit.test_from_its_beginning_to_its_end)),
    (Mutant("j29_told_again", "J29", "", ((Outbox.__call__, "if key in self._keys:", "if False:"),)), alone(test_outbox.test_without_gaps_or_doubles, [1, 3])),
    (Mutant("j29_forgets_what_was_told", "J29", "", ((Outbox.go_on, "| Counter(told)", ""),)), alone(test_outbox.test_beside_moments, lambda: test_moments.nested("flow.while", rounds=20))),
]  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize(("mutant", "probe"), MUTANTS, ids=[each.name for each, _ in MUTANTS])
def test_noticed(mutant: Mutant, probe, tmp_path: Path):
    """The test of a rule passes, and fails when the rule is broken."""
    for name in ("whole", "broken", "again"):
        (tmp_path / name).mkdir()
    probe(tmp_path / "whole")
    # A test that fails does not close what it has opened.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        with mutant.alive(), pytest.raises(BaseException):  # noqa: B017, PT011 - whatever its assertions come to
            probe(tmp_path / "broken")
        gc.collect()
    probe(tmp_path / "again")
