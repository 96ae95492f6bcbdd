"""`trioflow bench`: real measurements of tiny sizes, in processes of their own as always."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from cli.conftest import COMMAND

from benchmarks.lib import page, results, targets
from benchmarks.lib.process import ask, cause_of_death
from benchmarks.lib.results import Measurement, Results
from benchmarks.lib.subject import SUBJECTS, Subject
from benchmarks.questions import QUESTIONS, WORKLOADS
from benchmarks.subjects import by_hand
from benchmarks.subjects import trioflow as ours

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Make a package that can't be imported, by the processes that measure."""

    def hide(name):
        (tmp_path / "hidden").mkdir(exist_ok=True)
        (tmp_path / "hidden" / f"{name}.py").write_text(f'raise ModuleNotFoundError("No module named {name!r}")')
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))

    return hide


@pytest.fixture
def measured():
    """Results as if they had been measured: seconds by (subject, workload, size), or what it died of."""

    def make(figures):
        found = results.new()
        found.rounds, found.complete = 2, True
        for (subject, workload, size), figure in figures.items():
            found.versions[subject] = "1.0"
            found.cannot.setdefault(subject, {})
            for round_ in range(2):
                died, seconds = (figure, []) if isinstance(figure, str) else (None, [figure])
                found.measurements.append(
                    Measurement(subject, workload, size, round_, seconds, memory_run=2**20, died=died)
                )
        return found

    return make


