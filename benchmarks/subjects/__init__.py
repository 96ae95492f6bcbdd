"""One file per engine written in Python, each workload written the way that engine's own documentation would."""
