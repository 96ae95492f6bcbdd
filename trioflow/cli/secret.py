"""Secrets from the command line: `--secret NAME`, `--secret NAME=@FILE`. Never a value: others can read that (A10)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from trioflow.cli.bad_input import BadInput


def _from_environment(name: str) -> str | None:
    try:
        return os.environ.get(name)
    except UnicodeEncodeError:  # a name that no variable can have
        return None


def read_secrets(words: Sequence[str], option: str = "--secret") -> dict[str, str]:
    """Secrets by name, from the environment and from files, as an option names them.

    Raises `BadInput` with everything that is wrong.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for word in words:
        name, equals, source = word.partition("=")
        if not name:
            problems.append(f"{option}: write NAME, or NAME=@FILE.")
        elif not equals:
            value = _from_environment(name)
            if value is not None:
                values[name] = value
            else:
                problems.append(
                    f"{option} {name}: there is no environment variable {name!r}. Set it, or write {name}=@FILE."
                )
        elif not source.startswith("@"):
            problems.append(
                f"{option} {name}: every process of this machine can read what stands on a command line. Set the "
                f"environment variable {name} and write {option} {name}, or write {option} {name}=@FILE."
            )
        else:
            try:
                values[name] = Path(source[1:]).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
            except (OSError, ValueError) as error:
                reason = (isinstance(error, OSError) and error.strerror) or "it is not text in UTF-8"
                problems.append(f"{option} {word}: it can't be read: {reason}.")
    if problems:
        raise BadInput(*problems)
    return values
