"""What the fields of workflows, jobs and steps may hold, however deep; and which events start a workflow."""

from __future__ import annotations

from trioflow.formats.shapes import ANYTHING, FLAG, NUMBER, SINGLE, TEXT, Shape, a_list, an_object

EVENTS = frozenset(
    {
        "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment",
        "deployment_status", "discussion", "discussion_comment", "fork", "gollum", "image_version",
        "issue_comment", "issues", "label", "merge_group", "milestone", "page_build", "public", "pull_request",
        "pull_request_review", "pull_request_review_comment", "pull_request_target", "push", "registry_package",
        "release", "repository_dispatch", "schedule", "status", "watch", "workflow_call", "workflow_dispatch",
        "workflow_run"
    }
)  # fmt: skip

_ENV = an_object(SINGLE)
_INPUTS = an_object(
    an_object(
        type=TEXT, description=TEXT, required=FLAG, default=SINGLE, options=a_list(SINGLE), deprecationMessage=TEXT
    )
)
_MANUAL = an_object(ANYTHING, inputs=_INPUTS)
_COMBINATIONS = a_list(an_object(ANYTHING))
_MATRIX = an_object(a_list(ANYTHING), include=_COMBINATIONS, exclude=_COMBINATIONS)
_STRATEGY = Shape("a mapping", (dict,), is_closed=True,
                  fields={"matrix": _MATRIX, "fail-fast": FLAG, "max-parallel": NUMBER})  # fmt: skip
_RUN = Shape("a mapping", (dict,), is_closed=True, fields={"shell": TEXT, "working-directory": TEXT})

_ON = Shape(
    "an event, a list of events, or a mapping of them",
    (str, list, dict),
    items=TEXT,
    fields={"workflow_dispatch": _MANUAL, "workflow_call": _MANUAL, "schedule": a_list(an_object(cron=TEXT))},
    others=Shape("a mapping, or nothing", (dict, list)),
)

FIELDS = Shape(
    "a mapping",
    (dict,),
    fields={
        "name": TEXT,
        "run-name": TEXT,
        "on": _ON,
        "true": _ON,  # as YAML reads it
        "env": _ENV,
        "outputs": an_object(SINGLE),
        "with": an_object(SINGLE),
        "defaults": Shape("a mapping", (dict,), is_closed=True, fields={"run": _RUN}),
        "strategy": _STRATEGY,
        "continue-on-error": FLAG,
        "runs-on": Shape("a label, or a list of labels", (str, list, dict), items=TEXT,
                         fields={"group": TEXT, "labels": ANYTHING}, is_closed=True),
    },
)  # fmt: skip
"""Of a workflow, of a job and of a step, which have no field in common that differs."""
