"""The census, over real files, against figures that are computed without it."""

from __future__ import annotations

import collections
import hashlib
import json
import os
import random
import sys
import tempfile
from importlib import resources
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.semantics import events

FOLDERS = ["", "a", "a/b", "a/b/c", "with space", "ünïcode", ".hidden"]
NAMES = ["{}.txt", "{}.TXT", "{}.py", "{}.tar.gz", "plain{}", ".dot{}", "{}.", "ü{}.bin", "new\nline{}.x\ty"]


@pytest.fixture(scope="module")
def census():
    registry = tf.Registry.standard(plugins=False)
    registry.add_module("trioflow.examples.census")
    text = resources.files("trioflow.examples").joinpath("census.json").read_text(encoding="utf-8")
    return tf.make_plan(tf.loads(text), registry)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Some 300 files in seven folders: empty ones, big ones, copies, no line end at the end, links."""
    root = tmp_path_factory.mktemp("tree")
    dice = random.Random(7)
    contents = [b"", b"\n", b"no line end", b"two\nlines\n", b"\r\n\0\n", bytes(range(256)) * 20, b"x\n" * 700_000]
    number = 0
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            for _ in range(5):
                number += 1
                content = dice.choice(contents) if dice.random() < 0.5 else dice.randbytes(dice.randrange(9000))
                (root / folder / name.format(number)).write_bytes(content)
    (root / "link.txt").symlink_to(root / "a")
    (root / "a" / "loop").symlink_to(root)
    (root / "nowhere").symlink_to("does not exist")
    return root


def run(census, root, **variables):
    """Run the census; returns what it wrote, read from the file."""
    report = variables.pop("report")
    trio.run(lambda: tf.run(census, variables={"root": str(root), "report": str(report), **variables}))
    return Path(report).read_text(encoding="utf-8")


def expected(root: Path):
    """The report's figures, by the most direct way there is."""
    types = collections.defaultdict(lambda: {"files": 0, "lines": 0, "bytes": 0})
    total = {"files": 0, "lines": 0, "bytes": 0}
    same = collections.defaultdict(list)
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        suffix = path.suffix.lower() or "(none)"
        for row in (types[suffix.encode("unicode_escape").decode() if "\t" in suffix else suffix], total):
            row["files"] += 1
            row["lines"] += content.count(b"\n")
            row["bytes"] += len(content)
        if content:
            same[hashlib.sha256(content).hexdigest()].append(path.relative_to(root).as_posix())
    duplicates = {digest: sorted(paths) for digest, paths in same.items() if len(paths) > 1}
    return total, dict(types), duplicates


@pytest.mark.parametrize("limit", [1, 3, 16, 64, 0])
def test_the_figures_are_right_for_every_limit(census, tree, tmp_path, limit):
    """Files, lines and bytes by type, and duplicates, are what a plain loop over the files finds."""
    report = json.loads(run(census, tree, limit=limit, report=tmp_path / "report.json"))
    total, types, duplicates = expected(tree)
    assert report["total"] == total
    assert report["types"] == types
    assert {each["sha256"]: each["paths"] for each in report["duplicates"]} == duplicates
    assert report["unreadable"] == {"files": {}, "folders": []}


@pytest.mark.unmeasured
def test_the_report_is_the_same_for_every_limit(census, tree, tmp_path, capsys):
    """Report and table are the same, byte for byte, whatever the limit and however often it runs."""
    seen = set()
    for limit in (1, 3, 64, 64):
        text = run(census, tree, limit=limit, report=tmp_path / "report.json")
        seen.add((text, capsys.readouterr().out))
    assert len(seen) == 1


def test_the_limit_is_kept(census, tree, tmp_path):
    """Never more files than the limit are in hand at once, and that many are."""
    active = most = 0

    def watch(event):
        nonlocal active, most
        if event.node == "try":
            active += {events.NodeStarted: 1, events.NodeCompleted: -1}.get(type(event), 0)
            most = max(most, active)

    trio.run(lambda: tf.run(census, variables={"root": str(tree), "limit": 5}, observers=[watch]))
    assert most == 5


def test_the_table(census, tmp_path, capsys):
    """The table has a row per type, the heaviest first, a total, and what duplicates cost."""
    root = tmp_path / "root"
    root.mkdir()
    for name, content in {"a.txt": "1\n2\n", "b.TXT": "1\n2\n", "c": "x" * 1234, "d.py": "", "e.py": ""}.items():
        (root / name).write_text(content)
    report = json.loads(run(census, root, report=tmp_path / "report.json"))
    assert (
        capsys.readouterr().out
        == """\
type             files        lines            bytes
(none)               1            0            1,234
.txt                 2            4                8
.py                  2            0                0
total                5            4            1,242
1 groups of identical files; 4 bytes could be saved
"""
    )
    digest = hashlib.sha256(b"1\n2\n").hexdigest()
    assert report["duplicates"] == [{"sha256": digest, "bytes": 4, "paths": ["a.txt", "b.TXT"]}]


def test_an_empty_folder(census, tmp_path, capsys):
    """A folder without files has a report of nothing."""
    (tmp_path / "root").mkdir()
    report = json.loads(run(census, tmp_path / "root", report=tmp_path / "report.json"))
    assert report["total"] == {"files": 0, "lines": 0, "bytes": 0}
    assert capsys.readouterr().out.splitlines()[1].split() == ["total", "0", "0", "0"]


