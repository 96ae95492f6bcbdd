"""Scripts of tasks: a subset of Python without anything dangerous in it, evaluated step by step with a budget.

Assignments, conditions, loops, calls of harmless functions and of methods of texts, lists and mappings. Names are the
variables of the process. Scripts in other languages are understood as far as they are assignments and prints.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, cast

from trioflow.errors import NodeError
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse

STEPS = 200_000
"""So many steps a script may take."""
_LARGEST = 1_000_000

_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


def _empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": len, "str": str, "int": int, "float": float, "bool": bool, "abs": abs, "min": min, "max": max, "sum": sum,
    "round": round, "sorted": sorted, "list": list, "dict": dict, "set": set, "tuple": tuple, "any": any, "all": all,
    "enumerate": enumerate, "zip": zip, "reversed": reversed, "divmod": divmod, "size": len, "count": len,
    "empty": _empty, "string": str, "number": float, "double": float, "floor": math.floor, "ceil": math.ceil,
    "ceiling": math.ceil, "contains": operator.contains, "isinstance": isinstance,
}  # fmt: skip
_RENAMED = {"contains": "__contains__", "equals": "__eq__", "startsWith": "startswith", "endsWith": "endswith",
            "size": "__len__", "length": "__len__", "toLowerCase": "lower", "toUpperCase": "upper",
            "put": "__setitem__", "add": "append", "push": "append", "trim": "strip"}  # fmt: skip
_KINDS = (str, list, dict, set, tuple, int, float, bool, bytes, frozenset)
_UNSAFE = frozenset({"format", "format_map"})
_STATEMENT = re.compile(
    r"^(?:(?:var|let|const|def|int|String|Integer|boolean|double)\s+)?(?P<name>[A-Za-z_]\w*)\s*(?P<sign>[-+*/]?=)(?!=)"
    r"(?P<value>.*)$",
    re.DOTALL,
)
_COUNTED = re.compile(r"^(?P<name>[A-Za-z_]\w*)(?P<sign>\+\+|--)$")
_SET = re.compile(
    r"^\w+\.set(?:Variable|VariableLocal|_variable)\(\s*(['\"])(?P<name>\w+)\1\s*,(?P<value>.*)\)$", re.DOTALL
)
_PRINT = re.compile(
    r"^(?:print|println|puts|echo|console\.(?:log|info)|System\.out\.println?)\s*\((?P<value>.*)\)$", re.DOTALL
)


class ScriptFailed(NodeError):
    """A script of a document failed, or does what scripts may not."""

    code = "script"


@lru_cache(maxsize=4096)
def parse_script(text: str, language: str = "") -> ast.Module:
    """The statements of a script. Raises `NotUnderstood`, with line and column in the message."""
    python = any(each in language.lower() for each in ("python", "jython", "py"))
    if python or not language:
        try:
            tree = ast.parse(_unindented(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if python:
                line = getattr(error, "lineno", None)
                raise NotUnderstood(f"it is not Python{f' in line {line}' if line else ''}: {_said(error)}") from None
        else:
            _check(tree)
            return tree
    return ast.Module([_simple(each) for each in _statements(text)], [])


def assigned_in(tree: ast.AST) -> list[str]:
    """The names that a script sets, in order."""
    comprehended = {
        id(name) for each in ast.walk(tree) if isinstance(each, ast.comprehension) for name in ast.walk(each.target)
    }
    return [
        *dict.fromkeys(
            each.id
            for each in ast.walk(tree)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and id(each) not in comprehended
        )
    ]


def changed_in(tree: ast.AST) -> list[str]:
    """The names whose values a script changes in place: it writes them, too."""
    found: dict[str, None] = {}
    for each in ast.walk(tree):
        inner: ast.AST | None = None
        if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.ctx, ast.Store | ast.Del):
            inner = each
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            inner = each.func
        while isinstance(inner, ast.Subscript | ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            found[inner.id] = None
    return [*found]


@lru_cache(maxsize=4096)
def touched_by(text: str, language: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that a script reads or sets, and those that it sets; as it is looked at once, and run often."""
    tree = parse_script(text, language)
    written = dict.fromkeys([*assigned_in(tree), *changed_in(tree)])
    return tuple(dict.fromkeys([*names_in(tree), *written])), tuple(written)


