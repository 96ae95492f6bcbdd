"""The incomplete port in Perl: the conformance kit against it, at the level that it claims."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.outside, pytest.mark.unmeasured]

PORT = Path(__file__).parents[2] / "spec" / "ports" / "perl" / "port.pl"


@pytest.fixture
def perl() -> str:
    """The command of Perl, which has to have its core module JSON::PP."""
    command = shutil.which("perl")
    if command is None:
        pytest.skip("perl not found: the Perl port was not checked")
    found = subprocess.run([command, "-MJSON::PP", "-e", "1"], check=False, capture_output=True)
    if found.returncode:
        pytest.skip(f"{command} has no JSON::PP: the Perl port was not checked")
    return command


def ask(command: str, *requests: dict[str, object]) -> list[dict[str, object]]:
    """The port's answers to these requests, until the end of its input."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([command, str(PORT)], input=lines, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_conforms(perl):
    """The port passes the vectors that need only `core`, and random graphs, at level 0."""
    command = [sys.executable, "-m", "trioflow", "conformance", "port", "--examples", "300"]
    done = subprocess.run([*command, "--", perl, str(PORT)], check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_claims_what_it_has(perl):
    """It claims level 0 and `core`, no more."""
    [started] = ask(perl, {"type": "start", "contract": "2.0"})
    assert (started["level"], started["capabilities"]) == (0, ["core"])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"level": 1}, "level 1"),
        ({"options": {"max_steps": 5}}, "the option max_steps"),
        ({"script": [["emit"]]}, "the operation emit"),
        ({"script": [["get", "z"]]}, "unknown-socket z"),
    ],
)
def test_the_rest_is_skipped(perl, more, reason):
    """What it does not claim is answered `skipped`, with the reason, and the port goes on."""
    more = dict(more)
    beyond = {**_run(3, more.pop("script", [])), **more}
    skipped, result = ask(perl, beyond, _run(4, [["feedback"]]))
    assert skipped == {"type": "skipped", "id": 3, "reason": f"not claimed: {reason}"}
    assert (result["id"], result["feedback"]) == (4, [[[0, 0], None]])


def _run(number: int, script: list[object]) -> dict[str, object]:
    node = {"id": "n", "type": "script.exec", "initiator": True, "inputs": {"script": script}}
    return {"type": "run", "id": number, "graph": {"trioflow": "1.0", "nodes": [node]}}


def test_a_missing_perl_is_reported(monkeypatch, request, tmp_path):
    """Without Perl these tests are skipped with a reason, not passed over in silence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="the Perl port was not checked"):
        request.getfixturevalue("perl")


def test_a_perl_without_its_module_is_reported(monkeypatch, request, tmp_path):
    """Some systems part perl from its core modules: then the reason says so."""
    bare = tmp_path / "perl"
    bare.write_text("#!/bin/sh\nexit 2\n")
    bare.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="has no JSON::PP"):
        request.getfixturevalue("perl")
