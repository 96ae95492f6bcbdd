"""How many may run at once, by how it goes (P3)."""

from __future__ import annotations

from trioflow.policies.machines.throttle import Throttle


def test_halved_and_raised():
    """A failure halves it, once for all that began before; as many that go well raise it by one."""
    throttle = Throttle(8)
    assert (throttle.limit, throttle.succeeded(), throttle.limit) == (8, False, 8)
    assert (throttle.failed(0), throttle.limit) == (True, 4)
    assert (throttle.failed(0), throttle.limit) == (False, 4)
    assert [throttle.succeeded() for _ in range(4)] == [False, False, False, True]
    assert throttle.limit == 5
    assert [throttle.failed(era) for era in (1, 2, 3, 4)] == [True, True, False, False]
    assert throttle.limit == 1
    assert (throttle.succeeded(), throttle.limit) == (True, 2)
