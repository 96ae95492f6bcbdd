"""One group less than the limit says can be open inside others."""

from trioflow.runtime.forks import open_forks

RULE = "F8"
EDITS = [
    (open_forks, "if strand.nurseries > run.options.max_nesting:", "if strand.nurseries >= run.options.max_nesting:"),
]
