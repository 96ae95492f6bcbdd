"""No traceback, whatever is done to inputs and outputs of the command line: `python tests/fuzz.py --tries 100000`.

Each try takes a document (an example, one of NodeEditor.Net, one in YAML), spoils it, and gives it to `check`, `run`,
`draw`, `nodes`, `import`, `export` or `explain`, with options that may be spoiled too, and with a stdout that may fail.
What must come of it: one of the exit codes that are documented, no exception, no traceback, and that soon. A try is made
from its seed and number alone, so `--seed S --first N --tries 1` repeats one. The tests make a small share of it.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import faulthandler
import io
import json
import os
import random
import sys
import tempfile
import time
import traceback
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import trioflow as tf
from trioflow.cli import main

CODES = {0, 1, 2, 130, 141}
SLOW = 20.0
"""Seconds after which a try counts as a stall; most take a hundredth of one."""

DATA = Path(__file__).parent / "formats" / "nodeeditor" / "data"
EXAMPLES = ("fizzbuzz", "hanoi", "try_catch", "events")


class Found(NamedTuple):
    """What went wrong in a try, and how to see it again."""

    number: int
    arguments: list[str]
    what: str


WORKFLOW = {
    "trioflow": "1.1", "kind": "workflow", "variables": [{"name": "n", "type": "int", "default": 0}],
    "nodes": [
        {"id": "a", "type": "debug.print", "set": {"n": "1"}, "policy": {"retry": {"attempts": 2}}},
        {"id": "b", "type": "debug.print", "undo": "c", "inputs": {"value": 1}}, {"id": "c", "type": "debug.print"},
        {"id": "d", "type": "debug.print", "join": "first", "min": 2, "rest": "cancel"}, {"id": "e", "type": "debug.print"},
    ],
    "connections": [
        {"from": "a", "to": "b.enter", "when": "vars.n > 0"}, {"from": "a", "to": "d.enter", "else": True},
        {"from": "a", "to": "e.enter", "on": "failed"}, {"from": "b", "to": "d.enter"},
    ],
}  # fmt: skip


def documents() -> list[tuple[str, str]]:
    """What is spoiled: names of files, with texts."""
    found = []
    for name in EXAMPLES:
        text = resources.files("trioflow.examples").joinpath(f"{name}.json").read_text(encoding="utf-8")
        found += [("g.json", text), ("g.yaml", tf.dumps(tf.loads(text), format="yaml"))]
    found += [
        ("doc.json", (DATA / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("hello-world", "loop-list-string")
    ]
    return found


PURE = tf.Registry.standard(plugins=False, only=["pure"]).ids()
"""Types of nodes that touch nothing: what is drawn may be run."""

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**63, 10**400, -(10**30), 0.1, -0.0, 1e308, float("inf"), float("nan"), "", " ", "\0",
    "a" * 3000, "\ud800", "\u2028", "é€漢", "a.b", "[0]", "{", "graph:a", "file:", "file:g.json", "file:../..", "graph.enter",
    [], {}, [[]], [None], {"a": 1}, {"": ""}, {"secret": "X"}, {"secret": ""}, [1, "a", None], {"trioflow": "1.0"}, "1.1",
    "9.9", "true", "null", "${x}", "{0}", "%s", "\x1b[31m", "-1", "1e400",
]  # fmt: skip


def odd(chance: random.Random) -> Any:
    """A value that nobody expects there."""
    if chance.random() < 0.1:
        depth = chance.choice([10, 100, 500, 2000])
        value: Any = 1
        for _ in range(depth):
            value = [value] if chance.random() < 0.5 else {"a": value}
        return value
    return chance.choice(PURE) if chance.random() < 0.15 else chance.choice(ODD)


def spoil_tree(tree: Any, chance: random.Random) -> Any:
    """The document with some of its values replaced, taken away, doubled or exchanged."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        holders = [tree]
        places = []
        while holders:
            holder = holders.pop()
            keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
            for key in keys:
                places.append((holder, key))
                if isinstance(holder[key], dict | list) and len(places) < 5000:
                    holders.append(holder[key])
        if not places:
            return odd(chance)
        holder, key = chance.choice(places)
        how = chance.randrange(6)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, list):
            holder.insert(key, holder[key])
        elif how == 2 and isinstance(holder, dict):
            holder[chance.choice(["id", "type", "inputs", "from", "to", "stream", "graphs", "interface", "zz", ""])] = (
                odd(chance)
            )
        elif how == 3:
            other, at = chance.choice(places)
            with contextlib.suppress(KeyError, IndexError):
                holder[key] = other[at]
        else:
            holder[key] = odd(chance)
    return tree


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """The file with some of its bytes changed."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        how = chance.randrange(8)
        if how == 0:
            data = data[:at]
        elif how == 1:
            data = data[:at] + data[to:]
        elif how == 2:
            data = data[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 6))) + data[at:]
        elif how == 3:
            data = data[:to] + data[at:]
        elif how == 4:
            data = data[:at] + chance.choice([b"\0", b"\xff", b"\xed\xa0\x80", b"&a ", b"*a", b"!!x ", b"---\n", b"\t", b"'", b'"',
                                              b"{", b"[" * 2000, b"1e999", b"NaN", b"9" * 5000, b"\xef\xbb\xbf"]) + data[at:]  # fmt: skip
        elif how == 5:
            data = data.decode(errors="replace").encode(
                chance.choice(["utf-16", "latin-1", "utf-8-sig"]), errors="replace"
            )
        elif how == 6 and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        if not data:
            break
    return data


class Failing(io.StringIO):
    """A stdout that fails after some characters."""

    def __init__(self, room: int, number: int) -> None:
        super().__init__()
        self._room = room
        self._number = number

    def write(self, text: str) -> int:
        self._room -= len(text)
        if self._room < 0:
            raise OSError(self._number, os.strerror(self._number))
        return super().write(text)


def written(folder: Path, chance: random.Random) -> str:
    """A spoiled document in the folder; its name."""
    name, text = chance.choice(DOCUMENTS)
    how = chance.random()
    if how < 0.6 and name.endswith(".json"):
        tree = spoil_tree(json.loads(text), chance)
        try:
            text = json.dumps(tree)
            data = text.encode(errors="surrogatepass")
        except (ValueError, RecursionError):
            data = text.encode()
    elif how < 0.95:
        data = spoil_bytes(text.encode(), chance)
    else:
        data = text.encode()
    (folder / name).write_bytes(data)
    return name


def command(folder: Path, chance: random.Random) -> list[str]:
    """The words of a command."""
    what = chance.choice(["check", "check", "run", "run", "draw", "draw", "nodes", "import", "export", "explain"])
    if what == "nodes":
        word = chance.choice([*PURE, "flow", "", "flow.", ".", "\0", "x" * 500, "\ud800", "FLOW", "-", "flow.for\n"])
        return [what, *chance.choice([[], [word], [word, "--markdown"], [word, "--nodes", chance.choice(ODD_WORDS)]])]
    if what == "explain":
        return [what, *chance.choice([[], [chance.choice(["D4", "unknown-socket", *ODD_WORDS])]])]
    name = written(folder, chance) if chance.random() < 0.95 else chance.choice([*ODD_WORDS, *EXAMPLES, "."])
    words = [what, name]
    if what == "run":
        words += ["--timeout", "0.2", "--max-steps", "300"]
    options = {
        "check": [["--strict"], ["--nodes", "WORD"]],
        "run": [["--json"], ["--parallel"], ["--set", "disks=3"], ["--set", "WORD"], ["--set", "parcels=WORD"], ["--secret", "WORD"],
                ["--timeout", "NUMBER"], ["--max-steps", "NUMBER"], ["--trace", "t.jsonl"], ["--trace", "WORD"], ["--traceback"]],
        "draw": [["--fold"], ["-f", "svg"], ["-f", "json"], ["-f", "dot"], ["-f", "mermaid"], ["-o", "WORD"], ["-o", "d.svg"]],
        "import": [["-o", "out.json"], ["-o", "WORD"], ["-f", "nodeeditor"]],
        "export": [["-o", "out.json"], ["-f", "nodeeditor"]],
    }[what]  # fmt: skip
    for option in chance.sample(options, chance.randrange(3)):
        for word in option:
            number = chance.choice(["0", "-1", "nan", "inf", "1e999", "x", "", "0.001", "5"])
            words.append(word.replace("WORD", chance.choice(ODD_WORDS)).replace("NUMBER", number))
    if "--traceback" in words:
        words.remove("--traceback")  # it asks for one
    return words


ODD_WORDS = ["", " ", "\0", "a" * 5000, "\ud800", "=", "a=", "=b", "a=b=c", "/", "..", "-", "--", "/dev/null", "no/such", "é", "{}", "[",
             "1", "@", "a=@nowhere", "\n", "*", "~", "os", "json", "trioflow.nodes.flow", "x.py", "..x", "a b"]  # fmt: skip
DOCUMENTS = documents()


def one(number: int, seed: int, folder: Path) -> Found | None:
    """Make a try; what went wrong, None if nothing did."""
    chance = random.Random(f"{seed} {number}")
    for each in folder.iterdir():
        if each.is_file() or each.is_symlink():
            each.unlink()
    words = command(folder, chance)
    broken = chance.random() < 0.15
    out = (
        Failing(chance.randrange(400), chance.choice([errno.EPIPE, errno.ENOSPC, errno.EIO]))
        if broken
        else io.StringIO()
    )
    err, began = io.StringIO(), time.monotonic()
    before = sys.path.copy()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return Found(number, words, "".join(traceback.format_exception(error)))
    finally:
        sys.path[:] = before
    took = time.monotonic() - began
    if "Traceback (most recent call last)" in out.getvalue() + err.getvalue():
        return Found(number, words, out.getvalue() + err.getvalue())
    if code not in CODES:
        return Found(number, words, f"exit code {code}")
    if took > SLOW:
        return Found(number, words, f"it took {took:.0f} s")
    return None


def tries(seed: int, first: int, count: int) -> list[Found]:
    """Make tries, in a folder of their own."""
    here = Path.cwd()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for number in range(first, first + count):
                each = one(number, seed, Path(folder))
                if each is not None:
                    found.append(each)
        finally:
            os.chdir(here)
    return found


def campaign() -> int:
    """Make many tries, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long, with fewer tries")
    given = parser.parse_args()
    faulthandler.enable()
    began = time.monotonic()
    done, found = 0, list[Found]()
    while done < given.tries and time.monotonic() - began < given.seconds:
        count = min(500, given.tries - done)
        for each in tries(given.seed, given.first + done, count):
            sys.stdout.write(
                f"--seed {given.seed} --first {each.number} --tries 1: {each.arguments!r:.300}\n{each.what[-3000:]}\n"
            )
            sys.stdout.flush()
            found.append(each)
        done += count
    took = time.monotonic() - began
    sys.stdout.write(f"{done} tries of seed {given.seed} in {took:.0f} s: {len(found)} found\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(campaign())
