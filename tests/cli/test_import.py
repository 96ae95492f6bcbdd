"""Graphs of other programs on the command line: run, check and draw as they are, import, export."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from formats.nodeeditor.documents import DATA, document, node, sample

import trioflow as tf


def write(path: Path, tree: object) -> str:
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path.name


@pytest.fixture
def hello(tmp_path):
    """The sample of the other program, without the marker at its end."""
    tree = sample("hello-world")
    del tree["nodes"][-1], tree["connections"][-1]
    return write(tmp_path / "hello.json", tree)


@pytest.fixture
def broken(tmp_path):
    """A document with a node that nobody knows and a connection to nowhere."""
    foo = node("f", "Debug Print") | {"name": "Frobnicate"}
    return write(tmp_path / "broken.json", document(node("s", "Start"), foo, wires=["s.Exit -> f.Enter", "f.A -> g.B"]))


BROKEN = [
    "broken.json: error[no-counterpart] nodes[1] 'Frobnicate': No node type of that name is known ('Frobnicate'). "
    "It is kept as a placeholder, nodeeditor.frobnicate. Did you mean 'Truncate'? (line 1, column 321)",
    "broken.json: warning[unknown-node] connections[1]: There is no node 'g' for its input. The connection is left out. "
    "(line 1, column 1135)",
]


def test_the_hello_world_of_the_other_program_runs(process, tmp_path):
    """The document that NodeEditor.Net ships prints what it prints there."""
    shutil.copy(DATA / "hello-world.json", tmp_path / "hello-world.json")
    ended = process("run", "hello-world.json")
    assert (ended.code, ended.out) == (0, "Greeting: Hello, World!\nFarewell: Goodbye, World!\n")


def test_a_document_with_stale_sockets_runs(process, tmp_path):
    """The other sample has names of sockets that are no longer used, and two places where it starts."""
    shutil.copy(DATA / "loop-list-string.json", tmp_path / "loop.json")
    ended = process("run", "loop.json")
    assert (ended.code, ended.out) == (0, "")
    assert "done after" in ended.err
    assert "10 steps" in ended.err


def test_a_document_runs_as_it_is(process, hello):
    """`run` takes a document of the other program, and knows it by itself."""
    ended = process("run", hello)
    assert (ended.code, ended.out) == (0, "Greeting: Hello, World!\nFarewell: Goodbye, World!\n")


def test_run_prints_what_a_workflow_gives(cli, tmp_path):
    """The output of a document that has one goes to stdout, unless an object with all variables does."""
    tasks = [{"a": {"set": {"sum": "${ .n + 1 }"}}}]
    about = {"dsl": "1.0.3", "namespace": "n", "name": "w", "version": "1.0.0"}
    name = write(tmp_path / "w.json", {"document": about, "do": tasks})
    ended = cli("run", name, "--set", 'input={"n": 1}')
    assert (ended.code, ended.out) == (0, '{"sum": 2}\n')
    assert json.loads(cli("run", name, "--set", 'input={"n": 1}', "--json").out)["variables"]["output"] == {"sum": 2}


def test_check_shows_import_and_validation_together(cli, broken):
    """`check` lists what the import has to say, then what validation says of the graph that it made."""
    ended = cli("check", broken)
    assert ended.code == 2
    assert ended.out.splitlines() == [*BROKEN, "1 error, 1 warning"]


def test_check_says_where_validation_found_something(cli, tmp_path):
    """Places that validation names are those of the imported graph, and it says so."""
    name = write(tmp_path / "doc.json", document(node("m", "Debug Print")))
    assert cli("check", name) == (
        2,
        "doc.json (as imported): error[no-initiator] nodes: No node starts the graph, so nothing would run. "
        'Add a node of a type such as flow.start, or mark one with "initiator": true.\n1 error, 0 warnings\n',
        "",
    )


def test_validation_does_not_say_again_what_the_import_has_said(cli, tmp_path):
    """Who begins where two wait for each other the import says in the words of the diagram."""
    people = [{"label": each, "type": "person_job", "default_prompt": "x", "max_iteration": 2} for each in "pq"]
    turns = {"label": "c", "type": "condition", "condition_type": "detect_max_iterations"}
    arrows = ["s p", "s q", "p q", "q c", "c[condfalse] p"]
    tree = {"version": "light", "nodes": [{"label": "s", "type": "start"}, *people, turns],
            "connections": [dict(zip(("from", "to"), each.split(), strict=True)) for each in arrows]}  # fmt: skip
    ended = cli("check", write(tmp_path / "d.json", tree))
    assert ended.out.count("joins-in-a-circle") == 1
    assert "info[joins-in-a-circle]" in ended.out


def test_notes_are_no_problems(cli, tmp_path):
    """Notes on other meanings are listed, and the graph can run."""
    start, divide, show = node("s", "Start"), node("d", "Divide"), node("p", "Debug Print")
    name = write(
        tmp_path / "doc.json", document(start, divide, show, wires=["s.Exit -> p.Enter", "d.Result -> p.Value"])
    )
    ended = cli("check", name)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "no problems: 3 nodes, 2 connections; 2 infos")
    assert cli("run", name).out == "0.0\n"


def test_run_refuses_placeholders(cli, broken):
    """`run` names the nodes that have no counterpart, and runs nothing."""
    ended = cli("run", broken)
    assert (ended.code, ended.out, ended.err.splitlines()) == (2, "", [f"error: {BROKEN[0]}"])


def test_draw_shows_placeholders(cli, broken):
    """`draw` draws a graph with placeholders, and says that something is missing."""
    ended = cli("draw", broken)
    assert (ended.code, ended.err) == (0, "the import had 2 problems: `trioflow check broken.json` lists everything\n")
    assert "f (nodeeditor.frobnicate)" in ended.out


def test_run_tells_that_something_was_left_out(cli, tmp_path):
    """A connection that was left out does not keep the graph from running, but is told."""
    tree = document(
        node("s", "Start"), node("p", "Debug Print", Label="x"), wires=["s.Exit -> p.Enter", "s.Exit -> p.X"]
    )
    ended = cli("run", write(tmp_path / "doc.json", tree))
    assert (ended.code, ended.out) == (0, "x: \n")
    assert "the import had a problem: `trioflow check doc.json` lists everything" in ended.err


def test_import_writes_a_graph(cli, hello, tmp_path):
    """`import -o` writes a graph that runs alike, and says how it went."""
    ended = cli("import", hello, "-o", "graph.json")
    assert ended == (0, "", "imported: 5 nodes, 4 connections; 0 errors, 0 warnings\n")
    assert cli("run", "graph.json").out == cli("run", hello).out
    assert tf.load(tmp_path / "graph.json").nodes[1].type == "debug.print"


def test_import_writes_to_stdout(cli, hello):
    """Without -o the graph comes on stdout."""
    ended = cli("import", hello, "--format", "nodeeditor")
    assert ended.code == 0
    assert len(tf.loads(ended.out).nodes) == 5


def test_an_import_with_errors_is_told_by_its_code(cli, broken, tmp_path):
    """A graph with placeholders is written, everything is told on stderr, and the code is 1."""
    ended = cli("import", broken, "-o", "graph.json")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines() == [*BROKEN, "imported: 2 nodes, 1 connection; 1 error, 1 warning"]
    assert cli("draw", "graph.json").code == 0
    assert "nodeeditor.frobnicate" in cli("run", "graph.json").err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty."),
        (
            b'{"version": 1, "nodes": [{"id"',
            "line 1, column 31: Expecting ':' delimiter. The text ends there: is it cut off?",
        ),
        (b"\x89PNG\r\n\x1a\n\x00", "it is not UTF-8 text: byte 0x89 at offset 0. Save it as UTF-8."),
        (b'{"version": 9, "nodes": []}', "version: expected 1 or 2, got 9. Save it with a program of that version."),
        (b'{"version": 1, "nodes": {}}', "nodes: expected a list, got an object."),
        (b"[1]", "its format is not recognised. If it is one that --format knows, give that."),
        (b'{"trioflow": "1.0"}', "it is a graph of trioflow already."),
    ],
)
def test_bad_input(cli, tmp_path, content, problem):
    """What is no document is refused with its name and the reason, and nothing is written."""
    (tmp_path / "bad.json").write_bytes(content)
    assert cli("import", "bad.json", "-o", "graph.json") == (2, "", f"error: bad.json: {problem}\n")
    assert os.listdir(tmp_path) == ["bad.json"]


def test_a_format_that_is_given_is_not_guessed(cli, tmp_path):
    """With --format a document is read as such, whatever it looks like."""
    name = write(tmp_path / "doc.json", {"nodes": [{"id": "s", "name": "Start"}]})
    assert cli("import", name).code == 2
    assert (
        cli("import", name, "--format", "nodeeditor").err == "imported: 1 node, 0 connections; 0 errors, 0 warnings\n"
    )


def test_sources_are_not_replaced(cli, hello, tmp_path):
    """Neither import nor export writes over what it reads."""
    before = (tmp_path / hello).read_bytes()
    assert (
        cli("import", hello, "-o", hello).err
        == "error: -o hello.json: that is the source, which the graph would replace.\n"
    )
    assert (
        cli("export", hello, "-o", hello).err
        == "error: -o hello.json: that is the graph, which the document would replace.\n"
    )
    assert cli("import", "gone.json").code == 2
    assert (tmp_path / hello).read_bytes() == before


def test_export_gives_the_document_back(cli, hello, tmp_path):
    """`export` of an imported graph is the document that it came from."""
    cli("import", hello, "-o", "graph.json")
    assert cli("export", "graph.json", "-o", "again.json") == (0, "", "")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((tmp_path / hello).read_text())
    assert json.loads(cli("export", hello).out) == json.loads((tmp_path / hello).read_text())


def test_export_lists_what_would_get_lost(cli, tmp_path):
    """A graph that the format can't say is not written, and everything that is in the way is listed."""
    ended = cli("export", "census", "-o", "census.nodes.json")
    assert (ended.code, ended.out) == (2, "")
    assert (
        "error: census: nodes[4] 'check': the format has no node for census.check_report. Make it of other nodes."
        in ended.err
    )
    assert os.listdir(tmp_path) == []


