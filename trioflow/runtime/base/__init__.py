"""What lives in a run, and the few things that all rooms above do with it: read, write, count, tell, wait."""