def evaluate(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    """What an expression is with these variables. Raises `ScriptFailed`."""
    return _guarded(lambda: _Evaluation({**values}, _print_nothing).value(tree), ast.unparse(tree))


def execute(
    tree: ast.Module, values: MutableMapping[str, Any], show: Callable[[str], None], where: str = "the script"
) -> None:
    """Run a script over variables, which it changes. Raises `ScriptFailed`."""
    evaluation = _Evaluation(values, show)
    _guarded(lambda: evaluation.run(tree.body), where)


def _guarded(function: Callable[[], Any], where: str) -> Any:
    try:
        return function()
    except (ScriptFailed, NotUnderstood) as error:
        raise ScriptFailed(f"{where}: {error}") from None
    except Exception as error:
        raise ScriptFailed(f"{where}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    text = getattr(error, "msg", None) or str(error)
    return text if isinstance(error, ScriptFailed | SyntaxError) else f"{type(error).__name__}: {text}"


def _print_nothing(_text: str) -> None:
    pass


class _Leave(Exception):
    def __init__(self, again: bool) -> None:
        self.again = again


class _Evaluation:
    def __init__(self, values: MutableMapping[str, Any], show: Callable[[str], None]) -> None:
        self._values = values
        self._show = show
        self._left = STEPS

    # --- statements ---

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._step()
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:  # noqa: C901 - a table of kinds
        match statement:
            case ast.Expr(value=value):
                self.value(value)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self._assign(target, found)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(target, self.value(value))
            case ast.AugAssign(target=target, op=op, value=value):
                self._assign(target, self._operate(op, self.value(_loaded(target)), self.value(value)))
            case ast.If(test=test, body=body, orelse=orelse):
                self.run(body if self.value(test) else orelse)
            case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
                iterator = iter(self.value(iterable))
                self._loop(lambda: self._next(target, iterator), body, orelse)
            case ast.While(test=test, body=body, orelse=orelse):
                self._loop(lambda: bool(self.value(test)), body, orelse)
            case ast.Break() | ast.Continue():
                raise _Leave(isinstance(statement, ast.Continue))
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.Assert(test=test):
                if not self.value(test):
                    raise ScriptFailed(f"{ast.unparse(test)} does not hold")
            case _:  # pass
                pass

    def _loop(self, goes_on: Callable[[], bool], body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        while goes_on():
            self._step()
            try:
                self.run(body)
            except _Leave as leave:
                if not leave.again:
                    return
        self.run(orelse)

    def _next(self, target: ast.expr, iterator: Iterator[Any]) -> bool:
        try:
            self._assign(target, next(iterator))
        except StopIteration:
            return False
        return True

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self._values[name] = value
            case ast.Subscript(value=inner, slice=index):
                self.value(inner)[self.value(index)] = value
            case ast.Attribute(value=inner, attr=name):
                holder = self.value(inner)
                if not isinstance(holder, dict):
                    raise ScriptFailed(f"{ast.unparse(inner)} is not a mapping: it has no {name!r} to be set")
                holder[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for each, part in zip(targets, value, strict=True):
                    self._assign(each, part)
            case _:
                raise ScriptFailed(f"{ast.unparse(target)} can't be set")

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            del self.value(target.value)[self.value(target.slice)]
        elif isinstance(target, ast.Name):
            self._values[target.id] = None

    # --- expressions ---

    def value(self, tree: ast.expr) -> Any:  # noqa: C901 - a table of kinds
        self._step()
        match tree:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._named(name)
            case ast.BoolOp(op=op, values=values):
                found: Any = None
                for each in values:
                    found = self.value(each)
                    if bool(found) is isinstance(op, ast.Or):
                        return found
                return found
            case ast.UnaryOp(op=op, operand=inner):
                return _UNARY[type(op)](self.value(inner))
            case ast.BinOp(left=left, op=op, right=right):
                return self._operate(op, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                first = self.value(left)
                for comparison, other in zip(ops, comparators, strict=True):
                    second = self.value(other)
                    if isinstance(comparison, ast.In | ast.NotIn):
                        holds = (first in second) is isinstance(comparison, ast.In)
                    else:
                        holds = _OPERATORS[type(comparison)](first, second)
                    if not holds:
                        return False
                    first = second
                return True
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.value(test) else orelse)
            case ast.List(elts=items):
                return [self.value(each) for each in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(each) for each in items)
            case ast.Set(elts=items):
                return {self.value(each) for each in items}
            case ast.Dict(keys=keys, values=values):
                return {self.value(key): self.value(each) for key, each in zip(keys, values, strict=True) if key}
            case ast.Subscript(value=inner, slice=index):
                return self.value(inner)[self.value(index)]
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if each is None else self.value(each) for each in (lower, upper, step)))
            case ast.Attribute(value=inner, attr=name):
                return _member(self.value(inner), name)
            case ast.JoinedStr(values=parts):
                return "".join(str(self.value(each)) for each in parts)
            case ast.FormattedValue(value=inner, format_spec=spec):
                return format(self.value(inner), "" if spec is None else self._format(self.value(spec)))
            case ast.ListComp(elt=item, generators=generators) | ast.GeneratorExp(elt=item, generators=generators):
                return [self.value(item) for _ in self._comprehended(generators)]
            case ast.SetComp(elt=item, generators=generators):
                return {self.value(item) for _ in self._comprehended(generators)}
            case ast.DictComp(key=key, value=item, generators=generators):
                return {self.value(key): self.value(item) for _ in self._comprehended(generators)}
            case ast.Call():
                return self._call(tree)
            case _:
                raise ScriptFailed(f"{ast.unparse(tree)!r} is not understood")

    def _format(self, spec: str) -> str:
        if re.search(r"\d{4,}", spec):
            raise ScriptFailed(f"the format {spec!r} makes too long a text")
        return spec

    def _named(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        raise ScriptFailed(f"there is no variable {name!r}")

    def _comprehended(self, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        first, *rest = generators
        for item in self.value(first.iter):
            self._assign(first.target, item)
            if all(self.value(each) for each in first.ifs):
                yield from self._comprehended(rest)

    def _operate(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(op, ast.Mult):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple | bytes) and len(cast("Any", one)) * other > _LARGEST:
                    raise ScriptFailed("it makes too large a value")
            return self._small(left * right)
        if isinstance(op, ast.Pow):
            if abs(right) > 1000:
                raise ScriptFailed("it makes too large a number")
            return self._small(left**right)
        if isinstance(op, ast.Add) and isinstance(left, str) is not isinstance(right, str):
            # As in JavaScript and FEEL's string(); numbers and texts are no numbers.
            return f"{_text(left)}{_text(right)}"
        if isinstance(op, ast.Mod) and isinstance(left, str):
            raise ScriptFailed("texts are not formatted with %: use f-strings")
        found = _OPERATORS.get(type(op))
        if found is None:
            raise ScriptFailed(f"the operator {type(op).__name__} is not understood")
        return self._small(found(left, right))

    def _small(self, value: Any) -> Any:
        if (isinstance(value, int) and value.bit_length() > _LARGEST) or (
            isinstance(value, str | list | tuple) and len(cast("Any", value)) > _LARGEST
        ):
            raise ScriptFailed("it makes too large a value")
        return value

    def _call(self, tree: ast.Call) -> Any:
        arguments = [self.value(each) for each in tree.args]
        named = {each.arg: self.value(each.value) for each in tree.keywords if each.arg is not None}
        if isinstance(tree.func, ast.Attribute):
            return self._method(tree.func, arguments, named)
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name == "print":
            self._show(str(named.get("sep", " ")).join(map(_text, arguments)))
            return None
        if name == "range":
            numbers = range(*arguments)
            if len(numbers) > STEPS:
                raise ScriptFailed("it goes on for too long")
            return numbers
        if name not in FUNCTIONS:
            raise ScriptFailed(f"there is no function {ast.unparse(tree.func)!r} in scripts")
        return FUNCTIONS[name](*arguments, **named)

    def _method(self, function: ast.Attribute, arguments: list[Any], named: dict[str, Any]) -> Any:
        holder, name = self.value(function.value), function.attr
        if not isinstance(holder, _KINDS):
            raise ScriptFailed(f"{ast.unparse(function)!r} is not a function that scripts have")
        if name == "isEmpty":
            return _empty(holder)
        found: Any = None if name.startswith("_") or name in _UNSAFE else getattr(holder, name, None)
        if found is None and name in _RENAMED:
            found = getattr(holder, _RENAMED[name], None)
        if found is None:
            raise ScriptFailed(f"{ast.unparse(function)!r} is not a function that scripts have")
        if name in ("ljust", "rjust", "center", "zfill", "expandtabs") and arguments and arguments[0] > _LARGEST:
            raise ScriptFailed("it makes too large a value")
        return found(*arguments, **named)

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ScriptFailed(f"it takes more than {STEPS:,} steps")


def _member(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        if name in holder:
            return cast("Mapping[str, Any]", holder)[name]
        raise ScriptFailed(f"there is no {name!r} in it; there are: {', '.join(map(str, holder)) or 'none'}")
    if name == "length" and hasattr(holder, "__len__"):
        return len(holder)
    raise ScriptFailed(f"{type(holder).__name__} has no {name!r} that scripts may see")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _loaded(target: ast.expr) -> ast.expr:
    found = copy.copy(target)
    found.ctx = ast.Load()  # type: ignore[attr-defined]
    return found


_ALLOWED = (
    ast.Module, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue,
    ast.Pass, ast.Delete, ast.Assert, ast.expr, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.keyword, ast.comprehension,
)  # fmt: skip
_FORBIDDEN = (ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.Starred, ast.NamedExpr)


def _check(tree: ast.AST) -> None:
    for each in ast.walk(tree):
        if not isinstance(each, _ALLOWED) or isinstance(each, _FORBIDDEN):
            line = getattr(each, "lineno", None)
            what = ast.unparse(each).partition("\n")[0] if isinstance(each, ast.stmt | ast.expr) else ""
            raise NotUnderstood(f"{what or type(each).__name__!r}{f' in line {line}' if line else ''} is not allowed")


def _unindented(text: str) -> str:
    lines = text.strip("\n").splitlines()
    margin = min((len(each) - len(each.lstrip()) for each in lines if each.strip()), default=0)
    return "\n".join(each[margin:] for each in lines) + "\n"


def _statements(text: str) -> list[str]:
    """The statements of a script in some other language: by lines and semicolons."""
    found: list[str] = []
    for line in text.splitlines():
        quoted = ""
        start = 0
        for index, character in enumerate(line):
            if quoted:
                quoted = "" if character == quoted else quoted
            elif character in "'\"":
                quoted = character
            elif character == ";":
                found.append(line[start:index])
                start = index + 1
            elif line[index : index + 2] == "//":
                line = line[:index]  # noqa: PLW2901 - a comment
                break
        found.append(line[start:])
    return [each.strip() for each in found if each.strip()]


def _simple(text: str) -> ast.stmt:
    """An assignment, a print, or an expression. Raises `NotUnderstood`."""
    match = _COUNTED.match(text)
    if match is not None:
        return ast.parse(f"{match['name']} {match['sign'][0]}= 1").body[0]
    for pattern in (_SET, _STATEMENT):
        match = pattern.match(text)
        if match is not None:
            target, value = ast.Name(match["name"], ast.Store()), parse(match["value"].strip())
            sign = match.groupdict().get("sign") or "="
            if sign != "=":
                op = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div}[sign[0]]()
                return ast.AugAssign(target, op, value)
            return ast.Assign([target], value, lineno=1)
    match = _PRINT.match(text)
    if match is not None:
        value = parse(match["value"].strip()) if match["value"].strip() else ast.Constant("")
        return ast.Expr(ast.Call(ast.Name("print", ast.Load()), [value], []))
    return ast.Expr(parse(text))


def own(value: Any) -> Any:
    """A value that a script may change: what is in variables belongs to all."""
    return copy.deepcopy(value) if isinstance(value, dict | list | set) else value
