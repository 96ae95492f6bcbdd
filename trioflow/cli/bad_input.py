"""Whatever was given and can't be used: one line that says what and where, and exit code 2."""

from __future__ import annotations

from collections.abc import Sequence

import click

_MOST_LINES = 20


class BadInput(click.ClickException):
    """Nothing ran. One line per problem."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems

    def show(self, file: object = None) -> None:
        """Write every problem to stderr; of very many only the first ones."""
        for problem in self.problems[:_MOST_LINES]:
            click.echo(f"error: {problem}", err=True)
        if len(self.problems) > _MOST_LINES:
            click.echo(f"and {len(self.problems) - _MOST_LINES:,} more; `trioflow check` lists all", err=True)
