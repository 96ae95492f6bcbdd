"""Durable runs: a journal beside a run, so that another process goes on where this one died.

From below: `codec`, `keys`, `records` and `moment` are pure; `port` is what a store must be able to do, and `memory`,
`file`, `sqlite` and `postgres` do it, and `around` passes on; `recorder` asks and writes for one run, and `moments`
shortens what it has written; `activation`, `recording`, `closing` and `observing` are what the engine runs with in such
a run, and `running` puts it together.
"""
