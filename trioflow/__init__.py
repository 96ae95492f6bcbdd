"""trioflow: a structured-concurrency engine for node graphs on trio.

Everything public is here; `trioflow.nodes` holds the standard nodes, `trioflow.testing` what tests of nodes need.
"""

from trioflow import nodes
from trioflow.errors import (
    CoercionError,
    ConcurrentTrigger,
    DataNodeEffect,
    DepthExceeded,
    DocumentError,
    GraphError,
    InvalidGraph,
    LimitExceeded,
    MergeError,
    MissingExtra,
    MissingInput,
    NodeDefinitionError,
    NodeError,
    NodePackageError,
    NodeTimeout,
    RegistryError,
    RunAborted,
    RunError,
    RunFinished,
    TeardownTimeout,
    TrioflowError,
    UnknownName,
    UnknownNodeType,
    UnknownSocket,
    Unwind,
)
from trioflow.model.builder import BoundSocket, Builder, Handle, build
from trioflow.model.context import Branches, Context, DataContext, Fork, Services, SetupContext
from trioflow.model.document import dumps, load, loads, save
from trioflow.model.duration import format_duration, parse_duration
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, StreamSettings, Variable
from trioflow.model.node_type import FromServices, FunctionNode, Lazy, Node, NodeType, data_node, exec_node
from trioflow.model.registry import Registry
from trioflow.model.schema import document_schema
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut, Stream
from trioflow.runtime.gate import Gate, GateStatistics
from trioflow.runtime.middleware import Invocation, Middleware, SkipOnError, TimeLimit
from trioflow.runtime.options import RunOptions, RunResult, RunStatistics, RunStatus
from trioflow.runtime.run import Run, open_run, run
from trioflow.runtime.watch import Observer, Subscription
from trioflow.semantics import events
from trioflow.semantics.plan import Plan, make_plan
from trioflow.semantics.validation import Problem, Report, Severity, validate

__all__ = [
    "UNSET",
    "BoundSocket",
    "Branches",
    "Builder",
    "CoercionError",
    "ConcurrentTrigger",
    "Connection",
    "Context",
    "CustomEvent",
    "DataContext",
    "DataIn",
    "DataNodeEffect",
    "DataOut",
    "DepthExceeded",
    "DocumentError",
    "Endpoint",
    "ExecIn",
    "ExecOut",
    "Fork",
    "FromServices",
    "FunctionNode",
    "Gate",
    "GateStatistics",
    "Graph",
    "GraphError",
    "GraphNode",
    "Handle",
    "InvalidGraph",
    "Invocation",
    "Lazy",
    "LimitExceeded",
    "MergeError",
    "Middleware",
    "MissingExtra",
    "MissingInput",
    "Node",
    "NodeDefinitionError",
    "NodeError",
    "NodePackageError",
    "NodeTimeout",
    "NodeType",
    "Observer",
    "Plan",
    "Problem",
    "Registry",
    "RegistryError",
    "Report",
    "Run",
    "RunAborted",
    "RunError",
    "RunFinished",
    "RunOptions",
    "RunResult",
    "RunStatistics",
    "RunStatus",
    "Services",
    "SetupContext",
    "Severity",
    "SkipOnError",
    "Stream",
    "StreamSettings",
    "Subscription",
    "TeardownTimeout",
    "TimeLimit",
    "TrioflowError",
    "UnknownName",
    "UnknownNodeType",
    "UnknownSocket",
    "Unwind",
    "Variable",
    "build",
    "data_node",
    "document_schema",
    "dumps",
    "events",
    "exec_node",
    "format_duration",
    "load",
    "loads",
    "make_plan",
    "nodes",
    "open_run",
    "parse_duration",
    "run",
    "save",
    "validate",
]
