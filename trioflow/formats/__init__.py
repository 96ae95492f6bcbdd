"""Graphs as other people write them: pictures and text to look at, `nodeeditor` to take over and to give back."""

from trioflow.formats._wires import visible
from trioflow.formats.diagram import Diagram, to_diagram
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.svg import to_svg
from trioflow.formats.text import to_text

__all__ = ["Diagram", "to_diagram", "to_dot", "to_mermaid", "to_svg", "to_text", "visible"]
