"""How a graph runs on trio.

One trigger passes: `activation` (the body's call), `dispatch` (the loop that runs what is wired there), and back.
`demand` pulls data, `forks` owns concurrent strands, `gate` pauses, `watch` tells observers, `execution` holds it
together, and `run` gives it to a host.
"""
