"""Files are there as a whole, or as they were."""

from __future__ import annotations

import os
import stat

import pytest

from trioflow.model.replace import write_whole


def test_a_new_file_and_an_old_one(tmp_path):
    """A file is made, or replaced with its mode kept; nothing else is left behind."""
    path = tmp_path / "f"
    write_whole(path, b"one")
    path.chmod(0o640)
    write_whole(path, b"two")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o640)
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_stays_one(tmp_path):
    """What it leads to is replaced."""
    link = tmp_path / "link"
    link.symlink_to("f")
    write_whole(link, b"x")
    assert link.is_symlink()
    assert (tmp_path / "f").read_bytes() == b"x"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_what_is_no_file_is_written_into(tmp_path):
    """A device or a pipe stays what it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(path, b"x")
    assert os.read(reader, 9) == b"x"
    os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert [*tmp_path.iterdir()] == [path]


def test_what_fails_leaves_nothing(tmp_path):
    """A folder that is not there, or is in the way, is an error."""
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "f", b"")
    with pytest.raises(OSError, match=r"."):
        write_whole(tmp_path, b"")
    assert [*tmp_path.iterdir()] == []
