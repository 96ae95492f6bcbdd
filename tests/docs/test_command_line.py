"""docs/command-line.md: what it shows is what one sees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trioflow.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```console\n\$ trioflow (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("words", "shown"), SHOWN, ids=[words.split()[0] for words, _ in SHOWN])
def test_what_is_shown(capsys, monkeypatch, words, shown):
    """Commands, with all that they write but the time that a run took."""
    monkeypatch.chdir(ROOT)
    main(words.split())
    said = capsys.readouterr()
    assert re.sub(r"^(done|failed) after .*\n", "", said.out + said.err, flags=re.MULTILINE) == shown


def test_every_command_is_there():
    """The table has each of them, but for the one that is for a checkout."""
    from trioflow.cli.app import app  # noqa: PLC0415 - it takes a moment

    told = set(re.findall(r"`(?:trioflow )?([a-z]+)", PAGE.partition("## Checking")[0]))
    assert {*app.commands} - {"bench"} <= told
