"""Graphs to start from. `trioflow run NAME` finds them by name: census, fizzbuzz, try_catch, events, `workflows`."""
