"""The book: `python -m sphinx -j auto docs build/book`; the first page is then `build/book/index.html`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import references  # noqa: E402 - it stands beside this file

import trioflow  # noqa: E402 - the one beside which this file stands

gc.set_threshold(100_000, 20, 100)  # looking for circles among all that pages are made of takes a sixth of the time

project = "trioflow"
version = release = trioflow.__version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # links to sections are written as on GitHub
html_theme = "furo"
html_title = f"trioflow {release}"
html_show_copyright = False
html_copy_source = False
python_maximum_signature_line_length = 88
highlight_language = "none"
toc_object_entries = False
suppress_warnings = ["ref.python"]  # `type` in a signature is Python's own, and not one of our properties


def setup(app: Sphinx) -> None:
    """Write the pages of the reference, and lead links to where files are in the book, or else in the repository."""
    references.write(HERE / "reference")
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", links)


def links(app: Sphinx, name: str, source: list[str]) -> None:
    """Pages name files of the repository from where they stand in it."""
    source[0] = references.linked(source[0], f"docs/{name}.md")
