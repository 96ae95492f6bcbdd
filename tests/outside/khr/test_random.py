"""Random behaviour graphs do the same here and by an interpreter written from the standard's text."""

from __future__ import annotations

import pytest
from outside.khr import importing
from outside.khr.comparing import difference

pytestmark = pytest.mark.unmeasured

COUNT = 60
"""How many here; `python -m outside.khr.comparing`, in `tests/`, compares 20,000."""


def test_engine_and_interpreter_agree():
    assert {seed: found for seed in range(COUNT) if (found := difference(seed))} == {}


@pytest.mark.parametrize("op", ["flow/for", "flow/multiGate", "flow/waitAll", "flow/setDelay", "flow/sequence"])
def test_a_difference_is_found(op: str, monkeypatch: pytest.MonkeyPatch):
    """With a flow node that does nothing they don't agree."""

    async def nothing(*_: object) -> None:
        return None

    _, enters, outputs = importing._EXEC[op]
    monkeypatch.setattr(importing, "_EXEC", {**importing._EXEC, op: (nothing, enters, outputs)})
    assert any(difference(seed) for seed in range(COUNT))