def test_files_that_can_not_be_written(cli, hello):
    """A folder that is not there is told, for both ways."""
    assert cli("import", hello, "-o", "no/graph.json") == (
        2,
        "",
        "error: no/graph.json: it can't be written: No such file or directory.\n",
    )
    assert cli("export", hello, "-o", "no/doc.json").err.startswith("error: no/doc.json: it can't be written")


def test_nodes_of_a_module_may_be_beside_the_document(cli, hello, tmp_path):
    """`--nodes` is there for documents too."""
    (tmp_path / "beside_nodes.py").write_text(
        "import trioflow as tf\n@tf.data_node(id='beside.x')\ndef x() -> int: return 1\n"
    )
    assert cli("run", hello, "--nodes", "beside_nodes").code == 0
    assert cli("import", hello, "--nodes", "no_such").code == 2


@pytest.mark.timed
@pytest.mark.unmeasured
def test_big_documents_are_imported_quickly(tmp_path):
    """10,000 nodes are imported and checked in about a second."""
    nodes, wires, before = [node("start", "Start")], [], "start"
    for number in range(5000):
        nodes += [node(f"p{number}", "Debug Print", Label=f"l{number}"), node(f"a{number}", "Add", A=number, B=1.5)]
        wires += [f"{before}.Exit -> p{number}.Enter", f"a{number}.Result -> p{number}.Value"]
        if number:
            wires.append(f"a{number - 1}.Result -> a{number}.A")
        before = f"p{number}"
    write(tmp_path / "big.json", document(*nodes, wires=wires))
    # Not while it is measured by coverage, and without what has to be loaded once.
    environment = {key: each for key, each in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", TIMED],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=60,
    )
    *said, took = done.stdout.splitlines()
    assert said[-1] == "no problems: 10,001 nodes, 14,999 connections; 1 info"
    assert float(took) < 10  # on slow machines; it would take minutes if each node looked at each


