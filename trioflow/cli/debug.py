"""`trioflow debug`: stop a graph, step through it and look inside, at a prompt or by a script on stdin.

It stands on the public interface of a run alone: the gate, `strands`, `peek`, `evaluate` and `set_variable`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Literal

import click
import trio

import trioflow as tf
from trioflow.cli.counted import counted
from trioflow.cli.failure import Failure
from trioflow.cli.foreign import Foreign
from trioflow.cli.interrupt import on_interrupt
from trioflow.cli.source import allow_option, graph_argument, open_source
from trioflow.cli.values import read_settings
from trioflow.errors import did_you_mean
from trioflow.formats import visible
from trioflow.model.secret import hide
from trioflow.model.typed_text import read_value

DONE, FAILED, INTERRUPTED = 0, 1, 130
PROMPT = "(trioflow) "
_SETTLES = 0.2
"""Seconds that strands get to come to the gate, before it is said where they are; a body may sleep for hours."""

HELP = """\
list [GRAPH]       the nodes, with * where the strand is and ! where a breakpoint is
break PLACE [if CONDITION]
                   stop at a node (work, call/work), a wire (a.then -> b.enter), nodes of some types (http.*), or
                   `failure`; a condition is NAME OP LITERAL, several joined by `and`; without PLACE: list them
watch NAME         stop at the next dispatch after a variable or an output (node.output) was written
log PLACE [if CONDITION]
                   the same as break, but only tell it and go on