@pytest.mark.slow
def test_measuring(cli, tmp_path):
    """A table on stdout, raw figures in JSON, a picture for the question; exit code 0."""
    ended = cli(
        *("bench", "--question", "fan_out", "--subject", "by_hand", "--subject", "trioflow"),
        *("--sizes", "10,20", "--rounds", 1, "--limit", "1e9", "--out", "there"),  # however busy the machine is
    )
    assert ended.code == 0
    assert "fan_out: one output wired to N nodes, triggered once, per target" in ended.out
    assert "N = 10" in ended.out
    assert "by hand, in trio" in ended.out
    document = json.loads((tmp_path / "there" / "results.json").read_text())
    assert document["complete"] is True
    assert document["machine"]["python"] == sys.version.split()[0]
    assert set(document["versions"]) == {"by_hand", "trioflow"}
    rows = {(row["subject"], row["size"]): row for row in document["measurements"]}
    assert set(rows) == {(subject, size) for subject in ("by_hand", "trioflow") for size in (10, 20)}
    assert all(row["seconds"] and min(row["seconds"]) > 0 for row in rows.values())
    assert (tmp_path / "there" / "fan_out.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize("key", [subject.key for subject in SUBJECTS if subject.language == "python"])
def test_every_subject_has_a_file(key):
    """Whoever is in the list has a file of its own."""
    assert (Path(ours.__file__).parent / f"{key}.py").is_file()


def test_whoever_can_not_says_why():
    """For each workload a subject has a function, or a reason for having none."""
    for subject in (by_hand, ours):
        for name in WORKLOADS:
            assert hasattr(subject, name) or hasattr(subject, f"{name}_") or subject.CANNOT[name]


@pytest.mark.slow
def test_a_missing_peer(cli, without):
    """It is told with what installs it; everything else is measured; exit code 0."""
    without("burr")
    ended = cli(
        *("bench", "--question", "fan_out", "--subject", "burr", "--subject", "by_hand", "--sizes", 10),
        *("--rounds", 1, "--limit", "1e9"),
    )
    assert ended.code == 0
    assert "Burr is missing: No module named 'burr'; to measure it: pip install -e '.[bench-peers]'" in ended.out
    assert "by hand, in trio" in ended.out


def test_without_node(cli, monkeypatch):
    """Without Node.js its engines are missing, which is no failure."""
    monkeypatch.setenv("PATH", "")
    ended = cli("bench", "--question", "fan_out", "--subject", "rete", "--subject", "node_red")
    assert ended.code == 0
    for name in ("Rete", "Node-RED"):
        assert f"{name} is missing: Node.js with npm is not installed; to measure it: install Node.js" in ended.out


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_measured(tmp_path, sent):
    """Ctrl-C half-way: the results so far are written and shown, the process that measured has gone, exit code 130."""
    command = [*COMMAND, "bench", "--question", "loop", "--subject", "by_hand", "--sizes", "10,1_000_000_000"]
    with subprocess.Popen(
        [*command, "--limit", "1e9", "--out", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as running:
        try:
            measuring = wait_for_child(running.pid, "1000000000")
            running.send_signal(sent)
            shown, said = running.communicate(timeout=30)
        finally:
            if running.poll() is None:
                for child in psutil.Process(running.pid).children():
                    child.kill()  # it would measure on for minutes
            running.kill()
    assert running.returncode == 130
    assert "interrupted: what was measured is kept" in said
    assert "interrupted, not complete" in shown
    found = results.read(tmp_path / "out" / "results.json")
    assert not found.complete
    assert [(each.workload, each.size) for each in found.measurements] == [("loop", 10)]
    assert not measuring.is_running()


def wait_for_child(parent, word):
    """The process that was started with a word on its command line."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children():
            with contextlib.suppress(psutil.Error):
                if word in child.cmdline():
                    return child
        time.sleep(0.05)
    raise AssertionError(f"no process was started for {word}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--question", "lop"], "bench: there is no question 'lop'. Did you mean 'loop'? There are: loop, chain, "),
        (["--subject", "triofow"], "bench: there is no subject 'triofow'. Did you mean 'trioflow'?"),
        (["--sizes", "10,ten"], "bench: --sizes: expected whole numbers above zero"),
        (["--sizes", "0"], "bench: --sizes: expected whole numbers above zero"),
        (["--from", "nowhere.json"], "bench: --from nowhere.json: it can't be read: No such file or directory."),
        (["--from", "other.json"], "bench: --from other.json: expected the results.json that a measurement wrote"),
        (["--out", "other.json"], "bench: --out other.json: it can't be made a folder: File exists."),
        (["--rounds", "0"], "Invalid value for '--rounds'"),
    ],
)
def test_bad_usage(cli, tmp_path, arguments, message):
    """One line that says what and where; nothing is measured; exit code 2."""
    (tmp_path / "other.json").write_text('{"trioflow": "1.0"}')
    ended = cli("bench", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_lists(cli):
    """`list` names what there is to ask, and whom."""
    assert (
        cli("bench", "--question", "list").out.splitlines()[0] == "loop         What does one trigger cost, in a loop?"
    )
    assert cli("bench", "--subject", "list").out.splitlines()[1] == "trioflow         trioflow"


def test_outside_of_a_checkout(tmp_path):
    """The installed package alone has no benchmarks, and says where they are."""
    package = Path(sys.modules["trioflow"].__file__).parent
    shutil.copytree(package, tmp_path / "trioflow", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "trioflow.cli", "bench"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "the benchmarks are not part of the installed package. In a checkout of the repository" in done.stderr


def test_without_the_extra(cli, monkeypatch):
    """Without what measures and draws, it says which extra has it."""
    monkeypatch.setattr("trioflow.cli.bench._PACKAGES", ("matplotlib", "no_such_package"))
    ended = cli("bench")
    assert ended.code == 2
    assert "python -m pip install 'trioflow[bench]'" in ended.err


# --- the dead ---


def test_a_subject_that_dies_says_of_what():
    """What goes wrong in a measurement is its result; 2,000 nested calls are too many for Python alone."""
    assert ask(SUBJECTS[0], "measure", "chain_awaited", 2_000, limit=1e9)["died"].startswith("RecursionError: ")


@pytest.mark.slow
def test_a_subject_that_takes_too_long():
    """A measurement that goes on for longer than it may is ended."""
    assert ask(SUBJECTS[0], "measure", "loop", 10**9, limit=1.0) == {"died": "took more than 1 s"}


def test_nothing_is_left_of_a_measurement(tmp_path, monkeypatch):
    """What a subject puts into the folder for temporary files, as a trace is here, goes away with its process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert ask(SUBJECTS[1], "measure", "observers_file", 10, limit=1e9)["seconds"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "words", "cause"),
    [
        (-signal.SIGSEGV, "", "killed by SIGSEGV"),
        (134, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n", "JavaScript heap out of memory"),
        (1, "Traceback\nValueError: no\n", "ValueError: no"),
        (3, "", "exit code 3"),
    ],
)  # fmt: skip
def test_causes_of_death(code, words, cause):
    """A process that ended without an answer is told by its code and its last words."""
    assert cause_of_death(code, words) == cause


def test_who_died_is_marked(cli, measured, tmp_path):
    """In the table a cross, and below it what they died of."""
    figures = {("by_hand", "loop", 100): 1e-5, ("trioflow", "loop", 100): 1e-4, ("ryvencore", "loop", 100): "it fell"}
    results.save(measured(figures), tmp_path / "some.json")
    ended = cli("bench", "--from", "some.json", "--question", "loop")
    assert ended.code == 0
    assert "† it fell: ryvencore" in ended.out
    assert "1 µs" in ended.out


# --- what is made of results ---


def test_results_are_read_as_they_were_written(measured, tmp_path):
    """Writing and reading lose nothing."""
    made = measured({("trioflow", "loop", 100): 1e-4, ("burr", "loop", 100): "took too long"})
    results.save(made, tmp_path / "some.json")
    assert results.read(tmp_path / "some.json") == made


def test_targets(cli, measured, tmp_path):
    """A row for each target: measured, bound, reached or not; what was not measured is a dash."""
    figures = {
        ("by_hand", "loop", 100_000): 1.0,
        ("trioflow", "loop", 100_000): 4.5,
        ("by_hand", "emit", 100_000): 1.0,
        ("trioflow", "emit", 100_000): 1.9,
        ("burr", "loop", 1_000): 1.0,
        ("trioflow", "loop", 1_000): 0.01,
        ("burr", "loop", 100_000): "took too long",
    }
    results.save(measured(figures), tmp_path / "some.json")
    rows = {
        (cells[0], cells[1]): cells[2:5]
        for line in cli("bench", "--from", "some.json", "--targets").out.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│ ").split("│")]) == 6
    }
    assert rows["trigger in a loop", "by hand, with a check per step"] == ["≤ 4×", "4.5×", "no"]
    assert rows["concurrent emit, with join", "start_soon of an empty function"] == ["≤ 2×", "1.9×", "yes"]
    assert rows["every workload, from N = 1,000", "Burr"] == ["≥ 20× faster", "100×", "yes"]
    assert rows["re-used demand", "awaited function"] == ["≤ 2×", "-", "-"]


def test_targets_are_about_what_is_measured():
    """Each target names workloads and subjects that there are, and `--targets` asks for all of them."""
    asked = {workload.name for question in targets.questions() for workload in question.workloads}
    subjects = {subject.key for subject in SUBJECTS}
    for target in targets.TARGETS:
        if isinstance(target, targets.AtMost):
            assert {target.workload, target.other} <= asked
            assert target.subject in subjects
        else:
            assert set(target.workloads) <= asked
            assert target.peer in subjects


def test_a_table_for_the_page(measured, tmp_path):
    """Between its marks in a file: a row for each subject that was measured, and which file it came from."""
    figures = {
        ("by_hand", "loop", 10_000): 0.005,
        ("trioflow", "loop", 10_000): 0.01,
        ("rete", "chain", 1_000): 0.01,
        ("rete", "chain", 10_000): "RangeError: too deep",
    }
    path = tmp_path / "speed.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    page.write(measured(figures), tmp_path / "some.json", path)
    text = path.read_text()
    assert text.startswith(f"before\n{page.BEGIN}\n")
    assert text.endswith(f"{page.END}\nafter\n")
    assert "from `some.json`" in text
    assert "old" not in text
    assert "| by hand, in trio | 1.0 | 0.5 µs | – " in text
    assert "| Rete | 1.0 | – | † | – | – | – | – | – | RangeError at 10,000 (chain) |" in text


def test_a_page_without_a_place(measured, tmp_path):
    """Nothing is written where no marks are."""
    (tmp_path / "speed.md").write_text("no marks")
    with pytest.raises(page.NoPlace, match="there are no lines"):
        page.write(measured({}), tmp_path / "some.json", tmp_path / "speed.md")


def test_names_are_distinct():
    """A workload, question or subject can be told from every other."""
    assert len({subject.key for subject in SUBJECTS}) == len(SUBJECTS)
    names = [workload.name for question in QUESTIONS for workload in question.workloads]
    assert len(set(names)) == len(names)


def test_what_installs_a_subject():
    """Each missing subject comes with a cure that fits it."""
    assert "bench-peers" in Subject("burr", "Burr").install
    assert "Node.js" in Subject("rete", "Rete", "node").install


def test_no_results_no_summary():
    """What was not measured is None, not zero."""
    assert Results("", {}, {}, {}).of("loop", "trioflow", 100) is None
