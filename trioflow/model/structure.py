"""From plain trees of dicts and lists to attrs classes and back, by cattrs; every problem with its path.

The keys are the fields of the classes (`schema.py`). No value is coerced: the number 7 is not the text "7".
"""

from __future__ import annotations

import copy
import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import attrs
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    Converter,
    IterableValidationNote,
)
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from trioflow.errors import did_you_mean
from trioflow.model.form import Form, Minimum
from trioflow.model.graph import FORMAT_VERSION, Endpoint, Graph
from trioflow.model.json_text import Repeated
from trioflow.model.schema import fields_by_key, short_of

_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_TEXT = frozenset({str})
_SCALARS = frozenset({str, int, bool, type(None)})
_NAMES: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false"}

T = TypeVar("T")

# --- problems and their paths ----------------------------------------------------------------------------------------


class Refused(Exception):
    """Problems of one value: each a path from that value on, and what is wrong there."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def _step(key: str) -> str:
    return f".{key}" if re.fullmatch(r"[\w-]+", key) else f"[{json.dumps(key, ensure_ascii=False)}]"


def _gather(error: BaseException, cls: type | None = None, path: str = "") -> Iterator[tuple[str, str]]:
    """The problems in what cattrs raised: groups of errors whose notes say where each belongs."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, IterableValidationNote):
            path += f"[{note.index}]"
        elif isinstance(note, AttributeValidationNote) and cls is not None:
            key = next(key for key, field in fields_by_key(cls).items() if field.name == note.name)
            if isinstance(error, KeyError):
                yield path, f'the key "{key}" is missing. Add it.'
                return
            path += _step(key)
    if isinstance(error, BaseValidationError):
        for part in error.exceptions:
            yield from _gather(part, error.cl if isinstance(error, ClassValidationError) else None, path)
    elif isinstance(error, Refused):
        yield from ((path + inner, what) for inner, what in error.problems)
    else:
        raise error


def _expected(what: str, value: object) -> Refused:
    return Refused([("", f"expected {what}, got {_say(value)}")])


def _quote(key: object) -> str:
    return json.dumps(key, ensure_ascii=False) if isinstance(key, str) else repr(key)


