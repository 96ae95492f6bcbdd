"""How a graph runs on trio, in rooms: each imports only from those before it.

`base` is what lives in a run and how it is read and written. `demand` evaluates data nodes, `dispatch` runs exec nodes,
`exits` leads out of graphs that are called, `strands` are concurrent, `workflow` lets firings come after each other,
`context` is what bodies see, `wrapping` are middlewares, `bodies` puts together what is called for each node, and
`host` holds runs together for those who start them.
"""
