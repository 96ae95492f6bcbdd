"""What the checks are run with, and what they tell."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import tests.__main__ as checks

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = [Requirement(line) for line in re.findall(r"^(\w[^\\\n]*)", LOCK, re.MULTILINE)]


def wanted(requirements):
    """The packages that these and the extras of trioflow among them ask for."""
    for each in map(Requirement, requirements):
        if each.name == "trioflow":
            for extra in each.extras:
                yield from wanted(PROJECT["optional-dependencies"][extra])
        else:
            yield each


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_lock_has_a_version_of_all_that_is_asked_for(python, platform):
    """One for each Python and system, and one that pyproject.toml allows."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": platform}
    here = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate(environment)]
    pinned = {pin.name: str(pin.specifier).removeprefix("==") for pin in here}
    assert len(pinned) == len(here)
    for each in wanted([*PROJECT["dependencies"], "trioflow[dev]"]):
        assert each.specifier.contains(pinned[each.name.lower().replace("_", "-")]), each


def test_the_lock_works_with_any_registry():
    """It names no host, and each version has its hashes."""
    assert not re.search(r"://|^\s*-(?!-hash=)", LOCK, re.MULTILINE)
    assert len(re.findall(r"^\w.* \\\n +--hash=sha256:\w{64}", LOCK, re.MULTILINE)) == len(PINS)


def test_what_was_not_checked_is_counted(tmp_path):
    """Reasons of skipped tests, those of most tests first; failures that are expected are none."""
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.skipif(True, reason='no dot')\n"
        "def test_a(): pass\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_b(n): pytest.skip('no node')\n"
        "@pytest.mark.xfail\n"
        "def test_c(): assert False\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml", "report.xml"]
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert list(checks.not_checked(tmp_path / "report.xml").items()) == [("no node", 2), ("no dot", 1)]
