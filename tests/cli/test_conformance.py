"""`trioflow conformance port`: real ports, and what a person is told of them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

import pytest
from cli.conftest import COMMAND
from cli.test_live import Terminal
from conformance.ports import GRAPH, command

from trioflow.conformance import crashing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")

ALL = ["core", "data", "failure", "state", "limit", "fork", "stream", "time", "event", "life", "validation", "action"]
ANSWERS_FIVE = "serve(lambda request: say(result(request, variables={'v': 5})))"


@pytest.fixture
def vectors(tmp_path):
    """A folder of vectors: what each expects of the variable, by name."""

    def write(**expected):
        folder = tmp_path / "vectors"
        folder.mkdir(exist_ok=True)
        for name, (rule, value) in expected.items():
            tree = {"name": name, "rules": [rule], "graph": GRAPH, "expect": {"variables": {"v": value}}}
            (folder / f"{name}.json").write_text(json.dumps(tree))
        return folder

    return write


@pytest.fixture
def check(cli, tmp_path, vectors):
    """Check a port, given as a script, in this process; options come before."""

    def run(script, *options, **expected):
        folder = vectors(**(expected or {"good": ("D2", 5)}))
        return cli(
            "conformance", "port", "--vectors", folder, "--examples", 0, *options, "--", *command(tmp_path, script)
        )

    return run


def test_a_port_that_passes(check):
    """One line sums up; with `--all` the counts by rule and level stand before it."""
    ended = check(ANSWERS_FIVE, "--seed", 3, one=("D2", 5), two=("D10", 5), three=("D2", 5))
    assert ended.out == "test (Python): 3 passed; seed 3\n"
    ended = check(ANSWERS_FIVE, "--seed", 3, "--all", one=("D2", 5), two=("D10", 5), three=("D2", 5))
    assert ended.code == 0
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["│", "D2", "│", "2", "passed", "│"] in rows
    assert rows[-1] == "test (Python): 3 passed; seed 3".split()
    assert ended.err == ""


def test_a_port_that_fails(check, tmp_path):
    """A diagnosis comes first, then failures with their rules, in words and in files; known ones do not count."""
    options = ["--save-failures", "saved", "--junit", "junit.xml"]
    expected = {"good": ("D2", 5), "bad": ("D4", 6)}
    ended = check(ANSWERS_FIVE, *options, **expected)
    assert ended.code == 1
    assert ended.out.startswith(
        "diagnosis: look at rule D4 first: 1 of its 1 check failed, from level 0 on.\n"
        "  the smallest: bad: variables.v: expected 6, got 5\n"
        "\n"
        "failed: bad [D4]: variables.v: expected 6, got 5\n"
    )
    rows = [line.split()[1] for line in ended.out.splitlines() if line.startswith("│")]
    assert rows == ["D4"], "of D2 nothing has failed"
    assert "wrote saved/bad.json" in ended.out
    saved = json.loads((tmp_path / "saved" / "bad.json").read_text())
    assert saved["expect"] == {"variables": {"v": 6}}
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("test (Python)", "2", "1")

    (tmp_path / "known.txt").write_text("bad  # cells are not implemented\n")
    ended = check(ANSWERS_FIVE, "--baseline", "known.txt", **expected)
    assert ended.code == 0
    assert "1 passed, 1 known" in ended.out

    (tmp_path / "known.txt").write_text("bad\ngood\n")
    ended = check(ANSWERS_FIVE, "--baseline", "known.txt", **expected)
    assert ended.code == 1
    assert ended.out.startswith("failed: baseline: good: stale: this check does not fail any more.")


def test_a_saved_failure_is_a_vector(check, cli, tmp_path):
    """The folder of saved failures can be given as vectors again."""
    check(ANSWERS_FIVE, "--save-failures", "saved", bad=("D4", 6))
    ended = cli("conformance", "port", "--vectors", "saved", "--examples", 0, "--", *command(tmp_path, ANSWERS_FIVE))
    assert (ended.code, "failed: bad [D4]: variables.v: expected 6, got 5" in ended.out.splitlines()) == (1, True)


def test_many_failures_are_cut(check):
    """Ten are shown, those of the rule to look at first before others; `--all` shows all."""
    many = {"a": ("G2", 1), **{f"v{number:02}": ("D2", 1) for number in range(30)}}
    ended = check(ANSWERS_FIVE, **many)
    assert ended.out.startswith("diagnosis: look at rule D2 first: 30 of its 30 checks failed, from level 0 on.\n")
    assert "  then at G2 (1 of its 1 check failed)\n" in ended.out
    assert ended.out.count("\nfailed: v") == 10
    assert "and 21 more failures; --all shows them, and --junit writes all" in ended.out
    ended = check(ANSWERS_FIVE, "--all", **many)
    assert (ended.out.count("\nfailed: v"), "more failures" in ended.out) == (30, False)


def test_only_some_rules_or_levels(check, vectors):
    """What is not asked for is not counted."""
    folder = vectors(one=("D2", 5), two=("F3", 6))
    tree = json.loads((folder / "one.json").read_text())
    (folder / "high.json").write_text(json.dumps({**tree, "name": "high", "level": 1}))
    high = f"serve(lambda request: say(result(request, variables={{'v': 5}})), level=3, capabilities={ALL})"
    assert "test (Python): 2 passed; seed" in check(high, "--rule", "D2", one=("D2", 5)).out
    assert "test (Python): 1 passed; seed" in check(high, "--rule", "D2", "--level", 0, one=("D2", 5)).out
    assert "1 passed, 1 failed, 1 skipped" in check(ANSWERS_FIVE, one=("D2", 5)).out


@pytest.mark.slow
def test_a_port_that_breaks_off(check):
    """Whatever a port does is a finding; one that breaks too often is given up."""
    ended = check("serve(lambda request: sys.exit('lost'))", **{f"v{number:02}": ("D2", 1) for number in range(30)})
    assert ended.code == 1
    assert "failed: v00 [D2]: it ended with exit code 1, instead of giving an answer." in ended.out
    assert "  lost\n" in ended.out
    assert ": 22 failed; seed" in ended.out


def test_a_port_that_does_not_start_or_stop(check):
    """Both are checks of their own, about no rule."""
    ended = check("sys.exit(3)")
    assert ended.code == 1
    assert ended.out.startswith("failed: port: start: it ended with exit code 3, instead of giving an answer.\n")
    ended = check(f"{ANSWERS_FIVE}\nsys.exit(5)")
    assert ended.code == 1
    assert ended.out.startswith("failed: port: stop: it was told to stop and ended with exit code 5, instead of 0.\n")
    assert ["│", "no", "rule", "│", "1", "failed", "│"] in [line.split() for line in ended.out.splitlines()]


# --- bad usage


def test_bad_usage(check, cli, tmp_path, vectors):
    """What can't be used is told in a line each, with exit code 2, before anything runs."""
    folder = vectors(one=("D2", 5))
    (tmp_path / "binary").write_bytes(b"\xff")
    start = ["conformance", "port", "--vectors", folder]
    for arguments, said in [
        (
            [*start, "--rule", "d2", "--", "cat"],
            "error: --rule d2: no vector is about this rule. Did you mean 'D2'?\n",
        ),
        ([*start, "--", "nosuchcommand"], "error: 'nosuchcommand' can't be started: No such file or directory.\n"),
        ([*start, "--baseline", "none", "--", "cat"], "error: --baseline none: it can't be read: No such file"),
        ([*start, "--baseline", "binary", "--", "cat"], "error: --baseline binary: it can't be read: 'utf-8' codec"),
        (["conformance", "port", "--vectors", "none", "--", "cat"], "error: none: there is no such folder."),
        (["conformance", "port"], "Error: Missing argument 'COMMAND...'."),
        ([*start, "--level", "4", "--", "cat"], "Error: Invalid value for '--level'"),
    ]:
        ended = cli(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
    (folder / "bad.json").write_text('{"name": "x", "rules": "D2", "graph": {}, "expect": {}}')
    ended = check(ANSWERS_FIVE)
    assert ended.code == 2
    assert 'vectors: bad.json: rules: expected a list, got text "D2"\n' in ended.err
    assert 'vectors: bad.json: graph: the key "trioflow"' in ended.err


def test_files_that_can_not_be_written(check, tmp_path):
    (tmp_path / "file").write_text("")
    for option in ("--save-failures", "--junit"):
        ended = check(ANSWERS_FIVE, option, "file/inside", bad=("D2", 6))
        assert ended.code == 2
        assert "it can't be written: Not a directory." in ended.err
        assert ("failed" in ended.out) == (option == "--save-failures")  # a report's place is looked at beforehand


def test_without_its_extra(cli, monkeypatch):
    """Without Hypothesis there is a line that says how to install it."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "hypothesis" else find(name))
    ended = cli("conformance", "port", "--", "cat")
    assert ended.code == 2
    assert "python -m pip install 'trioflow[testing]'" in ended.err
    assert cli("conformance", "port", "--help").code == 0


# --- how far it is, and Ctrl-C

SLOW = """
def run(request):
    if len(seen) == 1:
        open("port.pid", "w").write(str(os.getpid()))
        time.sleep(60)
    seen.append(request)
    say(result(request, variables={"v": 5}))
seen = []
serve(run)
"""


@pytest.fixture
def start(tmp_path, vectors):
    """Start a check of a port that hangs at the second vector."""

    def begin(make):
        folder = vectors(a=("D2", 6), b=("D2", 5), c=("D2", 5))
        options = ["--vectors", str(folder), "--examples", "0", "--junit", "junit.xml"]
        return make([*COMMAND, "conformance", "port", *options, "--", *command(tmp_path, SLOW)])

    return begin


def hanging(folder):
    """Wait until the port hangs; gives its process id."""
    deadline = time.monotonic() + 30
    while not (folder / "port.pid").exists() or not (folder / "port.pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int((folder / "port.pid").read_text())


@pytest.mark.slow
def test_ctrl_c(start, tmp_path):
    """What was found until then is told and filed, the port is killed, the exit code is 130."""
    running = start(
        lambda command: subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
    )
    port = hanging(tmp_path)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "\nfailed: a [D2]: variables.v: expected 6, got 5\n" in out
    assert "test (Python): interrupted: 1 failed; seed" in out
    assert err == ""
    assert ET.parse(tmp_path / "junit.xml").getroot().get("tests") == "1"
    with pytest.raises(ProcessLookupError):
        os.kill(port, 0)


EACH_SLOW = SLOW.replace('"port.pid"', 'f"{os.getpid()}.port"').replace("str(os.getpid())", "str(os.getppid())")


@pytest.mark.slow
def test_ctrl_c_with_several_jobs(tmp_path, vectors):
    """All processes and their ports end at once, though they are in the middle of a check; what was found is told."""
    folder = vectors(a=("D2", 6), b=("D2", 5), c=("D2", 5), d=("D2", 5), e=("D2", 5))
    options = ["--vectors", str(folder), "--jobs", "2"]
    running = subprocess.Popen(
        [*COMMAND, "conformance", "port", *options, "--", *command(tmp_path, EACH_SLOW)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len([path for path in tmp_path.glob("*.port") if path.read_text()]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    began = time.monotonic()
    out, err = running.communicate(timeout=30)
    assert time.monotonic() - began < 15
    assert running.returncode == 130
    assert all(line.startswith("vectors: ") for line in err.splitlines()), err  # progress, and no traceback
    assert "test (Python): interrupted: 1 passed, 1 failed; seed" in out
    for path in tmp_path.glob("*.port"):
        for process in (path.stem, path.read_text()):  # the port, and who has started it
            with pytest.raises(ProcessLookupError):
                os.kill(int(process), 0)


@pytest.mark.slow
def test_several_jobs(check):
    """The report is that of one job; a process of the kit that dies is a finding of its own."""
    expected = {f"v{number}": ("D2", 5 + number % 2) for number in range(6)}
    alone = check(ANSWERS_FIVE, "--seed", 1, **expected)
    assert check(ANSWERS_FIVE, "--seed", 1, "--jobs", 3, **expected)[:2] == alone[:2]
    kills = "serve(lambda request: os.kill(os.getppid(), signal.SIGKILL))"
    ended = check(kills, "--jobs", 2, v0=("D2", 5))
    assert ended.code == 1
    assert ended.out.startswith(
        "failed: kit: processes: a process of the kit was killed by SIGKILL while it checked 'v0'. Try --jobs 1.\n"
    )


@pytest.mark.slow
def test_the_engine(cli):
    """This engine passes, with several jobs as with one."""
    options = ["--rule", "T1", "--seed", 3]
    ended = cli("conformance", "engine", *options, "--jobs", 1)
    assert ended.code == 0
    assert cli("conformance", "engine", *options, "--jobs", 2)[:2] == ended[:2]


@pytest.mark.slow
def test_the_display(start, tmp_path):
    """A terminal shows how far the checks are, and what failed; the report stands below it when they are done."""
    terminal = start(lambda command: Terminal(command, tmp_path))
    hanging(tmp_path)
    terminal.read_until(b"vectors: b")
    terminal.read_until(b"1 failed")
    os.write(terminal.master, b"\x03")
    terminal.read_until()
    assert terminal.process.wait(30) == 130
    assert b"interrupted: 1 failed; seed" in terminal.seen


def test_kept_runs_that_die(cli, tmp_path, vectors):
    """J6, J8: at every operation of vectors and drawn graphs; resumed they come to the same."""
    ended = cli("conformance", "engine", "--durable", "--rule", "B2")
    assert (ended.code, ended.out.split(": ")[1].split(";")[0]) == (0, "0 faults")
    assert int(ended.out.split()[0]) >= 1
    assert cli("conformance", "engine", "--durable", "--examples", 2, "--vectors", vectors(good=("D2", 5))).code == 0
    ended = cli("conformance", "engine", "--durable", "--moments", "--rule", "S1", "--seed", 3)
    assert ended.code == 0
    assert " of them after a moment, and were resumed: 0 faults; " in ended.out
    assert cli("conformance", "engine", "--durable", "--rule", "ZZ").code == 2
    assert cli("conformance", "engine", "--durable", "--vectors", tmp_path / "none").code == 2


def test_kept_runs_that_come_to_something_else(cli, monkeypatch):
    """J6: it is found out, and said; only a few are listed."""
    monkeypatch.setattr(crashing, "deterministic", lambda _: True)
    monkeypatch.setattr(crashing, "crash_everywhere", lambda *_, **__: (_ for _ in ()).throw(AssertionError("no")))
    ended = cli("conformance", "engine", "--durable", "--level", 1, "--examples", 0)
    assert ended.code == 1
    assert ended.err.count("error: ") == 10
    assert "more" in ended.err
