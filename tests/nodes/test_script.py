"""Scripts: in processes of their own, of which nothing is left behind; or in the host's, where it allows that."""

from __future__ import annotations

import datetime
import os
import sys
import time
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.nodes import _script, _workshop
from trioflow.nodes._command import CommandFailed, CommandNotStarted, TooMuchOutput
from trioflow.nodes._script import Refused, code_of, read_carefully, run_script
from trioflow.nodes.script import ScriptEnded, ScriptFailed, ScriptTimeout
from trioflow.testing import EventLog, fire

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts are for POSIX systems")

REGISTRY = tf.Registry.standard(plugins=False, allow=["scripts"])


def marked():
    """The processes that are there because of scripts of this process: other tests run beside."""
    mark = f"TRIOFLOW_SCRIPT_{os.getpid()}_".encode()
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and mark in Path("/proc", name, "environ").read_bytes():
                if Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z":
                    found.append(int(name))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = marked()
    yield
    assert [each for each in marked() if each not in before] == []


def script(code, **given):
    return fire("script.python", code=code, virtual=False, **given)


def result(code, **given):
    ((_, values),) = script(code, **given)
    return values["result"]


def graph(code, config, variables=None, **inputs):
    with tf.build(REGISTRY) as g:
        for name, value in (variables or {}).items():
            g.variable(name, default=value)
        start = g.add("flow.start")
        node = g.add("script.python", "script", config=config, code=code, **inputs)
        g.connect(start.then, node.enter)
    return g.graph


def run(graph, **given):
    return trio.run(lambda: tf.run(graph, registry=REGISTRY, **given))


# --- what a script is ------------------------------------------------------------------------------------------------


def test_names_result_return_and_outputs():
    """Inputs are names; `result`, or what is returned, is the result; outputs are names, or keys of what is returned."""
    ended = run(
        graph("total = a + b\nresult = total * 2", {"inputs": ["a", "b"], "outputs": {"total": "int"}}, a=1, b=2)
    )
    assert ended.outputs["script"] == {"total": 3, "result": 6, "printed": ""}
    assert run_script("if a: return {'x': 1, 'y': 2}", {"a": 1}, ["x"], None, print) == ({"x": 1, "y": 2}, {"x": 1})
    assert run_script("", {}, [], None, print) == (None, {})
    assert run_script("def f(n): return 1 if n < 2 else n * f(n - 1)\nreturn f(5)", {}, [], None, print) == (120, {})


def test_an_input_without_a_value_is_no_name():
    """So a branch that was not taken does not stop a script that can do without it."""
    with tf.build(REGISTRY) as g:
        start, never = g.add("flow.start"), g.add("state.keep", value=1)
        node = g.add("script.python", "script", config={"inputs": ["a"]}, code="result = 'a' in dir()", a=never.kept)
        g.connect(start.then, node.enter)
    assert run(g.graph).output("script") is False


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = (", "line 1: '(' was never closed: x = ("),
        ("x = 1\nreturn = 3", "line 2: invalid syntax: return = 3"),
        ("from os import *", "line 1: import * only allowed at module level: from os import *"),
        ("\0", "source code string cannot contain null bytes"),
    ],
)
def test_what_is_no_script(code, message):
    with pytest.raises(Refused) as caught:
        code_of(code, [])
    assert str(caught.value) == message


def test_an_output_that_is_not_set():
    with pytest.raises(
        Refused, match="it leaves no value for 'x': set a variable of that name at the top of the script"
    ):
        run_script("y = 1", {}, ["x"], None, print)
    with pytest.raises(Refused, match="no value for 'x'"):
        run_script("return 5", {}, ["x"], None, print)


def test_code_is_compiled_once():
    assert code_of("result = 1", ["a"]) is code_of("result = 1", ["a"])
    assert code_of("result = 1", ["a"]) is not code_of("result = 1", ["b"])
    for number in range(_script._KEPT + 10):
        code_of(f"result = {number}", [])
    assert len(_script._codes) <= _script._KEPT


