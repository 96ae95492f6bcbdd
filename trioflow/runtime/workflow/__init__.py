"""How workflows run: one firing, and the shell that starts and waits. What fires, and when, the machine decides."""
