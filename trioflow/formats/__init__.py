"""Graphs as other people write them: Mermaid, DOT and plain text to look at."""
