"""Bad input: a line that says what and where, exit code 2, and nothing was run."""

from __future__ import annotations

import json
import time

import pytest

START = ("start", "flow.start")


def refused(ended, *lines):
    """Check that nothing but these lines came out."""
    assert (ended.code, ended.out, ended.err.splitlines()) == (2, "", list(lines))


@pytest.fixture
def ran(tmp_path):
    """A module whose node leaves a mark when it runs."""
    (tmp_path / "mark_nodes.py").write_text(
        "import pathlib\nimport trioflow as tf\n@tf.exec_node(id='mark.leave')\ndef leave() -> None:\n"
        "    pathlib.Path('ran').touch()\n"
    )
    return tmp_path / "ran"


def marking(graph, **more):
    return graph(START, ("mark", "mark.leave"), wires=["start.then -> mark.enter"], **more)


def test_malformed_json(cli, tmp_path):
    """Malformed JSON is told with line and column."""
    (tmp_path / "g.json").write_text('{\n  "trioflow": "1.0",\n  "nodes" [\n}')
    refused(cli("run", "g.json"), "error: g.json: line 3, column 11: Expecting ':' delimiter.")


def test_malformed_yaml(cli, tmp_path):
    """Malformed YAML is told with line and column."""
    pytest.importorskip("yaml")
    (tmp_path / "g.yaml").write_text("trioflow: '1.0'\nnodes: [a\nb: c\n")
    ended = cli("run", "g.yaml")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("error: g.yaml: line 3, column 2: ")


def test_an_empty_file(cli, tmp_path):
    """An empty file is called empty."""
    (tmp_path / "g.json").touch()
    refused(cli("run", "g.json"), "error: g.json: it is empty.")


def test_bytes_that_are_no_text(cli, tmp_path):
    """A file that is not UTF-8 is told with the byte and its offset."""
    (tmp_path / "g.json").write_bytes(b'{"a": "\xff"}')
    refused(cli("run", "g.json"), "error: g.json: it is not UTF-8 text: byte 0xff at offset 7. Save it as UTF-8.")


def test_a_missing_file(cli):
    """A file that is not there is told with the examples that have a name like it."""
    refused(
        cli("run", "fizbuzz"),
        "error: fizbuzz: there is no such file, and no such example. Did you mean 'fizzbuzz'? "
        "Examples: approval, census, draft, escalation, events, fizzbuzz, hanoi, laboratory, mirrors, nightly, order, "
        "pipeline, poll, report, saga, try_catch, vote.",
    )


def test_a_missing_document(cli):
    """Examples are no documents of other programs."""
    refused(cli("import", "fizzbuzz"), "error: fizzbuzz: there is no such file.")


def test_a_node_like_no_other(cli):
    """Where no name is near, it is said where all names are."""
    refused(cli("nodes", "xyzzy"), "error: there is no node type 'xyzzy'. `trioflow nodes` lists all.")


def test_a_folder(cli, tmp_path):
    """A folder is not taken for a graph."""
    (tmp_path / "graphs").mkdir()
    refused(cli("run", "graphs"), "error: graphs: it is a folder. Give the file of a graph in it.")


def test_a_link_to_nowhere(cli, tmp_path):
    """A broken link is a file that can't be read."""
    (tmp_path / "g.json").symlink_to("nowhere")
    refused(cli("run", "g.json"), "error: g.json: it can't be read: No such file or directory.")


def test_an_odd_name(cli):
    """A name that no file can have is no such file."""
    ended = cli("run", "a\0b")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)


def test_an_id_that_is_not_text(cli, graph):
    """A node id that is a number is refused with its path."""
    path = graph({"id": 7, "type": "flow.start"})
    refused(cli("run", path), f"error: {path}: nodes[0].id: expected text, got int 7 (line 1, column 38)")


def test_a_newer_format(cli, tmp_path):
    """A document of another major version is refused."""
    (tmp_path / "g.json").write_text('{"trioflow": "2.0"}')
    ended = cli("run", "g.json")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith("error: g.json: trioflow: the document has version 2.0 of the format")


