"""Text, and conversion from and to it."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_VALUE = 'Value: str = "" > value'
_RESULT = "Result: str > result"
_REGEX = "Patterns are those of Python here, and of .NET there: they differ in rare parts."

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
    row("String Format", note="its templates are those of .NET, such as {0:F2}; use text.format"),
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
    row("Pad Left", "text.pad", 'Value: str = "" > value; TotalWidth: int = 10 > length; PadChar: str = " " > character',
        _RESULT, given={"side": "start"}),
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
    row("Number To String", "text.to_text", 'Value: float = 0 > value; Format: str = ""', _RESULT,
        note="A double that is whole is written with .0 here."),
    row("Int To Double", "math.add", "Value: int = 0 > a", "Result: float > result", given={"b": 0.0}),
    row("Double To Int", "math.truncate", "Value: float = 0 > value", "Result: int > result"),
)
# fmt: on
