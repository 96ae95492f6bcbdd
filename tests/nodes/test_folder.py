"""Files and folders as a whole."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.nodes import folder
from trioflow.nodes._disk import NotRegular
from trioflow.testing import fire


def do(node_type, **inputs):
    return fire(
        node_type,
        virtual=False,
        **{name: str(value) if isinstance(value, os.PathLike) else value for name, value in inputs.items()},
    )


def names(path):
    return sorted(each.name for each in path.iterdir())


def test_list(tmp_path):
    """Names that fit, sorted; those that begin with a point only if asked for."""
    for name in "b", "a.txt", ".hidden", "A.txt", "é.txt":
        (tmp_path / name).touch()
    [(_, values)] = do("file.list", folder=tmp_path)
    assert (values["names"], values["paths"][0]) == (["A.txt", "a.txt", "b", "é.txt"], f"{tmp_path}/A.txt")
    assert do("file.list", folder=tmp_path, pattern="?.txt", hidden=True)[0][1]["names"] == ["A.txt", "a.txt", "é.txt"]
    assert do("file.list", folder=tmp_path, pattern="*h*", hidden=True)[0][1]["names"] == [".hidden"]
    with pytest.raises(FileNotFoundError, match=f"'{tmp_path}/no'"):
        do("file.list", folder=tmp_path / "no")
    with pytest.raises(NotADirectoryError, match=f"'{tmp_path}/b'"):
        do("file.list", folder=tmp_path / "b")


def look(path):
    return [trio.run(node, path) for node in (folder.exists, folder.is_file, folder.is_folder)]


def test_looking(tmp_path):
    """Links are followed; one that leads nowhere is nothing; below a file there is nothing either."""
    (tmp_path / "file").write_text("12345")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dead").symlink_to("nowhere")
    assert look(tmp_path) == [True, False, True]
    assert look(tmp_path / "file") == look(tmp_path / "link") == [True, True, False]
    assert look(tmp_path / "dead") == look(tmp_path / "none") == look(tmp_path / "file" / "below") == [False] * 3
    (tmp_path / "circle").symlink_to("circle")
    for node in folder.exists, folder.is_file:
        with pytest.raises(OSError, match=f"'{tmp_path}/circle'"):
            trio.run(node, tmp_path / "circle")


def test_status(tmp_path):
    """Kind, bytes, time in UTC, permissions."""
    path = tmp_path / "file"
    path.write_text("12345")
    path.chmod(0o600)
    os.utime(path, (0, 86400))
    assert trio.run(folder.status, path) == ("file", 5, datetime(1970, 1, 2, tzinfo=UTC), 0o600)
    assert trio.run(folder.status, Path("/dev/null")).kind == "other"
    assert trio.run(folder.size, path) == 5
    with pytest.raises(FileNotFoundError, match=f"'{tmp_path}/none'"):
        trio.run(folder.status, tmp_path / "none")


def test_looking_is_never_stale(tmp_path):
    """A file that is made while the graph runs is seen by who asks afterwards (D6)."""
    path = tmp_path / "file"
    with tf.build() as g:
        exists = g.add("file.exists", path=str(path))
        nodes = [g.add("state.keep", "before", value=exists.result), g.add("file.write_text", path=str(path), text=""),
                 g.add("state.keep", "after", value=exists.result)]  # fmt: skip
        before = g.add("flow.start")
        for node in nodes:
            g.connect(before.then, node.enter)
            before = node
    result = trio.run(tf.run, g.graph)
    assert [result.output(node, "kept") for node in ("before", "after")] == [False, True]


def test_making_folders(tmp_path):
    """Those above are made, too; one that is there stays; a file in the way is an error."""
    path = tmp_path / "a" / "b"
    do("file.make_folder", path=path, enter=["enter", "enter"])
    assert path.is_dir()
    (path / "file").touch()
    with pytest.raises(FileExistsError, match=f"'{path}/file'"):
        do("file.make_folder", path=path / "file")


def test_deleting(tmp_path):
    """A link is deleted, not what it leads to; folders and what is missing are errors."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder link").symlink_to(tmp_path)
    do("file.delete", path=tmp_path / "link")
    do("file.delete", path=tmp_path / "folder link")
    do("file.delete", path=tmp_path / "none", missing_ok=True)
    assert names(tmp_path) == ["file"]
    with pytest.raises(FileNotFoundError, match=f"'{tmp_path}/none'"):
        do("file.delete", path=tmp_path / "none")
    with pytest.raises(IsADirectoryError, match=f"'{tmp_path}' is a folder: file.delete_folder deletes it"):
        do("file.delete", path=tmp_path)


