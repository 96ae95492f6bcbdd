"""The command line (extra `cli`): `trioflow run`, `check`, `draw`, `nodes`."""

from __future__ import annotations

import sys

from trioflow.errors import MissingExtra


def main() -> None:
    """Entry point of the `trioflow` command."""
    try:
        from trioflow.cli.app import app
    except ImportError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write(f"trioflow: {MissingExtra('The command line', 'cli')}\n")
        sys.exit(2)
    app(prog_name="trioflow")
