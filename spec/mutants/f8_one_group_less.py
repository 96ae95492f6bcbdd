"""One group less than the limit says can be open inside others."""

RULE = "F8"
EDITS = [
    (
        "OpenForks.__aenter__",
        "if strand.nurseries > run.options.max_nesting:",
        "if strand.nurseries >= run.options.max_nesting:",
    ),
]