def test_no_root_is_the_current_folder(census, tree, monkeypatch):
    """An empty root is the folder that one is in, for the progress bar too."""
    monkeypatch.chdir(tree)
    totals = []

    def watch(event):
        if isinstance(event, tf.events.Progress):
            totals.append(event.total)

    trio.run(lambda: tf.run(census, variables={"root": ""}, observers=[watch]))
    assert totals
    assert set(totals) == {len(totals)}


def test_without_a_report_nothing_is_written(census, tree, tmp_path, monkeypatch):
    """An empty report path asks for the table alone."""
    monkeypatch.chdir(tmp_path)
    trio.run(lambda: tf.run(census, variables={"root": str(tree)}))
    assert os.listdir(tmp_path) == []


def test_a_file_that_vanishes_is_reported(census, tmp_path, capsys):
    """A file that is gone when its turn comes is counted as unreadable, with the reason; the others are counted."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a", "b", "gone", "z"):
        (root / name).write_text(name)

    def vanish(event):
        if event.node == "hash":
            (root / "gone").unlink(missing_ok=True)

    variables = {"root": str(root), "report": str(tmp_path / "report.json"), "limit": 1}
    trio.run(lambda: tf.run(census, variables=variables, observers=[vanish]))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["total"]["files"] == 3
    assert report["unreadable"] == {"files": {"gone": "No such file or directory"}, "folders": []}
    assert "not counted because they could not be read: 1 files, 0 folders\n" in capsys.readouterr().out


@pytest.fixture
def as_nobody():
    """Lose the rights of root, who may read everything, for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_forbidden_files_and_folders_are_reported(census, as_nobody, capsys):
    """What may not be read is reported and counted; the run goes on and ends well."""
    told = []

    def watch(event):
        if isinstance(event, events.Feedback):
            told.append((event.level, event.message))

    # Not tmp_path, which is root's alone if the tests run as root.
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        (root / "closed").mkdir(parents=True)
        (root / "closed" / "inside").touch()
        (root / "open.txt").write_text("1\n")
        (root / "secret.txt").write_text("2\n")
        (root / "secret.txt").chmod(0)
        (root / "closed").chmod(0)
        report = Path(folder) / "report.json"
        try:
            variables = {"root": str(root), "report": str(report)}
            trio.run(lambda: tf.run(census, variables=variables, observers=[watch]))
        finally:
            (root / "closed").chmod(0o700)
        found = json.loads(report.read_text())
    assert found["total"] == {"files": 1, "lines": 1, "bytes": 2}
    assert found["unreadable"] == {
        "files": {"secret.txt": "Permission denied"},
        "folders": [str(root / "closed")],
    }
    assert told == [("warning", f"can't read folder {root / 'closed'}: Permission denied")]
    assert "not counted because they could not be read: 1 files, 1 folders" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text need a file system that has them")
def test_names_that_are_no_text(census, tmp_path, capsys):
    """A file whose name can't be decoded is counted, and shown with escapes."""
    (tmp_path / "root").mkdir()
    with open(os.fsencode(tmp_path / "root") + b"/a.\xff\x1b", "wb"):
        pass
    report = json.loads(run(census, tmp_path / "root", report=tmp_path / "report.json"))
    assert report["total"]["files"] == 1
    assert list(report["types"]) == [r".\udcff\x1b"]
    assert r".\udcff\x1b" in capsys.readouterr().out


def test_a_mistake_in_the_graph_is_not_taken_for_a_bad_file(census, tree):
    """A failure that has nothing to do with reading a file ends the run."""
    from trioflow.examples.census import unreadable

    with pytest.raises(ZeroDivisionError):
        unreadable("path", ZeroDivisionError())
    with pytest.raises(TypeError, match="not an exception"):
        unreadable("path", None)
    assert unreadable("path", OSError("odd")) == ("path", "odd")


def test_progress_knows_its_end(census, tree, tmp_path):
    """Progress counts up by one per file, to the total, which is asked for once."""
    told = []
    total_asked = 0

    def watch(event):
        nonlocal total_asked
        if isinstance(event, events.Progress):
            told.append((event.done, event.total))
        if isinstance(event, events.EvaluationStarted) and event.node == "expected":
            total_asked += 1

    trio.run(lambda: tf.run(census, variables={"root": str(tree)}, observers=[watch]))
    count = expected(tree)[0]["files"]
    assert told == [(done, count) for done in range(1, count + 1)]
    assert total_asked == 1


@pytest.mark.unmeasured
def test_thousands_of_files(census, tmp_path):
    """A tree of 3,000 files in 100 folders is counted right."""
    root = tmp_path / "root"
    for i in range(100):
        folder = root / f"{i % 10}" / f"{i}"
        folder.mkdir(parents=True)
        for j in range(30):
            (folder / f"{j}.{'abc'[j % 3]}").write_bytes(b"%d\n" % (j % 15) * (i % 3))
    report = json.loads(run(census, root, limit=16, report=tmp_path / "report.json"))
    total, types, duplicates = expected(root)
    assert total["files"] == 3_000
    assert (report["total"], report["types"]) == (total, types)
    assert {each["sha256"]: each["paths"] for each in report["duplicates"]} == duplicates