def test_scripts_share_no_globals_and_a_process():
    """Each has globals of its own; a process is kept for the next script of the run."""
    with tf.build(REGISTRY) as g:
        start, each = g.add("flow.start"), g.add("flow.sequence")
        first = g.add("script.python", "first", code="global x\nx = 1\nimport os; return os.getpid()")
        second = g.add("script.python", "second", code="import os; return [os.getpid(), 'x' in globals()]")
        g.connect(start.then, each.enter)
        g.connect(each.first, first.enter)
        g.connect(each.second, second.enter)
    ended = run(g.graph)
    assert ended.output("second") == [ended.output("first"), False]
    assert ended.output("first") != os.getpid()


def test_values_go_in_and_out():
    moment = datetime.datetime(2026, 3, 29, tzinfo=datetime.UTC)
    value = {"a": [1, 2.5, None, "x", b"y", (1,), {2}, moment, datetime.timedelta(1)]}
    assert result("result = v", inputs={"v": value}) == value
    assert len(result("result = v + v", inputs={"v": "x" * 1_000_000})) == 2_000_000


def test_the_environment_of_the_host_is_not_that_of_scripts(monkeypatch):
    """It may hold secrets. What the host gives is there."""
    monkeypatch.setenv("TRIOFLOW_TEST_SECRET", "x")
    known = result(
        "import os; result = dict(os.environ)", services={tf.Scripts: tf.Scripts(environment={"GIVEN": "yes"})}
    )
    assert known["GIVEN"] == "yes"
    assert "TRIOFLOW_TEST_SECRET" not in known
    assert "PATH" in known


# --- the run ---------------------------------------------------------------------------------------------------------

TELLS = """
state.set("n", state.get("n") + 1)
state.set("n", state.get("n") + 1)
state.progress(1, 2, "half")
state.log("careful", "warning")
state.log("odd", "nonsense") if where == "process" else None
print("printed", 1)
"""


@pytest.mark.parametrize("where", ["process", "here"])
def test_a_script_knows_the_run(where):
    """It reads variables, and writes them; tells how far it is, and other things; prints."""
    log = EventLog()
    services = {tf.Scripts: tf.Scripts(here=True)}
    made = graph(TELLS.replace('if where == "process"', f"if {where == 'process'}"), {}, {"n": 1}, where=where)
    ended = run(made, services=services, observers=[log])
    assert ended.variables == {"n": 3}
    assert ended.output("script", "printed") == "printed 1\n"
    told = [row[3] for row in log.rows("Progress", "Feedback", data=True)]
    expected = [
        {"done": 1.0, "total": 2.0, "message": "half"},
        {"message": "careful", "level": "warning", "tag": None},
        {"message": "odd", "level": "info", "tag": None},
    ]
    assert told == expected[: 3 if where == "process" else 2]


def test_what_a_script_that_fails_has_written_does_not_count():
    log = EventLog()
    with tf.build(REGISTRY) as g:
        g.variable("n", default=1)
        start, attempt = g.add("flow.start"), g.add("flow.try")
        node = g.add("script.python", code="state.set('n', 2); 1/0")
        g.connect(start.then, attempt.enter)
        g.connect(attempt.body, node.enter)
        g.connect(attempt["catch"], g.add("flow.marker").enter)
    assert run(g.graph, observers=[log]).variables == {"n": 1}


def test_variables_that_are_not_there_or_can_not_be_sent():
    with pytest.raises(ScriptFailed, match=r"LookupError in line 1: There is no variable 'x'\. The graph declares: n"):
        script("state.get('x')", variables={"n": 1})
    with pytest.raises(ScriptFailed, match="the variable 'n' can't be sent to a script"):
        script("state.get('n')", variables={"n": lambda: 0})
    with pytest.raises(tf.UnknownName, match="There is no variable 'x'"):
        script("state.set('x', 1)")
    with pytest.raises(ScriptFailed, match="TypeError in line 1: the name of a variable is a text, got 1"):
        script("state.set(1, 1)")


