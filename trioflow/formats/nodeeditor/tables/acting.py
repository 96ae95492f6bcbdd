"""Control flow, telling people, variables, events."""

from __future__ import annotations

from trioflow.formats.nodeeditor.row import Row, row

_CAUGHT = "If Catch is not connected the failure goes on here, where there it is swallowed."
_UNSEEN = "It does not print: here data nodes only compute values."

# fmt: off
ROWS: tuple[Row, ...] = (
    # --- start, conditions, loops
    row("Start", "flow.start", "", "Exit > then", starts=True),
    row("Branch", "flow.branch", "Start > enter; Cond: bool > condition", "True > true; False > false",
        aka="If; If Else"),
    row("Multi Branch", "flow.multi_branch",
        "Enter > enter; Cond 0: bool > if_1; Cond 1: bool > if_2; Cond 2: bool > if_3; Cond 3: bool > if_4",
        "Path 0 > then_1; Path 1 > then_2; Path 2 > then_3; Path 3 > then_4; Default > otherwise; Exit"),
    row("For Loop", "flow.for", "Enter > enter; LoopTimes: int = 10 > times",
        "LoopPath > body; Exit > done; Index: int > index", aka="For"),
    row("For Loop Step", "flow.for_step",
        "Enter > enter; StartValue: int = 0 > start; EndValue: int = 10 > end; Step: int = 1 > step",
        "LoopPath > body; Exit > done; Index: int > index",
        note="A Step of 0 is an error here, where there it is taken as 1."),
    row("For Loop Reverse", "flow.for_reverse", "Enter > enter; Start: int = 9 > end + 1; End: int = 0 > start",
        "LoopPath > body; Exit > done; Index: int > index"),
    row("Loop N Times", "flow.for", "Enter > enter; N: int = 5 > times",
        "Body > body; Done > done; Iteration: int > index; Exit", aka="Repeat"),
    row("ForEach Loop", "flow.for_each", "Enter > enter; List: list > items",
        "LoopPath > body; Exit > done; Obj: any > item; Item: any > item; Index: int > index", aka="For Each; ForEach"),
    row("ForEach Dict", "flow.for_each_dict", "Enter > enter; Dict: dict > items",
        "LoopPath > body; Exit > done; Key: str > key; Value: any > value"),
    row("Parallel ForEach", "flow.parallel_for_each",
        "Enter > enter; List: list > items; MaxParallelism: int = 4 > limit",
        "LoopPath > body; Exit > done; Item: any > item; Index: int > index",
        least={"MaxParallelism": 1},
        note="Items do not see what other items write; variables are merged in the order of the list."),
    row("While Loop", "flow.while", "Enter > enter; Condition: bool > condition", "LoopPath > body; Exit > done",
        aka="While"),
    row("Do While Loop", "flow.do_while", "Enter > enter; Condition: bool > condition",
        "LoopPath > body; Exit > done", aka="Do While"),
    row("Repeat Until", "flow.repeat_until", "Enter > enter; Condition: bool > condition",
        "LoopPath > body; Exit > done", note="It does not stop after 10,000 rounds: set a limit of steps for the run."),
    # --- flow
    row("Sequence", "flow.sequence", "Enter > enter",
        "Then 0 > first; Then 1 > second; Then 2 > third; Then 3 > fourth; Exit"),
    row("Parallel Branch", "flow.parallel", "Enter > enter", "A > a; B > b; C > c; D > d; Exit > done",
        aka="Parallel",
        note="Branches run concurrently here and do not see what others write; there they run one after the other."),
    row("Switch Int", "flow.switch_int", "Enter > enter; Value: int = 0 > value",
        "Case 0 > is_1; Case 1 > is_2; Case 2 > is_3; Case 3 > is_4; Case 4 > is_5; Default > default; Exit",
        given={"case_1": 0, "case_2": 1, "case_3": 2, "case_4": 3, "case_5": 4}),
    row("Switch String", "flow.switch_text",
        'Enter > enter; Value: str = "" > value; Match 0: str = "" > case_1; Match 1: str = "" > case_2; '
        'Match 2: str = "" > case_3; Match 3: str = "" > case_4',
        "Case 0 > is_1; Case 1 > is_2; Case 2 > is_3; Case 3 > is_4; Default > default; Exit"),
    row("Gate", "flow.branch", "Enter > enter; Open: bool = true > condition",
        "Continue > true; Closed > false; Exit"),
    row("Once", "flow.once", "Enter > enter", "First > then; Already Run > again; Exit"),
    row("Counter", "flow.counter", "Enter > enter; Reset: bool", "Count: int > count; Exit > then",
        given={"start": 0}),
    row("Flip Flop", "flow.flip_flop", "Enter > enter", "A > a; B > b; IsA: bool > is_a; Exit"),
    row("Wait Count", "flow.wait_for", "Enter > enter; Count: int = 2 > times, so_far.a",
        "Exit > then; TriggersSoFar: int > so_far.result", parts={"so_far": "math.subtract"},
        wires="missing > so_far.b", note="When it goes on, TriggersSoFar is Count."),
    row("Try Catch", "flow.try", "Enter > enter",
        "Try > body; Catch > catch; Finally > cleanup; Error: str > message; Exit", note=_CAUGHT),
    row("Throw Error", "flow.raise", 'Enter > enter; Message: str = "An error occurred" > message', "Exit",
        aka="Throw; Raise"),
    row("Assert", "flow.assert",
        'Enter > enter; Condition: bool = true > condition; Message: str = "Assertion failed" > message',
        "Exit > then"),
    row("Delay", "flow.delay", "Enter > enter; DelayMs: int = 1000 > seconds / 1000", "Exit > then", aka="Wait"),
    row("Consume", "flow.consume", "Enter > enter; Value: any > value", "Exit > then"),
    row("Marker", "flow.marker", "Enter > enter", "Exit > then"),
    row("Comment", omitted=True),
    # --- telling people
    row("Debug Print", "debug.print", 'Enter > enter; Label: str = "" > label; Value: any > value', "Exit > then",
        aka="Print", writes_texts=True),
    row("Debug Warning", "debug.feedback", 'Enter > enter; Message: str = "" > message', "Exit > then",
        given={"level": "warning"}, aka="Warning"),
    row("Debug Error", "debug.feedback", 'Enter > enter; Message: str = "" > message', "Exit > then",
        given={"level": "error"}, note="It does not stop the run: Throw Error does."),
    row("Breakpoint", "debug.feedback", 'Enter > enter; Label: str = "Breakpoint hit" > message', "Exit > then",
        given={"level": "info"}),
    row("Log", "debug.log", 'Enter > enter; Message: str = "" > message', "Exit > then"),
    row("Timer", "flow.measure", "Enter > enter", "Body > body; Done > done; ElapsedMs: float > seconds / 1000; Exit"),
    row("Stopwatch", "state.stopwatch", "Enter > start; Start: bool = true; Stop: bool; Reset: bool",
        "Exit > then; ElapsedMs: float > seconds / 1000",
        note="Here control starts, stops and resets it, not values: entering it starts it or lets it go on."),
    row("Print Value", "logic.coalesce", 'Label: str = ""; Value: any > value', "PassThrough: any > result",
        given={"otherwise": None}, note=_UNSEEN),
    # --- variables, by names that are values; the families below are for those that the document declares
    row("Get Variable", "variable.get", 'Name: str = "myVar" > name', "Value: any > result"),
    row("Set Variable", "variable.set", 'Enter > enter; Name: str = "myVar" > name, get.name; Value: any > value',
        "Exit > then; Value: any > get.result", parts={"get": "variable.get"}),
    row("Increment Variable", "variable.update",
        'Enter > enter; Name: str = "counter" > name; Step: int = 1 > value', "Exit > then; Value: int > result",
        given={"operation": "add"}),
)

FAMILIES: tuple[Row, ...] = (
    row("Get", "variable.get", "", "Value: any > result", family="variable.get.", bound="name"),
    row("Set", "variable.set", "Enter > enter; Value: any > value", "Exit > then; Value: any > get.result",
        parts={"get": "variable.get"}, family="variable.set.", bound="name"),
    row("Custom Event", "event.listen", "", "Exit > then", family="event.listener.", bound="event"),
    row("Trigger Event", "event.publish", "Enter > enter", "Exit > then", family="event.trigger.", bound="event"),
)
# fmt: on