def _say(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    try:
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    except ValueError:
        shown = "of very many digits"
    name = "text" if isinstance(value, str) else type(value).__name__
    return f"{name} {shown if len(shown) <= 60 else shown[:57] + '...'}"


# --- from values to classes ------------------------------------------------------------------------------------------


def graph_from(tree: Any) -> Graph:
    """The graph that a tree of dicts and lists says. Raises `Refused` with every problem."""
    newer = _is_newer(tree)
    version = tree["trioflow"]
    # A copy of the same kind: one in which keys occur twice says so.
    tree = copy.copy(tree)
    del tree["trioflow"]
    graph = _structured(tree, Graph, newer)
    return attrs.evolve(graph, version=version if newer else FORMAT_VERSION)


def structured(tree: Any, shape: type[T]) -> T:
    """What a tree of dicts and lists says, as an attrs class or a union of some. Raises `Refused` with every problem.

    The classes of a union are told apart by a field that all have, of the type `Literal`.
    """
    return _structured(tree, shape, False)


def _structured(tree: Any, shape: type[T], keep_unknown: bool) -> T:
    try:
        return _converter(keep_unknown).structure(tree, shape)
    except (BaseValidationError, Refused) as error:
        raise Refused([*_gather(error)]) from None


def _is_newer(tree: Any) -> bool:
    if not isinstance(tree, dict):
        raise _expected("an object", tree)
    cure = f'Write "trioflow": "{FORMAT_VERSION}".'
    if "trioflow" not in tree:
        near = [key for key in cast("dict[object, object]", tree) if did_you_mean(str(key), ("trioflow",))]
        instead = f" Is {_quote(near[0])} meant to be it?" if near else ""
        raise Refused([("", f'the key "trioflow", the version of the format, is missing. {cure}{instead}')])
    version: object = tree["trioflow"]
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        raise Refused([(".trioflow", f'expected a version such as "{FORMAT_VERSION}", got {_say(version)}. {cure}')])
    major, minor = map(int, FORMAT_VERSION.split("."))
    if int(match[1]) != major:
        raise Refused([
            (
                ".trioflow",
                f"the document has version {match[0]} of the format, and this trioflow reads {major}.x "
                f"({FORMAT_VERSION}). Use the trioflow that wrote it, or write the document anew.",
            )
        ])  # fmt: skip
    return int(match[2]) > minor


Hook = Callable[[Any, Any], Any]


def _made_from(origin: object) -> Callable[[Any], bool]:
    return lambda hint: cast("object", get_origin(hint)) is origin


@functools.cache
def _converter(keep_unknown: bool) -> Converter:
    converter = Converter()
    for kind in _NAMES:
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(Endpoint, _endpoint)
    converter.register_structure_hook_func(lambda hint: hint is Any, _json_value)
    converter.register_structure_hook_factory(_made_from(Mapping), _mapping_of)
    # A graph holds graphs, so what makes one can not be made beforehand.
    converter.register_structure_hook_func(_is_mapping_of_graphs, _graphs_by(converter))
    converter.register_structure_hook_factory(_made_from(Annotated), _limited)
    converter.register_structure_hook_factory(_made_from(Literal), _choice)
    converter.register_structure_hook_factory(_made_from(tuple), _list_of)
    converter.register_structure_hook_factory(_is_union_of(_NAMES.__contains__), _exactly_one_of)
    converter.register_structure_hook_factory(_is_union_of(_is_object), _tagged)
    converter.register_structure_hook_factory(
        _is_object, lambda cls, converter: _object_of(cls, converter, keep_unknown)
    )
    converter.register_unstructure_hook(Endpoint, str)
    converter.register_unstructure_hook_func(lambda hint: hint is Any, lambda value: value)
    converter.register_unstructure_hook_func(_made_from(Mapping), dict)
    converter.register_unstructure_hook_factory(_is_mapping_of_objects, _written_each)
    converter.register_unstructure_hook_func(_made_from(Literal), lambda value: value)
    converter.register_unstructure_hook_factory(_has_form, _written_by)
    converter.register_unstructure_hook_factory(_is_object, _plain_object_of)
    return converter


def _is_union_of(accepted: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda hint: get_origin(hint) in (Union, UnionType) and all(map(accepted, get_args(hint)))


def _exactly(*kinds: type) -> Hook:
    expected = " or ".join(_NAMES[kind] for kind in kinds)

    def structure(value: Any, _: Any) -> Any:
        # Not isinstance: true is an int for that.
        if type(value) not in kinds:
            raise _expected(expected, value)
        return value

    return structure


def _exactly_one_of(hint: Any, _converter: Converter) -> Hook:
    return _exactly(*get_args(hint))


def _limited(hint: Any, converter: Converter) -> Hook:
    kind, *extras = get_args(hint)
    for form in extras:
        if isinstance(form, Form):
            return _formed(form)
    hook = converter.get_structure_hook(kind)
    minimum = next(extra.value for extra in extras if isinstance(extra, Minimum))

    def structure(value: Any, _: Any) -> Any:
        number = hook(value, kind)
        if number < minimum:
            raise _expected(f"a whole number of at least {minimum}", value)
        return number

    return structure


def _formed(form: Form) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        problems = [*form.problems(value)]
        if problems:
            raise Refused(problems)
        return form.read(value)

    return structure


def _form_of(hint: Any) -> Form | None:
    """The form of a field, which may be null, too."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
    annotated = parts[0] if len(parts) == 2 and parts[1] is NoneType else hint
    extras = get_args(annotated)[1:] if _made_from(Annotated)(annotated) else ()
    return next((extra for extra in extras if isinstance(extra, Form)), None)


def _has_form(hint: Any) -> bool:
    return _form_of(hint) is not None


def _written_by(hint: Any) -> Callable[[Any], Any]:
    form = _form_of(hint)
    assert form is not None
    return lambda value: None if value is None else form.write(value)


def _is_mapping_of_objects(hint: Any) -> bool:
    return get_origin(hint) is Mapping and _is_object(get_args(hint)[1])


def _written_each(hint: Any, converter: Converter) -> Callable[[Any], Any]:
    kind = get_args(hint)[1]  # looked up when it is needed, since a graph holds graphs
    return lambda values: {name: converter.unstructure(value, kind) for name, value in values.items()}


def _choice(hint: Any, _converter: Converter) -> Hook:
    choices = get_args(hint)
    kinds = {*map(type, choices)}  # true is equal to 1

    def structure(value: Any, _: Any) -> Any:
        if type(value) not in kinds or value not in choices:
            refused = _expected(" or ".join(map(_quote, choices)), value)
            near = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise Refused([(path, f"{what}.{near}" if near else what) for path, what in refused.problems])
        return value

    return structure


def _list_of(hint: Any, converter: Converter) -> Hook:
    if get_args(hint)[-1] is not ...:
        return _row_of(get_args(hint), converter)
    hook = homogenous_tuple_structure_factory(hint, converter)

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise _expected("a list", value)
        return hook(value, hint)

    return structure


def _row_of(kinds: tuple[Any, ...], converter: Converter) -> Hook:
    hooks = [(f"[{index}]", kind, converter.get_structure_hook(kind)) for index, kind in enumerate(kinds)]

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not list or len(value) != len(kinds):
            raise _expected(f"a list of {len(kinds)}", value)
        return tuple(_all((key, item, kind, hook) for (key, kind, hook), item in zip(hooks, value, strict=True)))

    return structure


def _mapping_of(hint: Any, converter: Converter) -> Hook:
    kind = get_args(hint)[1]
    if kind is Any:
        return _json_object
    hook = converter.get_structure_hook(kind)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _expected("an object", value)
        problems = [*_repeats(value, "")]
        if problems:
            raise Refused(problems)
        return dict(zip(value, _all((_step(key), item, kind, hook) for key, item in value.items()), strict=True))

    return structure


def _all(parts: Iterable[tuple[str, Any, Any, Hook]]) -> list[Any]:
    """Each part structured: its path, its value, its type and the hook of that. Raises the problems of all."""
    made: list[Any] = []
    problems: list[tuple[str, str]] = []
    for path, value, kind, hook in parts:
        try:
            made.append(hook(value, kind))
        except (BaseValidationError, Refused) as error:
            problems += _gather(error, path=path)
    if problems:
        raise Refused(problems)
    return made


def _tagged(hint: Any, converter: Converter) -> Hook:
    fields = [fields_by_key(cls) for cls in get_args(hint)]
    key = next(key for key in fields[0] if all(key in each and _made_from(Literal)(each[key].type) for each in fields))
    classes = {
        tag: (cls, converter.get_structure_hook(cls))
        for cls, each in zip(get_args(hint), fields, strict=True)
        for tag in get_args(each[key].type)
    }
    choose = _choice(Literal[tuple(classes)], converter)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _expected("an object", value)
        if key not in value:
            raise Refused([("", f'the key "{key}" is missing. Add it.')])
        (tag,) = _all([(_step(key), value[key], None, choose)])
        cls, hook = classes[tag]
        return hook(value, cls)

    return structure


def _endpoint(value: Any, _: Any) -> Endpoint:
    node, dot, socket = value.rpartition(".") if isinstance(value, str) else ("", ".", "")
    if not dot:
        node, socket = socket, ""
    if not node or (dot and not socket):
        raise _expected('an endpoint "node.socket"', value)
    return Endpoint(node, socket)


def _json_value(value: Any, _: Any) -> Any:
    problems = [*_not_json(value, "")]
    if problems:
        raise Refused(problems)
    return value


def _json_object(value: Any, _: Any) -> Any:
    if not isinstance(value, dict):
        raise _expected("an object", value)
    if type(value) is dict and _SCALARS.issuperset(map(type, value.values())) and _TEXT.issuperset(map(type, value)):
        return value  # the usual case, without the cost of looking deeper
    return _json_value(cast("Any", value), None)


def _not_json(value: Any, path: str) -> Iterator[tuple[str, str]]:
    kind = type(cast("object", value))
    if kind in (str, int, bool, type(None)):
        return
    if kind is list:
        for index, item in enumerate(value):
            yield from _not_json(item, f"{path}[{index}]")
    elif kind is dict or kind is Repeated:
        yield from _repeats(value, path)
        for key, item in value.items():
            if type(key) is str:
                yield from _not_json(item, path + _step(key))
            else:
                yield path, f"expected keys that are texts, got {_say(key)}. Put the key in quotes"
    elif kind is not float:
        yield path, f"expected a value that JSON has, got {_say(value)}. Write it as text, number, list or object"
    elif not math.isfinite(value):
        yield (
            path,
            f"expected a finite number, got {value!r}. JSON has no NaN and no infinity: leave it out, or use null",
        )


def _repeats(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Repeated):
        for key in value.keys_twice:
            yield path, f"the key {json.dumps(key, ensure_ascii=False)} occurs more than once. Keep one of them"


def _is_mapping_of_graphs(hint: Any) -> bool:
    return get_origin(hint) is Mapping and get_args(hint)[1] is Graph


def _graphs_by(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> dict[str, Graph]:
        if not isinstance(value, dict):
            raise _expected("an object", value)
        problems = [*_repeats(value, "")]
        graphs: dict[str, Graph] = {}
        for name, tree in cast("dict[object, object]", value).items():
            if not isinstance(name, str):
                problems.append(("", f"expected keys that are texts, got {_say(name)}. Put the key in quotes"))
                continue
            try:
                graphs[name] = converter.structure(tree, Graph)
            except (BaseValidationError, Refused) as error:
                problems += [(_step(name) + path, what) for path, what in _gather(error)]
        if problems:
            raise Refused(problems)
        return graphs

    return structure


# --- objects ---------------------------------------------------------------------------------------------------------


def _is_object(hint: Any) -> bool:
    return isinstance(hint, type) and attrs.has(hint) and hint is not Endpoint


def _object_of(cls: Any, converter: Converter, keep_unknown: bool) -> Hook:
    keys = fields_by_key(cls)
    known = keys.keys()
    overrides: dict[str, Any] = {field.name: override(omit=True) for field in attrs.fields(cls)}
    overrides |= {field.name: override(rename=key) for key, field in keys.items()}
    from_known = cast("Hook", make_dict_structure_fn(cls, converter, **overrides))
    short = short_of(cls)
    from_short = None if short is None else converter.get_structure_hook(short.type)

    def structure(value: Any, _: Any) -> Any:
        if short is not None and from_short is not None and not isinstance(value, dict):
            try:
                return cls(**{short.name: from_short(value, short.type)})
            except Refused as error:
                raise Refused([(path, f"{what}; or an object") for path, what in error.problems]) from None
        if type(value) is dict and value.keys() <= known:
            return from_known(value, cls)
        if not isinstance(value, dict):
            raise _expected("an object", value)
        problems = [*_repeats(value, "")]
        extra = {key: value[key] for key in cast("dict[object, object]", value) if key not in known}
        if keep_unknown:
            problems += _not_json(extra, "")
        else:
            problems += [
                ("", f"unknown key {_quote(key)}.{did_you_mean(str(key), known)} Known are: {', '.join(known)}")
                for key in extra
            ]
        try:
            made = from_known(value, cls)
        except ClassValidationError as error:
            problems += _gather(error)
            made = None
        if problems:
            raise Refused(problems)
        return attrs.evolve(made, extra=extra) if extra else made

    return structure


def _plain_object_of(cls: Any, converter: Converter) -> Callable[[Any], Any]:
    keys = fields_by_key(cls)
    overrides: dict[str, Any] = {field.name: override(omit=True) for field in attrs.fields(cls)}
    overrides |= {field.name: override(rename=key, omit_if_default=True) for key, field in keys.items()}
    known = make_dict_unstructure_fn(cls, converter, **overrides)
    short = short_of(cls)

    def unstructure(value: Any) -> Any:
        written = {**known(value), **value.extra} if value.extra else known(value)
        if short is not None and written.keys() <= {short.name}:
            return written.get(short.name, short.default)
        return written

    return unstructure


def tree_from(graph: Graph) -> dict[str, Any]:
    """The graph as a tree of dicts and lists, without what is at its default. Raises `Refused`."""
    problems = [*_unwritable(graph)]
    if problems:
        raise Refused(problems)
    tree = {"trioflow": graph.version, **_converter(False).unstructure(graph)}
    graph_from(tree)  # refuses what could not be read back
    return tree


def tree_part(value: Any) -> Any:
    """A part of a graph, such as a node or a wire, as it stands in a document."""
    return _converter(False).unstructure(value)


def _unwritable(graph: Graph) -> Iterator[tuple[str, str]]:
    """What the document would lose without anybody noticing."""
    for name, inner in graph.graphs.items():
        yield from ((f".graphs{_step(name)}{path}", what) for path, what in _unwritable(inner))
    for index, node in enumerate(graph.nodes):
        if isinstance(cast("object", node.type), str) and node.type.startswith("inline."):
            yield (
                f".nodes[{index}].type",
                f"node {node.id!r} is made from a function that has no name in a document ({node.type}). Put the "
                "function into a module, name it with @data_node, and add that",
            )
    for index, wire in enumerate(graph.connections):
        for key, end in (("from", wire.source), ("to", wire.target)):
            if not all(isinstance(cast("object", name), str) for name in (end.node, end.socket)) or "." in end.socket:
                what = f"{end.node!r} and {end.socket!r} do not read back"
                yield f".connections[{index}].{key}", f"{what}. Use texts, and no dot in the name of the socket"
