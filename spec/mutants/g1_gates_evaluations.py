"""Evaluations wait at the closed gate, too."""

RULE = "G1"
EDITS = [
    (
        "pass_evaluation",
        'await turn_of(run, "e", line, node)',
        (
            'await turn_of(run, "e", line, node)\n'
            "        if run.gated:\n"
            '            await run.barrier.wait(getattr(line, "strand"), line, Target(node, None))'
        ),
    ),
]
