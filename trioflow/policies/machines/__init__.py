"""The decisions of policies as machines: plain state and functions of it, without trio, clocks and events."""
