"""Workflows to start from, which people recognise. `trioflow run NAME` finds them by name.

Each is a document. What they do is said by the few node types in `steps`, in place of those of your own.
"""
