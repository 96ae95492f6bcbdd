"""The commands, put together."""

from __future__ import annotations

import importlib.metadata

import click

from trioflow.cli.check import check
from trioflow.cli.draw import draw
from trioflow.cli.nodes import nodes
from trioflow.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(importlib.metadata.version("trioflow"), package_name="trioflow")
def app() -> None:
    """Run, check and draw node graphs.

    GRAPH is a file (JSON, or YAML with the extra `yaml`), or the name of an example that comes with trioflow: census,
    fizzbuzz, try_catch, events.

    \b
    Exit codes:
      0    done
      1    the graph failed
      2    bad usage, or a graph that can't run
      130  interrupted
    """


app.add_command(run)
app.add_command(check)
app.add_command(draw)
app.add_command(nodes)