def test_a_script_in_the_host():
    """Only where the host allows it: it sees copies, and fails like others."""
    services = {tf.Scripts: tf.Scripts(here=True)}
    given = {"items": [1]}
    assert result("items.append(2); result = items", inputs=given, where="here", services=services) == [1, 2]
    assert given == {"items": [1]}
    assert result("import os; result = os.getpid()", where="here", services=services) == os.getpid()
    with pytest.raises(ScriptFailed, match="this host runs no scripts in its own process. Leave out where='here', or"):
        script("result = 1", where="here")
    with pytest.raises(ScriptFailed, match="script.python: ZeroDivisionError in line 2: division by zero") as caught:
        script("x = 0\n1/x", where="here", services=services)
    assert (caught.value.kind, caught.value.line) == ("ZeroDivisionError", 2)
    with pytest.raises(ScriptFailed, match="script.python: line 1: invalid syntax"):
        script("=", where="here", services=services)


def test_names_that_are_none():
    with pytest.raises(ValueError, match="script.python: 'a b' can't be a name in a script"):
        script("", inputs={"a b": 1})
    with pytest.raises(ValueError, match="script.python needs memory of 1 byte or more, got 0"):
        script("", memory=0)


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("x = 1\nraise ValueError('no')", ScriptFailed, "script.python: ValueError in line 2: no"),
        ("import sys; sys.exit(3)", ScriptFailed, "script.python: SystemExit in line 1: 3"),
        ("class E(Exception):\n  def __str__(self): 1/0\nraise E", ScriptFailed, "script.python: E in line 3: an error that "
         "can't be told: ZeroDivisionError"),
        ("=", ScriptFailed, "script.python: line 1: invalid syntax: =."),
        ("class A: pass\nresult = A()", ScriptFailed, "script.python: what it gives can't leave its process: Can't "),
        ("import argparse\nresult = argparse.Namespace()", ScriptFailed, "it gives a value of the type argparse.Namespace; what"),
        ("print('x' * 2_000_000)", ScriptFailed, "script.python: it prints more than a million characters."),
        ("x = bytearray(10**10)", ScriptFailed, "script.python: MemoryError in line 1: it needed more memory"),
        ("import os; os._exit(7)", ScriptEnded, "script.python: its process ended with exit code 7 before it was done."),
        ("import os; os.kill(os.getpid(), 9)", ScriptEnded, "was ended by SIGKILL before it was done. Was there no memory left?"),
        ("import os; os.closerange(3, 100); os.abort()", ScriptEnded, "its process was ended by SIGABRT before it was done."),
    ],
)  # fmt: skip
def test_scripts_that_fail(code, error, message):
    with pytest.raises(error) as caught:
        script(code)
    assert message in str(caught.value)


def test_inputs_that_can_not_be_sent():
    with pytest.raises(ScriptFailed, match="its inputs can't be sent to its process"):
        script("", inputs={"a": lambda: 0})


def test_a_script_that_fills_the_disk(tmp_path):
    with pytest.raises(ScriptFailed, match="OSError in line 2: .*File too large"):
        script(
            f"with open({str(tmp_path / 'big')!r}, 'wb', buffering=0) as f:\n    while True: f.write(b'x' * 100_000)",
            services={tf.Scripts: tf.Scripts(disk=1_000_000)},
        )
    assert (tmp_path / "big").stat().st_size == 1_000_000


IGNORES = """
import os, signal, time
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    time.sleep(1000)
while True: pass
"""


def test_a_script_that_forks_ignores_signals_and_never_ends():
    """It is killed with its group, and all that has left it, when its time is up."""
    began = time.monotonic()
    with pytest.raises(ScriptTimeout, match="script.python: it took longer than 0.2 s, and was killed."):
        script(IGNORES, timeout=0.2)
    assert time.monotonic() - began < 5


def test_a_cancelled_script_is_killed():
    async def main():
        with trio.move_on_after(0.2) as scope:
            await tf.run(graph(IGNORES, {}, timeout=None), registry=REGISTRY)
        assert scope.cancelled_caught

    trio.run(main)