def test_deleting_folders(tmp_path):
    """All that is in it, but not what links in it lead to; what is no folder is an error."""
    doomed, spared = tmp_path / "doomed", tmp_path / "spared"
    (doomed / "a" / "b").mkdir(parents=True)
    (doomed / "a" / "file").touch()
    spared.mkdir()
    (spared / "file").touch()
    (doomed / "link").symlink_to(spared)
    (doomed / "a" / "file link").symlink_to(spared / "file")
    do("file.delete_folder", path=doomed)
    assert (names(tmp_path), names(spared)) == (["spared"], ["file"])
    (tmp_path / "link").symlink_to(spared)
    for path in tmp_path / "link", spared / "file", tmp_path / "none":
        with pytest.raises(NotADirectoryError, match=f"file.delete_folder: '{path}' is not a folder."):
            do("file.delete_folder", path=path)
    assert names(spared) == ["file"]


def test_a_folder_that_can_not_be_read_is_not_skipped(tmp_path, monkeypatch):
    real = os.scandir

    def scandir(path):  # the tests may run as root, whom no permission stops
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    (tmp_path / "doomed" / "secret").mkdir(parents=True)
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        do("file.delete_folder", path=tmp_path / "doomed")


def test_copying(tmp_path):
    """Contents and permissions; a target that is there is kept unless it may be replaced."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * 3_000_000)
    source.chmod(0o705)
    assert do("file.copy", source=source, target=target) == [("then", {"size": 3_000_000})]
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (source.read_bytes(), 0o705)
    source.write_text("new")
    with pytest.raises(FileExistsError, match=f"'{target}' is there already; set `overwrite` to replace it."):
        do("file.copy", source=source, target=target)
    do("file.copy", source=source, target=target, overwrite=True)
    assert (target.read_text(), names(tmp_path)) == ("new", ["source", "target"])


def test_what_can_not_be_copied(tmp_path):
    """Nothing is left of the target."""
    for source, error in (
        (tmp_path / "none", FileNotFoundError),
        (tmp_path, IsADirectoryError),
        ("/dev/zero", NotRegular),
    ):
        with pytest.raises(error, match=str(source)):
            do("file.copy", source=source, target=tmp_path / "target")
    (tmp_path / "file").touch()
    with pytest.raises(NotRegular, match=f"'{tmp_path}' is a folder, and can't be replaced by a file."):
        do("file.copy", source=tmp_path / "file", target=tmp_path, overwrite=True)
    assert names(tmp_path) == ["file"]


def test_moving(tmp_path, monkeypatch):
    """Files and folders; to another file system a file goes by a copy."""
    (tmp_path / "file").write_text("1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").write_text("2")
    do("file.move", source=tmp_path / "folder", target=tmp_path / "moved")
    with pytest.raises(FileExistsError, match="is there already; set `overwrite` to replace it."):
        do("file.move", source=tmp_path / "file", target=tmp_path / "there")
    do("file.move", source=tmp_path / "file", target=tmp_path / "there", overwrite=True)
    assert (names(tmp_path), (tmp_path / "there").read_text()) == (["moved", "there"], "1")
    real = Path.replace

    def replace(self, target):
        if not self.name.endswith(".part"):
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    do("file.move", source=tmp_path / "there", target=tmp_path / "elsewhere")
    assert (names(tmp_path), (tmp_path / "elsewhere").read_text()) == (["elsewhere", "moved"], "1")
    with pytest.raises(OSError, match="cross-device"):
        do("file.move", source=tmp_path / "moved", target=tmp_path / "else")


@pytest.mark.parametrize("ending", ["well", "failure", "cancelled"])
def test_a_temporary_folder_is_gone_afterwards(ending):
    """However its body ends, with all that is in it."""
    seen = []

    async def use(path: str) -> None:
        seen.append(Path(path))
        (seen[0] / "below").mkdir()
        (seen[0] / "below" / "file").write_text("x")
        if ending == "failure":
            raise ValueError("no")
        if ending == "cancelled":
            await trio.sleep_forever()

    async def main():
        with tf.build() as g:
            node = g.add("file.temporary_folder")
            g.connect(g.add("flow.start").then, node.enter)
            g.connect(node.body, g.add(tf.exec_node(use), path=node.path).enter)
        with trio.move_on_after(0.2 if ending == "cancelled" else 60):
            await tf.run(g.graph)

    if ending == "failure":
        with pytest.raises(ValueError, match="no"):
            trio.run(main)
    else:
        trio.run(main)
    assert not seen[0].exists()
