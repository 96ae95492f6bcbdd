"""Pages that are written when the book is made: all that is public, all nodes, all commands, the rules, the changes.

They say what docstrings, help texts and `spec/` say, and nothing else; so they can't be out of date.
"""

from __future__ import annotations

import ast
import enum
import functools
import importlib
import inspect
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import ForwardRef

import attrs
import click

import trioflow as tf
from trioflow.cli.app import app
from trioflow.formats.reference import area_of, section_of
from trioflow.model.function_node import as_node_type
from trioflow.model.node_type import NodeType

ROOT = Path(__file__).parent.parent
GITHUB = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["GitHub"]

COPIED = {
    file: f"docs/reference/{file}"
    for file in (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "spec/README.md",
        "spec/INTERPRETING.md",
        "spec/proofs/README.md",
        "spec/mutants/README.md",
        *(f"spec/rules/{path.name}" for path in sorted((ROOT / "spec" / "rules").glob("*.md"))),
    )
    if (ROOT / file).is_file()
}
"""Files of the repository that are pages of the book, and where they are copied to."""


def write(folder: Path) -> None:
    """Write the pages of the reference, those that have changed; what is no page any more is removed."""
    pages = {**api_pages(), **node_pages(), "commands": command_page(), **copied_pages()}
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in {*folder.rglob("*.md")} - {folder / f"{name}.md" for name in pages}:
        path.unlink()


