"""How fast trioflow is, against work written by hand and against other engines: `trioflow bench`, from a checkout.

`questions/` has one file per question, `subjects/` (and `node/`, for those in JavaScript) one per engine that is asked,
`lib/` what measures and tells. Every measurement runs in a process of its own.
"""
