"""Several processes that check: what they find, and what becomes of them."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from itertools import islice

import pytest

from trioflow.conformance.campaign import Campaign
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.judge import judge, judge_trace, requests, valid
from trioflow.conformance.mutants import check_mutants
from trioflow.conformance.port import PortFailure, ProcessPort
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import load_vectors
from trioflow.conformance.workers import Alone, WorkerDied, Workers

pytestmark = [pytest.mark.unmeasured, pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")]


class Mumbling(EnginePort):
    """Forgets what is said after the second time."""

    def run(self, request):
        answer = super().run(request)
        return {**answer, "feedback": answer["feedback"][:2]}


@pytest.fixture(scope="module")
def workers():
    with Workers(Mumbling, 2) as started:
        yield started


def waits(port, item):
    """The later, the quicker: they come back in another order than they were asked in."""
    time.sleep(0.05 * (4 - item))
    return item, port.name, os.getpid()


def test_in_the_order_of_the_items():
    """What is found comes in the order of the items, from several processes, which are kept for the next check."""
    with Workers(Mumbling, 2) as workers:
        found = [*workers.each(waits, range(4))]
        assert [item for item, _, _ in found] == [0, 1, 2, 3]
        processes = {process for _, _, process in found}
        assert len(processes) == 2
        assert os.getpid() not in processes
        assert {process for _, _, process in workers.each(waits, range(3, 4))} < processes
        assert [*workers.each(waits, ())] == []
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_alone():
    """Without other processes it is this one that checks."""
    assert [*Alone(Mumbling()).each(waits, [4, 3])] == [(4, "trioflow", os.getpid()), (3, "trioflow", os.getpid())]


@pytest.mark.parametrize("level", [1, 3])
def test_who_checks_is_not_seen(level, workers):
    """A campaign finds the same in one process and in several, and shrinks it to the same request."""

    def found(checker):
        port = Mumbling()
        of = requests(level, port.capabilities)
        made = Campaign(port, of, judge, judge_trace, level=level, seed=5, examples=30, valid=valid, checker=checker)
        made.run()
        return made.ran, [(each.name, each.rules, each.message, each.vector) for each in made.findings()]

    alone = found(Alone(Mumbling()))
    assert (alone[0], alone[1][0][0]) == (30, f"campaign L{level}: feedback")
    assert found(workers) == alone


def fails(port, item):
    if item == 1:
        raise PortFailure("given-up", "it has failed too often.", "  lost")
    if item == 2:
        raise ZeroDivisionError("never seen")
    return item


def test_what_a_check_raises(workers):
    """It is raised at its turn, as it was; what was found before it is not lost."""
    found = workers.each(fails, range(3))
    assert next(found) == 0
    with pytest.raises(PortFailure, match="too often") as failure:
        next(found)
    assert (failure.value.fault, failure.value.last_words) == ("given-up", "  lost")
    with pytest.raises(ZeroDivisionError) as other:
        [*workers.each(fails, [2])]
    assert 'raise ZeroDivisionError("never seen")' in other.value.__notes__[0]


def dies(port, item):
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if item == 4:
        os._exit(7)
    return item


def test_a_process_that_dies(workers):
    """It is told with what it was at, at its turn; nobody waits for it, and others take over."""
    for item, how in ((3, "was killed by SIGKILL"), (4, "ended with exit code 7")):
        found = workers.each(dies, [0, 1, item, 0, 0])
        assert [next(found), next(found)] == [0, 1]
        with pytest.raises(WorkerDied, match=f"a process of the kit {how} while it checked {item}. Try --jobs 1."):
            next(found)


def test_a_port_that_can_not_be_opened():
    """It is raised where the first check would have been made."""
    with Workers(partial(ProcessPort, ["nosuchcommand"]), 2) as workers:
        with pytest.raises(PortFailure, match="can't be started"):
            next(workers.each(waits, [0]))


class Silent:
    def show(self, *_):
        pass


def test_mutants(workers):
    """A process breaks the engine in itself only, and knows the mutants by their names."""
    vectors = [vector for vector in load_vectors(PACKAGED) if "B1" in vector.rules and not vector.explore]
    alone, found = (
        [*islice(check_mutants(Silent(), checker, vectors=vectors, examples=2), 2)]
        for checker in (Alone(EnginePort()), workers)
    )
    assert [(each.name, each.message) for each in found] == [(each.name, each.message) for each in alone]
    assert found[0].name == "mutant: b1_last_listener_first"
    assert "no vector" not in found[0].message


def test_who_has_asked_for_all_keeps_the_processes(workers):
    """Also if the end was not looked for: only who leaves off in the middle ends them."""
    first = workers.each(waits, [3, 4])
    processes = {next(first)[2], next(first)[2]}
    del first
    assert {process for _, _, process in workers.each(waits, [3, 4])} == processes
