"""Names that nearly are known ones."""

from __future__ import annotations

from trioflow.formats.alike import Alike

KNOWN = ["func", "property", "propertyType", "x"]


def test_slips():
    alike = Alike(0.8)
    said = {
        name: alike.near(name, KNOWN) for name in ("func", "funct", "propertyy", "propertytype", "y", "xx", "other")
    }
    assert said == {
        "func": None, "funct": "func", "propertyy": "property", "propertytype": "propertyType", "y": None, "xx": None,
        "other": None,
    }  # fmt: skip


def test_many_unknown_names_take_no_time():
    """Only the first are compared: who has so many means what he says."""
    alike = Alike(0.8)
    for number in range(1000):
        alike.near(f"other{number}", KNOWN)
    assert alike.near("funct", KNOWN) is None
