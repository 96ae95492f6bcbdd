"""A local page in which a person sees a graph, runs it, watches it, steps through it and looks back.

`async with tf.studio.serve(run) as page:` attaches it to a run of one's own program, `trioflow studio GRAPH` to one
that the page starts. The engine knows nothing of it. Needs the extra `studio`.
"""

from trioflow.studio.serving import Page, serve, serve_session
from trioflow.studio.session import Session

__all__ = ["Page", "Session", "serve", "serve_session"]
