"""docs/debugging.md tells the truth: what it shows is what one sees."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs" / "debugging.md").read_text(encoding="utf-8")
PROMPT = "(trioflow) "


def block(kind):
    return next(iter(re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)))


def test_the_conversation():
    """The commands at the prompt give what is shown below them."""
    first, *shown = block("console").splitlines()
    commands = [line.removeprefix(PROMPT) for line in shown if line.startswith(PROMPT)]
    done = subprocess.run(
        [sys.executable, "-m", "trioflow.cli", *first.split()[2:]],
        input="\n".join(commands), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [line for line in shown if not line.startswith(PROMPT)]


def test_the_program():
    """The program prints what stands below it."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "debugging.md", "exec"), {})
    assert printed.getvalue() == block("text")