enable, disable, delete ID
run, continue      go on until it stops; Ctrl-C stops it
into, over, out    step into the node at which the strand waits, over all that it does, out of what it is in
where              who waits, and why
strands            where each strand is
strand NUMBER      look at another strand from now on
print NAME         a variable, an output (node.output, evaluated if need be), or all that is known of a node
set NAME VALUE     write a variable in the strand
quit               cancel the run and end
An empty line repeats the last of run, continue, into, over and out."""


@click.command(
    epilog="Exit codes: 0 the graph is done, or was quit; 1 it failed; 2 bad usage, bad input or an invalid graph; "
    "130 interrupted at the prompt."
)
@graph_argument
@allow_option
@click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Start value of a variable, as for `trioflow run`."
)
@click.option("--parallel", is_flag=True, help="Run the graph's initiators concurrently.")
def debug(
    graph: str,
    modules: tuple[str, ...],
    foreign: Foreign,
    allowed: tuple[Literal["scripts"], ...],
    settings: tuple[str, ...],
    parallel: bool,
) -> int:
    """Step through GRAPH and look inside. It stops before its first node; `help` lists what can be said.

    Commands come from a terminal or, one to a line, from a script on stdin; where that ends the run is quit.

    \b
    trioflow debug fizzbuzz
    printf 'break print if path == "0.1.2"\\nrun\\nwhere\\n' | trioflow debug fizzbuzz
    """
    source = open_source(graph, modules, allowed, foreign)
    variables = read_settings(source.graph, settings)
    plan = source.plan()
    source.tell_import()
    return trio.run(_debug, plan, variables, tf.RunOptions(parallel_initiators=parallel))


async def _debug(plan: tf.Plan, variables: Mapping[str, Any], options: tf.RunOptions) -> int:
    debugger = Debugger(plan)
    try:
        async with tf.open_run(plan, variables=variables, options=options, observers=[debugger.observer]) as run:
            run.gate.pause("before the first node")
            return await debugger.converse(run)
    except Exception as error:  # of a run that has failed after it was quit
        return debugger.tell_failure(error)


class Debugger:
    """One run and who talks about it."""

    def __init__(self, plan: tf.Plan) -> None:
        self._plan = plan
        self._run: tf.Run
        # The strand that is looked at.
        self._strand = 0
        self._stopped = trio.Event()
        self._finished = trio.Event()
        self._last: str | None = None
        self._interrupted = False
        self.observer = tf.observe(self._observe, kinds=["BreakpointHit", "BreakpointFailed", "RunPaused", "Feedback"])
        self._commands: dict[str, Callable[[str], Awaitable[object]]] = {
            "list": self._list, "break": self._break, "log": self._log, "watch": self._watch, "enable": self._enable,
            "disable": self._disable, "delete": self._delete, "run": self._continue, "continue": self._continue,
            "into": self._into, "over": self._over, "out": self._out, "where": self._where, "strands": self._strands,
            "strand": self._choose, "print": self._print, "set": self._set, "help": self._help,
        }  # fmt: skip
        self._short = {"c": "continue", "r": "run", "b": "break", "p": "print", "w": "where", "l": "list", "q": "quit"}

    async def converse(self, run: tf.Run) -> int:
        """Do what is said until the run has ended or is quit; gives the exit code."""
        self._run = run
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._await_end)
            await self._settle()
            _say("It has stopped before its first node. `help` lists what can be said.")
            await self._where("")
            async for line in _lines(self._interrupt):
                if self._interrupted or not await self._obey(line.strip()) or self._finished.is_set():
                    break
            nursery.cancel_scope.cancel()
        if self._finished.is_set():
            return await self._end()
        run.cancel()
        return INTERRUPTED if self._interrupted else DONE

    def tell_failure(self, error: BaseException) -> int:
        """Say what the run has failed with."""
        for line in Failure(error).lines():
            _say(line)
        return FAILED

    # --- the run ---

    def _observe(self, event: tf.events.Event) -> None:
        match event:
            case tf.events.RunPaused():
                self._stopped.set()
            case tf.events.BreakpointHit(stopped=False):
                _say(f"{event.breakpoint}: {event.detail}, at {event.path} {event.node}")
            case tf.events.BreakpointHit():
                self._strand = event.strand if event.strand is not None else self._strand
            case tf.events.BreakpointFailed():
                _say(f"{event.breakpoint}: its condition failed: {type(event.error).__name__}: {event.error}")
            case tf.events.Feedback():
                _say(f"{event.node}: {event.message}")
            case _:
                pass

    async def _await_end(self) -> None:
        try:
            await self._run.result()
        except tf.RunAborted:
            pass
        except Exception:  # noqa: S110 - `_end` tells it
            pass
        self._finished.set()

    async def _end(self) -> int:
        try:
            result = await self._run.result()
        except tf.RunAborted:
            return DONE
        except Exception as error:
            return self.tell_failure(error)
        _say(f"The run has completed after {counted(result.statistics.steps, 'step')}.")
        for name, value in result.variables.items():
            _say(f"{name} = {value!r}")
        return DONE

    async def _go(self, begin: Callable[[], None]) -> None:
        """Let the run go on until it stops, ends, or is at rest."""
        self._stopped = trio.Event()
        with on_interrupt(lambda: self._run.gate.pause("interrupted"), lambda: None):
            begin()
            async with trio.open_nursery() as nursery:

                async def first(wait: Callable[[], Awaitable[object]]) -> None:
                    await wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(first, self._stopped.wait)
                nursery.start_soon(first, self._finished.wait)
                if self._run.gate.closed:
                    nursery.start_soon(first, self._run.gate.wait_parked)
            await self._settle()
        if not self._finished.is_set():
            await self._where("")

    async def _settle(self) -> None:
        """Wait a moment for strands on their way to the gate, and look at one that waits."""
        with trio.move_on_after(_SETTLES):
            await self._run.gate.wait_parked()
        await trio.lowlevel.checkpoint()  # what has ended is told first
        parked = self._run.gate.parked_at()
        if parked and all(each.strand != self._strand for each in parked):
            self._strand = parked[0].strand

    def _interrupt(self) -> None:
        self._interrupted = True
        _say("interrupted: cancelling; once more kills at once")
        self._run.cancel()

    # --- commands ---

    async def _obey(self, line: str) -> bool:
        """Do what a line says; whether to go on."""
        line = line or self._last or ""
        word, _, rest = line.partition(" ")
        word = self._short.get(word, word)
        if word == "quit":
            return False
        if not word or word.startswith("#"):
            return True
        command = self._commands.get(word)
        if command is None:
            _say(f"error: there is no command {word!r}.{did_you_mean(word, self._commands)} `help` lists them.")
            return True
        self._last = line if word in ("run", "continue", "into", "over", "out") else None
        try:
            await command(rest.strip())
        except (tf.TrioflowError, RuntimeError, ValueError, TypeError) as error:
            _say(f"error: {error}")
        except Exception as error:  # what an evaluation fails with
            self.tell_failure(error)
        return True

    async def _help(self, _rest: str) -> None:
        _say(HELP)

    async def _list(self, prefix: str) -> None:
        plan: tf.Plan | None = self._plan
        if prefix:
            node = self._plan.node(prefix)
            plan = None if node is None else node.graph
            prefix += "/"
        if plan is None:
            _say(f"error: node {prefix[:-1]!r} calls no graph.")
            return
        waiting = {each.node for each in self._run.gate.parked_at() if each.strand == self._strand}
        stops = {each.on for each in self._run.gate.breakpoints}
        for each in plan.graph.nodes:
            name = prefix + each.id
            here = ("*" if name in waiting else " ") + ("!" if name in stops else " ")
            leads = [wire for wire in plan.graph.connections if wire.source.node == each.id]
            wires = "; ".join(f"{wire.source.socket} -> {wire.target}" for wire in leads)
            _say(f"{here} {name} ({each.type}){f'  {wires}' if wires else ''}")

    async def _break(self, rest: str, *, log: bool = False) -> None:
        if not rest:
            for each in self._run.gate.breakpoints:
                condition = f" if {each.condition}" if each.condition is not None else ""
                rests = "" if each.enabled else ", disabled"
                logs = ", only logs" if each.log else ""
                _say(f"{each.id} on {each.on}{condition}: hit {counted(each.hits, 'time')}{logs}{rests}")
            return
        place, _, condition = rest.partition(" if ")
        place = place.strip()
        given: dict[str, Any] = {"failure": True}
        if place != "failure":
            given = {"wire" if "->" in place else "node": place}
        made = self._run.gate.add_breakpoint(condition=condition.strip() or None, log=log, **given)
        _say(f"{made.id} on {made.on}")

    async def _log(self, rest: str) -> None:
        await self._break(rest, log=True)

    async def _watch(self, name: str) -> None:
        made = self._run.gate.add_breakpoint(value=name)
        _say(f"{made.id} on {made.on}")

    async def _enable(self, which: str) -> None:
        self._run.gate.enable_breakpoint(which)

    async def _disable(self, which: str) -> None:
        self._run.gate.disable_breakpoint(which)

    async def _delete(self, which: str) -> None:
        self._run.gate.remove_breakpoint(which)

    async def _continue(self, _rest: str) -> None:
        await self._go(self._run.gate.resume)

    async def _into(self, _rest: str) -> None:
        await self._step(self._run.gate.step_into)

    async def _over(self, _rest: str) -> None:
        await self._step(self._run.gate.step_over)

    async def _out(self, _rest: str) -> None:
        await self._step(self._run.gate.step_out)

    async def _step(self, step: Callable[[tf.events.Path], None]) -> None:
        path = self._here().path
        await self._go(lambda: step(path))

    async def _where(self, _rest: str) -> None:
        gate = self._run.gate
        if gate.reason is not None:
            _say(f"stopped: {gate.reason}")
        parked = gate.parked_at()
        for each in parked:
            mark = "*" if each.strand == self._strand else " "
            wire = f" over {each.wire}" if each.wire is not None else ""
            failed = f", failed: {type(each.error).__name__}: {each.error}" if each.error is not None else ""
            _say(f"{mark} strand {each.strand} at {each.path} {each.node}{wire}{failed}")
        if not parked:
            _say("no strand waits here; `strands` says where they are")

    async def _strands(self, _rest: str) -> None:
        for each in self._run.strands():
            mark = "*" if each.number == self._strand else " "
            since = "" if each.since is None else f" since {each.since:.3f} s"
            _say(f"{mark} strand {each.number} at {each.path} {each.node}: {each.state}{since}")

    async def _choose(self, number: str) -> None:
        known = {str(each.number): each.number for each in self._run.strands()}
        if number not in known:
            raise tf.UnknownName(f"There is no strand {number!r} now. There is: {', '.join(known) or 'none'}.")
        self._strand = known[number]

    async def _print(self, name: str) -> None:
        here = self._here()
        prefix = here.node[: here.node.rfind("/") + 1]
        variables = self._run.peek(self._strand, here.node).variables
        if not name:
            if not variables:
                _say("the graph has no variables")
            for each, value in variables.items():
                _say(f"{prefix}{each} = {value!r}")
        elif name.removeprefix(prefix) in variables:
            _say(f"{name} = {variables[name.removeprefix(prefix)]!r}")
        elif self._plan.node(name) is not None:
            peek = self._run.peek(self._strand, name)
            for kind, sockets in (("input", peek.inputs), ("output", peek.outputs)):
                for each, seen in sockets.items():
                    shown = f" = {seen.value!r}" if seen.kind not in ("not computed", "missing") else ""
                    wire = f", from {seen.wire}" if seen.wire is not None else ""
                    _say(f"{kind} {each}{shown} ({seen.kind}{wire})")
        elif "." in name:
            node, _, output = name.rpartition(".")
            _say(f"{name} = {await self._run.evaluate(self._strand, node, output)!r}")
        else:
            known = [*variables, *self._plan.node_index]
            raise tf.UnknownName(
                f"There is no variable and no node {name!r}.{did_you_mean(name, known)} Write a variable, a node, or "
                "node.output."
            )

    async def _set(self, rest: str) -> None:
        name, _, text = rest.partition(" ")
        prefix, _, inner = name.rpartition("/")
        call = self._plan.node(prefix) if prefix else None
        plan = self._plan if call is None or call.graph is None else call.graph
        kinds = {each.name: each.type for each in plan.graph.variables}
        self._run.set_variable(self._strand, name, read_value(name, kinds.get(inner, "any"), text.strip()))

    def _here(self) -> tf.Parked:
        """Where the strand that is looked at waits."""
        for each in self._run.gate.parked_at():
            if each.strand == self._strand:
                return each
        raise tf.UnknownName(
            f"Strand {self._strand} does not wait at the gate. `where` says which do; choose one with `strand NUMBER`."
        )


def _say(text: str) -> None:
    click.echo("\n".join(visible(hide(line)) for line in text.splitlines()))


async def _lines(interrupt: Callable[[], None]) -> AsyncIterator[str]:
    """The lines of stdin, each when it is asked for; after a prompt, if that is a terminal.

    Ctrl-C while one is waited for ends them.
    """
    source = sys.stdin.fileno()
    shows_prompt = sys.stdin.isatty()
    held = b""
    while True:
        with trio.CancelScope() as scope:

            def leave(scope: trio.CancelScope = scope) -> None:
                interrupt()
                scope.cancel()

            with on_interrupt(leave, lambda: None):
                if shows_prompt:
                    click.echo(PROMPT, nl=False)
                    sys.stdout.flush()
                while b"\n" not in held:
                    more = await _read(source)
                    if not more:
                        break
                    held += more
        if scope.cancelled_caught:
            yield ""
            return
        line, newline, held = held.partition(b"\n")
        if not newline and not line:
            if shows_prompt:
                click.echo()
            return
        yield line.decode(errors="replace")
        if not newline:
            return


async def _read(source: int) -> bytes:
    """What is there, once something is. A file always has something."""
    if sys.platform == "win32":
        return await trio.to_thread.run_sync(os.read, source, 65536, abandon_on_cancel=True)
    try:
        await trio.lowlevel.wait_readable(source)
    except OSError:
        await trio.lowlevel.checkpoint()
    return os.read(source, 65536)
