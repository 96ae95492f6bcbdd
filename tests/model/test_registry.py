"""The registry and packages of node types, by real modules and real entry points."""

from __future__ import annotations

import ast
import importlib
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trioflow.errors import NodeDefinitionError, NodePackageError, RegistryError, UnknownNodeType
from trioflow.model.function_node import data_node, exec_node
from trioflow.model.registry import STANDARD_AREAS, Registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution into a folder on sys.path, as pip does: a module, and a dist-info that announces it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def run(module: str, source: str, *, prefix: str | None = None) -> None:
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        if prefix is not None:
            info = tmp_path / f"{module}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[trioflow.nodes]\n{prefix} = {module}\n")

    yield run
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


GREET = """
    from trioflow.model.function_node import data_node, exec_node

    @data_node(id="acme.greet")
    def greet(name: str) -> str:
        return f"Hello {name}"
"""


def test_plugin(install: Install) -> None:
    """An installed package's nodes are found by its entry point, and imported when one is looked up."""
    install("acme_nodes", GREET, prefix="acme")
    registry = Registry.standard()
    assert "acme_nodes" not in sys.modules
    assert registry.get("acme.greet").body.function("you") == "Hello you"  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    assert "acme_nodes" in sys.modules


def test_plugins_can_be_left_out(install: Install) -> None:
    """Without plug-ins only the standard nodes are known."""
    install("acme_nodes", GREET, prefix="acme")
    assert Registry.standard(plugins=False).find("acme.greet") is None


def test_two_plugins_of_one_prefix(install: Install) -> None:
    """Two packages may share a prefix: neither is ignored."""
    install("acme_nodes", GREET, prefix="acme")
    install("acme_more", GREET.replace("greet", "wave"), prefix="acme")
    registry = Registry.standard()
    assert (registry.get("acme.greet").id, registry.get("acme.wave").id) == ("acme.greet", "acme.wave")


def test_two_plugins_of_one_id(install: Install) -> None:
    """Two packages that declare the same id are an error that names the one that came second."""
    install("acme_a", GREET, prefix="acme")
    install("acme_b", GREET, prefix="acme")
    registry = Registry.standard()
    assert registry.get("acme.greet").body.function.__module__ == "acme_a"  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(NodePackageError) as caught:
        registry.find("acme.other")
    assert str(caught.value) == (
        "Node package 'acme_b' can't be added: Two node types have the id 'acme.greet'. "
        "Give one of them another: id='...'."
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('not today')", "ValueError: not today"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    ],
)
def test_package_that_fails_to_import(install: Install, source: str, reason: str) -> None:
    """Whatever a package raises while it is imported is told when one of its ids is looked up, each time."""
    install("acme_broken", source, prefix="acme")
    registry = Registry.standard()
    for _ in range(2):
        with pytest.raises(NodePackageError) as caught:
            registry.get("acme.greet")
        assert str(caught.value) == f"Node package 'acme_broken' can't be imported: {reason}"