@pytest.mark.parametrize(
    ("nodes", "wires", "where", "what"),
    [
        pytest.param(
            [("start", "flow.strat")],
            [],
            "error[unknown-node-type] nodes[0].type",
            "Did you mean 'flow.start'",
            id="type",
        ),
        pytest.param(
            [START, ("loop", "flow.for")],
            ["start.then -> loop.entre"],
            "error[unknown-socket] connections[0].to",
            "Did you mean 'enter'?",
            id="socket",
        ),
        pytest.param(
            [START, ("p", "debug.print", {"valeu": 1})],
            ["start.then -> p.enter"],
            "error[unknown-socket] nodes[1].inputs.valeu",
            "Did you mean 'value'?",
            id="input",
        ),
        pytest.param(
            [START, ("loop", "flow.for", {"times": "ten"})],
            ["start.then -> loop.enter"],
            "error[type-mismatch] nodes[1].inputs.times",
            "Expected int, got str 'ten'",
            id="literal",
        ),
        pytest.param(
            [START, ("p", "debug.print"), ("a", "math.negate"), ("b", "math.negate")],
            ["start.then -> p.enter", "a.result -> p.value", "a.result -> b.value", "b.result -> a.value"],
            "error[data-cycle] ",
            "'a' -> 'b' -> 'a'",
            id="cycle",
        ),
        pytest.param([("p", "debug.print")], [], "error[no-initiator] nodes", "", id="start"),
    ],
)
def test_an_invalid_graph(cli, graph, nodes, wires, where, what):
    """What is wrong with a graph is told with a code, a path and the cure, by `run` and by `check`."""
    path = graph(*nodes, wires=wires)
    ended = cli("run", path)
    (line,) = [line for line in ended.err.splitlines() if where in line]
    assert (ended.code, ended.out) == (2, "")
    assert line.startswith(f"error: {path}: {where}")
    assert what in line
    checked = cli("check", path)
    assert checked.code == 2
    assert line.removeprefix("error: ") in checked.out


def test_all_problems_at_once(cli, graph):
    """Every problem has a line; of very many, `run` shows the first ones and says how many there are."""
    two = graph(START, ("a", "no.such"), ("b", "no.such_either"))
    assert [line.split()[2] for line in cli("run", two).err.splitlines()] == ["error[unknown-node-type]"] * 2
    many = graph(START, *((f"n{i}", "no.such") for i in range(30)))
    lines = cli("run", many).err.splitlines()
    assert (len(lines), lines[-1]) == (21, "and 10 more; `trioflow check` lists all")
    assert cli("check", many).out.count("error[unknown-node-type]") == 30


@pytest.mark.unmeasured
def test_a_hundred_thousand_nodes(cli, tmp_path):
    """A document of 100,000 nodes with one mistake gets one line."""
    nodes = [{"id": "start", "type": "flow.start"}]
    nodes += [{"id": f"n{i}", "type": "flow.sequence"} for i in range(100_000)]
    wires = [{"from": "start.then", "to": "n0.enter"}]
    wires += [{"from": f"n{i}.fourth", "to": f"n{i + 1}.enter"} for i in range(99_999)]
    wires[77_777]["to"] = "n7.entre"
    (tmp_path / "g.json").write_text(json.dumps({"trioflow": "1.0", "nodes": nodes, "connections": wires}))
    started = time.perf_counter()
    ended = cli("run", "g.json")
    assert time.perf_counter() - started < 60  # it is a matter of seconds; on a busy machine of more
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "error[unknown-socket] connections[77777].to" in ended.err


def test_problems_have_lines(cli, tmp_path):
    """Documents that people write are told with line and column, in YAML too, and in the files that they refer to."""
    pytest.importorskip("yaml")
    (tmp_path / "inner.yaml").write_text("trioflow: '1.1'\ninterface: {}\nnodes:\n  - {id: x,\n     type: no.such}\n")
    (tmp_path / "g.yaml").write_text(
        "trioflow: '1.1'\nnodes:\n  - id: start\n    type: flow.start\n  - id: call\n    type: file:inner.yaml\n"
        "connections:\n  - from: start.then\n    to: nobody.enter\n"
    )
    lines = cli("check", "g.yaml").out.splitlines()
    assert [line[line.index("error[") :].split(":")[0] for line in lines[:-1]] == [
        "error[unknown-node] connections[0].to", "error[unknown-node-type] inner.yaml"
    ]  # fmt: skip
    assert lines[0].endswith("(line 9, column 9)")
    assert lines[1].endswith("(line 5, column 12)")
    refused(
        cli("run", "g.yaml"),
        *(f"error: {line}" for line in lines[:-1]),
    )


@pytest.mark.parametrize(("given", "name"), [("pipe.py", "pipe"), ("lib/pipe.py", "lib.pipe"), ("./pipe.py", "pipe")])
def test_a_file_instead_of_a_module(cli, given, name):
    """`--nodes` takes the name of a module, and says so of a file."""
    refused(
        cli("check", "fizzbuzz", "--nodes", given),
        f"error: --nodes {given}: give the name of a module instead of a file: --nodes {name}. It is looked for in the "
        "current folder and beside GRAPH too.",
    )


