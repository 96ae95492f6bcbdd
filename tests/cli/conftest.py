"""The command line in this process, which is fast and measured, and in one of its own, which is what users have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from trioflow.cli import main

COMMAND = [sys.executable, "-m", "trioflow.cli"]


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def run(*arguments: object) -> Ended:
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Ended]:
    """Run a command in a process of its own, in a folder of its own."""

    def run(*arguments: object, **options: Any) -> Ended:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
            **options,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def graph(tmp_path: Path) -> Callable[..., Path]:
    """Write a document: nodes as (id, type, inputs), wires as "from -> to"."""

    def write(*nodes: Any, wires: Any = (), name: str = "graph.json", **more: Any) -> Path:
        document = {
            "trioflow": "1.0",
            "nodes": [
                node if isinstance(node, dict) else dict(zip(("id", "type", "inputs"), node, strict=False))
                for node in nodes
            ],
            "connections": [dict(zip(("from", "to"), wire.split(" -> "), strict=True)) for wire in wires],
            **more,
        }
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write
