"""Features in Gherkin, as far as conformance kits need it: scenarios, steps, and the texts that go with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

_WORDS = ("Given ", "When ", "Then ", "And ", "But ")


class BadFeature(ValueError):
    """A text that is no feature, with the line."""


@attrs.frozen
class Step:
    """What a step says, in small letters at its beginning or not, and the text in quotes below it, if there is one."""

    says: str
    text: str | None = None


@attrs.frozen
class Scenario:
    """A scenario of a feature."""

    feature: str
    name: str
    steps: tuple[Step, ...]


def read_features(folder: Path) -> list[Scenario]:
    """The scenarios of all features in a folder, by the names of their files. Blocks while it reads.

    Raises `BadFeature`, and `OSError` and `UnicodeError` for a file that can't be read.
    """
    return [
        each for path in sorted(folder.glob("*.feature")) for each in read_feature(path.read_text("utf-8"), path.stem)
    ]


def read_feature(text: str, name: str) -> list[Scenario]:
    """The scenarios of one feature. Raises `BadFeature`."""
    scenarios: list[Scenario] = []
    title: str | None = None
    steps: list[Step] = []
    lines = iter(enumerate(text.splitlines(), 1))

    def close() -> None:
        if title is not None:
            scenarios.append(Scenario(name, title, tuple(steps)))
        steps.clear()

    for number, line in lines:
        said = line.strip()
        if said.startswith("Scenario:"):
            close()
            title = said.removeprefix("Scenario:").strip()
        elif said.startswith('"""'):
            if not steps:
                raise BadFeature(f"{name}, line {number}: there is no step that this text could belong to.")
            found = _text(lines, len(line) - len(line.lstrip()))
            if found is None:
                raise BadFeature(f"{name}, line {number}: the text does not end.")
            steps[-1] = attrs.evolve(steps[-1], text=found)
        elif title is not None and said.startswith(_WORDS):
            steps.append(Step(said.partition(" ")[2]))
        elif title is not None and said and not said.startswith(("#", "@")):
            raise BadFeature(f"{name}, line {number}: {said!r} is not a step.")
    close()
    return scenarios


def _text(lines: Iterator[tuple[int, str]], indent: int) -> str | None:
    """What stands in quotes, without the blanks that its quotes have in front; None if it does not end."""
    held: list[str] = []
    for _, line in lines:
        if line.strip() == '"""':
            return "\n".join(held)
        held.append(line.lstrip() if line[:indent].strip() else line[indent:])
    return None
