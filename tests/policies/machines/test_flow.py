"""How fast nodes may start, by how busy the host is (P4)."""

from __future__ import annotations

import pytest

from trioflow.policies.machines.flow import Flow, Load

PLENTY = 2**40


@pytest.mark.parametrize(
    ("loads", "rates"),
    [
        ([0, 70, 77.5, 85], [50, 50, 25, 0]),
        ([85, 84, 71, 69, 84], [0, 0, 0, 50, pytest.approx(50 / 15)]),
    ],
)
def test_rates(loads, rates):
    """All up to the soft mark, none from the hard one on; once stopped, on again only below the soft one."""
    flow = Flow(50)
    assert [flow.at(Load(cpu, PLENTY)) for cpu in loads] == rates


def test_memory():
    """With too little memory nothing starts, however idle the processors are."""
    flow = Flow(50)
    assert [flow.at(Load(0, mib * 2**20)) for mib in (511, 512)] == [0, 50]
    assert [flow.at(Load(75, mib * 2**20)) for mib in (511, 512)] == [0, 0]