# --- Links ---

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(?=[)#])")


def linked(text: str, page: str, stands: str | None = None) -> str:
    """A page with its links led to where the files are in the book, or else on GitHub.

    `page` is the file in the repository that the links were written in, `stands` where its text stands now.
    """
    stands = stands or page

    def place(match: re.Match[str]) -> str:
        file = os.path.normpath(PurePosixPath(page).parent / match[1]).replace(os.sep, "/")
        if file in COPIED:
            file = COPIED[file]
        if file.startswith("docs/"):
            return os.path.relpath(file, PurePosixPath(stands).parent).replace(os.sep, "/")
        path = ROOT / file
        return f"{GITHUB}/{'tree' if path.is_dir() else 'blob'}/main/{file}" if path.exists() else match[1]

    return LINK.sub(place, text)


def copied_pages() -> dict[str, str]:
    """The rules, the contract of ports, the changes: what stands elsewhere in the repository, as it is there."""
    pages = {}
    for file, target in COPIED.items():
        text = linked((ROOT / file).read_text(encoding="utf-8"), file, target)
        if "\n## " not in text:  # rules are sections of a section there
            text = text.replace("\n### ", "\n## ")
        pages[target.removeprefix("docs/reference/").removesuffix(".md")] = text
    below = [page.removeprefix("spec/") for page in pages if page.startswith("spec/") and page != "spec/README"]
    return {**pages, "spec/README": pages["spec/README"] + "\n".join(contents(below))}


def contents(pages: Iterable[str]) -> list[str]:
    """A table of contents that only the side of a page shows."""
    return ["", "```{toctree}", ":hidden:", *pages, "```", ""]


# --- What is public ---

TOPICS = {
    "running": ("Running graphs", ("runtime.host", "runtime.base")),
    "graphs": ("Graphs and documents", ("model", "semantics")),
    "nodes": (
        "Writing nodes",
        ("model.node_type", "model.function_node", "model.sockets", "model.context", "model.clock", "model.durability"),
    ),
    "workflows": ("Workflows", ("model.workflow", "semantics.workflow", "model.trigger", "semantics.triggers")),
    "policies": ("Policies", ("model.policy", "policies", "runtime.wrapping")),
    "durable": ("Durable runs", ("durable",)),
    "watching": (
        "Watching runs",
        ("runtime.base.watch", "runtime.host.stream", "runtime.host.tracking", "semantics.tracking"),
    ),
    "people": ("People, scripts and models", ("nodes", "persons")),
    "errors": ("Errors", ("errors",)),
}
"""Pages of names of `trioflow` itself, by the modules that they come from; of several that fit, the longest."""

MODULES = (
    "events", "testing", "conformance", "telemetry", "jobs", "serving", "studio", "remote", "persons", "formats",
    "expressions", "explain",
)  # fmt: skip
"""Modules of the package with names of their own."""

FORMATS = (
    "actions", "bpmn", "dipeo", "executionengine", "langgraph", "n8n", "nodeeditor", "nodered", "serverless",
    "known", "port", "stub",
)  # fmt: skip
"""Modules of `trioflow.formats`, which are sections of one page."""


def api_pages() -> dict[str, str]:
    """Pages of all that is public: the package by topics, and its modules."""
    topics: dict[str, list[str]] = {topic: [] for topic in TOPICS}
    for name in sorted(tf.__all__, key=rank):
        if not inspect.ismodule(getattr(tf, name)):
            topics[topic_of(name)].append(name)
    pages = {
        f"api/{topic}": api_page(TOPICS[topic][0], "trioflow", [(name, getattr(tf, name)) for name in names])
        for topic, names in topics.items()
    }
    for module in MODULES:
        home = tf.events if module == "events" else importlib.import_module(f"trioflow.{module}")
        doc = prose(inspect.getdoc(home) or "")
        pages[f"api/{module}"] = api_page(f"`trioflow.{module}`", f"trioflow.{module}", [*public(home)], doc)
    for name in FORMATS:
        module = f"trioflow.formats.{name}"
        home = importlib.import_module(module)
        doc = prose(inspect.getdoc(home) or "")
        pages["api/formats"] += "\n#" + api_page(f"`{module}`", module, [*public(home)], doc)
    pages["api/types"] = types_page()
    rows = [
        f"| [{TOPICS[topic][0]}](api/{topic}.md) | {', '.join(map(code, names))} |" for topic, names in topics.items()
    ]
    rows += [f"| [`trioflow.{module}`](api/{module}.md) | {summary(pages[f'api/{module}'])} |" for module in MODULES]
    rows += ["| [Types in signatures](api/types.md) | what public calls take and give, and no namespace holds |"]
    index = [
        "# What is public",
        "",
        "All that a program may use. The word `tf` in all pages is `import trioflow as tf`.",
    ]
    index += ["", "| | |", "|---|---|", *rows, *contents(f"api/{name}" for name in (*TOPICS, *MODULES, "types"))]
    return {**pages, "api": "\n".join(index)}


def types_page() -> str:
    """The classes that signatures of what is public name, and those of these, though no namespace holds them."""
    found: dict[str, type] = {}
    asked = [value for _, value in everything()]
    while asked:
        fresh = {name: each for value in asked for name, each in named_by(value) if name not in found}
        found |= fresh
        asked = [*fresh.values()]
    lines = ["# Types in signatures", ""]
    lines += [
        "Classes that public calls take and give, though no namespace holds them. To annotate with one, import it from"
    ]
    lines += ["its module."]
    for module, names in groupby(sorted(found), key=lambda name: name.rpartition(".")[0]):
        lines += ["", f"## `{module}`", "", f"```{{py:currentmodule}} {module}", "```"]
        for name in names:
            lines += ["", *described(name.rpartition(".")[2], found[name])]
    return "\n".join([*lines, ""])


def everything() -> Iterator[tuple[str, object]]:
    """All public names of the package and of its modules."""
    yield from ((name, getattr(tf, name)) for name in tf.__all__ if not inspect.ismodule(getattr(tf, name)))
    for module in MODULES:
        yield from public(tf.events if module == "events" else importlib.import_module(f"trioflow.{module}"))
    for name in FORMATS:
        yield from public(importlib.import_module(f"trioflow.formats.{name}"))


def named_by(value: object) -> Iterator[tuple[str, type]]:
    """The classes of the package that the signatures on a page name and that are not public, by module and name."""
    own = [value] if inspect.isroutine(value) or (inspect.isclass(value) and not of_the_engine(value)) else []
    plain = [
        each.__func__ if isinstance(each, (staticmethod, classmethod)) else getattr(each, "fget", each)
        for name, each in (inspect.getmembers_static(value) if inspect.isclass(value) else ())
        if not name.startswith("_")
    ]
    for each in (*own, *(each for each in plain if inspect.isfunction(each) and not of_the_engine(each))):
        homes = _imports(getattr(each, "__module__", ""))
        try:
            said = inspect.signature(each)
        except (TypeError, ValueError):
            continue
        texts = [said.return_annotation, *(one.annotation for one in said.parameters.values())]
        for name in (name for text in texts if isinstance(text, str) for name in re.findall(r"\b[A-Z]\w+", text)):
            home = homes.get(name, "")
            if home.startswith("trioflow.") and not home.startswith(ROOMS) and home not in _homes().get(name, ()):
                made = getattr(importlib.import_module(home), name, None)
                if inspect.isclass(made) and made.__module__ == home:
                    yield f"{home}.{name}", made


def rank(name: str) -> tuple[bool, bool]:
    """Functions come first on a page, as programs begin with them, and exceptions last."""
    value = getattr(tf, name)
    return not inspect.isroutine(value), inspect.isclass(value) and issubclass(value, BaseException)


def topic_of(name: str) -> str:
    """The page of a public name."""
    home = "trioflow." + tf._HOME_OF[name].removeprefix("trioflow.")
    fits = {
        len(prefix): topic
        for topic, (_, prefixes) in TOPICS.items()
        for prefix in prefixes
        if f"{home}.".startswith(f"trioflow.{prefix}.")
    }
    return fits[max(fits)]


def summary(page: str) -> str:
    """The first sentence below the title of a page."""
    text = page.split("\n\n")[1].replace("\n", " ")
    return re.split(r"(?<=[.:]) (?=[A-Z])", text)[0]


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The public names of a module; of one that does not list them, its own."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        listed = [name for name in own if not name.startswith("_")]
    for name in listed:
        value = getattr(module, name)
        if not inspect.ismodule(value):
            yield name, value


def api_page(title: str, module: str, members: list[tuple[str, object]], doc: str = "") -> str:
    """A page of classes, functions and values of one module."""
    lines = [f"# {title}", "", *([doc, ""] if doc else []), f"```{{py:currentmodule}} {module}", "```"]
    for name, value in members:
        lines += ["", *described(name, value)]
    return "\n".join([*lines, ""])


def described(name: str, value: object) -> Iterator[str]:
    """A class with its members, a function, or a value, in the words of Sphinx."""
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        made = "" if of_the_engine(value) else signature(value)
        yield from block(kind, name + made, [*bases(value), *text(value), *members(value)])
    elif inspect.isroutine(value):
        kind = "function"
        options = [":async:"] if inspect.iscoroutinefunction(value) else []
        yield from block(kind, name + signature(value), [*options, *text(value)])
    else:
        yield from block("data", name, ["", prose(noted(name, value))])


def block(kind: str, head: str, body: Iterable[str], *, fence: str = "::::") -> Iterator[str]:
    """A directive."""
    yield from (f"{fence}{{py:{kind}}} {head}", *body, fence)


def text(value: object) -> list[str]:
    """The docstring, as Markdown."""
    doc = inspect.getdoc(value) or ""
    return ["", prose(doc)] if doc and "Method generated by attrs" not in doc else []


def bases(value: type) -> list[str]:
    """What a class inherits from, as far as that is said anywhere."""
    found = [each.__name__ for each in value.__bases__ if each is not object and not each.__name__.startswith("_")]
    known = {name for name in found if hasattr(tf, name) or issubclass(value, BaseException)}
    return ["", f"A {', '.join(map(code, sorted(known)))}."] if known else []


def members(owner: type) -> Iterator[str]:
    """Methods and properties that a class says something about, and those of bases that are not public themselves."""
    if issubclass(owner, enum.Enum):
        yield from ("", ", ".join(f"`{each.name}`" for each in owner) + ".")
        return
    for name, member in inspect.getmembers_static(owner):
        home = next(each for each in owner.__mro__ if name in vars(each))
        if name.startswith("_") or not home.__module__.startswith("trioflow"):
            continue
        if home is not owner and not home.__name__.startswith("_") and home.__name__ in tf.__all__:
            continue
        plain = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
        if isinstance(member, (property, functools.cached_property)):
            yield from ("", *block("property", name, text(member), fence=":::"))
        elif inspect.isfunction(plain) and not of_the_engine(plain):
            options = [":async:"] if inspect.iscoroutinefunction(plain) else []
            options += [":classmethod:"] if isinstance(member, classmethod) else []
            options += [":staticmethod:"] if isinstance(member, staticmethod) else []
            head = name + signature(plain, method=not isinstance(member, staticmethod))
            yield from ("", *block("method", head, [*options, *text(plain)], fence=":::"))


ENGINE = re.compile(r"\b(?:BodyContext|Cell|Circuit|Execution|Given|Line|RunState|Strand|Target|Throttle|Turnstile)\b")
ROOMS = ("trioflow.runtime", "trioflow.policies.machines", "trioflow.semantics.plan", "trioflow.semantics.store")
"""Classes that only the engine has, and where it has them. What takes or gives one is for its own use."""


def of_the_engine(value: Callable[..., object]) -> bool:
    """Whether nobody but the engine can call it, though its class is public."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return False
    homes = _imports(getattr(value, "__module__", ""))
    said = [found.return_annotation, *(each.annotation for each in found.parameters.values())]
    names = (name for each in said if isinstance(each, str) for name in ENGINE.findall(each))
    return any(homes.get(name, "").startswith(ROOMS) for name in names)


class _Raw:
    """Is shown as the text that it is made of."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def signature(value: Callable[..., object], *, method: bool = False) -> str:
    """Parameters with types and defaults, as they are written."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "()"
    shown = functools.partial(_shown, module=getattr(value, "__module__", ""))
    parameters = [
        each.replace(annotation=shown(each.annotation), default=_default(each.default))
        for each in [*found.parameters.values()][1 if method else 0 :]
    ]
    returned = inspect.Signature.empty if inspect.isclass(value) else shown(found.return_annotation)
    return str(inspect.Signature(parameters, return_annotation=returned)).replace("\n", " ")


def _shown(annotation: object, module: str) -> object:
    if annotation is inspect.Parameter.empty:
        return annotation
    if isinstance(annotation, ForwardRef):  # of a named tuple
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return _Raw(re.sub(r"(?<![.\w'])[A-Z]\w+", lambda name: _told_apart(name[0], module), annotation))
    shown = inspect.formatannotation(annotation)
    return _Raw(re.sub(r"\b(?:trioflow|typing|collections)(?:\.\w+)*\.(?=\w)", "", shown))


def _told_apart(name: str, module: str) -> str:
    """A name in a module; with its home, if it is another there than the one that is public."""
    homes, home = _homes().get(name), _imports(module).get(name)
    return name if homes is None or home is None or home in homes else f"{home.rpartition('.')[2]}.{name}"


@functools.cache
def _homes() -> dict[str, set[str]]:
    """The modules that public names come from."""
    homes: dict[str, set[str]] = {}
    for name, value in everything():
        homes.setdefault(name, set()).add(getattr(value, "__module__", ""))
    return homes


@functools.cache
def _imports(module: str) -> dict[str, str]:
    """Where a module has its names from, its own types and those for type checkers alone included."""
    found = sys.modules.get(module)
    if found is None or not module.startswith("trioflow"):
        return {}
    tree = ast.parse(inspect.getsource(found))
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    own = {each.name: module for each in tree.body if isinstance(each, ast.ClassDef)}
    own |= {
        name.id: module
        for each in tree.body
        if isinstance(each, ast.Assign)
        for name in ast.walk(each.targets[0])
        if isinstance(name, ast.Name)
    }
    return own | {alias.asname or alias.name: each.module or "" for each in imports for alias in each.names}


def _default(default: object) -> object:
    if default is inspect.Parameter.empty:
        return default
    shown = f"{type(default).__name__}.{default.name}" if isinstance(default, enum.Enum) else repr(default)
    made_anew = default is attrs.NOTHING
    return _Raw("..." if made_anew or "<" in shown or len(shown) > 60 else shown)


@functools.cache
def notes(module: str) -> dict[str, str]:
    """Texts below assignments of a module, by the names that are assigned to."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    found = {}
    for each, following in zip(tree.body, tree.body[1:], strict=False):
        targets = (
            each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
        )
        if targets and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            found |= {
                target.id: inspect.cleandoc(str(following.value.value))
                for target in targets
                if isinstance(target, ast.Name)
            }
    return found


def noted(name: str, value: object) -> str:
    """What is said of a value: below where it is made, or by its class."""
    home = tf._HOME_OF.get(name)
    said = notes(home).get(name) if home is not None and importlib.import_module(home) else None
    return said or inspect.getdoc(value) or ""


# --- Texts ---


def code(name: str) -> str:
    """A name that leads to what is said of it."""
    return f"{{py:obj}}`~trioflow.{name}`"


NAME = re.compile(r"(?<![`{}\w])`(?:tf\.)?([A-Z]\w+|run|open_run|resume_run|recover)`(?!`)")


def prose(doc: str) -> str:
    """A docstring as Markdown: examples are code, and public names lead to what is said of them."""
    parts = []
    for is_example, lines in groupby(_marked(doc), key=lambda each: each[0]):
        part = "\n".join(line for _, line in lines)
        parts.append(f"```pycon\n{part.strip()}\n```" if is_example else NAME.sub(_named, part))
    return "\n".join(parts)


def _marked(doc: str) -> Iterator[tuple[bool, str]]:
    """The lines of a docstring, and whether each belongs to an example."""
    within = False
    for line in doc.splitlines():
        within = line.startswith(">>> ") or (within and bool(line.strip()))
        yield within, line


def _named(match: re.Match[str]) -> str:
    return code(match[1]) if match[1] in tf.__all__ else match[0]


# --- Nodes ---


def node_pages() -> dict[str, str]:
    """A page for each area of node types."""
    registry = tf.Registry.standard(plugins=False, allow=["scripts"])
    areas: dict[str, list[NodeType]] = {}
    for each in sorted(registry, key=lambda each: each.id):
        if re.sub(r"_\d+$", "", each.id) != each.id and registry.find(re.sub(r"_\d+$", "", each.id)) is not None:
            continue  # the same with more sockets, such as flow.sequence_8
        areas.setdefault(area_of(each), []).append(each)
    classes = {as_node_type(getattr(tf.nodes, name)).id: name for name in tf.nodes.__all__}
    pages = {}
    rows = []
    for area, found in areas.items():
        # Not in the contents at the side of each page: they would be most of it, and of the time that pages take.
        lines = ["---", "orphan: true", "---", "", f"# `{area}`", "", "[All nodes](../nodes.md)", ""]
        for each in found:
            lines += section_of(each, level=2, python=f"tf.nodes.{classes[each.id]}" if each.id in classes else None)
            lines.append("")
        pages[f"nodes/{area}"] = "\n".join(lines)
        names = ", ".join(f"[{each.id.rpartition('.')[2]}](nodes/{area}.md#{anchor(each.id)})" for each in found)
        rows.append(f"| [{area}](nodes/{area}.md) | {names} |")
    count = sum(map(len, areas.values()))
    index = ["# All nodes", "", f"{count} node types in {len(areas)} areas, as `trioflow nodes` tells them.",
             "Those that also come with more sockets (`flow.sequence_8`) are here once.",
             "In examples `fire` and `evaluate` are those of `trioflow.testing`, `tf` is `trioflow`.",
             "", "| area | node types |", "|---|---|", *rows, ""]  # fmt: skip
    return {**pages, "nodes": "\n".join(index)}


def anchor(title: str) -> str:
    """The name that a heading has in links."""
    return title.lower().replace(".", "")


# --- Commands ---


def command_page() -> str:
    """All commands with their arguments and options."""
    lines = [
        "# Commands",
        "",
        "What `trioflow COMMAND --help` tells, on one page. [How they are used](../command-line.md).",
    ]
    for path, command in commands(app, "trioflow"):
        context = click.Context(command, info_name=path)
        lines += ["", f"## {path}", "", "```text", command.get_usage(context).removeprefix("Usage: "), "```", ""]
        lines += [plain(command.help or "")]
        options = [each for each in command.get_params(context) if isinstance(each, click.Option) and not each.hidden]
        if options:
            lines += ["", "| option | |", "|---|---|"]
        for option in options:
            names, said = option.get_help_record(context) or ("", "")
            lines.append(f"| `{names}` | {plain(said).replace('|', '&#124;')} |".replace("\n", " "))
        if command.epilog:
            lines += ["", plain(command.epilog)]
    return "\n".join([*lines, ""])


def commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it."""
    yield path, group
    if isinstance(group, click.Group):
        for name in sorted(group.commands):
            yield from commands(group.commands[name], f"{path} {name}")


def plain(said: str) -> str:
    """A help text without click's marks."""
    return inspect.cleandoc(said).replace("\b\n", "").replace("\f", "").replace("<", "&lt;")
