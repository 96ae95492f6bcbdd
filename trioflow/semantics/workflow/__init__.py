"""What a workflow means: a graph whose exec wires carry tokens (W1-W18). Pure: no trio, no I/O, no clocks."""
