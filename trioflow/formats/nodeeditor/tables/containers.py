"""Lists, dictionaries, JSON, dates, folders."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_LIST = "List: list > items"
_RESULT = "Result: list > result"
_PLACES = "A place that does not exist is an error here, where there it gives null; negative ones count from the end."

# fmt: off
ROWS: tuple[Row, ...] = (
    row("List Create", "list.literal", "", _RESULT, given={"items": []}),
    row("List Add", "list.append", "List: list > items; Item: any > item", _RESULT, aka="List Append"),
    row("List Count", "list.length", _LIST, "Result: int > result", aka="List Length"),
    row("List Get", "list.get", "List: list > items; Index: int = 0 > index", "Result: any > result", note=_PLACES),
    row("List Contains", "list.contains", "List: list > items; Value: any > item", "Result: bool > result"),
    row("List Index Of", "list.index_of", "List: list > items; Value: any > item", "Result: int > result"),
    row("List Concat", "list.concat", "A: list > a; B: list > b", _RESULT),
    row("List Reverse", "list.reverse", _LIST, _RESULT),
    row("List Sort", "list.sort", _LIST, _RESULT),
    row("List Sort Descending", "list.sort", _LIST, _RESULT, given={"descending": True}),
    row("List Sum", "list.sum", _LIST, "Result: float > result"),
    row("List Range", "list.range", "Start: int = 0 > start; End: int = 10 > stop", _RESULT),
    row("List Slice", "list.slice",
        "List: list > items; Start: int = 0 > start, end.a; Count: int = -1 > open.a, end.b", _RESULT,
        parts={"open": "logic.less", "end": "math.add", "until": "logic.select"},
        given={"open.b": 0, "until.if_true": None},
        wires="open.result > until.condition; end.result > until.if_false; until.result > stop"),
)
# fmt: on
