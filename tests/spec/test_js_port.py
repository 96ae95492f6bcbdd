"""The JavaScript port: its own tests, and the conformance kit against it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.outside, pytest.mark.unmeasured]

PORT = Path(__file__).parents[2] / "spec" / "ports" / "js"
MISSING = "node not found: the JavaScript port was not checked"


@pytest.fixture
def node() -> str:
    """The command of Node.js, which has to be 20 or newer."""
    command = shutil.which("node")
    if command is None:
        pytest.skip(MISSING)
    version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 20:
        pytest.skip(f"node is {version}, the JavaScript port needs 20: it was not checked")
    return command


def test_its_own_tests_pass(node):
    """`node --test` passes in the folder of the port."""
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(PORT / "test.mjs")],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_conforms(node):
    """The port passes all vectors, and random graphs, at all levels."""
    command = [sys.executable, "-m", "trioflow", "conformance", "port", "--examples", "300"]
    done = subprocess.run(
        [*command, "--", node, str(PORT / "port.mjs")], check=False, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_missing_node_is_reported(monkeypatch, request, tmp_path):
    """Without Node.js the port's tests are skipped with a reason, not passed over in silence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="the JavaScript port was not checked"):
        request.getfixturevalue("node")
