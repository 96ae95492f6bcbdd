"""What starts runs by itself: triggers, and a small API over HTTP. `trioflow serve`, extra `serve`.

Whatever happens puts a job into a queue, with a key that says what happened. So a server that was killed, or a second
one beside it, starts nothing twice; workers run the jobs, one of them inside of the server. `triggers` and `due` are
pure; `sources` wait for what happens, `app` answers, and `server` puts it together.
"""

from trioflow.serving.server import Server
from trioflow.serving.triggers import Trigger, TriggerError, read_triggers

__all__ = ["Server", "Trigger", "TriggerError", "read_triggers"]
