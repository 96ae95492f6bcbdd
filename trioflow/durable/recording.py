"""The middlewares of a journalled run: they record the ends of bodies, and run none again that has one (J2, J6).

The outermost one is around the middlewares of the host, so that none of those is asked again either. Where there are
some, another one is inside of them, for what each attempt came to (A2): a run that dies between two attempts goes on
with the next.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import trio

from trioflow.durable.activation import JournalledActivation
from trioflow.durable.codec import decode, decode_failure, dump, encode, encode_failure, is_simple, parse
from trioflow.durable.keys import line_key, part_key, path_key, show_key
from trioflow.durable.kinds import kind_of
from trioflow.durable.recorder import DONE, RAN, VALUE, Recorder, is_cancelled
from trioflow.durable.records import Entry
from trioflow.durable.scopes import at_firing
from trioflow.errors import CoercionError, InDoubt, NodeError, RecordedFailure, Unrecordable
from trioflow.model.durability import Transaction
from trioflow.model.sockets import UNSET
from trioflow.runtime.base.failure import is_cancellation
from trioflow.runtime.base.writes import write_outputs
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.written import Written, written_since

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from trioflow.model.durability import Durability
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.runtime.demand.context import EvaluationContext
    from trioflow.runtime.wrapping.invocation import Invocation, Outcome
    from trioflow.runtime.wrapping.middleware import RunLife
    from trioflow.semantics.plan import PlanNode

INTENT = "intent"
"""Kind of the entry that a body is about to be run, of a type with `on_doubt="fail"` (J4)."""

_NO_DIGEST = ""
_SCALARS = frozenset({type(None), bool, int, str, float, bytes})


class Recording(Middleware):
    """Around the bodies of recorded nodes."""

    def __init__(self, recorder: Recorder, *, attempts: bool) -> None:
        self._recorder = recorder
        self._attempts = attempts
        self._facts: dict[PlanNode, _Facts] = {}

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return kind_of(node_type, node) not in {"replayed", "source"}

    def life(self, run: RunLife) -> AbstractAsyncContextManager[object] | None:
        return None if self._attempts else self._recorder.life(run.nursery)

    async def __call__(self, invocation: Invocation) -> Outcome:  # noqa: C901 - one case after the other
        context: Any = invocation.context
        if not isinstance(context, JournalledActivation):
            return await self._evaluate(invocation, context)
        recorder = self._recorder
        plan = context.plan
        facts = self._facts.get(plan)
        if facts is None:
            facts = self._facts[plan] = _Facts.of(plan)
        key = line_key(context, recorder.above)
        if self._attempts:
            key = part_key(key, "a")
        name = context.name
        digest = _NO_DIGEST
        if facts.digested:
            with contextlib.suppress(CoercionError):  # it may be that its body catches that
                digest = _digest(await invocation.inputs())
        known = recorder.find(key, name, (DONE, RAN), "the end")
        if known is not None and known.kind == DONE:
            return await self._again(invocation, context, known, digest)
        ran = known is not None
        if not ran and recorder.is_cut_off(key, activation=not self._attempts):
            await self._cut_off(context, key)
        kind = facts.kind
        if kind == "transaction":
            return await self._transact(invocation, context, key, digest)
        if kind == "recorded" or not (ran or recorder.known):
            recorder.starts()  # one that is auto may have to dispatch what is recorded, or have been open
        if not (ran or self._attempts):
            await at_firing(recorder, context)
        if facts.careful and not self._attempts:
            await self._intend(key, name)
        if not ran:
            await recorder.before_effect()  # J3
        since = context.run.next_serial()
        count = context.count
        try:
            if ran:
                with recorder.running_again(key):
                    outcome = await invocation()
            else:
                outcome = await invocation()
        except Exception as error:
            if context.count > count:
                if not ran:
                    recorder.put(key, name, RAN, None)
                raise  # what it dispatched is recorded, and it is run again
            raise self._fail(context, key, error, _written(context, since), digest) from None
        except BaseException as error:
            if is_cancellation(error) and context.count == count and not self._attempts:
                with contextlib.suppress(Unrecordable):
                    recorder.put_late(key, name, _said(_written(context, since), context))
            raise
        if outcome.dispatched and kind == "auto":
            if not ran:
                recorder.put(key, name, RAN, None)
            return outcome
        if outcome.dispatched:
            raise NodeError(
                f"Node {name!r} is durable='recorded', which acts on the world and dispatches nothing, but it has "
                "triggered, emitted, published or reported progress to a wire. Say durable='replayed' and do what "
                "acts in ctx.once, or durable='source' for a node that emits what it reads (recorded-dispatches)."
            )
        return self._record(invocation, context, outcome, key, digest)

    # --- activations ---

    def _record(
        self, invocation: Invocation, context: JournalledActivation, outcome: Outcome, key: bytes, digest: str
    ) -> Outcome:
        said: dict[str, Any] = {}
        try:
            if outcome.skipped is not None:
                said["k"] = encode_failure(outcome.skipped, _where(context))
            else:
                written = outcome.written
                said = _said(written, context)
                if outcome.exit is not None:
                    said["x"] = outcome.exit
        except Unrecordable as error:  # it was done, and done again it would be no better: that is its failure
            raise self._fail(context, key, error, Written(), digest) from None
        if digest:
            said["i"] = digest
        self._put(key, context.name, said)
        if outcome.skipped is not None or _is_plain(outcome.written):
            return outcome
        return invocation.answer(**_unsaid(said), exit=outcome.exit)  # J6: as it will be told after a resume

    def _fail(
        self, context: JournalledActivation, key: bytes, error: Exception, written: Written, digest: str
    ) -> Exception:
        """Record a failure (J7), and what was written before it; gives what the run goes on with."""
        try:
            said = _said(written, context)
        except Unrecordable:
            said = {}
        said["e"] = encode_failure(error, f"the failure of {_where(context)}")
        if digest:
            said["i"] = digest
        self._put(key, context.name, said)
        if said["e"][0] == "names" and not isinstance(error, RecordedFailure):
            failure = decode_failure(said["e"])
            failure.__cause__ = error
            assert isinstance(failure, Exception)
            return failure
        return error

    def _put(self, key: bytes, name: str, said: dict[str, Any]) -> None:
        """The end of an activation, or of an attempt."""
        recorder = self._recorder
        if is_cancelled():
            said["c"] = 1
        if recorder.remembered is not None and not self._attempts:
            remembered = recorder.policies()
            if remembered is not None:
                said["p"] = remembered
        recorder.put(key, name, DONE, said)

    async def _again(self, invocation: Invocation, context: JournalledActivation, known: Entry, digest: str) -> Outcome:
        """What was recorded (J6)."""
        said = parse(known.data)
        if said.get("i", digest) != digest:
            self._recorder.diverge(
                f"Node {known.node!r}, activation {context.where.short}, gets other inputs than when it was recorded."
            )
        if "c" in said:
            await _cancelled()  # J8: it came to that while it was being cancelled
        if "k" in said:
            skipped = decode_failure(said["k"])
            assert isinstance(skipped, Exception)
            return invocation.skip(skipped)
        made = _unsaid(said)
        if "e" in said:
            _write(context, made)
            await self._recorder.in_turn(known)
            raise decode_failure(said["e"])
        return invocation.answer(**made, exit=said.get("x"))

    async def _cut_off(self, context: JournalledActivation, key: bytes) -> NoReturn:
        """Wait to be cancelled, as it was before (J8); then what it wrote before it ended is there."""
        try:
            await self._recorder.wait_to_be_cancelled(key)
        except trio.Cancelled:
            _write(context, _unsaid(self._recorder.closed.get(key, {})))
            raise

    async def _intend(self, key: bytes, name: str) -> None:
        recorder = self._recorder
        intent = part_key(key, "!")
        if recorder.find(intent, name, (INTENT,), "an intent") is not None:
            error = InDoubt(
                f"Node {name!r}, activation {show_key(key)}, was begun and not recorded as done before the process "
                "died, and it may not be done twice. Find out whether it was done, and say so with trioflow.settle or "
                "`trioflow runs settle`: with what it came to, or as not done."
            )
            recorder.break_off(error)
            raise error
        recorder.put(intent, name, INTENT, None)

    async def _transact(
        self, invocation: Invocation, context: JournalledActivation, key: bytes, digest: str
    ) -> Outcome:
        """J5: the body, what it writes to the database, and its record, in one transaction."""
        recorder = self._recorder
        recorder.starts()
        holder: _OpenTransaction = context.services.get(Transaction)  # type: ignore[type-abstract, assignment]
        done: list[Outcome] = []

        def work(transaction: Transaction) -> Sequence[Entry]:
            holder.open = transaction
            try:
                outcome = _at_once(invocation())
            finally:
                holder.open = None
            said = _said(outcome.written, context)
            if outcome.exit is not None:
                said["x"] = outcome.exit
            if digest:
                said["i"] = digest
            done.append(invocation.answer(**_unsaid(said), exit=outcome.exit))
            return [Entry(key, context.name, DONE, dump(said))]

        since = context.run.next_serial()
        try:
            await recorder.transact(work)
        except Exception as error:
            raise self._fail(context, key, error, _written(context, since), digest) from None
        return done[0]

    # --- evaluations ---

    async def _evaluate(self, invocation: Invocation, context: EvaluationContext) -> Outcome:
        recorder = self._recorder
        name = context.strand.frame.prefix + context.plan.id
        path = path_key(context.path)
        letter = "a" if self._attempts else "v"
        key = part_key(path, letter, f"{name}#{self._times(part_key(path, letter, name))}")
        known = recorder.find(key, name, (VALUE,), "a value")
        if known is not None:
            said = parse(known.data)
            if "e" in said:
                await recorder.in_turn(known)
                raise decode_failure(said["e"])
            for asked, is_input in said.get("r", ()):  # so that it depends on that, as it did (D4)
                if is_input:
                    with contextlib.suppress(Exception):
                        await context.try_get_input(asked)
                else:
                    context.get_variable(asked)
            return invocation.answer({place: decode(value) for place, value in said["o"].items()})
        if recorder.is_cut_off(key):
            await recorder.wait_to_be_cancelled(key)
        recorder.starts()
        where = f"a value of node {name!r}"
        try:
            outcome = await invocation()
            outputs = {place: encode(value, f"{where}: {place!r}") for place, value in outcome.outputs.items()}
            asked = context.asked
        except Exception as error:
            recorder.put(key, name, VALUE, {"e": encode_failure(error, where)})
            raise
        recorder.put(key, name, VALUE, {"o": outputs, "r": asked} if asked else {"o": outputs})
        if _is_plain(outcome.written):
            return outcome
        return invocation.answer({place: decode(value) for place, value in outputs.items()})

    def _times(self, key: bytes) -> int:
        """How often this was asked for before."""
        asked = self._recorder.volatile
        number = asked.get(key, 0)
        asked[key] = number + 1
        return number


class _OpenTransaction(Transaction):
    """The service that nodes with `durable="transaction"` get: whichever transaction is open."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open: Transaction | None = None

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        if self.open is None:
            raise NodeError("A transaction lasts as long as the function that got it. Don't keep it.")
        return self.open.execute(statement, parameters)


