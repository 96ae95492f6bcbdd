"""`trioflow explain`: what a rule, a code or an error means, without the repository at hand."""

from __future__ import annotations

from itertools import groupby

import click

from trioflow.cli.bad_input import BadInput
from trioflow.errors import UnknownName
from trioflow.explain import explain as explain_word
from trioflow.explain import explanations


@click.command(epilog="Exit codes: 0 explained; 2 nothing is known of it.")
@click.argument("word", required=False)
def explain(word: str | None) -> int:
    """Explain WORD: a rule such as D4, a code such as unknown-socket, or an error. Without WORD, list all of them.

    \b
    trioflow explain D4
    trioflow explain unknown-socket
    trioflow explain MissingInput
    """
    if word is not None:
        try:
            click.echo(str(explain_word(word)), nl=False)
        except UnknownName as error:
            raise BadInput(str(error)) from error
        return 0
    for place, (area, found) in enumerate(groupby(explanations().values(), key=lambda each: each.area)):
        click.echo(f"{'' if place == 0 else chr(10)}{area}")
        for each in found:
            click.echo(f"    {each.name}  {each.title}".rstrip())
    return 0
