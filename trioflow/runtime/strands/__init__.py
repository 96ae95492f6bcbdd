"""Concurrent strands: how they start, end and are joined."""
