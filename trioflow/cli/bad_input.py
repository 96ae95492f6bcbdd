"""Whatever was given and can't be used: one line that says what and where, and exit code 2."""

from __future__ import annotations

from collections.abc import Sequence

import click

from trioflow.errors import DocumentError

_MOST_LINES = 20


def document_lines(error: DocumentError) -> list[str]:
    """A line for each reason for which a document could not be read, with line and column where they are known."""
    positions = error.positions or [None] * len(error.problems)
    return [
        f"{error.source}: {problem}{f' (line {position[0]}, column {position[1]})' if position is not None else ''}"
        for problem, position in zip(error.problems, positions, strict=True)
    ]


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