TIMED = """
import time
from trioflow.cli import main

main(["check", "fizzbuzz"])
started = time.process_time()
main(["check", "big.json"])
print(time.process_time() - started)
"""


BODIES = """
def frobnicate(a=0):
    print("frobnicated")
    return a
"""


def test_a_placeholder_runs_with_a_body(cli, broken, tmp_path):
    """`--body ID=MODULE.NAME` says what a node does that has no counterpart, and the error is gone."""
    (tmp_path / "bodies_of_tests.py").write_text(BODIES, encoding="utf-8")
    body = ("--body", "f=bodies_of_tests.frobnicate")
    assert cli("check", broken, *body).out.splitlines() == [BROKEN[1], "0 errors, 1 warning"]
    assert cli("run", broken, *body).code == 0


def test_a_document_is_tried_dry(cli, broken, tmp_path):
    """`--stub FILE` answers nodes from values."""
    (tmp_path / "stub.yaml").write_text('"*": 5', encoding="utf-8")
    assert cli("run", broken, "--stub", "stub.yaml").code == 0
    (tmp_path / "stub.yaml").write_text("f: {$turns: 1}\nh: 1", encoding="utf-8")
    assert cli("run", broken, "--stub", "stub.yaml").err == (
        "error: --stub stub.yaml: f: $turns stands alone, with a list of at least one answer.\n"
    )


def test_an_example_is_tried_dry(cli, tmp_path):
    """`--stub` and `--body` are for examples, too: nothing that is said is passed over."""
    (tmp_path / "stub.yaml").write_text("print: {}", encoding="utf-8")
    assert cli("run", "fizzbuzz", "--stub", "stub.yaml").out == ""
    assert "There is no node 'g' to which a body" in cli("run", "fizzbuzz", "--body", "g=math.sin").err


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("f", "--body f: write ID=MODULE.NAME"),
        ("f=bodies_nowhere.x", "--body f=bodies_nowhere.x: No module named 'bodies_nowhere'"),
        ("f=os.path.nothing", "has no attribute 'nothing'"),
        ("f=math.pi", "which is neither a function nor a node type"),
        ("g=math.sin", "There is no node 'g' to which a body could be given"),
    ],
)
def test_bodies_that_can_t_be_had(cli, broken, said, problem):
    """What is wrong with a body is told before anything runs."""
    ended = cli("run", broken, "--body", said)
    assert ended.code == 2
    assert problem in ended.err
