"""Evaluations wait at the closed gate, too."""

RULE = "G1"
EDITS = [
    (
        "RunState.pass_evaluation",
        'await self.turn_of("e", line, node)',
        (
            'await self.turn_of("e", line, node)\n'
            "        if self.gated:\n"
            '            await self.gate.wait(getattr(line, "strand"), line, Target(node, None))'
        ),
    ),
]
