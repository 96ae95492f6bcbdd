"""The first server of the page about serving: its files are served, and what its `curl` sends is done."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio

import trioflow as tf
from trioflow.cli.serve import serve
from trioflow.serving import Server
from trioflow.serving.triggers import find_triggers, read_triggers

pytest.importorskip("yaml", reason="the files are YAML")
for package in ("cronsim", "starlette", "hypercorn", "watchfiles"):
    pytest.importorskip(package, reason="needs the extra serve")
httpx = pytest.importorskip("httpx", reason="asks as curl does")

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
FIRST = PAGE[: PAGE.index("## Triggers")]
pytestmark = pytest.mark.unmeasured


def test_the_first_server(tmp_path, capfd):
    for name, text in re.findall(r"`flows/([\w.]+)`:\n\n```yaml\n(.*?)^```$", FIRST, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["greet.yaml", "triggers.yaml"]
    commands = [shlex.split(line) for line in re.findall(r"^\$ (.*)$", FIRST, re.MULTILINE)]
    (secret, *serving), asking = commands
    given = serve.make_context("serve", [str(tmp_path), *serving[3:]]).params
    assert (secret, given["tokens"]) == ("API_TOKEN=secret", ("API_TOKEN",))
    graphs = {"greet.yaml": tf.load(tmp_path / "greet.yaml")}
    triggers = read_triggers(find_triggers(tmp_path), graphs)
    head, _, data, address = asking[asking.index("-H") + 1 :]
    name, _, value = head.partition(": ")

    async def main():
        server = Server(tf.SqliteJournal(tmp_path / given["store"]), graphs, triggers, tokens=["secret"])
        async with server.serve(port=0) as at, httpx.AsyncClient(base_url=str(at), trust_env=False) as client:
            answer = await client.post(urlsplit(address).path, content=data, headers={name: value})
            (job,) = answer.json()
            while (await client.get(f"/api/jobs/{job['id']}", headers={name: value})).json()["status"] != "done":
                await trio.sleep(0.02)

    trio.run(main)
    assert capfd.readouterr().out == re.search(r"The server prints `(.*?)`", FIRST)[1] + "\n"
