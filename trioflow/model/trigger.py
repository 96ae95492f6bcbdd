"""What starts runs of a graph: times, requests, events, files, queues, people. A host that serves it acts on that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import attrs

from trioflow.model.values import NO_VALUES, frozen

TriggerKind = Literal["cron", "webhook", "event", "file", "manual", "queue"]
TRIGGER_KINDS: tuple[TriggerKind, ...] = get_args(TriggerKind)


@attrs.frozen(kw_only=True)
class Trigger:
    """What starts a run of the graph: one of `cron`, `webhook`, `event`, `file`, `manual` and `queue`.

    `cron` is a line such as `0 3 * * *`, in the time zone `zone` (UTC if there is none); `missed` says what becomes of
    times at which nobody was there to start it: they are skipped, made up for once, or all; `at_start` is whether it
    starts when the host does, too. `webhook` is the path of a request, and `secret` the name of what signs it. `event`
    is an event of the graph, `file` a pattern of files that land, `queue` the name of a queue; `manual` says that
    people may start it. `set` gives variables of the graph their start values: expressions over `trigger`, which has
    `kind`, `time`, `due`, `payload` and `headers`.
    """

    cron: str | None = None
    zone: str | None = None
    missed: Literal["skip", "once", "all"] = "once"
    at_start: bool = False
    webhook: str | None = None
    secret: str | None = None
    event: str | None = None
    file: str | None = None
    manual: bool = False
    queue: str | None = None
    set: Mapping[str, str] = attrs.field(default=NO_VALUES, converter=frozen)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)

    @property
    def kinds(self) -> tuple[TriggerKind, ...]:
        """What it says that it is: one kind, if it is right."""
        return tuple(kind for kind in TRIGGER_KINDS if getattr(self, kind) not in (None, False))
