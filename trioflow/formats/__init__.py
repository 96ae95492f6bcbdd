"""Graphs as other people write them: Mermaid, DOT and text to look at, `nodeeditor` to take over and to give back."""

from trioflow.formats._wires import visible
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.text import to_text

__all__ = ["to_dot", "to_mermaid", "to_text", "visible"]
