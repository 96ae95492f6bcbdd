"""`trioflow check`, `draw`, `nodes`, and what all commands share."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from importlib import resources

import pytest

import trioflow as tf
from trioflow.formats import to_dot, to_mermaid, to_svg, to_text


@pytest.mark.parametrize("example", ["census", "events", "fizzbuzz", "hanoi", "try_catch"])
def test_examples_are_valid(cli, example):
    """Every example passes `check` without a problem, and `draw` draws it in every format."""
    ended = cli("check", example)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("no problems: ")
    for format_ in ("text", "svg", "mermaid", "dot", "json"):
        assert cli("draw", example, "--format", format_).code == 0


def test_a_warning_is_no_error(cli, graph):
    """A graph with warnings passes `check`, and the warnings are listed."""
    path = graph(("start", "flow.start"), ("p", "debug.print"))
    ended = cli("check", path)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "0 errors, 1 warning"
    assert f"{path}: warning[unreachable] nodes[1]" in ended.out


def test_strict(cli, graph):
    """`--strict` takes warnings for errors, and says no more than without."""
    path = graph(("start", "flow.start"), ("p", "debug.print"))
    assert cli("check", path, "--strict") == (2, *cli("check", path)[1:])
    assert cli("check", "fizzbuzz", "--strict").code == 0


def test_a_graph_that_only_listens(cli, graph):
    """It waits for the host: good to know, and no problem, strictly taken neither."""
    path = graph(("on", "event.listen", {"event": "ping"}), events=[{"name": "ping"}])
    ended = cli("check", path, "--strict")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "no problems: 1 node, 0 connections; 1 info")
    assert (
        "info[no-initiator] nodes: No node starts the graph: it waits for events that the host publishes." in ended.out
    )
    assert cli("run", path).code == 0


def test_what_a_run_may_be_given(cli, graph):
    """`check` ends with the variables, with types, start values and documentation, and the secrets that are named."""
    path = graph(
        ("start", "flow.start"),
        ("get", "http.get", {"url": "http://127.0.0.1", "headers": {"secret": "TOKEN"}}),
        wires=["start.then -> get.enter"],
        variables=[{"name": "root", "type": "str", "default": ".", "doc": "where to begin"}, {"name": "n"}],
    )
    assert cli("check", path).out.splitlines()[-4:] == [
        "variables, for --set NAME=VALUE:",
        "    root  str = '.'   where to begin",
        "    n     any = None",
        "secrets, for --secret NAME: TOKEN",
    ]


def test_a_package_that_a_node_needs(cli, graph, monkeypatch):
    """A graph of nodes that lack a Python package is not valid, and the cure installs it."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    path = graph(("start", "flow.start"), ("get", "http.get", {"url": "x"}), wires=["start.then -> get.enter"])
    for command, code in (("check", 2), ("run", 2), ("draw", 0)):
        assert cli(command, path).code == code
    assert "error[missing-package] nodes[1].type: 'get' (http.get) needs httpx" in cli("check", path).out
    assert "python -m pip install 'httpx>=0.28'" in cli("run", path).err


def test_drawings_come_on_stdout(cli, graph):
    """`draw` writes what the formats make, and nothing else."""
    path = graph(("start", "flow.start"), ("p", "no.such"), wires=["start.then -> p.enter"])
    loaded, registry = tf.load(path), tf.Registry.standard()
    for format_, function in (("text", to_text), ("svg", to_svg), ("mermaid", to_mermaid), ("dot", to_dot)):
        assert cli("draw", path, "--format", format_) == (0, function(loaded, registry), "")
    assert cli("draw", path) == (0, to_text(loaded, registry), "")


def test_drawings_of_runs(cli, graph, tmp_path):
    """`draw --report` shows what a run has done, by the file that `run --report` has written."""
    path = graph(("start", "flow.start"), ("p", "debug.print"), wires=["start.then -> p.enter"])
    assert cli("run", path, "--report", "done.json").code == 0
    assert "p (debug.print)\n    = completed 1" in cli("draw", path, "--report", "done.json").out
    assert cli("draw", "fizzbuzz", "--report", "done.json").code == 0, "both have a node `start`"
    other = graph(("only", "flow.start"))
    assert cli("draw", other, "--report", "done.json") == (
        2, "", "error: --report done.json: it is of another graph: none of its nodes is in this one.\n"
    )  # fmt: skip
    (tmp_path / "none.json").write_text('{"nodes": 1}')
    assert cli("draw", path, "--report", "none.json") == (
        2, "", "error: --report none.json: this is no report of a run. Write one: trioflow run GRAPH --report "
        "none.json\n"
    )  # fmt: skip
    assert cli("draw", path, "--report", "gone.json") == (
        2, "", "error: --report gone.json: it can't be read: No such file or directory.\n"
    )  # fmt: skip


