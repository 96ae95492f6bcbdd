"""Messages are taken once, signals reach all that wait for them and do not come after them."""

from __future__ import annotations

from trioflow.formats.bpmn.bus import Bus, Race, Wait

MESSAGE, SIGNAL = Wait("m", "message", "hello"), Wait("s", "signal", "hello")


def test_a_message_waits_and_is_taken_once():
    bus, one, other = Bus(), Race(), Race()
    bus.send("hello", 1)
    bus.listen(MESSAGE, one)
    bus.listen(MESSAGE, other)
    assert (one.winner, one.payload, other.winner) == (MESSAGE, 1, None)
    bus.send("hello", 2)
    assert other.payload == 2


def test_a_race_that_is_over_takes_no_message():
    """Nor does it wait any more."""
    bus, over, other = Bus(), Race(), Race()
    bus.listen(MESSAGE, over)
    over.close()
    bus.send("hello", 1)
    bus.listen(MESSAGE, over)
    bus.listen(MESSAGE, other)
    assert (over.winner, other.payload) == (None, 1)


def test_a_signal_reaches_all_that_do_not_come_after_it():
    bus, early, late, behind = Bus(), Race(), Race(), Race([1])
    bus.listen(SIGNAL, early)
    assert bus.signal("hello", 1) == 1
    bus.listen(SIGNAL, late)
    bus.listen(SIGNAL, behind)
    assert (early.payload, late.payload, behind.winner) == (1, 1, None)
    assert bus.signal("other") == 2
    assert bus.signal("hello", 3) == 3
    assert (early.serial, late.serial, behind.serial) == (1, 1, 3)


def test_a_signal_decides_no_race_twice():
    bus, race = Bus(), Race()
    bus.signal("hello", 1)
    race.win(MESSAGE, 0)
    bus.listen(SIGNAL, race)
    assert (race.winner, race.serial) == (MESSAGE, 0)
