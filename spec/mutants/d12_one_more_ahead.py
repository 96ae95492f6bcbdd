"""One evaluation more runs ahead than may."""

RULE = "D12"
EDITS = [
    ("Ahead._may_begin", "run.ahead_running < run.options.max_ahead", "run.ahead_running <= run.options.max_ahead"),
]
