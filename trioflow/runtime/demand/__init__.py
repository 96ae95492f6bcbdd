"""Data nodes: what is behind an input is evaluated when somebody asks, and only if it has to be."""
