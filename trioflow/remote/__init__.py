"""Bodies elsewhere: nodes whose policy says `run_on` run in another process, on this host or on others.

What a run comes to is the same as without: bodies get their inputs, random numbers and path, and what they return,
raise and tell comes back. Code is sent by name, never by value. `calling` is what both sides do, `processes`
and `ray` are places, `placement` finds the place of a node and asks it.
"""

from trioflow.remote.errors import VersionSkew, WorkerDied
from trioflow.remote.placement import Placement
from trioflow.remote.places import Place
from trioflow.remote.processes import Processes
from trioflow.remote.ray import Ray

__all__ = ["Place", "Placement", "Processes", "Ray", "VersionSkew", "WorkerDied"]
