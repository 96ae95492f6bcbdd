"""The end of the tutorial: a page on the journal of the run that was put away, and went on when somebody agreed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import trioflow as tf
from trioflow.cli.shelves import NodesGiven, opened_by_name
from trioflow.studio import Session

from .browsers import DOCS, IN_A_BROWSER, browser, picture, status, studio

pytest.importorskip("yaml", reason="the workflow is saved as YAML")
pytest.importorskip("cel_expr_python", reason="wires of the workflow have conditions")

__all__ = ["browser", "picture", "studio"]

pytestmark = IN_A_BROWSER

FILE = re.compile(r"`(\w+\.py)`:\n\n```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AGREED = (
    "run order.yaml --nodes shop_steps --set pieces=60 --journal runs.db --id order-1 --suspend-after 0.5",
    "runs signal order-1 approve --payload true --by eve --journal runs.db",
    "runs resume --due --nodes shop_steps --journal runs.db",
)


def test_the_run_is_in_the_page(studio, tmp_path, monkeypatch, picture):
    """Its graph, how often each node ran, and the steps that were recorded."""
    text = (DOCS / "tutorial-workflow.md").read_text(encoding="utf-8")
    for name, source in FILE.findall(text):
        (tmp_path / name).write_text(source, encoding="utf-8")
    for command in ("draw_up_order.py", *(f"-m trioflow {each}" for each in AGREED)):
        said = subprocess.run([sys.executable, *command.split()], cwd=tmp_path, capture_output=True, text=True)
    assert said.stdout == "shipping 60 from shelf 7\n", said.stderr
    assert all(f"$ trioflow {each}\n" in (DOCS / "tutorial-durable.md").read_text(encoding="utf-8") for each in AGREED)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "shop_steps", None)  # which is imported, and is not any more afterwards
    monkeypatch.delitem(sys.modules, "shop_steps")
    opened, shelf = opened_by_name(str(tmp_path / "runs.db"), NodesGiven(("shop_steps",)))
    page = studio(Session(tf.Graph(), opened.registry, name=opened.name, shelf=shelf), width=1280, height=720)
    page.get_by_text("order-1").click()
    status(page, "looking back on")
    picture(page, "tutorial-durable.png", "tutorial-durable.md")
