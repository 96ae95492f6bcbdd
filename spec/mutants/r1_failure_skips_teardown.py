"""A run that has failed tears nothing down."""

from trioflow.runtime.run import Run

RULE = "R1"
EDITS = [
    (
        Run.execute,
        "errors = await self._tear_down_nodes()",
        "errors = await self._tear_down_nodes() if failure is None else []",
    ),
]
