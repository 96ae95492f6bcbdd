"""What the pages say that are written when the book is made. `python -m tests` makes the book, with warnings as errors."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import trioflow as tf

pytest.importorskip("click", reason="the page of commands is made of them")

DOCS = Path(__file__).parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("references", DOCS / "references.py")
references = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(references)

pytestmark = pytest.mark.unmeasured


def test_all_that_is_public_is_said_once():
    """Each name of the package is on one page, with its docstring."""
    pages = references.api_pages()
    topics = "\n".join(pages[f"api/{topic}"] for topic in references.TOPICS)
    told = re.findall(r"^::::\{py:(?:class|exception|function|data)\} (\w+)", topics, re.MULTILINE)
    modules = {"events", "jobs", "nodes", "persons", "remote", "serving", "studio", "telemetry"}
    assert sorted(told) == sorted({*tf.__all__} - modules)
    assert "\n## `trioflow.formats.bpmn`\n" in pages["api/formats"]
    assert "Run a graph to its end and return what it left behind." in pages["api/running"]
    assert "An activation started; its inputs are not resolved yet (E1)." in pages["api/events"]


def test_signatures_are_as_they_are_written():
    """Annotations stand without quotes, and defaults that have no text are left open."""

    def function(graph: tf.Graph | None, *, key=len, status=tf.RunStatus.COMPLETED) -> list[int]: ...

    assert (
        references.signature(function)
        == "(graph: tf.Graph | None, *, key=..., status=RunStatus.COMPLETED) -> list[int]"
    )


def test_what_only_the_engine_can_call_is_left_out():
    """The strand and the target of a dispatch are nobody else's."""
    pages = references.api_pages()
    assert "{py:class} Gate\n" in pages["api/running"]
    assert "{py:method} add_breakpoint(" in pages["api/running"]
    assert "{py:method} reached(" not in pages["api/running"]


def test_a_type_that_only_has_the_name_of_a_public_one_is_told_apart():
    """Entries of journals are not those of graphs."""
    assert references.signature(tf.FileJournal.entries, method=True) == "(run_id: str) -> list[records.Entry]"
    assert references.signature(tf.load, method=False).endswith("-> Graph")


def test_all_nodes_and_commands_are_there():
    """Of those that come with different numbers of sockets, one."""
    pages = references.node_pages()
    assert "## flow.for\n\n*exec node*, `tf.nodes.ForLoop`" in pages["nodes/flow"]
    assert "## flow.sequence_8\n" not in pages["nodes/flow"]
    registry = tf.Registry.standard(plugins=False, allow=["scripts"])
    told = {each for page in pages.values() for each in re.findall(r"^## (\S+)$", page, re.MULTILINE)}
    assert {each for each in registry.ids() if not re.search(r"_\d+$", each)} <= told
    commands = references.command_page()
    assert "\n## trioflow runs resume\n" in commands
    assert "`--journal" in commands


def test_links_lead_to_pages_of_the_book_or_to_the_repository():
    """As they are written in the repository, so that both readers get there."""
    link = references.linked
    assert link("[a](durable.md#x)", "docs/workflows.md") == "[a](durable.md#x)"
    assert link("[a](../spec/rules/data.md#d4)", "docs/x.md") == "[a](reference/spec/rules/data.md#d4)"
    assert link("[a](../spec/vectors)", "docs/x.md") == f"[a]({references.GITHUB}/tree/main/spec/vectors)"
    assert link("[a](docs/hosts.md)", "SECURITY.md", "docs/reference/SECURITY.md") == "[a](../hosts.md)"
    assert (
        link("[a](gone.md) [b](https://x.org/y.md) [c](#d)", "README.md")
        == "[a](gone.md) [b](https://x.org/y.md) [c](#d)"
    )


def test_examples_are_code_and_names_lead_to_what_is_said_of_them():
    """Of a docstring."""
    text = "Runs a `Graph`, not a `Dog`.\n\n>>> 1 + 1\n2\n\nMore."
    assert references.prose(text) == (
        "Runs a {py:obj}`~trioflow.Graph`, not a `Dog`.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."
    )


def test_what_is_no_page_any_more_is_removed(tmp_path, monkeypatch):
    """And what has not changed is not written again, so that it is not read again."""
    monkeypatch.setattr(references, "api_pages", lambda: {"api": "a"})
    monkeypatch.setattr(references, "node_pages", dict)
    monkeypatch.setattr(references, "command_page", lambda: "c")
    (tmp_path / "old.md").write_text("old")
    references.write(tmp_path)
    before = (tmp_path / "api.md").stat().st_mtime_ns
    references.write(tmp_path)
    assert (tmp_path / "api.md").stat().st_mtime_ns == before
    assert not (tmp_path / "old.md").exists()
    assert (tmp_path / "spec" / "rules" / "data.md").is_file()


def test_types_of_signatures_are_said_too():
    """What a public call gives can be looked up, though no namespace holds it; what only the engine has is left out."""
    page = references.api_pages()["api/types"]
    assert "\n## `trioflow.durable.records`\n" in page
    assert "{py:class} Deed(what: str, at: float, by: str | None, process: str, detail: str = '')\n" in page
    assert "{py:class} Entry(key: bytes, node: str, kind: str, data: str)\n" in page
    assert "trioflow.runtime" not in page
    assert re.findall(r"^## `trioflow\.(?:\w+\.)*_", page, re.MULTILINE) == []
