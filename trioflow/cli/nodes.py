"""`trioflow nodes`: which node types there are, and what each takes and gives."""

from __future__ import annotations

from collections.abc import Iterator

import click

from trioflow.cli.bad_input import BadInput
from trioflow.cli.source import SCRIPTS, nodes_option, open_registry
from trioflow.errors import RegistryError, did_you_mean
from trioflow.formats.reference import area_of, example_of, kind_of, sockets_of, text_of, to_markdown
from trioflow.model.node_type import NodeType


@click.command(epilog="Exit codes: 0 listed; 2 there is no such node type.")
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="Print a page of Markdown with all about each of them.")
@nodes_option
def nodes(name: str | None, markdown: bool, modules: tuple[str, ...]) -> int:
    """List node types: all, those of an area such as `flow`, or one such as `flow.for` with its sockets."""
    registry = open_registry(modules, allowed=SCRIPTS)
    ids = registry.ids()
    if name is not None:
        try:
            one = registry.find(name)
        except RegistryError as error:
            raise BadInput(str(error)) from error
        if one is not None:
            click.echo(to_markdown([one]).rstrip() if markdown else "\n".join(_describe(one)))
            return 0
        areas = {area_of(each) for each in registry}
        if name not in areas:
            raise BadInput(
                f"there is no node type {name!r}.{did_you_mean(name, [*ids, *areas]) or ' `trioflow nodes` lists all.'}"
            )
    found = [each for each in registry if name is None or area_of(each) == name]
    if markdown:
        click.echo(to_markdown(found), nl=False)
        return 0
    width = max(len(each.id) for each in found)
    for each in found:
        click.echo(f"{each.id:<{width}}  {each.summary}".rstrip())
    return 0


def _describe(node_type: NodeType) -> Iterator[str]:
    yield f"{node_type.id}: {kind_of(node_type)}"
    if text_of(node_type):
        yield ""
        yield from text_of(node_type).splitlines()
    for kind, rows in sockets_of(node_type):
        name_width = max(len(row.name) for row in rows)
        fact_width = max(len(row.facts) for row in rows)
        yield ""
        yield f"{kind}:"
        for row in rows:
            yield f"    {row.name:<{name_width}}  {row.facts:<{fact_width}}  {row.doc}".rstrip()
    if example_of(node_type):
        yield ""
        yield "example:"
        yield from (f"    {line}".rstrip() for line in example_of(node_type).splitlines())