def test_drawings_go_into_files(cli, tmp_path):
    """`draw -o` writes a file, in the format that its name says unless told; never over the graph."""
    (tmp_path / "g.json").write_text('{"trioflow": "1.0"}')
    for name, start in (
        ("a.svg", "<svg "),
        ("b.mmd", "flowchart LR"),
        ("c.dot", "digraph "),
        ("d.json", "{"),
        ("e", "\n"),
    ):
        assert cli("draw", "g.json", "-o", name) == (0, "", "")
        assert (tmp_path / name).read_text().startswith(start)
    assert cli("draw", "g.json", "-o", "f.txt", "--format", "svg").code == 0
    assert (tmp_path / "f.txt").read_text().startswith("<svg ")
    assert json.loads(cli("draw", "fizzbuzz", "-f", "json").out)["nodes"][0]["id"] == "start"
    assert cli("draw", "g.json", "-o", "g.json") == (
        2, "", "error: -o g.json: that is the graph, which the drawing would replace.\n"
    )  # fmt: skip
    assert cli("draw", "g.json", "-o", "g.png") == (
        2, "", "error: -o g.png: nothing can be drawn as .png. Endings: .svg, .mmd, .dot, .gv, .json, .txt. "
        "Others need --format.\n"
    )  # fmt: skip
    assert not (tmp_path / "g.png").exists()
    assert cli("draw", "g.json", "-o", "no/such/folder.svg").err == (
        "error: no/such/folder.svg: it can't be written: No such file or directory.\n"
    )


def test_nodes_are_listed(cli):
    """`nodes` lists every type with the first line of its documentation, `nodes AREA` those of an area."""
    everything = cli("nodes").out.splitlines()
    assert [line.split()[0] for line in everything] == tf.Registry.standard(allow=["scripts"]).ids()
    flow = cli("nodes", "flow").out.splitlines()
    assert [line.split() for line in flow] == [line.split() for line in everything if line.startswith("flow.")]
    assert ["flow.raise", "Fails with a message: `NodeRaised`."] in [line.split(maxsplit=1) for line in flow]


def test_a_node_is_described(cli, tmp_path):
    """`nodes NAME` shows sockets with types, defaults and documentation; `--nodes` brings one's own."""
    (tmp_path / "shown_nodes.py").write_text("""
import trioflow as tf

class Feed(tf.Node, id="shown.feed", listens="event", remembers=True):
    '''First line.

    More.
    '''
    event = tf.DataIn(str, names="event")
    variable = tf.DataIn(str, names="variable", default="v", doc="which one")
    late = tf.DataIn(list[int], lazy=True)
    item = tf.DataOut(int, doc="an item")
    each = tf.ExecOut(must_handle=True, concurrent=True)
    over = tf.ExecOut(concurrent=True)
    items = tf.Stream(item, fires=each, done=over, mode="concurrent", discard=True)
    ticks = tf.Stream(item, fires=each)

    async def execute(self, ctx): ...

@tf.data_node(id="shown.now", volatile=True)
def now() -> float: ...

@tf.data_node(id="shown.plain")
def plain() -> float: ...
""")
    ended = cli("nodes", "shown.feed", "--nodes", "shown_nodes")
    assert (
        ended.out
        == """\
shown.feed: exec node, listens for events, remembers

First line.

More.

data inputs:
    event     str (required) (name of an event)
    variable  str = 'v' (name of a variable)     which one
    late      list[int] (required) (lazy)

exec outputs:
    each  (must be wired, concurrent)
    over  (concurrent)

data outputs:
    item  int  an item

streams:
    items  item: fires each per item, then over; concurrent unless set otherwise, discarded after each item
    ticks  item: fires each per item; sequential unless set otherwise
"""
    )
    assert cli("nodes", "shown.now", "--nodes", "shown_nodes").out.startswith("shown.now: data node, volatile\n")
    assert cli("nodes", "shown.plain", "--nodes", "shown_nodes").out.startswith("shown.plain: data node\n")
    assert cli("nodes", "flow.start").out.startswith("flow.start: exec node, runs start here\n")
    assert "exec inputs:\n    enter\n" in cli("nodes", "flow.for").out


