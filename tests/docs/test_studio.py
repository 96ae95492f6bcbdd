"""docs/studio.md tells the truth: its program runs, its commands and keys are there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from trioflow.cli.bench import bench
from trioflow.cli.run import run
from trioflow.cli.studio import studio

pytest.importorskip("starlette", reason="the page is served with starlette")

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "studio.md").read_text(encoding="utf-8")


def test_the_program():
    """It asserts what the address begins with, and prints what the run has left."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "studio.md", "exec"), {})
    assert printed.getvalue() == "{'total': 3}\n"


def test_options_and_the_picture_are_there():
    """Each option that the page names is one of a command."""
    known = {name for each in studio.params for name in each.opts} | {
        each for names in (run.params, bench.params) for one in names for each in one.opts
    }
    assert {*re.findall(r"--[a-z][a-z-]+", PAGE)} <= known
    for picture in re.findall(r"\((pictures/[^)]+)\)", PAGE):
        assert (DOCS / picture).is_file()