@pytest.mark.parametrize(
    "code",
    [
        "import threading, time; threading.Thread(target=time.sleep, args=[100]).start()",
        "import os, time\nif os.fork() == 0: time.sleep(100)",
        "import os\nif os.fork() == 0: pass\nelse: os.wait()",
    ],
)
def test_what_a_script_leaves_running_is_ended(code):
    """It has ended well; the process is not taken for another script if something of this one is left in it."""
    assert script(code) == [("then", {"result": None, "printed": ""})]


def test_a_process_that_has_died_meanwhile_is_no_failure_of_the_next():
    with tf.build(REGISTRY) as g:
        start, loop = g.add("flow.start"), g.add("flow.for", times=2)
        node = g.add("script.python", "script", code="import os, signal; result = os.getpid()\n"
                     "signal.setitimer(signal.ITIMER_REAL, 0.02); signal.signal(signal.SIGALRM, signal.SIG_DFL)")  # fmt: skip
        wait = g.add("flow.delay", seconds=0.1)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
        g.connect(node["then"], wait.enter)
    run(g.graph)


async def test_only_so_many_at_a_time():
    with tf.build(REGISTRY) as g:
        start, each = g.add("flow.start"), g.add("flow.parallel_for", times=3)
        node = g.add("script.python", "script", code="import time; time.sleep(0.05); import os; result = os.getpid()")
        g.connect(start.then, each.enter)
        g.connect(each.body, node.enter)
    peak = 0

    async with trio.open_nursery() as nursery:

        async def watch():
            nonlocal peak
            while True:
                peak = max(peak, *(3 - shop._places.value for shop in _workshop._open.values()), 0)
                await trio.sleep(0.002)

        nursery.start_soon(watch)
        await tf.run(g.graph, registry=REGISTRY, services={tf.Scripts: tf.Scripts(processes=2)})
        nursery.cancel_scope.cancel()
    assert _workshop._open == {}


def test_what_comes_from_a_process_is_read_with_care():
    """Whoever has taken one over can make the host call nothing."""
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, ("echo evil",)

    with pytest.raises(Refused, match="it gives a value of the type posix.system; what may leave a script are numbers"):
        read_carefully(pickle.dumps(Evil()))
    with pytest.raises(Refused, match="what came from its process can't be read"):
        read_carefully(b"nonsense")
    taken_over = (
        "import os\nfor fd in range(3, 20):\n"
        "  try:\n    if os.readlink(f'/proc/self/fd/{fd}').startswith('pipe'): os.write(fd, b'\\0\\0\\0\\x03\\x06N.!')\n"
        "  except OSError: pass\nos._exit(0)"
    )
    with pytest.raises(ScriptFailed):
        script(taken_over)


def test_a_result_that_is_too_large(monkeypatch):
    monkeypatch.setattr(_workshop, "MOST", 1000)
    with pytest.raises(ScriptFailed, match="script.python: it gives more than 1,000 bytes"):
        script("result = 'x' * 2000")