def transaction_service() -> Transaction:
    """What a run gets for its nodes with `durable="transaction"`."""
    return _OpenTransaction()


def _write(context: JournalledActivation, made: Mapping[str, Any]) -> None:
    """Write what was written by a body that did not come to a good end."""
    write_outputs(context, made["outputs"])
    for variable, value in made["variables"].items():
        context.set_variable(variable, value)
    for place, value in made["state"].items():
        if value is UNSET:
            context.state.pop(place, None)
        else:
            context.state[place] = value


async def _cancelled() -> None:
    """Wait to be cancelled, and go on then."""
    with contextlib.suppress(trio.Cancelled):
        await trio.sleep_forever()


def _at_once(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run what does not wait."""
    try:
        work.send(None)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    work.close()
    raise NodeError(
        "Something around a transaction waits: a middleware of the host, or another node that it asks for a value. "
        "Nothing may wait while the database is locked."
    )


def _written(context: JournalledActivation, since: int) -> Written:
    strand = context.strand
    return written_since(since, strand.store, context.plan, strand.frame.plan.variable_index)


def _said(written: Written, context: JournalledActivation) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if written.outputs:
        said["o"] = _encoded(written.outputs, "output", context)
    if written.variables:
        said["v"] = _encoded(written.variables, "variable", context)
    if written.state:
        said["s"] = _encoded(written.state, "state", context)
    return said


def _encoded(values: Mapping[str, Any], what: str, context: JournalledActivation) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for name, value in values.items():
        if is_simple(value):
            encoded[name] = value
        elif value is UNSET:
            encoded[name] = {"$u": 0}
        else:
            encoded[name] = encode(value, f"{_where(context)}: {what} {name!r}")
    return encoded


def _where(context: JournalledActivation) -> str:
    return f"node {context.name!r}, activation {context.where.short}"


def _unsaid(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {place: UNSET if value == {"$u": 0} else decode(value) for place, value in said.get(letter, {}).items()}
        for letter, name in (("o", "outputs"), ("v", "variables"), ("s", "state"))
    }


def _is_plain(written: Written) -> bool:
    """Whether all that was written comes back as the very same."""
    for values in (written.outputs, written.variables, written.state):
        for value in values.values():
            if type(value) not in _SCALARS:
                return False
    return True


@attrs.frozen
class _Facts:
    """What is known of a node: how it is kept, whether it may be begun twice, whether its inputs are compared."""

    kind: Durability
    careful: bool
    digested: bool

    @classmethod
    def of(cls, node: PlanNode) -> _Facts:
        digested = bool(node.inputs) and all(planned.secret is None for planned in node.inputs)
        return cls(kind_of(node.type, node.graph_node), node.type.on_doubt == "fail", digested)


def _digest(given: Mapping[str, Any]) -> str:
    """Of the inputs of an effect (J12); none if there are none, or they can't be written."""
    if not given:
        return _NO_DIGEST
    try:
        values = [value if is_simple(value) else encode(value, name) for name, value in given.items()]
    except Unrecordable:
        return _NO_DIGEST
    return f"{zlib.crc32(dump(values).encode()):x}"
