"""What a graph means: validation, plan, stores, merging, coercion, memory of evaluations, events. No trio, no I/O."""
