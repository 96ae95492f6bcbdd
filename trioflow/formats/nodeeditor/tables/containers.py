"""Lists, dictionaries, JSON, dates, folders."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_LIST = "List: list > items"
_DICT = "Dict: dict > entries"
_RESULT = "Result: list > result"
_ENTRIES = "Result: dict > result"
_FROM_END = "Negative places count from the end here."
_NO_PLACE = "A place that does not exist is an error here; negative ones count from the end."
_EMPTY = "Of an empty list it is an error here, where there it is 0."
_MOMENTS = "Texts that say no offset are taken as UTC here; what is not a date is an error."
_UTC = "Its text is in UTC and by ISO 8601 here. Not the same in every run."
_PARSED = {"parsed": "time.parse"}
_ZONE = {"parsed.zone": "UTC"}

# fmt: off
ROWS: tuple[Row, ...] = (
    # --- lists
    row("List Create", "list.literal", "", _RESULT, given={"items": []}),
    row("List Add", "list.append", "List: list > items; Item: any > item", _RESULT, aka="List Append"),
    row("List Insert", "list.insert", "List: list > items; Index: int = 0 > index; Item: any > item", _RESULT),
    row("List Remove At", "list.remove_at", "List: list > items; Index: int = 0 > index", _RESULT, note=_NO_PLACE),
    row("List Remove Value", "list.remove", "List: list > items; Value: any > item", _RESULT),
    row("List Clear", "list.slice", _LIST, _RESULT, given={"start": 0, "stop": 0}),
    row("List Contains", "list.contains", "List: list > items; Value: any > item", "Result: bool > result"),
    row("List Index Of", "list.index_of", "List: list > items; Value: any > item", "Result: int > result"),
    row("List Count", "list.length", _LIST, "Result: int > result", aka="List Length"),
    row("List Get", "list.get_or", "List: list > items; Index: int = 0 > index", "Result: any > result",
        given={"otherwise": None}, note=_FROM_END),
    row("List Set", "list.set", "List: list > items; Index: int = 0 > index; Value: any > item", _RESULT,
        note=_NO_PLACE),
    row("List Slice", "list.slice",
        "List: list > items; Start: int = 0 > start, end.a; Count: int = -1 > open.a, end.b", _RESULT,
        parts={"open": "logic.less", "end": "math.add", "until": "logic.select"},
        given={"open.b": 0, "until.if_true": None},
        wires="open.result > until.condition; end.result > until.if_false; until.result > stop"),
    row("List Concat", "list.concat", "A: list > a; B: list > b", _RESULT),
    row("List Reverse", "list.reverse", _LIST, _RESULT),
    row("List Sort", "list.sort", _LIST, _RESULT),
    row("List Sort Descending", "list.sort", _LIST, _RESULT, given={"descending": True}),
    row("List First", "list.get_or", "List: list > items, empty.items",
        "Result: any > result; HasValue: bool > filled.result",
        parts={"empty": "list.is_empty", "filled": "logic.not"}, given={"index": 0, "otherwise": None},
        wires="empty.result > filled.value"),
    row("List Last", "list.get_or", "List: list > items, empty.items",
        "Result: any > result; HasValue: bool > filled.result",
        parts={"empty": "list.is_empty", "filled": "logic.not"}, given={"index": -1, "otherwise": None},
        wires="empty.result > filled.value"),
    row("List Distinct", "list.unique", _LIST, _RESULT, note="1 and 1.0 are equal here."),
    row("List Flatten", "list.flatten", _LIST, _RESULT, given={"depth": 1}),
    row("List Range", "list.range", "Start: int = 0 > start; End: int = 10 > stop", _RESULT),
    row("List Repeat", "list.repeat", "Value: any > one.item; Count: int = 5 > times", _RESULT,
        parts={"one": "list.append"}, given={"one.items": []}, wires="one.result > items"),
    row("List Is Empty", "list.is_empty", _LIST, "Result: bool > result"),
    row("List Any", "logic.not", "List: list > empty.items", "Result: bool > result",
        parts={"empty": "list.is_empty"}, wires="empty.result > value"),
    row("List Sum", "list.sum", _LIST, "Result: float > result"),
    row("List Average", "statistics.mean", _LIST, "Result: float > result", note=_EMPTY),
    row("List Min", "statistics.minimum", _LIST, "Result: float > result", note=_EMPTY),
    row("List Max", "statistics.maximum", _LIST, "Result: float > result", note=_EMPTY),
    row("List To String", note="it makes a text of each item; use ForEach Loop and text.to_text, or text.join"),
    # --- dictionaries
    row("Dict Create", "dict.literal", "", _ENTRIES, given={"entries": {}}),
    row("Dict Set", "dict.set", 'Dict: dict > entries; Key: str = "" > key; Value: any > value', _ENTRIES),
    row("Dict Get", "dict.get_or", 'Dict: dict > entries, has.entries; Key: str = "" > key, has.key',
        "Value: any > result; Found: bool > has.result", parts={"has": "dict.has"}, given={"otherwise": None}),
    row("Dict Remove", "dict.remove", 'Dict: dict > entries, has.entries; Key: str = "" > key, has.key',
        "Result: dict > result; Removed: bool > has.result", parts={"has": "dict.has"}),
    row("Dict Contains Key", "dict.has", 'Dict: dict > entries; Key: str = "" > key', "Result: bool > result",
        aka="Dict Contains"),
    row("Dict Keys", "dict.keys", _DICT, _RESULT),
    row("Dict Values", "dict.values", _DICT, _RESULT),
    row("Dict Count", "dict.length", _DICT, "Result: int > result"),
    row("Dict Clear", "dict.pick", _DICT, _ENTRIES, given={"keys": []}),
    row("Dict Merge", "dict.merge", "A: dict > a; B: dict > b", _ENTRIES),
    # --- JSON
    row("JSON Parse", "logic.on_error", 'Json: str = "{}" > parsed.text, valid.text',
        "Result: any > result; Success: bool > valid.result",
        parts={"parsed": "json.parse", "valid": "json.is_valid"}, given={"otherwise": None},
        wires="parsed.result > value"),
    row("JSON Stringify", "json.write", "Value: any > value; Indented: bool > indent.condition", "Result: str > result",
        parts={"indent": "logic.select"}, given={"indent.if_true": 2, "indent.if_false": 0},
        wires="indent.result > indent"),
    row("JSON Get Property", "dict.get_or", 'Json: any > entries, has.entries; Property: str = "" > key, has.key',
        "Value: any > result; Found: bool > has.result", parts={"has": "dict.has"}, given={"otherwise": None},
        note="Of what is not an object it is an error here."),
    row("JSON Get Index", "list.get_or", "Json: any > items, count.items; Index: int = 0 > index, found.a",
        "Value: any > result; Found: bool > found.result",
        parts={"count": "list.length", "found": "logic.less"}, given={"otherwise": None},
        wires="count.result > found.b", note="Of what is not an array it is an error here. " + _FROM_END),
    row("JSON Array Length", "list.length", "Json: any > items", "Result: int > result",
        note="Of what is not an array it is an error here."),
    row("JSON To Dict", "logic.coalesce", "Json: any > value, is.value",
        "Result: dict > result; Success: bool > is.result", parts={"is": "convert.is_type"},
        given={"otherwise": {}, "is.type": "dict"}),
    row("JSON To List", "logic.coalesce", "Json: any > value, is.value",
        "Result: list > result; Success: bool > is.result", parts={"is": "convert.is_type"},
        given={"otherwise": [], "is.type": "list"}),
    row("JSON Path", note="its paths are written with points; json.get takes a pointer such as /items/0/name"),
    # --- dates
    row("Now", "time.write", "", "Result: str > result", parts={"now": "time.now"}, wires="now.result > moment",
        note="The time is that of UTC here, and the text by ISO 8601. Not the same in every run."),
    row("UTC Now", "time.write", "", "Result: str > result", parts={"now": "time.now"}, wires="now.result > moment",
        note=_UTC),
    row("Timestamp", "time.to_timestamp", "", "Result: float > result", parts={"now": "time.now"},
        wires="now.result > moment"),
    row("Timestamp Ms", "time.to_timestamp", "", "Result: float > result / 1000", parts={"now": "time.now"},
        wires="now.result > moment"),
    row("Format DateTime", "time.format", 'DateTime: str = "" > parsed.text; Format: str = "yyyy-MM-dd HH:mm:ss"',
        "Result: str > result", parts=_PARSED, given=_ZONE, wires="parsed.result > moment",
        note=_MOMENTS + " Another format than the usual one has to be written with % as time.format reads it."),
    row("Add Days", "time.write", 'DateTime: str = "" > parsed.text; Days: float = 1 > span.days',
        "Result: str > result", parts={**_PARSED, "span": "duration.from_parts", "sum": "time.add"}, given=_ZONE,
        wires="parsed.result > sum.moment; span.result > sum.duration; sum.result > moment", note=_MOMENTS),
    row("Date Diff Days", "math.divide", 'From: str = "" > from.text; To: str = "" > to.text', "Result: float > result",
        parts={"from": "time.parse", "to": "time.parse", "span": "time.difference", "seconds": "duration.to_seconds"},
        given={"from.zone": "UTC", "to.zone": "UTC", "b": 86400},
        wires="from.result > span.start; to.result > span.end; span.result > seconds.duration; seconds.result > a",
        note=_MOMENTS),
    row("Parse Date Parts", "time.parts", 'DateTime: str = "" > parsed.text',
        "Year: int > year; Month: int > month; Day: int > day; Hour: int > hour; Minute: int > minute; "
        "Second: int > second", parts=_PARSED, given=_ZONE, wires="parsed.result > moment", note=_MOMENTS),
    # --- folders
    row("Load From Directory", "file.list",
        'Enter > enter; DirectoryPath: str = "" > folder; Filter: str = "*" > pattern; Recursive: bool = false',
        "Exit > then; Files: list > paths; Count: int > count.result; Ok: bool; Error: str",
        parts={"count": "list.length"}, wires="paths > count.items",
        note="A folder that can't be read is an error here, which Try Catch catches. Folders are listed too."),
)
# fmt: on