def test_a_package_is_imported_once_for_several_threads(install: Install) -> None:
    """One that looks for types while another one imports them waits, and has the same."""
    install("acme_slow", f"import time\ntime.sleep(0.05)\n{textwrap.dedent(GREET)}", prefix="acme")
    registry, found = Registry.standard(), []
    threads = [threading.Thread(target=lambda: found.append(registry.find("acme.greet"))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each is not None and each.id for each in found] == ["acme.greet"] * 3


def test_broken_package_hides_no_other(install: Install) -> None:
    """A package that fails to import leaves all others usable, also in the list of all ids."""
    install("acme_nodes", GREET, prefix="acme")
    install("other_broken", "1 / 0", prefix="broken")
    assert "acme.greet" in Registry.standard().ids()


def test_package_that_declares_other_ids(install: Install) -> None:
    """A package keeps to the prefix that it announces: whether other ids are found would depend on earlier look-ups."""
    install("acme_nodes", GREET.replace('(id="acme.greet")', ""), prefix="acme")
    with pytest.raises(NodePackageError) as caught:
        Registry.standard().get("acme.greet")
    assert str(caught.value) == (
        "Node package 'acme_nodes' is announced for ids that start with 'acme.', but declares 'acme_nodes.greet'. "
        "Give that type an id with the prefix: id='acme....'."
    )


@data_node(id="test.one")
def one() -> int:
    return 1


def test_did_you_mean() -> None:
    """An unknown id is refused with the nearest known ones."""
    registry = Registry()
    registry.add(one)
    with pytest.raises(UnknownNodeType) as caught:
        registry.get("test.once")
    assert str(caught.value) == "There is no node type 'test.once'. Did you mean 'test.one'?"
    with pytest.raises(UnknownNodeType) as caught:
        registry.get("quite different")
    assert str(caught.value) == "There is no node type 'quite different'."


def test_add_is_all_or_nothing() -> None:
    """What is refused adds nothing, also what stood before it in the same call."""
    registry = Registry()

    @data_node(id="test.one")
    def another() -> int:
        return 2

    with pytest.raises(NodeDefinitionError) as caught:
        registry.add(one, another)
    assert str(caught.value) == "Two node types have the id 'test.one'. Give one of them another: id='...'."
    with pytest.raises(NodeDefinitionError) as caught:
        registry.add(one, 3)
    assert str(caught.value) == (
        "3 is not a node type. Subclass trioflow.Node, or decorate a function with @trioflow.data_node or "
        "@trioflow.exec_node."
    )
    assert registry.ids() == []


def test_adding_twice_is_once() -> None:
    """Adding the same type again changes nothing; looking at a registry lists its types by id."""
    registry = Registry()
    registry.add(one, one)
    registry.add(one)
    assert list(registry) == [one.type]
    assert repr(registry) == "<Registry: 1 node types, 0 packages not imported yet>"


def test_add_module(install: Install) -> None:
    """A module's own node types are added, not those that it imports."""
    install("acme_nodes", GREET)
    install("acme_user", "from acme_nodes import greet\n" + textwrap.dedent(GREET).replace("greet", "wave"))
    registry = Registry()
    assert [node_type.id for node_type in registry.add_module("acme_user")] == ["acme.wave"]


def test_module_without_node_types(install: Install) -> None:
    """A module that defines no node types is refused."""
    install("acme_empty", "")
    with pytest.raises(NodePackageError) as caught:
        Registry().add_module("acme_empty")
    assert str(caught.value) == "Module 'acme_empty' defines no node types."


def test_merges_and_converters() -> None:
    """Merge policies are known by name, converters by their two types."""
    registry = Registry()

    def longest(base: str, mine: str, theirs: str) -> str:
        return max(base, mine, theirs, key=len)

    registry.add_merge("longest", longest)
    registry.add_converter(str, int, int)
    assert (registry.merges, registry.converters) == ({"longest": longest}, {(str, int): int})


# --- what hosts leave out ---


def test_every_standard_type_says_what_it_may_touch() -> None:
    """By its area, or by itself if that is more."""
    registry = Registry.standard(plugins=False, allow=["scripts"])
    found = {type_id: registry.capabilities(type_id) for type_id in registry.ids()}
    assert [type_id for type_id, capabilities in found.items() if not capabilities] == []
    touching = {type_id.partition(".")[0] for type_id, capabilities in found.items() if capabilities != {"pure"}}
    assert touching == {
        "actions", "api", "db", "file", "hook", "http", "person", "process", "script", "serverless", "tcp",
    }  # fmt: skip
    assert found["http.download"] == {"network", "files"}


OUTSIDE = {"os", "shutil", "tempfile", "glob", "socket", "ssl", "subprocess", "httpx", "urllib.request", "ctypes"}
LEXICAL = {("path", "os")}  # os.path.normpath, which looks at texts only


def test_pure_areas_import_nothing_that_touches_the_world() -> None:
    """A module of a pure area that begins to do so fails here, until its area says it."""
    for modules in STANDARD_AREAS["pure"].values():
        for name in modules.split():
            path = Path(importlib.import_module(f"trioflow.nodes.{name}").__file__ or "")
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {alias.name for each in ast.walk(tree) if isinstance(each, ast.Import) for alias in each.names}
            imported |= {each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
            assert {each for each in imported & OUTSIDE if (name, each) not in LEXICAL} == set(), name
            calls = [each.func for each in ast.walk(tree) if isinstance(each, ast.Call)]
            called = {each.id for each in calls if isinstance(each, ast.Name)}
            assert called & {"open", "exec", "eval", "__import__"} == set(), name


@pytest.mark.parametrize(
    ("chosen", "there", "not_there"),
    [
        ({"only": ["pure"]}, ["flow.start", "math.add"], ["file.walk", "process.run", "tcp.request", "http.get"]),
        ({"only": "pure"}, ["flow.start"], ["file.walk"]),
        ({"only": ["flow", "http"]}, ["flow.start", "http.get", "http.download"], ["math.add", "tcp.request"]),
        ({"only": ["pure", "network"]}, ["http.get", "tcp.request"], ["http.download", "file.walk"]),
        ({"only": ["pure", "network", "files"]}, ["http.download", "file.walk"], ["process.run"]),
        ({"without": ["files"]}, ["http.get", "process.run"], ["file.walk", "http.download"]),
        ({"without": ["http"]}, ["tcp.request", "file.walk"], ["http.get", "http.download"]),
        ({"only": ["pure"], "without": ["debug"]}, ["flow.start"], ["debug.print"]),
        ({}, ["flow.start", "process.run"], ["script.python", "script.shell", "script.powershell"]),
        ({"allow": ["scripts"]}, ["flow.start", "script.python", "script.shell"], []),
        ({"allow": "scripts", "without": ["scripts"]}, ["flow.start"], ["script.python"]),
        ({"allow": ["scripts"], "only": ["pure"]}, ["flow.start"], ["script.python"]),
        ({"only": ["script"]}, ["script.python"], ["flow.start"]),
        ({"only": ["scripts"]}, ["script.python"], ["flow.start", "math.add"]),
        ({"without": ["scripts"]}, ["flow.start", "process.run"], []),
    ],
)
def test_a_registry_of_some(chosen: dict[str, Any], there: list[str], not_there: list[str]) -> None:
    """By area and by capability; a type is there if all that it may touch is allowed, and `without` counts more."""
    registry = Registry.standard(plugins=False, **chosen)
    assert [type_id for type_id in there if registry.find(type_id) is None] == []
    assert [type_id for type_id in not_there if registry.find(type_id) is not None] == []
    assert [type_id for type_id in not_there if not registry.leaves_out(type_id)] == []
    assert set(there) <= set(registry.ids())


def test_a_choice_of_what_is_not_there() -> None:
    """A slip of the pen must not let anything in."""
    with pytest.raises(RegistryError, match=r"no area and no capability 'proces' of nodes\. Did you mean 'process'"):
        Registry.standard(without=["proces"])
    with pytest.raises(RegistryError, match="'files' needs no permission; only scripts does"):
        Registry.standard(allow=["files"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="max_bytes must be more than 0, got 0"):
        Registry.standard(max_bytes=0)


def test_whoever_asks_for_what_was_left_out() -> None:
    """Is told that it is there elsewhere."""
    registry = Registry.standard(only=["pure"])
    with pytest.raises(UnknownNodeType, match=r"^Node type 'file\.walk' is not allowed here"):
        registry.get("file.walk")
    assert not registry.leaves_out("file.wlak")


SAYS_NOTHING = GREET
SAYS = """
    from trioflow import data_node, exec_node

    @data_node(id="bcme.pure", capabilities=["pure"])
    def pure(name: str) -> str:
        return name

    @data_node(id="bcme.files", capabilities=["pure", "files"])
    def files(name: str) -> str:
        return name
"""


def test_installed_packages_are_chosen_by_what_they_say(install: Install) -> None:
    """Who does not say what a body may touch is left out, unless the area is named."""
    install("acme_nodes", SAYS_NOTHING, prefix="acme")
    install("bcme_nodes", SAYS, prefix="bcme")

    def found(**chosen: Any) -> list[str]:
        return [each for each in Registry.standard(**chosen).ids() if each[1:4] == "cme"]

    assert found() == ["acme.greet", "bcme.files", "bcme.pure"]
    assert found(only=["pure"]) == ["bcme.pure"]
    assert found(without=["files"]) == ["bcme.pure"]
    assert found(without=["process"]) == ["acme.greet", "bcme.files", "bcme.pure"]
    assert found(only=["pure", "acme"]) == ["acme.greet", "bcme.pure"]
    assert Registry.standard().capabilities("acme.greet") is None


def test_what_the_host_adds_itself_is_there(install: Install) -> None:
    """Modules and packages that are added by name are no matter of the choice."""
    install("acme_nodes", GREET)
    registry = Registry.standard(only=["math"], plugins=False)
    registry.add_package("acme", "acme_nodes")
    assert registry.find("acme.greet") is not None


def test_a_capability_that_is_not_there() -> None:
    with pytest.raises(NodeDefinitionError, match="there is no capability 'disk'; use some of pure, files, processes"):

        @data_node(capabilities=["disk"])  # type: ignore[list-item]
        def node() -> int:
            return 1


def test_strategies():
    """Types that nobody knows are made by the first strategy that can, once, under the id that was asked for."""
    asked = []

    def make(type_id):
        asked.append(type_id)
        return exec_node(lambda: None)

    registry = Registry()
    registry.add_strategy(lambda type_id: type_id.startswith("http:"), make)
    registry.add_strategy(lambda type_id: type_id == "odd", lambda type_id: None)
    assert registry.find("other") is None
    found = registry.find("http:one")
    assert found is not None
    assert found.id == "http:one"
    assert registry.find("http:one") is found
    assert asked == ["http:one"]
    with pytest.raises(NodeDefinitionError, match="'odd' made no node type"):
        registry.find("odd")
