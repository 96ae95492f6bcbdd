"""Text, and conversion from and to it."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_VALUE = 'Value: str = "" > value'
_RESULT = "Result: str > result"
_REGEX = "Patterns are those of Python here, and of .NET there: they differ in rare parts."
_NO_NUMBER = "What is not a number is an error here, null too."

# Whether something that may fail does not.
_SUCCESS = {"caught": "logic.on_error", "none": "logic.is_none", "success": "logic.not"}
_NOTHING_CAUGHT = {"caught.otherwise": None}
_HAS_SUCCEEDED = "caught.result > none.value; none.result > success.value"

# fmt: off
ROWS: tuple[Row, ...] = (
    row("String Concat", "text.concat", 'A: str = "" > a; B: str = "" > b', _RESULT, aka="Concat"),
    row("String Concat 3", "text.concat", 'A: str = "" > front.a; B: str = "" > front.b; C: str = "" > b', _RESULT,
        parts={"front": "text.concat"}, wires="front.result > a"),
    row("String Concat 4", "text.concat",
        'A: str = "" > front.a; B: str = "" > front.b; C: str = "" > back.a; D: str = "" > back.b', _RESULT,
        parts={"front": "text.concat", "back": "text.concat"}, wires="front.result > a; back.result > b"),
    row("String Length", "text.length", _VALUE, "Result: int > result",
        note="Code points are counted here, UTF-16 units there."),
    row("Substring", "text.slice",
        'Value: str = "" > value; Start: int = 0 > start, end.a; Length: int = -1 > open.a, end.b', _RESULT,
        parts={"open": "logic.less", "end": "math.add", "until": "logic.select"},
        given={"open.b": 0, "until.if_true": None},
        wires="open.result > until.condition; end.result > until.if_false; until.result > stop"),
    row("Replace", "text.replace", 'Value: str = "" > value; Old: str = "" > old; New: str = "" > new', _RESULT,
        aka="String Replace", note="An empty Old is an error here, where there nothing is replaced."),
    row("To Upper", "text.upper", _VALUE, _RESULT, aka="String To Upper; Upper"),
    row("To Lower", "text.lower", _VALUE, _RESULT, aka="String To Lower; Lower"),
    row("Trim", "text.strip", _VALUE, _RESULT, aka="String Trim"),
    row("Contains", "text.contains", 'Value: str = "" > value; Search: str = "" > search', "Result: bool > result",
        aka="String Contains"),
    row("Starts With", "text.starts_with", 'Value: str = "" > value; Prefix: str = "" > prefix',
        "Result: bool > result", aka="String Starts With"),
    row("Ends With", "text.ends_with", 'Value: str = "" > value; Suffix: str = "" > suffix', "Result: bool > result",
        aka="String Ends With"),
    row("Split", "text.split", 'Value: str = "" > value; Delimiter: str = "," > separator', "Result: list > result",
        aka="String Split", note="An empty Delimiter is an error here."),
    row("Join", "text.join", 'List: list > items; Separator: str = ", " > separator', _RESULT, aka="String Join"),
    row("String Format", "text.fill",
        'Format: str = "" > template; Arg0: any > zero.value; Arg1: any > one.value; Arg2: any > two.value; '
        "Arg3: any > three.value", _RESULT,
        parts={"zero": "dict.set", "one": "dict.set", "two": "dict.set", "three": "dict.set"},
        given={"zero.entries": {}, "zero.key": "0", "one.key": "1", "two.key": "2", "three.key": "3"},
        wires="zero.result > one.entries; one.result > two.entries; two.result > three.entries; three.result > values",
        writes_texts=True,
        note="What follows a colon in the braces is written as in Python here: {0:.2f}, not {0:F2}."),
    row("String Is Empty", "text.is_empty", _VALUE, "Result: bool > result"),
    row("String Is Whitespace", "text.is_empty", _VALUE, "Result: bool > result", given={"blank": True}),
    row("Index Of", "text.find", 'Value: str = "" > value; Search: str = "" > search', "Result: int > result",
        aka="String Index Of"),
    row("Last Index Of", "text.find_last", 'Value: str = "" > value; Search: str = "" > search',
        "Result: int > result", aka="String Last Index Of"),
    row("Regex Match", "regex.find", 'Value: str = "" > value, any.value; Pattern: str = "" > pattern, any.pattern',
        "Match: str > result; Success: bool > any.result", parts={"any": "regex.contains"},
        note=_REGEX + " Match is null here if there is none."),
    row("Regex Replace", "regex.replace",
        'Value: str = "" > value; Pattern: str = "" > pattern; Replacement: str = "" > replacement', _RESULT,
        note=_REGEX + " In Replacement it is \\1 here, $1 there."),
    row("Pad Left", "text.pad",
        'Value: str = "" > value; TotalWidth: int = 10 > length; PadChar: str = " " > character', _RESULT,
        given={"side": "start"}),
    row("Pad Right", "text.pad",
        'Value: str = "" > value; TotalWidth: int = 10 > length; PadChar: str = " " > character', _RESULT,
        given={"side": "end"}),
    row("Repeat String", "text.repeat", 'Value: str = "" > value; Count: int = 1 > times', _RESULT),
    row("Reverse String", "text.reverse", _VALUE, _RESULT),
    row("New Line", "logic.coalesce", "", _RESULT, given={"value": "\n", "otherwise": None}),
    row("String Equal", "logic.equal", 'A: str = "" > a; B: str = "" > b', "Result: bool > result"),
    row("String Equal Ignore Case", "unicode.equal_ignoring_case", 'A: str = "" > a; B: str = "" > b',
        "Result: bool > result"),
    row("Char At", "text.slice", 'Value: str = "" > value; Index: int = 0 > start, next.a', _RESULT,
        parts={"next": "math.add"}, given={"next.b": 1}, wires="next.result > stop",
        note="A negative Index counts from the end here."),
    row("Char Code", "unicode.code_point", 'Value: str = "" > first.value', "Result: int > result",
        parts={"first": "text.slice"}, given={"first.stop": 1}, wires="first.result > character",
        note="Of an empty text it is an error here."),
    row("From Char Code", "unicode.from_code_point", "Code: int = 65 > number", _RESULT),
    # --- conversion
    row("To String", "text.to_text", "Value: any > value", _RESULT, aka="To Text",
        note="A double that is whole is written with .0 here, and null as None."),
    row("Number To String", "convert.number_to_text", 'Value: float = 0 > value; Format: str = ""', _RESULT,
        note="A double that is whole is written with .0 here."),
    row("To Int", "math.truncate", "Value: any > number.value", "Result: int > result",
        parts={"number": "convert.to_float"}, wires="number.result > value", note=_NO_NUMBER),
    row("Parse Int", "logic.on_error", 'Value: str = "0" > parsed.value; Default: int = 0 > otherwise',
        "Result: int > result; Success: bool > success.result",
        parts={"parsed": "text.parse_int", **_SUCCESS}, given=_NOTHING_CAUGHT,
        wires="parsed.result > value; parsed.result > caught.value; " + _HAS_SUCCEEDED),
    row("To Double", "convert.to_float", "Value: any > value", "Result: float > result", note=_NO_NUMBER),
    row("Parse Double", "logic.on_error", 'Value: str = "0" > parsed.value; Default: float = 0.0 > otherwise',
        "Result: float > result; Success: bool > success.result",
        parts={"parsed": "text.parse_float", **_SUCCESS}, given=_NOTHING_CAUGHT,
        wires="parsed.result > value; parsed.result > caught.value; " + _HAS_SUCCEEDED),
    row("To Bool", "convert.to_bool", "Value: any > value", "Result: bool > result",
        note="What is neither 0 or 1 nor a word such as true, yes or off is an error here."),
    row("Parse Bool", "logic.on_error", 'Value: str = "false" > parsed.value',
        "Result: bool > result; Success: bool > success.result",
        parts={"parsed": "convert.to_bool", **_SUCCESS}, given={"otherwise": False, **_NOTHING_CAUGHT},
        wires="parsed.result > value; parsed.result > caught.value; " + _HAS_SUCCEEDED,
        note="Words such as yes, on and 1 are read too."),
    row("Int To Double", "convert.to_float", "Value: int = 0 > value", "Result: float > result"),
    row("Double To Int", "math.truncate", "Value: float = 0 > value", "Result: int > result"),
    row("Type Name", "convert.type_name", "Value: any > value", _RESULT,
        note="Names are those of trioflow here, such as int, and those of .NET there."),
)
# fmt: on
