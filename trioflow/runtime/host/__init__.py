"""Runs as their host has them: from the first setup to the last teardown, with a gate and a view inside."""
