"""What a run calls for each node: a function, a method of an instance, or a graph."""
