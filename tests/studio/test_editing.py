"""Editing over loopback: what the page asks, what it gets, and when it may not."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.files import GraphFile
from trioflow.studio.shelf import Opened

from .pages import holding, opened, registry, replace_file, settled, summing

pytest.importorskip("starlette", reason="the page is served with starlette")

ADD = {"edit": "add", "type": "debug.print", "x": 1, "y": 2}


class Shelf:
    """Graphs by name."""

    holds = "graphs"

    def titles(self):
        return [{"name": "one.json", "about": "a graph"}]

    def open(self, name):
        if name != "one.json":
            raise tf.TrioflowError(f"{name}: there is no such file")
        return Opened(name, summing(), registry())


async def test_edits_are_seen_by_all():
    """The answer says what was added and the revision; frames tell the revision; the graph has it, places included."""
    shown = Session(summing(), registry())
    async with opened(shown) as client:
        before = (await client.get("/api/graph?sockets=all")).json()
        made = await client.ask("edit", edits=[ADD])
        assert made == {"added": ["print"], "revision": 2}
        found = await client.frames(lambda data: (data.get("document") or {}).get("revision") == 2)
        assert found[-1][2]["document"]["undo"] == "add a node"
        after = (await client.get("/api/graph?sockets=all")).json()
        assert [(each["x"], each["y"]) for each in after["nodes"]][:4] == [
            (round(each["x"]), round(each["y"])) for each in before["nodes"]
        ]
        assert (after["nodes"][4]["x"], after["nodes"][4]["y"]) == (1, 2)
        assert [each["name"] for each in after["nodes"][4]["inputs"]] == ["enter", "value", "label"]
        assert after["problems"][0]["node"] == 4
        assert await client.ask("undo") == {"label": "add a node"}
        assert await client.ask("redo") == {"label": "add a node"}
        assert (await client.ask("form", node="print"))["inputs"][0]["name"] == "value"
        assert await client.ask("terms", source=["start", "then"], target=["loop", "enter"]) == {}
        types = (await client.get("/api/catalogue")).json()
        assert "studio.square" in {each["id"] for each in types}


async def test_what_an_edit_is_refused_with():
    """In words, and nothing has changed."""
    shown = Session(summing(), registry())
    async with opened(shown) as client:
        assert "There is: add, remove" in await client.refused("edit", edits=[{"edit": "nothing"}])
        assert "type" in await client.refused("edit", edits=[{"edit": "add"}])
        assert "no node 'x' any more" in await client.refused("edit", edits=[ADD, {"edit": "remove", "nodes": ["x"]}])
        assert "no file yet" in await client.refused("save")
        assert "nothing else to open" in await client.refused("open", name="x")
        assert (await client.get("/api/shelf")).json() == []
        assert shown.bench.revision == 1


async def test_a_graph_that_runs_is_not_edited():
    """Until the run has ended; what it has said stays, what it has counted does not."""
    shown = Session(holding(), registry())
    async with opened(shown) as client:
        await client.ask("start")
        await settled(shown, lambda it: it.state["status"] == "running")
        for do in ("undo", "redo"):
            assert "A run is going on" in await client.refused(do)
        assert "A run is going on" in await client.refused("edit", edits=[ADD])
        shown.say("Feedback", "said")
        await client.ask("cancel")
        await settled(shown, lambda it: it.state["status"] == "cancelled")
        await client.ask("edit", edits=[ADD])
        assert shown.state["status"] is None and shown.state["counts"] == {}
        assert [each["text"] for each in shown.state["messages"]] == ["said"]


async def test_the_run_of_another_program_is_not_edited():
    """The graph is that program's."""
    async with tf.open_run(tf.make_plan(holding(), registry())) as run:
        async with tf.studio.serve(run) as page:
            import httpx

            async with httpx.AsyncClient() as http:
                answer = await http.post(
                    f"http://127.0.0.1:{page.port}/api/do",
                    headers={"authorization": f"Bearer {page.token}"},
                    json={"do": "save", "name": "x.json"},
                )
                assert "another program" in answer.json()["error"]
        run.cancel()


async def test_reading_only_changes_nothing(tmp_path):
    """Neither the graph nor the file."""
    shown = Session(summing(), registry(), read_only=True, folder=tmp_path)
    async with opened(shown) as client:
        for do, more in (("edit", {"edits": [ADD]}), ("undo", {}), ("redo", {}), ("save", {"name": "x.json"})):
            assert "watch only" in await client.refused(do, **more)
    assert [*tmp_path.iterdir()] == []


async def test_saving_and_the_file_of_others(tmp_path, monkeypatch):
    """A new name makes the file; from then on it is watched."""
    monkeypatch.setattr("trioflow.studio.session._LOOKS_AT_FILE", 0.01)
    shown = Session(summing(), registry(), folder=tmp_path)
    async with opened(shown) as client:
        assert await client.ask("save", name="g.json") == {"file": "g.json"}
        text = (tmp_path / "g.json").read_text()
        replace_file(tmp_path / "g.json", text.replace("square", "theirs"))
        await settled(shown, lambda it: it.bench.revision == 2)
        await settled(shown, lambda it: it.state["messages"])
        assert "read again" in shown.state["messages"][0]["text"]
        assert shown.scene.place("theirs") is not None
        await client.ask("edit", edits=[ADD])
        replace_file(tmp_path / "g.json", text)
        await settled(shown, lambda it: it.bench.file_state == "changed")
        await client.ask("take file")
        assert shown.scene.place("square") is not None and shown.bench.file.look() == "same"


async def test_something_else_is_opened(tmp_path):
    """From the shelf, unless something would be lost."""
    file = GraphFile(tmp_path / "new.json")
    shown = Session(tf.Graph(), registry(), shelf=Shelf(), file=file)
    async with opened(shown) as client:
        assert (await client.get("/api/shelf")).json() == [{"name": "one.json", "about": "a graph"}]
        await client.ask("edit", edits=[ADD])
        assert "not saved" in await client.refused("open", name="one.json")
        await client.ask("undo")
        assert "no such file" in await client.refused("open", name="two.json")
        await client.ask("open", name="one.json")
        graph = (await client.get("/api/graph")).json()
        assert (graph["name"], len(graph["nodes"]), graph["shelf"]) == ("one.json", 4, "graphs")
        assert graph["revision"] > 3
        await client.ask("start", paused=True)
        assert "A run is going on" in await client.refused("open", name="one.json")
