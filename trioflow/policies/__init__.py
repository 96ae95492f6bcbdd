"""Policies: what is done where nodes fail, take long, or are called often (P1 to P8).

Each is a middleware of its own. `nesting` makes them from what graphs, types and runs say, in their fixed order;
`machines` decide, and what awaits asks them.
"""
