"""One evaluation more runs ahead than may."""

RULE = "D12"
EDITS = [
    ("Ahead._begin_ready", "run.ahead_running < run.options.max_ahead", "run.ahead_running <= run.options.max_ahead"),
]