def test_a_misspelt_node(cli):
    """`nodes NAME` offers the nearest ids for one that is not there."""
    assert cli("nodes", "debug.pirnt") == (
        2,
        "",
        "error: there is no node type 'debug.pirnt'. Did you mean 'debug.print', 'debug.inspect' or 'debug.print_error'?\n",
    )


def test_version_and_help(cli):
    """`--version` and `--help` answer on stdout; the exit codes are part of the help."""
    assert cli("--version") == (0, f"trioflow {importlib.metadata.version('trioflow')}\n", "")
    for command in ([], ["run"], ["check"], ["draw"], ["nodes"]):
        ended = cli(*command, "--help")
        assert (ended.code, ended.err) == (0, "")
        assert "Exit codes: 0 " in ended.out
        assert "\\b" not in ended.out  # click's mark for lines that stay as they are


def test_help_names_all_examples(cli):
    """What `run` takes by name stands in the help."""
    named = resources.files("trioflow.examples").iterdir()
    examples = sorted(each.name.removesuffix(".json") for each in named if each.name.endswith(".json"))
    assert ", ".join(examples) in " ".join(cli("--help").out.split())


@pytest.mark.parametrize("module", ["trioflow", "trioflow.cli"])
def test_as_a_module(module):
    """`python -m` ends with the exit code of the command."""
    done = subprocess.run([sys.executable, "-m", module, "run", "nowhere"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: nowhere: there is no such file")


def test_interrupted_while_it_is_imported(tmp_path):
    """A Ctrl-C that comes while packages are imported is no traceback: exit code 130."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from trioflow.cli import main; sys.exit(main(['nodes']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_without_click_there_is_a_sentence(tmp_path):
    """Without the extra's packages the command says how to install them: exit code 2, no traceback."""
    code = "import sys; sys.modules['click'] = None; from trioflow.cli import main; sys.exit(main(['nodes']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The command line needs an optional package. Install it with: python -m pip install 'trioflow[cli]'\n"
    )


def test_a_package_that_is_broken(cli, monkeypatch):
    """`nodes NAME` says so if the installed package of that node can't be imported."""
    registry = tf.Registry.standard()
    registry.add_package("broken", "no_such_module_anywhere")
    monkeypatch.setattr(tf.Registry, "standard", lambda **_: registry)
    ended = cli("nodes", "broken.node")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("error: Node package 'no_such_module_anywhere' can't be imported")


def test_yaml_without_its_package_is_a_sentence(tmp_path):
    """A YAML file without PyYAML says how to install it: exit code 2."""
    (tmp_path / "g.yaml").touch()
    code = "import sys; sys.modules['yaml'] = None; from trioflow.cli import main; sys.exit(main(['run', 'g.yaml']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: g.yaml: YAML needs an optional package. Install it with: python -m pip install 'trioflow[yaml]'\n"
    )


def test_json_is_told_from_other_formats_without_yaml(tmp_path):
    """What is wrong with a document in JSON is said without PyYAML, too, by all formats that look at it."""
    (tmp_path / "g.json").write_text("{}")
    code = "import sys; sys.modules['yaml'] = None; from trioflow.cli import main; sys.exit(main(['check', 'g.json']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        'error: g.json: the document: the key "trioflow", the version of the format, is missing.'
    )


def test_examples_stand_below_the_sockets(cli):
    """`nodes NAME` shows the example last, as one types it."""
    assert cli("nodes", "flow.repeat").out.endswith("""\

example:
    >>> fire("flow.repeat", times=2)
    [('body', {'round': 1}), ('body', {'round': 2}), ('done', {})]
""")


def test_nodes_as_markdown(cli):
    """`--markdown` makes a page, of all, of an area or of one."""
    everything = cli("nodes", "--markdown").out
    assert [line.removeprefix("### ") for line in everything.splitlines() if line.startswith("### ")] == (
        tf.Registry.standard(allow=["scripts"]).ids()
    )
    assert "\n### math.add\n" not in cli("nodes", "flow", "--markdown").out
    assert cli("nodes", "flow.for", "--markdown").out.count("###") == 1
