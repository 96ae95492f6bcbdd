"""README and pages tell the truth: snippets and commands are run, the drawing is drawn, links and files exist."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.formats import to_svg

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2], match.start(), match.end()) for match in BLOCK.finditer(README)]
COMMANDS = [line for kind, text, _, _ in BLOCKS if kind == "sh" for line in text.splitlines()]
PAGES = sorted((ROOT / "docs").glob("*.md"))
IN_PAGES = sorted({
    line for path in PAGES for kind, text in re.findall(BLOCK, path.read_text(encoding="utf-8")) if kind == "sh"
    for line in text.splitlines()
})  # fmt: skip
SET_UP = re.compile(r"python3 -m venv \.venv(?: && \.venv/bin/pip install -q [^&]+)+ && \.venv/bin/(.*)")


def run_snippets(path):
    """The Python blocks, run one after the other in one module, with what each printed and should have."""
    module = types.ModuleType(path.stem)
    page = path.read_text(encoding="utf-8")
    blocks = [(match[1], match[2], match.start(), match.end()) for match in BLOCK.finditer(page)]
    told = []
    for place, (kind, text, start, end) in enumerate(blocks):
        if kind != "python":
            continue
        following = blocks[place + 1] if place + 1 < len(blocks) else ("", "", 0, 0)
        direct = following[0] == "text" and not page[end : following[2]].strip()
        line = page.count("\n", 0, start) + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            # Empty lines in front, so that a traceback shows the page's line.
            exec(compile("\n" * line + text, str(path), "exec"), vars(module))
        told.append((line, printed.getvalue(), following[1] if direct else ""))
        if len(told) == 1 and "g" in vars(module):
            module.first_graph = module.g.graph
    return module, told


@pytest.fixture(scope="module")
def snippets(tmp_path_factory):
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):  # where its journal is left
        return run_snippets(ROOT / "README.md")


def test_every_snippet_runs_and_prints_what_stands_below_it(snippets):
    _, told = snippets
    assert told
    for line, printed, expected in told:
        assert (line, printed) == (line, expected)


def has_snippets(path):
    return "```python\n" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*filter(has_snippets, PAGES)], ids=lambda path: path.name)
def test_every_snippet_of_the_pages_runs(path):
    """So do those of docs/."""
    if path.name == "server-sent-events.md":  # tests/docs has clients for it
        for package in ("starlette", "hypercorn"):
            pytest.importorskip(package, reason=f"the app needs {package}")
    if path.name == "embedding.md":
        for package in ("starlette", "httpx"):
            pytest.importorskip(package, reason=f"the application needs {package}")
    if path.name == "serving.md":
        for package in ("cronsim", "httpx", "hypercorn", "starlette", "watchfiles"):
            pytest.importorskip(package, reason=f"the server and who asks it need {package}")
    _, told = run_snippets(path)
    assert told
    for line, printed, expected in told:
        assert (line, printed) == (line, expected)


def test_the_picture_is_that_of_the_first_snippet(snippets):
    """To be drawn anew with `trioflow.formats.to_svg`, where the drawing changes."""
    module, _ = snippets
    (picture,) = re.findall(r"!\[.*\]\((.*\.svg)\)", README)
    drawn = to_svg(module.first_graph, tf.Registry.standard(plugins=False))
    assert drawn == (ROOT / picture).read_text(encoding="utf-8")


def in_this_environment(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    scripts = str(Path(sys.executable).parent)
    return subprocess.run(
        shlex.split(command, comments=True),
        cwd=folder,
        env=os.environ | {"PATH": os.pathsep.join([scripts, os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_are_two_commands_that_set_everything_up_and_others_that_do_not():
    set_up = [SET_UP.fullmatch(command)[1].split()[0] for command in COMMANDS if ".venv" in command]
    assert set_up == ["trioflow", "python"]


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", [*(command for command in COMMANDS if ".venv" not in command), *IN_PAGES])
def test_every_other_command_ends_well(command, tmp_path):
    done = in_this_environment(command, tmp_path)
    assert (done.returncode, done.stdout != "" or " -o " in command) == (0, True), done.stderr


def test_the_main_command_counts_the_files_of_a_folder(tmp_path):
    """Without the set-up, which the checks have behind them."""
    (tmp_path / "one.txt").write_text("one\ntwo\n")
    (tmp_path / "two.txt").write_text("one\ntwo\n")
    command = SET_UP.fullmatch(next(command for command in COMMANDS if "[cli]" in command))[1]
    assert command.startswith("trioflow run census ")
    done = in_this_environment(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\.txt +2 +4 +16$", done.stdout, re.MULTILINE)
    assert "1 groups of identical files" in done.stdout


def test_the_command_for_all_checks_is_what_continuous_integration_runs():
    command = next(command for command in COMMANDS if "requirements.lock" in command)
    assert command in map(str.strip, (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines())
    assert SET_UP.fullmatch(command)[1] == "python -m tests"
    assert (ROOT / "tests" / "__main__.py").is_file()


TEXTS = [*ROOT.glob("*.md"), *PAGES]


def anchors(path):
    """The sections of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_what_is_named_exists(path):
    """Files, sections, public names."""
    page = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:trioflow|spec|docs|tests)/[\w/.-]+)`", page):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\*\*`(\w+/\w+\.py)`\*\*", page):
        assert (ROOT / "trioflow" / name).is_file(), name
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page):
        file, _, anchor = link.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link
    assert [name for name in re.findall(r"\btf\.(\w+)", page) if not hasattr(tf, name)] == []
    assert [name for name in re.findall(r"\btf\.nodes\.(\w+)", page) if not hasattr(tf.nodes, name)] == []


def test_the_readme_is_short():
    """Whoever wants more follows a link: each page is named in docs/index.md."""
    assert len(README.splitlines()) <= 150
    listed = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert [path.name for path in PAGES if path.name != "index.md" and f"]({path.name})" not in listed] == []


def test_the_changes_stand_in_groups_and_nothing_is_said_twice():
    """A merge can do that: add a sentence to its group, and take away what another branch has brought back."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2]
    assert not re.search(r"^- ", changes.partition("\n### ")[0], re.MULTILINE)
    sentences = re.findall(r"^- .*$", changes, re.MULTILINE)
    assert sorted({*sentences}) == sorted(sentences)
