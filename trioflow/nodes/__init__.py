"""The standard nodes, one module per area; `trioflow nodes --markdown` makes a page of them all.

Modules are imported when one of their nodes is asked for, here by Python name (`nodes.ForLoop`) or in a registry by id
(`flow.for`).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow.nodes.api import CallApi
    from trioflow.nodes.choice import (
        Branch,
        Chance,
        Compare,
        MultiBranch,
        Switch,
        SwitchIndex,
        SwitchInt,
        SwitchText,
        SwitchType,
    )
    from trioflow.nodes.db import Query
    from trioflow.nodes.debug import Feedback, Inspect, Log, Print, PrintError, Progress
    from trioflow.nodes.event import Listen, Post, Publish
    from trioflow.nodes.file import (
        AppendBytes,
        AppendText,
        Chunks,
        Hash,
        Lines,
        ReadBytes,
        ReadText,
        WriteBytes,
        WriteText,
    )
    from trioflow.nodes.flow import Consume, Delay, Marker, Measure, Saga, Sequence, Sequence8, Start, Stop, Undo
    from trioflow.nodes.folder import (
        CopyFile,
        DeleteFile,
        DeleteFolder,
        ListFolder,
        MakeFolder,
        MoveFile,
        TemporaryFolder,
        Walk,
    )
    from trioflow.nodes.fork import Alongside, Join, Parallel, Parallel8, ParallelFor, ParallelForEach, Race
    from trioflow.nodes.guard import Assert, Fallback, Raise, RaiseAgain, Retry, Shield, Timeout, Try
    from trioflow.nodes.hook import HttpHook, ShellHook
    from trioflow.nodes.http import HttpDownload, HttpGet, HttpLines, HttpPost, HttpRequest
    from trioflow.nodes.jinja import RenderTemplate
    from trioflow.nodes.keeping import Checkpoint
    from trioflow.nodes.latch import AtMost, Counter, Cycle, EveryNth, FlipFlop, Gate, Once, OnChange, Throttle, WaitFor
    from trioflow.nodes.later import Later
    from trioflow.nodes.loop import (
        Break,
        Continue,
        DoWhile,
        Every,
        ForEach,
        ForEachBatch,
        ForEachEntry,
        ForEachPair,
        Forever,
        ForLoop,
        ForReverse,
        ForStep,
        Repeat,
        RepeatUntil,
        While,
    )
    from trioflow.nodes.people import Approve, Sleep, WaitSignal
    from trioflow.nodes.person import AskPerson, ListenToPerson
    from trioflow.nodes.process import KeepCommand, PipeCommand, RunCommand, StreamCommand
    from trioflow.nodes.queue import GiveUpMessage, PutMessage, TakeMessage
    from trioflow.nodes.script import PowerShellScript, PythonScript, ShellScript
    from trioflow.nodes.state import Change, Collect, History, Keep, Previous, Statistics, Stopwatch, Tally
    from trioflow.nodes.tcp import TcpAsk, TcpListen, TcpReply, TcpRequest, TcpWait
    from trioflow.nodes.user import AskUser
    from trioflow.nodes.variable import (
        AddToVariable,
        AppendToVariable,
        GetVariable,
        LowerVariable,
        RaiseVariable,
        RemoveVariableItem,
        SetVariable,
        SetVariableItem,
        SwapVariable,
        TakeFromVariable,
        ToggleVariable,
        UniteVariable,
        UpdateVariable,
    )

_AREAS = {
    "flow": ("Consume", "Delay", "Marker", "Measure", "Saga", "Sequence", "Sequence8", "Start", "Stop", "Undo"),
    "choice": (
        "Branch", "Chance", "Compare", "MultiBranch", "Switch", "SwitchIndex", "SwitchInt", "SwitchText",
        "SwitchType",
    ),
    "loop": (
        "Break", "Continue", "DoWhile", "Every", "ForEach", "ForEachBatch", "ForEachEntry", "ForEachPair", "ForLoop",
        "ForReverse", "ForStep", "Forever", "Repeat", "RepeatUntil", "While",
    ),
    "latch": ("AtMost", "Counter", "Cycle", "EveryNth", "FlipFlop", "Gate", "OnChange", "Once", "Throttle", "WaitFor"),
    "guard": ("Assert", "Fallback", "Raise", "RaiseAgain", "Retry", "Shield", "Timeout", "Try"),
    "fork": ("Alongside", "Join", "Parallel", "Parallel8", "ParallelFor", "ParallelForEach", "Race"),
    "people": ("Approve", "Sleep", "WaitSignal"),
    "event": ("Listen", "Post", "Publish"),
    "later": ("Later",),
    "keeping": ("Checkpoint",),
    "variable": (
        "AddToVariable", "AppendToVariable", "GetVariable", "LowerVariable", "RaiseVariable", "RemoveVariableItem",
        "SetVariable", "SetVariableItem", "SwapVariable", "TakeFromVariable", "ToggleVariable", "UniteVariable",
        "UpdateVariable",
    ),
    "state": ("Change", "Collect", "History", "Keep", "Previous", "Statistics", "Stopwatch", "Tally"),
    "debug": ("Feedback", "Inspect", "Log", "Print", "PrintError", "Progress"),
    "file": (
        "AppendBytes", "AppendText", "Chunks", "Hash", "Lines", "ReadBytes", "ReadText", "WriteBytes", "WriteText",
    ),
    "folder": (
        "CopyFile", "DeleteFile", "DeleteFolder", "ListFolder", "MakeFolder", "MoveFile", "TemporaryFolder", "Walk",
    ),
    "process": ("KeepCommand", "PipeCommand", "RunCommand", "StreamCommand"),
    "tcp": ("TcpAsk", "TcpListen", "TcpReply", "TcpRequest", "TcpWait"),
    "http": ("HttpDownload", "HttpGet", "HttpLines", "HttpPost", "HttpRequest"),
    "api": ("CallApi",),
    "db": ("Query",),
    "hook": ("HttpHook", "ShellHook"),
    "jinja": ("RenderTemplate",),
    "queue": ("GiveUpMessage", "PutMessage", "TakeMessage"),
    "person": ("AskPerson", "ListenToPerson"),
    "script": ("PowerShellScript", "PythonScript", "ShellScript"),
    "user": ("AskUser",),
}  # fmt: skip
_AREA_OF = {name: area for area, names in _AREAS.items() for name in names}

__all__ = [
    "AddToVariable",
    "Alongside",
    "AppendBytes",
    "AppendText",
    "AppendToVariable",
    "Approve",
    "AskPerson",
    "AskUser",
    "Assert",
    "AtMost",
    "Branch",
    "Break",
    "CallApi",
    "Chance",
    "Change",
    "Checkpoint",
    "Chunks",
    "Collect",
    "Compare",
    "Consume",
    "Continue",
    "CopyFile",
    "Counter",
    "Cycle",
    "Delay",
    "DeleteFile",
    "DeleteFolder",
    "DoWhile",
    "Every",
    "EveryNth",
    "Fallback",
    "Feedback",
    "FlipFlop",
    "ForEach",
    "ForEachBatch",
    "ForEachEntry",
    "ForEachPair",
    "ForLoop",
    "ForReverse",
    "ForStep",
    "Forever",
    "Gate",
    "GetVariable",
    "GiveUpMessage",
    "Hash",
    "History",
    "HttpDownload",
    "HttpGet",
    "HttpHook",
    "HttpLines",
    "HttpPost",
    "HttpRequest",
    "Inspect",
    "Join",
    "Keep",
    "KeepCommand",
    "Later",
    "Lines",
    "ListFolder",
    "Listen",
    "ListenToPerson",
    "Log",
    "LowerVariable",
    "MakeFolder",
    "Marker",
    "Measure",
    "MoveFile",
    "MultiBranch",
    "OnChange",
    "Once",
    "Parallel",
    "Parallel8",
    "ParallelFor",
    "ParallelForEach",
    "PipeCommand",
    "Post",
    "PowerShellScript",
    "Previous",
    "Print",
    "PrintError",
    "Progress",
    "Publish",
    "PutMessage",
    "PythonScript",
    "Query",
    "Race",
    "Raise",
    "RaiseAgain",
    "RaiseVariable",
    "ReadBytes",
    "ReadText",
    "RemoveVariableItem",
    "RenderTemplate",
    "Repeat",
    "RepeatUntil",
    "Retry",
    "RunCommand",
    "Saga",
    "Sequence",
    "Sequence8",
    "SetVariable",
    "SetVariableItem",
    "ShellHook",
    "ShellScript",
    "Shield",
    "Sleep",
    "Start",
    "Statistics",
    "Stop",
    "Stopwatch",
    "StreamCommand",
    "SwapVariable",
    "Switch",
    "SwitchIndex",
    "SwitchInt",
    "SwitchText",
    "SwitchType",
    "TakeFromVariable",
    "TakeMessage",
    "Tally",
    "TcpAsk",
    "TcpListen",
    "TcpReply",
    "TcpRequest",
    "TcpWait",
    "TemporaryFolder",
    "Throttle",
    "Timeout",
    "ToggleVariable",
    "Try",
    "Undo",
    "UniteVariable",
    "UpdateVariable",
    "WaitFor",
    "WaitSignal",
    "Walk",
    "While",
    "WriteBytes",
    "WriteText",
]


def __getattr__(name: str) -> Any:
    if name in _AREA_OF:
        return getattr(importlib.import_module(f"trioflow.nodes.{_AREA_OF[name]}"), name)
    raise AttributeError(f"module 'trioflow.nodes' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
