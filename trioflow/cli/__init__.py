"""The command line, `trioflow`, with a command for each thing to do. Needs the extra `cli`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

from trioflow.cli import starting  # Ctrl-C, before all that takes time
from trioflow.errors import MissingExtra


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 graph failed, 2 bad input, 130 interrupted."""
    if any(importlib.util.find_spec(package) is None for package in ("click", "rich")):
        if sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison] - it may have been closed at the start
            sys.stderr.write(f"{MissingExtra('The command line', 'cli')}\n")
        return 2
    try:
        from trioflow.cli.app import execute  # noqa: PLC0415 - its packages are optional

        starting.imported()
    except KeyboardInterrupt:  # importing takes long enough for a Ctrl-C
        return starting.INTERRUPTED

    return execute(arguments)
