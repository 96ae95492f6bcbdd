"""Coverage is not measured where a test says so, and is measured elsewhere if it is anywhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = "import os; raise SystemExit('COVERAGE_PROCESS_CONFIG' in os.environ)"


def measured():
    """Whether this process is, and whether one that it starts will be."""
    coverage = sys.modules.get("coverage")
    here = coverage is not None and coverage.Coverage.current() is not None
    return here, bool(subprocess.run([sys.executable, "-c", ASK]).returncode)


@pytest.mark.unmeasured
def test_a_test_that_says_so():
    """Neither the test nor the processes that it starts."""
    assert measured() == (False, False)


def test_all_others_go_on():
    """After a test that was not measured, too."""
    wanted = "COVERAGE_PROCESS_CONFIG" in os.environ
    assert measured() == (wanted, wanted)