def test_a_document_from_elsewhere():
    """It says so where scripts are not allowed; and a script is no worse in what is wrong with it."""
    text = tf.dumps(graph("result = 1", {}))
    (problem,) = tf.validate(tf.loads(text), tf.Registry.standard(plugins=False)).errors
    assert problem.message == "Node type 'script.python' runs text of the graph as code, and that is not allowed here."
    assert "`--allow scripts`" in problem.cure
    with pytest.raises(tf.UnknownNodeType, match="not allowed here. If you trust whoever wrote the graph, allow it"):
        tf.Registry.standard(plugins=False).get("script.python")
    with pytest.raises(tf.UnknownNodeType, match="this registry was made without it"):
        tf.Registry.standard(plugins=False, allow=["scripts"], without=["scripts"]).get("script.python")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"inputs": ["a b"]}, "'a b' can't be a name"),
        ({"inputs": ["class"]}, "'class' can't be a name"),
        ({"inputs": ["a", "a"]}, "each once"),
        ({"inputs": 1}, "expected 'inputs' to be a list of names, or an object of names and types, got 1"),
        ({"inputs": {"a": "strr"}}, "inputs.a: there is no type 'strr'. Did you mean 'str'"),
        ({"inputs": {"a": 1}}, "inputs.a: there is no type 1"),
        ({"input": ["a"]}, "there is no 'input' in its configuration. Did you mean 'inputs'?"),
        ({"inputs": ["code"]}, "two inputs are called 'code'"),
    ],
)  # fmt: skip
def test_configurations_that_are_wrong(config, message):
    (problem,) = [each for each in tf.validate(
        tf.Graph([tf.GraphNode("s", "script.python", {"code": ""}, config=config, initiator=True)]), REGISTRY
    ).errors if each.code == "config"]  # fmt: skip
    assert message in problem.message


# --- shells ----------------------------------------------------------------------------------------------------------


def shell(code, **given):
    ((_, values),) = fire("script.shell", code=code, virtual=False, **given)
    return values


def test_a_shell_gets_names_as_variables_and_reads_none_of_them_as_code(monkeypatch):
    monkeypatch.setenv("TRIOFLOW_TEST_SECRET", "x")
    given = {"a": "$(echo evil); `x`", "n": {"k": [1, "é"]}}
    values = shell(
        'printf "%s|%s|%s\\n" "$a" "$n" "$TRIOFLOW_TEST_SECRET"; cat; echo oops >&2', inputs=given, stdin="in\n\n"
    )
    assert values == {
        "result": '$(echo evil); `x`|{"k": [1, "é"]}|\nin\n',
        "stdout": '$(echo evil); `x`|{"k": [1, "é"]}|\nin\n\n',
        "stderr": "oops\n",
        "exit_code": 0,
    }


def test_a_shell_has_a_folder_and_limits(tmp_path):
    assert shell("pwd", folder=tmp_path)["result"] == str(tmp_path)
    with pytest.raises(CommandFailed, match="script.shell: 'the script' ended with exit code 3. It said: no"):
        shell("echo no >&2; exit 3")
    with pytest.raises(ScriptTimeout, match="script.shell: it took longer than 0.1 s, and was ended"):
        shell("trap '' TERM; sleep 100 & wait", timeout=0.1, grace=0.1)
    with pytest.raises(TooMuchOutput, match="script.shell: it wrote more than 10 bytes to its output"):
        shell("yes", most=10)
    with pytest.raises(CommandFailed):
        shell(f"head -c 100000 /dev/zero > {tmp_path / 'big'}", services={tf.Scripts: tf.Scripts(disk=10_240)})
    assert (tmp_path / "big").stat().st_size == 10_240
    with pytest.raises(CommandFailed):
        shell(f"{sys.executable} -c 'x = bytearray(10**9)'", memory=200_000_000)


def test_what_a_shell_can_not_be_given():
    with pytest.raises(ValueError, match="script.shell: 'a b' can't be the name of a variable"):
        shell("", inputs={"a b": 1})
    with pytest.raises(ValueError, match="script.shell: a can't be written for a script"):
        shell("", inputs={"a": {1}})
    with pytest.raises(ValueError, match="a holds a null character"):
        shell("", inputs={"a": "\0"})


def test_powershell(tmp_path, monkeypatch):
    """It is run where it is found, with the names in its environment; else the cure is said."""
    program = tmp_path / "pwsh"
    program.write_text('#!/bin/sh\necho "$5|$greeting"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ((_, values),) = fire("script.powershell", code="Write-Output", inputs={"greeting": "hi"}, virtual=False)
    assert values["result"] == "Write-Output|hi"
    monkeypatch.setenv("PATH", str(tmp_path.parent / "none"))
    with pytest.raises(CommandNotStarted, match="there is no PowerShell here. Install it so that `pwsh` is found"):
        fire("script.powershell", code="", virtual=False)
