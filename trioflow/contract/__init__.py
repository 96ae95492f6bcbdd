"""What spec/INTERPRETING.md fixes for all engines: scripts (4, 5), and how events are written down (6, 8).

The reference semantics and the conformance kit both build on it; it knows nothing of how an engine works.
"""
