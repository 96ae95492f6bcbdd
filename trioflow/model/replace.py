"""Writing files so that they are there as a whole, or as they were."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, atomically: whoever reads it finds the old content or the new.

    A link goes on being a link, and the file keeps its mode. What is no regular file, such as a device or a pipe, can't
    be replaced and is written into. Blocks while it writes. Raises `OSError`, `ValueError` for names that can't be,
    and leaves nothing behind.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as device:
            device.write(data)
        return
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    made = False
    try:
        with beside.open("xb") as file:
            made = True
            if target.exists():
                beside.chmod(target.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
        made = False
    finally:
        if made:
            beside.unlink(missing_ok=True)