def test_a_module_that_fails_to_import(cli, graph, tmp_path):
    """A node package that is missing, raises, has bad syntax, or defines no nodes is told by name."""
    (tmp_path / "raises.py").write_text("raise RuntimeError('two\\nlines')")
    (tmp_path / "bad_syntax.py").write_text("def")
    (tmp_path / "no_nodes.py").write_text("")
    (tmp_path / "same_ids.py").write_text(
        "import trioflow as tf\n@tf.data_node(id='x.y')\ndef a() -> int: ...\n@tf.data_node(id='x.y')\ndef b() -> int: ...\n"
    )
    path = graph(START)
    for module, what in (
        (
            "missing",
            "Node package 'missing' can't be imported: ModuleNotFoundError: No module named 'missing'. It is looked for in "
            "the current folder, beside GRAPH, and among what is installed.",
        ),
        ("raises", "Node package 'raises' can't be imported: RuntimeError: two lines"),
        ("bad_syntax", "Node package 'bad_syntax' can't be imported: SyntaxError: "),
        ("no_nodes", "Module 'no_nodes' defines no node types."),
        ("same_ids", "Two node types have the id 'x.y'."),
    ):
        for command in ("run", "check", "draw"):
            ended = cli(command, path, "--nodes", module)
            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
            assert ended.err.startswith(f"error: --nodes {module}: {what}")


def test_settings_that_do_not_fit(cli, graph, ran):
    """Every `--set` that is wrong is told: unknown variable, no equals sign, wrong type."""
    names = ["int", "float", "bool", "list", "dict", "set", "date", "duration"]
    path = marking(graph, variables=[{"name": f"a_{name}", "type": name} for name in names])
    known = ", ".join(f"a_{name}" for name in names)
    settings = {
        "a_int": "--set a_int: write NAME=VALUE.",
        "a_itn=1": "--set a_itn=1: the graph has no variable 'a_itn'. Did you mean 'a_int', 'a_list' or 'a_dict'? It has: "
        + known
        + ".",
        "a_int=1_0": "--set a_int=1_0: variable 'a_int' needs a whole number, not '1_0'.",
        "a_float=nan": "--set a_float=nan: variable 'a_float' needs a number, not 'nan'.",
        "a_bool=1": "--set a_bool=1: variable 'a_bool' needs true or false, not '1'.",
        "a_list={}": "--set a_list={}: variable 'a_list' needs a list in JSON, not '{}'.",
        "a_dict=[": "--set a_dict=[: variable 'a_dict' needs an object in JSON, not '['.",
        "a_set=[[]]": "--set a_set=[[]]: variable 'a_set' needs a list in JSON, not '[[]]'.",
        "a_date=now": "--set a_date=now: variable 'a_date' needs a date such as 2030-01-31, not 'now'.",
        "a_duration=1w": "--set a_duration=1w: variable 'a_duration' needs a number of seconds, or a duration such as 90m or PT1H30M, not '1w'.",
    }
    arguments = [part for each in settings for part in ("--set", each)]
    refused(cli("run", path, "--nodes", "mark_nodes", *arguments), *(f"error: {line}" for line in settings.values()))
    deep = cli("run", path, "--nodes", "mark_nodes", "--set", "a_list=" + "[" * 100_000)
    assert (deep.code, deep.err.count("\n")) == (2, 1)
    assert not ran.exists()


def test_a_trace_that_can_not_be_written(cli, graph, ran, tmp_path):
    """A trace file that can't be opened is told before anything runs."""
    path = marking(graph)
    for trace, what in (
        ("no/such/folder", "No such file or directory"),
        (tmp_path, "Is a directory"),
        ("a\0b", "embedded null byte"),
    ):
        refused(
            cli("run", path, "--nodes", "mark_nodes", "--trace", trace),
            f"error: --trace {trace}: it can't be written: {what}.",
        )
    assert not ran.exists()


def test_a_trace_does_not_replace_the_graph(cli, graph, ran):
    """A trace into the file of the graph is refused, and the file stays as it is."""
    path = marking(graph)
    before = path.read_bytes()
    refused(
        cli("run", path, "--nodes", "mark_nodes", "--trace", f"../{path.parent.name}/{path.name}"),
        f"error: --trace ../{path.parent.name}/{path.name}: that is the graph, which the trace would replace.",
    )
    assert path.read_bytes() == before
    assert not ran.exists()


def test_a_report_path_that_can_not_be_written(cli, tmp_path):
    """The census refuses a report path that can't be written before it reads a single file."""
    for report, what in (
        ("no/such/folder.json", "No such file or directory"),
        (str(tmp_path), "it is a folder"),
    ):
        refused(
            cli("run", "census", "--set", f"report={report}"),
            f"error: variable 'report': {report!r} can't be written: {what}",
        )


@pytest.mark.parametrize(
    "options",
    [["--timeout", "0"], ["--timeout", "nan"], ["--timeout", "x"], ["--max-steps", "0"], ["--no-such"], ["more"]],
)
def test_bad_usage(cli, graph, ran, options):
    """Options that mean nothing are bad usage."""
    ended = cli("run", marking(graph), "--nodes", "mark_nodes", *options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].lower().startswith("error: ")
    assert not ran.exists()


def test_no_command(cli):
    """Without a command there is help, on stderr, and exit code 2."""
    ended = cli()
    assert (ended.code, ended.out) == (2, "")
    assert "Run, check and draw node graphs." in ended.err
