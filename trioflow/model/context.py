"""What a node's body sees of the engine: the context that is passed to it.

Two classes: a data node gets a `DataContext`, which can only look (D8); an exec node gets a `Context`, which can act.
The engine implements them; nothing here awaits anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, ParamSpec, TypeVar, overload

from trioflow.model.clock import Clock

if TYPE_CHECKING:
    import datetime
    import random

    from trioflow.model.durability import Duration
    from trioflow.model.envelope import Envelope
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.model.sockets import DataIn, DataOut, ErrorMode, ExecOut, Supplies

P = ParamSpec("P")
T = TypeVar("T")

FeedbackLevel = Literal["debug", "info", "warning", "error"]


class Services(ABC):
    """What the host gave to the run: objects by type or by name."""

    __slots__ = ()

    @overload
    def get(self, key: type[T]) -> T: ...
    @overload
    def get(self, key: str) -> Any: ...
    @abstractmethod
    def get(self, key: type[Any] | str) -> Any:
        """The service of this type or name. Raises `UnknownName`, listing what there is."""


class DataContext(ABC):
    """What every body may do: look at inputs, variables and services. Nothing here changes anything but outputs."""

    __slots__ = ()

    @property
    @abstractmethod
    def node(self) -> GraphNode:
        """The node of the graph that is being executed."""

    @property
    @abstractmethod
    def type(self) -> NodeType:
        """The node's type, with the sockets that its configuration gives it (M2)."""

    @property
    @abstractmethod
    def path(self) -> tuple[int, ...]:
        """The path of this activation; for a data node that of the activation that asked first (T8)."""

    @property
    @abstractmethod
    def services(self) -> Services:
        """What the host gave to the run."""

    def now(self) -> datetime.datetime:
        """The date and time in UTC, on the host's clock (A10). For data nodes that are volatile (D6)."""
        clock: Clock = self.services.get(Clock)  # type: ignore[type-abstract]
        return clock.now()

    @property
    @abstractmethod
    def random(self) -> random.Random:
        """A generator seeded from the run's seed and this activation's path: the same under every schedule (R6)."""

    @overload
    async def get_input(self, socket: Supplies[T]) -> T: ...
    @overload
    async def get_input(self, socket: str) -> Any: ...
    @abstractmethod
    async def get_input(self, socket: Supplies[Any] | str) -> Any:
        """The value of a data input as it is now: resolved afresh at each call (D1, D7).

        A cancellation point. Evaluates the data nodes behind the input if something they depend on has changed (D4).
        Raises `MissingInput`, `CoercionError`, `UnknownSocket`, or what the data nodes raise.
        """

    @overload
    async def try_get_input(self, socket: Supplies[T], default: T) -> T: ...
    @overload
    async def try_get_input(self, socket: Supplies[T]) -> T | None: ...
    @overload
    async def try_get_input(self, socket: str, default: Any = ...) -> Any: ...
    @abstractmethod
    async def try_get_input(self, socket: Supplies[Any] | str, default: Any = None) -> Any:
        """Like `get_input`, but gives `default` where that would raise `MissingInput`. Other errors are raised."""

    @overload
    def set_output(self, socket: DataOut[T], value: T) -> None: ...
    @overload
    def set_output(self, socket: str, value: object) -> None: ...
    @abstractmethod
    def set_output(self, socket: DataOut[Any] | str, value: object) -> None:
        """Write a data output; consumers see a new cell even if the value is equal (D9). Raises `UnknownSocket`."""

    @abstractmethod
    def is_connected(self, socket: ExecOut | DataIn[Any] | str) -> bool:
        """Whether a wire is attached to an exec output or a data input. Raises `UnknownSocket`."""

    @abstractmethod
    def get_variable(self, name: str) -> Any:
        """The variable's value in this strand (D8). Raises `UnknownName`, listing the declared ones."""


