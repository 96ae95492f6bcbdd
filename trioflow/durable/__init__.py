"""Durable runs: a journal beside a run, so that another process goes on where this one died.

From below: `codec`, `keys` and `records` are pure; `port` is what a store must be able to do, and `memory`, `file` and
`sqlite` do it; `recorder` asks and writes for one run; `activation`, `recording` and `observing` are what the engine
runs with in such a run, and `running` puts it together.
"""
