"""Graphs as others have them: drawings and texts, and documents of other programs to take over and give back."""

from trioflow.formats._wires import visible
from trioflow.formats.diagram import Diagram, to_diagram
from trioflow.formats.dot import to_dot
from trioflow.formats.drawing import FORMATS, draw
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.svg import to_svg
from trioflow.formats.text import to_text

__all__ = ["FORMATS", "Diagram", "draw", "to_diagram", "to_dot", "to_mermaid", "to_svg", "to_text", "visible"]
