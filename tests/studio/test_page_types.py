"""The page's modules are what their types say: TypeScript finds nothing in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = HERE / "node_modules" / "typescript" / "bin" / "tsc"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.outside,
    pytest.mark.unmeasured,
    pytest.mark.skipif(NODE is None, reason="needs Node.js: apt-get install nodejs"),
    pytest.mark.skipif(not COMPILER.exists(), reason="needs TypeScript: npm install in tests/studio"),
]


def test_typescript_finds_nothing():
    """Every name is there, and is used as what it is."""
    done = subprocess.run(
        [str(NODE), str(COMPILER), "--project", str(HERE)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
