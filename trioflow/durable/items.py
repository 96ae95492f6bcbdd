"""Items of concurrent streams in kept runs: one that has ended is one record, while others go on (J26).

What the items have written is merged in their order when all of them have ended, so each of them needs that record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from trioflow.durable.going import Going
from trioflow.durable.keys import part_key, path_key
from trioflow.durable.moment import WHOLE, Moment
from trioflow.durable.recorder import is_cancelled
from trioflow.runtime.dispatch import drive

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Line, Strand
    from trioflow.runtime.base.task import HotTask
    from trioflow.semantics.plan import Target


@attrs.frozen(eq=False)
class KeptItems:
    """What is done for each item of a stream, in place of the dispatch of its targets."""

    recorder: Recorder
    name: str
    """Of the node whose stream it is."""
    targets: Sequence[Target]

    async def __call__(self, strand: Strand, line: Line, task: HotTask) -> None:
        """Dispatch these targets in the strand of an item; nothing, if all of that is behind it."""
        recorder = self.recorder
        moments = recorder.moments
        item = Going(recorder=recorder, strand=strand, line=line, name=self.name)
        strand.resume(task)
        known = recorder.find(part_key(path_key(item.path), "w"), self.name, (WHOLE,), "all of an item")
        if known is not None:
            moments.go_on(item, Moment.of(known))
            return
        since = strand.run.next_serial()
        seen = recorder.recorded + recorder.replayed
        failures = moments.before(line)
        own = moments.begin(item)
        try:
            await drive(strand, line, self.targets, task)
        finally:
            moments.end(item, own)
        # The others record something meanwhile, too: of one that did little there is no need.
        records = min(recorder.recorded + recorder.replayed - seen, own.steps)
        if not is_cancelled() and moments.is_worth(records):
            moments.ended(item, since, own, failures, None)
            if moments.is_due:
                await recorder.barrier()
                await moments.sweep()
