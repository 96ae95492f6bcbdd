"""What a report says of problems, whatever they are (M5)."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.semantics.report import error, warning


def test_rule():
    """A problem breaks the rule that its check names; of what no other rule says, M5 (M5)."""
    assert error("c", "nodes", "Found.", "Cure.", "M4").rule == "M4"
    assert error("c", "nodes", "Found.", "Cure.").rule == warning("c", "nodes", "Found.", "Cure.").rule == "M5"


def test_one_error():
    """A single error is not called errors (M5)."""
    with pytest.raises(tf.InvalidGraph) as caught:
        tf.Report((error("c", "nodes", "Found.", "Cure."),)).raise_for_errors()
    assert str(caught.value) == "The graph has 1 error:\n  error[c] nodes: Found. Cure."
