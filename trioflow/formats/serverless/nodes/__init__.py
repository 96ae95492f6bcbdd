"""The tasks of Serverless Workflow as node types: each task of a document is one node."""

MODULES = tuple(f"{__name__}.{name}" for name in ("scopes", "data", "events", "calls", "processes"))
"""The modules that declare ids with the prefix `serverless`."""
