"""trioflow: a structured-concurrency engine for node graphs on trio.

Everything public is here; `trioflow.nodes` holds the standard nodes, `trioflow.testing` what tests of nodes need.
A name is imported when it is first asked for: a program that only reads documents does not wait for the engine.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow import jobs, nodes, persons, remote, serving, studio, telemetry
    from trioflow.durable.checkpoint import Checkpoint
    from trioflow.durable.codec import recordable
    from trioflow.durable.file import FileJournal
    from trioflow.durable.forking import Past, Recorded, RecordedMoment, fork_run, past_of
    from trioflow.durable.journal import Journal
    from trioflow.durable.memory import MemoryJournal
    from trioflow.durable.postgres import PostgresJournal
    from trioflow.durable.records import RunInfo
    from trioflow.durable.recovering import recover
    from trioflow.durable.resuming import resume_run
    from trioflow.durable.settling import settle
    from trioflow.durable.signals import send_signal
    from trioflow.durable.sqlite import SqliteJournal
    from trioflow.errors import (
        BudgetExhausted,
        CircuitOpen,
        CoercionError,
        ConcurrentTrigger,
        DataNodeEffect,
        Deadlock,
        DepthExceeded,
        Diverged,
        DocumentError,
        ExpressionFailed,
        GraphChanged,
        GraphError,
        InDoubt,
        InvalidGraph,
        JoinUnmet,
        JournalError,
        JournalUnusable,
        LimitExceeded,
        MergeError,
        MiddlewareError,
        MissingExtra,
        MissingInput,
        NodeDefinitionError,
        NodeError,
        NodePackageError,
        NodeTimeout,
        NoWay,
        QuarantinedNode,
        RecordedFailure,
        RegistryError,
        RunAborted,
        RunError,
        RunFinished,
        RunNotFound,
        RunOwned,
        RunStuck,
        RunSuspended,
        TeardownTimeout,
        TrioflowError,
        UnknownName,
        UnknownNodeType,
        UnknownSecret,
        UnknownSocket,
        Unrecordable,
        Unwind,
    )
    from trioflow.model.builder import BoundSocket, Builder, Handle, build
    from trioflow.model.clock import Clock, SystemClock
    from trioflow.model.composition import graph_node
    from trioflow.model.context import Branches, Context, DataContext, Fork, Services, SetupContext, TimeLimitScope
    from trioflow.model.document import dumps, load, loads, save
    from trioflow.model.durability import Transaction
    from trioflow.model.duration import format_duration, parse_duration
    from trioflow.model.envelope import Envelope
    from trioflow.model.function_node import FromServices, FunctionNode, Lazy, data_node, exec_node
    from trioflow.model.graph import (
        Connection,
        CustomEvent,
        Endpoint,
        Entry,
        Exit,
        Graph,
        GraphNode,
        Input,
        Interface,
        Output,
        StreamSettings,
        Variable,
        WireData,
    )
    from trioflow.model.node_type import Node, NodeType
    from trioflow.model.policy import (
        BreakerPolicy,
        FallbackPolicy,
        LimitPolicy,
        Policy,
        RatePolicy,
        RetryPolicy,
        RunOnPolicy,
    )
    from trioflow.model.properties import Properties
    from trioflow.model.registry import Registry
    from trioflow.model.schema import document_schema
    from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut, Stream
    from trioflow.model.task import TaskSettings, task
    from trioflow.model.trigger import Trigger
    from trioflow.model.workflow import WorkflowBuilder, workflow
    from trioflow.nodes._askers import Asker, FormAsker, Question, TerminalAsker, open_forms
    from trioflow.nodes._workshop import Scripts
    from trioflow.persons.port import Persons
    from trioflow.persons.scripted import ScriptedPerson
    from trioflow.policies.breaker import Breaker
    from trioflow.policies.events import (
        BreakerAttempted,
        BreakerBlocked,
        BreakerChanged,
        FellBack,
        Governed,
        Quarantined,
        ResourceExhausted,
        RetryScheduled,
        Starving,
        Throttled,
        Undone,
    )
    from trioflow.policies.fallback import Fallback
    from trioflow.policies.governor import Governor
    from trioflow.policies.limit import Limit, Quota
    from trioflow.policies.machines.flow import Load
    from trioflow.policies.quarantine import Quarantine
    from trioflow.policies.rate import Rate
    from trioflow.policies.retry import Retry
    from trioflow.policies.skip import SkipOnError
    from trioflow.policies.state import Limiter, PolicyState
    from trioflow.policies.timeout import TimeLimit
    from trioflow.runtime.base.options import RunOptions, RunResult, RunStatistics, RunStatus
    from trioflow.runtime.base.watch import Observer, Observing, Subscription, observe
    from trioflow.runtime.host.barrier import Parked
    from trioflow.runtime.host.breakpoints import Breakpoint
    from trioflow.runtime.host.gate import Gate, GateStatistics
    from trioflow.runtime.host.given import RunArguments
    from trioflow.runtime.host.inspect import Peek, Seen, StrandView
    from trioflow.runtime.host.run import Run, open_run, run
    from trioflow.runtime.host.stream import EventStream, stream
    from trioflow.runtime.host.tracking import RunProgress
    from trioflow.runtime.wrapping.invocation import Invocation, Outcome
    from trioflow.runtime.wrapping.middleware import Middleware, RunLife
    from trioflow.runtime.wrapping.portable import Portable
    from trioflow.semantics import events
    from trioflow.semantics.address import Address
    from trioflow.semantics.plan import Plan
    from trioflow.semantics.planning import make_plan
    from trioflow.semantics.tracking import NodeReport, RunReport, Tracker
    from trioflow.semantics.triggers import TriggerFacts, trigger_variables
    from trioflow.semantics.validation import Problem, Report, Severity, validate
    from trioflow.semantics.workflow.calculator import Calculation, WorkflowPlan, workflow_plan
    from trioflow.semantics.workflow.converting import as_workflow, check_as_workflow

__version__ = "0.1.0"

__all__ = [
    "UNSET",
    "Address",
    "Asker",
    "BoundSocket",
    "Branches",
    "Breaker",
    "BreakerAttempted",
    "BreakerBlocked",
    "BreakerChanged",
    "BreakerPolicy",
    "Breakpoint",
    "BudgetExhausted",
    "Builder",
    "Calculation",
    "Checkpoint",
    "CircuitOpen",
    "Clock",
    "CoercionError",
    "ConcurrentTrigger",
    "Connection",
    "Context",
    "CustomEvent",
    "DataContext",
    "DataIn",
    "DataNodeEffect",
    "DataOut",
    "Deadlock",
    "DepthExceeded",
    "Diverged",
    "DocumentError",
    "Endpoint",
    "Entry",
    "Envelope",
    "EventStream",
    "ExecIn",
    "ExecOut",
    "Exit",
    "ExpressionFailed",
    "Fallback",
    "FallbackPolicy",
    "FellBack",
    "FileJournal",
    "Fork",
    "FormAsker",
    "FromServices",
    "FunctionNode",
    "Gate",
    "GateStatistics",
    "Governed",
    "Governor",
    "Graph",
    "GraphChanged",
    "GraphError",
    "GraphNode",
    "Handle",
    "InDoubt",
    "Input",
    "Interface",
    "InvalidGraph",
    "Invocation",
    "JoinUnmet",
    "Journal",
    "JournalError",
    "JournalUnusable",
    "Lazy",
    "Limit",
    "LimitExceeded",
    "LimitPolicy",
    "Limiter",
    "Load",
    "MemoryJournal",
    "MergeError",
    "Middleware",
    "MiddlewareError",
    "MissingExtra",
    "MissingInput",
    "NoWay",
    "Node",
    "NodeDefinitionError",
    "NodeError",
    "NodePackageError",
    "NodeReport",
    "NodeTimeout",
    "NodeType",
    "Observer",
    "Observing",
    "Outcome",
    "Output",
    "Parked",
    "Past",
    "Peek",
    "Persons",
    "Plan",
    "Policy",
    "PolicyState",
    "Portable",
    "PostgresJournal",
    "Problem",
    "Properties",
    "Quarantine",
    "Quarantined",
    "QuarantinedNode",
    "Question",
    "Quota",
    "Rate",
    "RatePolicy",
    "Recorded",
    "RecordedFailure",
    "RecordedMoment",
    "Registry",
    "RegistryError",
    "Report",
    "ResourceExhausted",
    "Retry",
    "RetryPolicy",
    "RetryScheduled",
    "Run",
    "RunAborted",
    "RunArguments",
    "RunError",
    "RunFinished",
    "RunInfo",
    "RunLife",
    "RunNotFound",
    "RunOnPolicy",
    "RunOptions",
    "RunOwned",
    "RunProgress",
    "RunReport",
    "RunResult",
    "RunStatistics",
    "RunStatus",
    "RunStuck",
    "RunSuspended",
    "ScriptedPerson",
    "Scripts",
    "Seen",
    "Services",
    "SetupContext",
    "Severity",
    "SkipOnError",
    "SqliteJournal",
    "Starving",
    "StrandView",
    "Stream",
    "StreamSettings",
    "Subscription",
    "SystemClock",
    "TaskSettings",
    "TeardownTimeout",
    "TerminalAsker",
    "Throttled",
    "TimeLimit",
    "TimeLimitScope",
    "Tracker",
    "Transaction",
    "Trigger",
    "TriggerFacts",
    "TrioflowError",
    "Undone",
    "UnknownName",
    "UnknownNodeType",
    "UnknownSecret",
    "UnknownSocket",
    "Unrecordable",
    "Unwind",
    "Variable",
    "WireData",
    "WorkflowBuilder",
    "WorkflowPlan",
    "as_workflow",
    "build",
    "check_as_workflow",
    "data_node",
    "document_schema",
    "dumps",
    "events",
    "exec_node",
    "fork_run",
    "format_duration",
    "graph_node",
    "jobs",
    "load",
    "loads",
    "make_plan",
    "nodes",
    "observe",
    "open_forms",
    "open_run",
    "parse_duration",
    "past_of",
    "persons",
    "recordable",
    "recover",
    "remote",
    "resume_run",
    "run",
    "save",
    "send_signal",
    "serving",
    "settle",
    "stream",
    "studio",
    "task",
    "telemetry",
    "trigger_variables",
    "validate",
    "workflow",
    "workflow_plan",
]

_HOMES = {
    "trioflow.durable.checkpoint": ("Checkpoint",),
    "trioflow.durable.codec": ("recordable",),
    "trioflow.durable.file": ("FileJournal",),
    "trioflow.durable.forking": ("Past", "Recorded", "RecordedMoment", "fork_run", "past_of"),
    "trioflow.durable.journal": ("Journal",),
    "trioflow.durable.memory": ("MemoryJournal",),
    "trioflow.durable.postgres": ("PostgresJournal",),
    "trioflow.durable.records": ("RunInfo",),
    "trioflow.durable.recovering": ("recover",),
    "trioflow.durable.resuming": ("resume_run",),
    "trioflow.durable.settling": ("settle",),
    "trioflow.durable.signals": ("send_signal",),
    "trioflow.durable.sqlite": ("SqliteJournal",),
    "trioflow.errors": (
        "BudgetExhausted",
        "CircuitOpen",
        "CoercionError",
        "ConcurrentTrigger",
        "DataNodeEffect",
        "Deadlock",
        "DepthExceeded",
        "Diverged",
        "DocumentError",
        "ExpressionFailed",
        "GraphChanged",
        "GraphError",
        "InDoubt",
        "InvalidGraph",
        "JoinUnmet",
        "JournalError",
        "JournalUnusable",
        "LimitExceeded",
        "MergeError",
        "MiddlewareError",
        "MissingExtra",
        "MissingInput",
        "NoWay",
        "NodeDefinitionError",
        "NodeError",
        "NodePackageError",
        "NodeTimeout",
        "QuarantinedNode",
        "RecordedFailure",
        "RegistryError",
        "RunAborted",
        "RunError",
        "RunFinished",
        "RunNotFound",
        "RunOwned",
        "RunStuck",
        "RunSuspended",
        "TeardownTimeout",
        "TrioflowError",
        "UnknownName",
        "UnknownNodeType",
        "UnknownSecret",
        "UnknownSocket",
        "Unrecordable",
        "Unwind",
    ),
    "trioflow.model.builder": ("BoundSocket", "Builder", "Handle", "build"),
    "trioflow.model.clock": ("Clock", "SystemClock"),
    "trioflow.model.composition": ("graph_node",),
    "trioflow.model.context": (
        "Branches",
        "Context",
        "DataContext",
        "Fork",
        "Services",
        "SetupContext",
        "TimeLimitScope",
    ),
    "trioflow.model.document": ("dumps", "load", "loads", "save"),
    "trioflow.model.durability": ("Transaction",),
    "trioflow.model.duration": ("format_duration", "parse_duration"),
    "trioflow.model.graph": (
        "Connection",
        "CustomEvent",
        "Endpoint",
        "Entry",
        "Exit",
        "Graph",
        "GraphNode",
        "Input",
        "Interface",
        "Output",
        "StreamSettings",
        "Variable",
        "WireData",
    ),
    "trioflow.model.function_node": ("FromServices", "FunctionNode", "Lazy", "data_node", "exec_node"),
    "trioflow.model.node_type": ("Node", "NodeType"),
    "trioflow.model.policy": (
        "BreakerPolicy",
        "FallbackPolicy",
        "LimitPolicy",
        "Policy",
        "RatePolicy",
        "RetryPolicy",
        "RunOnPolicy",
    ),
    "trioflow.model.registry": ("Registry",),
    "trioflow.model.schema": ("document_schema",),
    "trioflow.model.sockets": ("UNSET", "DataIn", "DataOut", "ExecIn", "ExecOut", "Stream"),
    "trioflow.model.task": ("TaskSettings", "task"),
    "trioflow.model.workflow": ("WorkflowBuilder", "workflow"),
    "trioflow.nodes._workshop": ("Scripts",),
    "trioflow.nodes._askers": ("Asker", "FormAsker", "Question", "TerminalAsker", "open_forms"),
    "trioflow.persons.port": ("Persons",),
    "trioflow.persons.scripted": ("ScriptedPerson",),
    "trioflow.policies.breaker": ("Breaker",),
    "trioflow.policies.events": (
        "BreakerAttempted",
        "BreakerBlocked",
        "BreakerChanged",
        "FellBack",
        "Governed",
        "Quarantined",
        "ResourceExhausted",
        "RetryScheduled",
        "Starving",
        "Throttled",
        "Undone",
    ),
    "trioflow.policies.governor": ("Governor",),
    "trioflow.policies.machines.flow": ("Load",),
    "trioflow.semantics.tracking": (
        "NodeReport",
        "RunReport",
        "Tracker",
    ),
    "trioflow.runtime.host.tracking": ("RunProgress",),
    "trioflow.model.properties": ("Properties",),
    "trioflow.policies.fallback": ("Fallback",),
    "trioflow.policies.limit": (
        "Limit",
        "Quota",
    ),
    "trioflow.policies.quarantine": ("Quarantine",),
    "trioflow.policies.rate": ("Rate",),
    "trioflow.policies.retry": ("Retry",),
    "trioflow.policies.skip": ("SkipOnError",),
    "trioflow.policies.state": (
        "Limiter",
        "PolicyState",
    ),
    "trioflow.policies.timeout": ("TimeLimit",),
    "trioflow.runtime.host.breakpoints": ("Breakpoint",),
    "trioflow.runtime.host.barrier": ("Parked",),
    "trioflow.runtime.host.gate": ("Gate", "GateStatistics"),
    "trioflow.runtime.host.given": ("RunArguments",),
    "trioflow.runtime.host.inspect": ("Peek", "Seen", "StrandView"),
    "trioflow.runtime.wrapping.invocation": ("Invocation", "Outcome"),
    "trioflow.runtime.wrapping.middleware": ("Middleware", "RunLife"),
    "trioflow.runtime.base.options": ("RunOptions", "RunResult", "RunStatistics", "RunStatus"),
    "trioflow.runtime.wrapping.portable": ("Portable",),
    "trioflow.runtime.host.run": ("Run", "open_run", "run"),
    "trioflow.runtime.host.stream": ("EventStream", "stream"),
    "trioflow.runtime.base.watch": ("Observer", "Observing", "Subscription", "observe"),
    "trioflow.semantics.address": ("Address",),
    "trioflow.semantics.plan": ("Plan",),
    "trioflow.semantics.planning": ("make_plan",),
    "trioflow.model.envelope": ("Envelope",),
    "trioflow.model.trigger": ("Trigger",),
    "trioflow.semantics.triggers": ("TriggerFacts", "trigger_variables"),
    "trioflow.semantics.workflow.calculator": ("Calculation", "WorkflowPlan", "workflow_plan"),
    "trioflow.semantics.workflow.converting": ("as_workflow", "check_as_workflow"),
    "trioflow.semantics.validation": ("Problem", "Report", "Severity", "validate"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = {
    "events": "trioflow.semantics.events",
    "jobs": "trioflow.jobs",
    "nodes": "trioflow.nodes",
    "persons": "trioflow.persons",
    "remote": "trioflow.remote",
    "serving": "trioflow.serving",
    "studio": "trioflow.studio",
    "telemetry": "trioflow.telemetry",
}


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


if not TYPE_CHECKING:  # type checkers would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            found = importlib.import_module(_MODULES[name])
        elif name in _HOME_OF:
            found = getattr(importlib.import_module(_HOME_OF[name]), name)
        else:
            raise AttributeError(f"module 'trioflow' has no attribute {name!r}")
        globals()[name] = found  # the next time it is there
        return found