class Fork(ABC):
    """One concurrent strand that was started with `branches.start`."""

    __slots__ = ()

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether everything in the strand has ended, well or not."""

    @property
    @abstractmethod
    def failure(self) -> Exception | None:
        """What it failed with, if it did."""

    @abstractmethod
    def cancel(self) -> None:
        """Cancel the strand; nothing it wrote is merged."""


class Branches(ABC):
    """A block of concurrent branches of one activation (F1, F2)."""

    __slots__ = ()

    @abstractmethod
    def start(self, socket: ExecOut | str, values: Mapping[Any, object] | None = None) -> Fork:
        """Fork a strand that dispatches the socket's targets, with outputs written first. Never blocks.

        Raises `UnknownSocket` and `DepthExceeded`.
        """

    @abstractmethod
    async def wait_first(self) -> Fork:
        """Wait until at least one branch has ended; returns the ended branch that was started first."""

    @abstractmethod
    def cancel(self) -> None:
        """Cancel the branches that have not ended; nothing they wrote is merged."""


class TimeLimitScope(ABC):
    """What is inside of a time limit."""

    __slots__ = ()

    @property
    @abstractmethod
    def expired(self) -> bool:
        """Whether what was inside was cancelled because the time was up."""


class Context(DataContext, ABC):
    """What the body of an exec node may do."""

    __slots__ = ()

    @property
    @abstractmethod
    def entered(self) -> str | None:
        """The name of the exec input that control entered through; None for initiators and listeners (T5)."""

    @property
    @abstractmethod
    def payload(self) -> Any:
        """The payload of the event that started this listener; None in other nodes (B1)."""

    @property
    @abstractmethod
    def state(self) -> MutableMapping[str, Any]:
        """This node's state in this strand. It survives activations, forks and merges like all else (F6)."""

    @abstractmethod
    async def trigger(self, socket: ExecOut | str, values: Mapping[Any, object] | None = None) -> None:
        """Dispatch everything wired to an exec output, in the order of the wires, and return when it is done (T1).

        `values` are written to data outputs first. A cancellation point, also if nothing is wired (T4). Raises what
        the nodes below raise, as it is (R4), `UnknownSocket`, `ConcurrentTrigger` (T7), or `LimitExceeded` for depth,
        nesting and strands; where steps or time are used up the run is cancelled (R8).
        """

    @overload
    async def emit(self, item: DataOut[T], value: T, also: Mapping[Any, object] | None = ...) -> None: ...
    @overload
    async def emit(self, item: str, value: object, also: Mapping[Any, object] | None = ...) -> None: ...
    @abstractmethod
    async def emit(self, item: Any, value: Any, also: Mapping[Any, object] | None = None) -> None:
        """Send one item down the stream that `item` belongs to; `also` sets the stream's other item outputs (S1, S2).

        Sequential: returns when all that the item leads to is done, and raises what fails there. Concurrent: returns
        once the item's strand is started, after waiting for room if the stream has a limit (S3); failures come with
        `join`, or cancel the activation. A cancellation point either way. Raises `UnknownSocket`, `ConcurrentTrigger`
        (T7), and `LimitExceeded` as `trigger` does.
        """

    @abstractmethod
    def configure_stream(
        self,
        item: DataOut[Any] | str,
        *,
        limit: int | None = None,
        on_error: ErrorMode | None = None,
    ) -> None:
        """Set how this activation's stream runs, before its first emit. The run's and the graph's settings win.

        The mode can't be chosen here: it belongs to the graph (S2).
        """

    @abstractmethod
    async def join(self) -> None:
        """Wait for the strands that `emit` started and merge what they wrote, in the order they were made (F3, F5).

        A cancellation point. What strands failed with has cancelled the activation, unless the stream collects failures
        (S4). Raises `MergeError` where a variable's merge policy refuses what was written.
        """

    @abstractmethod
    def failures(self) -> tuple[Exception, ...]:
        """What items of streams that collect failures failed with, in the order of their emits (S4).

        Complete after `join`.
        """

    @abstractmethod
    def branches(self) -> AbstractAsyncContextManager[Branches]:
        """A block whose branches run concurrently and are joined where it ends (F5).

        A branch that fails cancels the others and the block, which raises the failure, or a group of several. Leaving
        the block waits for all branches, and merges what they wrote in the order in which they were started (F3).
        Cancelling the block cancels them, and nothing is merged. A cancellation point where it ends.
        """

    @abstractmethod
    def set_variable(self, name: str, value: object) -> None:
        """Set a variable in this strand: other strands see it when they are joined (F1, F4).

        Raises `UnknownName`, or `CoercionError` for a value that does not fit the variable's type.
        """

    @abstractmethod
    async def publish(self, event: str, payload: object = None) -> None:
        """Dispatch every listener of an event, in document order, in this strand; returns when they are done (B1).

        Listeners find the payload as `ctx.payload`. A cancellation point. Raises what they raise, and `UnknownName` for
        an event that the graph does not declare.
        """

    @abstractmethod
    async def undo(self, node: str | None = None) -> int:
        """In a workflow, undo what firings of this scope did that this one comes after, the last first (W17).

        Of one node, if it is named. Each is undone at most once. Returns how many were. A cancellation point. Raises
        what undoing fails with when all were tried, a group if several did; `UnknownName`, and `NodeError` elsewhere.
        """

    @abstractmethod
    def later(self, output: ExecOut | str, seconds: Duration) -> str:
        """Let the run dispatch what is wired to this exec output later, in its first strand; gives a handle (B3).

        Not before all initiators have ended, and one after the other with all else that is due, in order of their
        times. What is dispatched sees the store as it is then. In a run that is kept it is a timer, which goes on while
        no process has the run. Raises `UnknownSocket`, `ValueError` for what is no duration, `NodeError` in graphs that
        are called and in workflows.
        """

    @abstractmethod
    def post(self, event: str, payload: object = None) -> None:
        """Publish an event later, as soon as it is its turn: not here and now, as `publish` does (B3).

        Raises `UnknownName`, and `NodeError` in graphs that are called and in workflows.
        """

    @abstractmethod
    def drop_later(self, handle: str | None = None) -> int:
        """Take back what this node has put off with `later` or `post`: what has this handle, or all. Says how many."""

    @abstractmethod
    async def get_envelope(self, socket: Supplies[Any] | str) -> Envelope:
        """The value of an input with what is known of it: who gave it, in which run, of which type.

        It is a view that is made now; its `id` is the same in every schedule. Raises what `get_input` raises.
        """

    @abstractmethod
    def emit_feedback(self, message: str, level: FeedbackLevel = "info", tag: object = None) -> None:
        """Send a message to the observers of the run: a `Feedback` event, with this level and tag (E3)."""

    @abstractmethod
    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Report to the observers of the run how far this node is: a `Progress` event (E3).

        `done` of `total` in any unit; None for a total that is not known. In a workflow, wires on `progress` are taken
        for it, in a scope of their own, while the body goes on (W23).
        """

    # --- for runs that are kept in a journal; in others these do what they say, and keep nothing ---

    @property
    @abstractmethod
    def key(self) -> str:
        """32 hexadecimal digits for this activation of this node: the same in all attempts and after each resume (J4).

        For receivers that do a thing once if they are asked twice with one key.
        """

    @property
    @abstractmethod
    def attempt_key(self) -> str:
        """Like `key`, but another one in each attempt (A2)."""

    @overload
    async def once(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def once(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @abstractmethod
    async def once(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """What the function returns or raises; a run that is resumed gets the same without calling it again (J2).

        The function may be async. For what a replayed body asks of the world. A cancellation point. Raises what the
        function raises, and `Unrecordable` for a value that could not come back as it is (J15).
        """

    @abstractmethod
    async def sleep(self, duration: Duration) -> None:
        """Wait: seconds, a `timedelta`, or a text such as `2d`, `1h 30m`, `PT90S`. A cancellation point.

        In a journalled run it is due at a wall time, so the time during which no process had the run counts (J10).
        Raises `ValueError` for what is no duration, or a negative one.
        """

    @overload
    async def signal(self, name: str) -> Any: ...
    @overload
    async def signal(self, name: str, *, timeout: Duration, otherwise: T) -> Any | T: ...
    @abstractmethod
    async def signal(self, name: str, *, timeout: Duration | None = None, otherwise: Any = None) -> Any:
        """Wait for a signal of that name from outside, and take it: its payload; `otherwise` after so long (J21).

        Each is taken once, in the order of their arrival, also those that arrived before. The time is that of a timer,
        which goes on while no process has the run. A cancellation point. Raises `NodeError` in a run that is not kept
        in a journal.
        """

    @abstractmethod
    def time_limit(self, duration: Duration) -> AbstractContextManager[TimeLimitScope]:
        """Cancel what is inside the block after so long; `expired` of what it gives tells whether that was so (J9).

        As `trio.move_on_after`, but a run that is resumed comes to the same end. Raises `ValueError`.
        """

    @abstractmethod
    async def checkpoint(self) -> None:
        """All that was recorded so far is durable when this comes back, and moments are taken, as by hand (J26).

        Loops say where they are when they come to their next round. A cancellation point. Raises `JournalError` if
        nothing can be written.
        """

    is_kept: ClassVar[bool]
    """Whether the run is kept in a journal: then a loop that may go round for long says where it is (J26)."""

    @abstractmethod
    async def trigger_at(
        self, mark: object, output: ExecOut | str, values: Mapping[DataOut[Any] | str, object] = ...
    ) -> None:
        """As `trigger`, and the body can be begun here again: it needs no more than this mark, which `resumed` gives.

        In a run that is kept what was recorded until here need not be kept any more. A body that uses it asks for
        `resumed` first, and if it gets a mark goes on with this very call, with the same mark. Such a mark must be a
        value that can be recorded (J15); it is looked at only now and then. Raises what `trigger` raises.
        """

    @abstractmethod
    async def emit_at(self, mark: object, item: DataOut[T], value: T, also: Mapping[Any, object] | None = None) -> None:
        """As `emit`, and the body can be begun here again, as with `trigger_at`, if its items come one by one."""

    @abstractmethod
    def mark(self, value: object) -> None:
        """From here on the body needs no more than this to go on: `resumed` gives it after a resume (J1)."""

    @abstractmethod
    def resumed(self, default: T) -> T:
        """What `mark` was given last before the run was resumed in the middle of this body; else the default."""

    @abstractmethod
    def emitted(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """For the body of a source, before it looks at the world: what it has emitted before the run was resumed (J1).

        Each is called to emit the same item again. In a run that was not resumed there is none. If the source had come
        to its end, the iteration does not come back to the body, which ends as it did.
        """


class SetupContext(ABC):
    """What a node sees while it is set up: its place in the graph and the services (R1)."""

    __slots__ = ()

    @property
    @abstractmethod
    def node(self) -> GraphNode:
        """The node of the graph that the instance stands for."""

    @property
    @abstractmethod
    def services(self) -> Services:
        """What the host gave to the run."""
