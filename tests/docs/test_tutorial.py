"""The tutorial, followed to the letter: its files are written, its commands typed, and what they say is what stands there.

`python -m pip` and what waits for a person is not (`shell-session`); the package's entry point is put where pip would put it.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from trioflow.cli import main

pytest.importorskip("yaml", reason="the workflow is saved as YAML")
pytest.importorskip("cel_expr_python", reason="wires of the workflow have conditions")

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("tutorial", "tutorial-workflow", "tutorial-durable")
STEP = re.compile(r"`([\w.]+)`:\n\n```(?:py|toml)\n(.*?)^```$|^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = [pytest.mark.unmeasured, pytest.mark.slow]


def type_in(command, capsys):
    """What a command writes, to both of its outputs."""
    program, *words = shlex.split(command)
    if program == "trioflow":
        main(words)
    elif words == ["-m", "pytest", "-q"]:
        tests = runpy.run_path("test_shop_nodes.py")
        found = [test for name, test in tests.items() if name.startswith("test_")]
        for test in found:
            test()
        print(f"{'.' * len(found):<72} [100%]\n{len(found)} passed in 0.1s")
    else:
        runpy.run_path(words[0])
    said = capsys.readouterr()
    return said.out, said.err


def follow(page, capsys, monkeypatch):
    """Write the files of a page and type its commands, in their order, in the current folder."""
    for step in STEP.finditer((DOCS / f"{page}.md").read_text(encoding="utf-8")):
        name, text, console = step.groups()
        if name:
            Path(name).write_text(text, encoding="utf-8")
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console or "", re.MULTILINE):
            expected = ".*".join(map(re.escape, shown.rstrip("\n").split("…")))
            said, also = type_in(command, capsys)
            assert re.fullmatch(expected, said.rstrip("\n"), re.DOTALL), (page, command, said, also)
        if name == "pyproject.toml":
            installed = Path("installed", "shop_nodes-0.1.0.dist-info").absolute()
            installed.mkdir(parents=True)
            monkeypatch.syspath_prepend(str(installed.parent))
            (installed / "METADATA").write_text("Name: shop-nodes\nVersion: 0.1.0\n")
            group, line = re.search(r'entry-points\."(.*?)"\]\n(.*)', text).groups()
            (installed / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}\n")


def draw(page, capsys):
    """The picture of a page, which is that of its graph: of `draw_up.py`'s document, or of the workflow's."""
    document, nodes = ("shop.json", "shop_nodes") if page == "tutorial" else ("order.yaml", "shop_steps")
    type_in(f"trioflow draw {document} --nodes {nodes} -o drawn.svg", capsys)
    drawn, picture = Path("drawn.svg").read_text(encoding="utf-8"), DOCS / "pictures" / f"{page}.svg"
    if "TRIOFLOW_DRAW_ANEW" in os.environ:
        picture.write_text(drawn, encoding="utf-8")
    assert drawn == picture.read_text(encoding="utf-8")


def test_to_the_letter(tmp_path, monkeypatch, capsys):
    """From an empty folder to a durable run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("shop_nodes", "shop_steps"):  # which are imported, are imported no more afterwards
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    for page in PAGES:
        follow(page, capsys, monkeypatch)
        if page != "tutorial-durable":
            draw(page, capsys)
