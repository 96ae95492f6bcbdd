"""Arithmetic, comparison, logic, selection, chance."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_SEEDED = "Chance comes from the seed of the run here: it is the same each time unless the seed is another."
_BY_ZERO = "Dividing by zero is an error here, where there it gives 0."
_EXACT = "Whole numbers are of any size here; there they wrap around at 32 bits."

_AB = "A: float = 0 > a; B: float = 0 > b"
_AB_INT = "A: int = 0 > a; B: int = 0 > b"
_VALUE = "Value: float > value"
_RESULT = "Result: float > result"
_RESULT_INT = "Result: int > result"
_RESULT_BOOL = "Result: bool > result"

# fmt: off
ROWS: tuple[Row, ...] = (
    # --- arithmetic
    row("Add", "math.add", _AB, _RESULT),
    row("Subtract", "math.subtract", _AB, _RESULT),
    row("Multiply", "math.multiply", _AB, _RESULT),
    row("Divide", "math.divide", "A: float = 0 > a; B: float = 1 > b", _RESULT, note=_BY_ZERO),
    row("Negate", "math.negate", "Value: float = 0 > value", _RESULT),
    row("Power", "math.power", "Base: float = 0 > base; Exponent: float = 2 > exponent", _RESULT,
        note="What is not a real number is an error here, where there it gives NaN."),
    row("Sqrt", "math.square_root", "Value: float = 0 > value", _RESULT, aka="Square Root",
        note="Of a negative number it is an error here, where there it gives NaN."),
    row("Exp", "math.exponential", "Value: float = 0 > value", _RESULT),
    row("Log", "math.logarithm", "Value: float = 1 > value", _RESULT, aka="Ln",
        note="Of zero or less it is an error here, where there it gives an infinity or NaN."),
    row("Log10", "math.logarithm", "Value: float = 1 > value", _RESULT, given={"base": 10},
        note="Of zero or less it is an error here, where there it gives an infinity or NaN."),
    row("Abs", "math.absolute", _VALUE, _RESULT, aka="Absolute"),
    row("Min", "math.minimum", "A: float > a; B: float > b", _RESULT),
    row("Max", "math.maximum", "A: float > a; B: float > b", _RESULT),
    row("Mod", "math.modulo", "A: float > a; B: float = 1 > b", _RESULT, aka="Modulo; Modulus; Remainder",
        note="The result has the sign of B here, of A there; by zero it is an error here, where there it gives NaN."),
    row("Round", "math.round", _VALUE, _RESULT),
    row("Floor", "math.floor", _VALUE, _RESULT),
    row("Ceiling", "math.ceiling", _VALUE, _RESULT, aka="Ceil"),
    row("Truncate", "math.truncate", "Value: float = 0 > value", _RESULT),
    row("Clamp", "math.clamp", "Value: float > value; Min: float = 0 > low; Max: float = 1 > high", _RESULT),
    row("Sign", "math.sign", _VALUE, _RESULT_INT),
    row("Lerp", "math.interpolate", "A: float = 0 > start; B: float = 1 > end; T: float = 0.5 > fraction", _RESULT),
    row("Inverse Lerp", "math.map_range",
        "A: float = 0 > from_low; B: float = 1 > from_high; Value: float = 0.5 > value", _RESULT,
        given={"to_low": 0, "to_high": 1}, note="A range from a number to itself is an error here."),
    row("Map Range", "math.map_range",
        "Value: float = 0.5 > value; InMin: float = 0 > from_low; InMax: float = 1 > from_high; "
        "OutMin: float = 0 > to_low; OutMax: float = 100 > to_high", _RESULT,
        note="A range from a number to itself is an error here."),
    row("Smoothstep", "math.multiply",
        "Edge0: float = 0 > ratio.from_low; Edge1: float = 1 > ratio.from_high; Value: float = 0.5 > ratio.value",
        _RESULT, parts={"ratio": "math.map_range", "place": "math.clamp", "square": "math.multiply",
                        "twice": "math.multiply", "slope": "math.subtract"},
        given={"ratio.to_low": 0, "ratio.to_high": 1, "place.low": 0, "place.high": 1, "twice.b": 2, "slope.a": 3},
        wires="ratio.result > place.value; place.result > square.a; place.result > square.b; place.result > twice.a; "
              "twice.result > slope.b; square.result > a; slope.result > b",
        note="Two equal edges are an error here."),
    row("Is NaN", "math.is_nan", "Value: float = 0 > value", _RESULT_BOOL),
    row("Is Infinity", "logic.and", "Value: float = 0 > finite.value, nan.value", _RESULT_BOOL,
        parts={"finite": "math.is_finite", "nan": "math.is_nan", "endless": "logic.not", "number": "logic.not"},
        wires="finite.result > endless.value; nan.result > number.value; endless.result > a; number.result > b"),
    row("PI", "math.constant", "", _RESULT, given={"name": "pi"}),
    row("E", "math.constant", "", _RESULT, given={"name": "e"}),
    row("Running Sum", note="it is a data node that writes a variable, and here data nodes only compute values; "
        "use Increment Variable"),
    # --- angles
    row("Sin", "trigonometry.sine", "Radians: float = 0 > angle", _RESULT),
    row("Cos", "trigonometry.cosine", "Radians: float = 0 > angle", _RESULT),
    row("Tan", "trigonometry.tangent", "Radians: float = 0 > angle", _RESULT),
    row("Atan2", "trigonometry.angle", "Y: float = 0 > y; X: float = 1 > x", _RESULT),
    row("Deg To Rad", "trigonometry.to_radians", "Degrees: float = 0 > degrees", _RESULT),
    row("Rad To Deg", "trigonometry.to_degrees", "Radians: float = 0 > angle", _RESULT),
    row("Distance 2D", "trigonometry.distance",
        "X1: float = 0 > x1; Y1: float = 0 > y1; X2: float = 1 > x2; Y2: float = 1 > y2", _RESULT),
    row("Dot Product 2D", "math.add",
        "X1: float = 0 > x.a; Y1: float = 0 > y.a; X2: float = 0 > x.b; Y2: float = 0 > y.b", _RESULT,
        parts={"x": "math.multiply", "y": "math.multiply"}, wires="x.result > a; y.result > b"),
    # --- whole numbers
    row("Add Int", "math.add", _AB_INT, _RESULT_INT, note=_EXACT),
    row("Subtract Int", "math.subtract", _AB_INT, _RESULT_INT, note=_EXACT),
    row("Multiply Int", "math.multiply", _AB_INT, _RESULT_INT, note=_EXACT),
    row("Divide Int", "math.truncate", "A: int = 0 > quotient.a; B: int = 1 > quotient.b", _RESULT_INT,
        parts={"quotient": "math.divide"}, wires="quotient.result > value", note=_BY_ZERO),
    row("Increment", "math.add", "Value: int = 0 > a", _RESULT_INT, given={"b": 1}, note=_EXACT),
    row("Decrement", "math.subtract", "Value: int = 0 > a", _RESULT_INT, given={"b": 1}, note=_EXACT),
    row("Is Even", "integer.is_even", "Value: int = 0 > value", _RESULT_BOOL),
    row("Is Odd", "logic.not", "Value: int = 0 > even.value", _RESULT_BOOL,
        parts={"even": "integer.is_even"}, wires="even.result > value"),
    row("Bitwise And", "bits.and", _AB_INT, _RESULT_INT),
    row("Bitwise Or", "bits.or", _AB_INT, _RESULT_INT),
    row("Bitwise Xor", "bits.xor", _AB_INT, _RESULT_INT),
    row("Shift Left", "bits.shift_left", "Value: int = 0 > value; Shift: int = 1 > by", _RESULT_INT, note=_EXACT),
    row("Shift Right", "bits.shift_right", "Value: int = 0 > value; Shift: int = 1 > by", _RESULT_INT),
    # --- comparison
    row("Equal", "logic.equal", "A: any > a; B: any > b", _RESULT_BOOL, aka="Equals",
        note="1 and 1.0 are equal here; there numbers of different types are not."),
    row("Not Equal", "logic.not_equal", "A: any > a; B: any > b", _RESULT_BOOL, aka="Not Equals",
        note="1 and 1.0 are equal here; there numbers of different types are not."),
    row("Greater Than", "logic.greater", _AB, _RESULT_BOOL, aka="Greater"),
    row("Less Than", "logic.less", _AB, _RESULT_BOOL, aka="Less"),
    row("Greater Or Equal", "logic.greater_equal", _AB, _RESULT_BOOL, aka="Greater Than Or Equal"),
    row("Less Or Equal", "logic.less_equal", _AB, _RESULT_BOOL, aka="Less Than Or Equal"),
    row("Equal Int", "logic.equal", _AB_INT, _RESULT_BOOL),
    row("Greater Than Int", "logic.greater", _AB_INT, _RESULT_BOOL),
    row("Less Than Int", "logic.less", _AB_INT, _RESULT_BOOL),
    # --- logic
    row("And", "logic.and", "A: bool > a; B: bool > b", _RESULT_BOOL),
    row("Or", "logic.or", "A: bool > a; B: bool > b", _RESULT_BOOL),
    row("Not", "logic.not", "Value: bool > value", _RESULT_BOOL),
    row("Xor", "logic.xor", "A: bool > a; B: bool > b", _RESULT_BOOL),
    row("True", "logic.coalesce", "", _RESULT_BOOL, given={"value": True, "otherwise": None}),
    row("False", "logic.coalesce", "", _RESULT_BOOL, given={"value": False, "otherwise": None}),
    row("Select", "logic.select",
        "Condition: bool > condition; TrueValue: any > if_true; FalseValue: any > if_false", "Result: any > result"),
    row("Select Number", "logic.select",
        "Condition: bool > condition; TrueValue: float = 0 > if_true; FalseValue: float = 0 > if_false", _RESULT),
    row("Select String", "logic.select",
        'Condition: bool > condition; TrueValue: str = "" > if_true; FalseValue: str = "" > if_false',
        "Result: str > result"),
    row("Is Null", "logic.is_none", "Value: any > value", _RESULT_BOOL),
    row("Is Not Null", "logic.not", "Value: any > null.value", _RESULT_BOOL,
        parts={"null": "logic.is_none"}, wires="null.result > value"),
    row("Coalesce", "logic.coalesce", "Value: any > value; Fallback: any > otherwise", "Result: any > result"),
    # --- constants
    row("Pass Through", "logic.coalesce", "Value: any > value", "Result: any > result", given={"otherwise": None}),
    row("Number", "logic.coalesce", "Value: float = 0 > value", _RESULT, given={"otherwise": None}),
    row("Integer", "logic.coalesce", "Value: int = 0 > value", _RESULT_INT, given={"otherwise": None}),
    row("String", "logic.coalesce", 'Value: str = "" > value', "Result: str > result", given={"otherwise": None}),
    row("Boolean", "logic.coalesce", "Value: bool > value", _RESULT_BOOL, given={"otherwise": None}, aka="Bool"),
    row("Null", "logic.coalesce", "", "Result: any > result", given={"value": None, "otherwise": None}),
    # --- chance
    row("Random Range", "random.integer", "Min: int = 0 > low; Max: int = 100 > high - 1", _RESULT_INT, note=_SEEDED),
    row("Random Double", "random.uniform", "", _RESULT, given={"low": 0.0, "high": 1.0}, note=_SEEDED),
    row("Random Double Range", "random.uniform", "Min: float = 0 > low; Max: float = 1 > high", _RESULT, note=_SEEDED),
    row("Random Bool", "random.boolean", "", _RESULT_BOOL, given={"probability": 0.5}, note=_SEEDED),
    row("Random Bool Weighted", "random.boolean", "Probability: float = 0.5 > probability", _RESULT_BOOL, note=_SEEDED),
    row("Random Choice", "list.get", "List: list > items, count.items",
        "Result: any > result; Index: int > place.result",
        parts={"count": "list.length", "last": "math.subtract", "place": "random.integer"},
        given={"last.b": 1, "place.low": 0},
        wires="count.result > last.a; last.result > place.high; place.result > index",
        note=_SEEDED + " Of an empty list it is an error."),
    row("Random Shuffle", "random.shuffle", "List: list > items", "Result: list > result", note=_SEEDED),
    row("Random String", "random.text", "Length: int = 8 > length", "Result: str > result", note=_SEEDED),
    row("Random GUID", "random.uuid", "", "Result: str > result", note=_SEEDED),
)
# fmt: on
