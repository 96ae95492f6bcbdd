"""What tasks do: one fact of the standard each."""

from __future__ import annotations

import pytest
from formats.serverless.workflows import output_of, result_of

from trioflow.formats.serverless import WorkflowError
from trioflow.testing import EventLog


def error_of(text: str, input: object = None, **arguments: object) -> WorkflowError:
    with pytest.raises(WorkflowError) as caught:
        output_of(text, input, **arguments)
    return caught.value


def test_set_and_expressions():
    assert output_of("do: [{a: {set: {x: '${ .n + 1 }', deep: [{y: '${ .n }'}], plain: .n}}}]", {"n": 1}) == {
        "x": 2,
        "deep": [{"y": 1}],
        "plain": ".n",
    }
    assert output_of("do: [{a: {set: '${ .given }'}}]", {"given": [1]}) == [1]


def test_input_output_and_export_shape_the_data():
    text = """
    input: {from: .all}
    output: {as: '{got: .}'}
    do:
    - one: {input: {from: .a}, set: {b: '${ . }'}, output: {as: '.b + $input'}, export: {as: '{seen: .}'}}
    - two: {set: {context: '${ $context.seen }', before: '${ . }'}}
    """
    assert output_of(text, {"all": {"a": 2}}) == {"got": {"context": 4, "before": 4}}


def test_what_expressions_may_name():
    text = """
    do:
    - 'a/b':
        set:
          task: ${ [$task.name, $task.reference, ($task.definition | keys)] }
          workflow: ${ $workflow.definition.document.name }
          given: ${ $workflow.input.n }
          runtime: ${ $runtime.name }
          home: ${ env.HOME }
          also: ${ $ENV.HOME }
    """
    assert output_of(text, {"n": 5}) == {
        "task": ["a/b", "/do/0/a~1b", ["set"]],
        "workflow": "test",
        "given": 5,
        "runtime": "trioflow",
        "home": None,
        "also": None,
    }


def test_a_condition_that_does_not_hold_skips_the_task_and_goes_on():
    text = "do: [{a: {if: .n > 1, set: {n: 0}, then: end}}, {b: {set: {n: '${ .n + 10 }'}}}]"
    assert output_of(text, {"n": 1}) == {"n": 11}
    assert output_of(text, {"n": 2}) == {"n": 0}


def test_then_leads_anywhere_in_its_list():
    text = """
    do:
    - a: {set: {seen: '${ .seen + ["a"] }'}, then: c}
    - b: {set: {seen: '${ .seen + ["b"] }'}, then: exit}
    - c: {set: {seen: '${ .seen + ["c"] }'}, then: b}
    - d: {set: {seen: never}}
    """
    assert output_of(text) == {"seen": ["a", "c", "b"]}


def test_exit_leaves_one_list_and_end_the_workflow():
    text = """
    do:
    - outer: {do: [{a: {set: {n: 1}, then: THEN}}, {b: {set: {n: 2}}}]}
    - after: {set: {n: '${ .n + 10 }'}}
    """
    assert output_of(text.replace("THEN", "exit")) == {"n": 11}
    assert output_of(text.replace("THEN", "end")) == {"n": 1}
    assert output_of(text.replace("THEN", "continue")) == {"n": 12}


def test_end_within_a_branch_ends_the_workflow():
    text = """
    do:
    - fork: {fork: {branches: [{a: {do: [{x: {set: {n: 1}, then: end}}]}}, {b: {wait: PT1H}}]}}
    - after: {set: {n: 2}}
    """
    result = result_of(text, {})
    assert result.statistics.elapsed == 0


def test_switch_takes_the_first_case_that_holds():
    cases = "".join(f"    - c{n}: {{when: .n == {n}, then: t{n}}}\n" for n in range(10))
    tasks = "".join(f"- t{n}: {{set: {{at: {n}}}, then: end}}\n" for n in range(10))
    text = f"do:\n- s:\n    switch:\n{cases}    - other: {{then: tn}}\n- no: {{set: {{}}}}\n{tasks}- tn: {{set: {{at: none}}}}\n"
    assert [output_of(text, {"n": n})["at"] for n in (0, 9, 77)] == [0, 9, "none"]
    assert output_of("do: [{s: {switch: [{a: {when: .n, then: end}}]}}, {b: {set: {b: 1}}}]", {"n": False}) == {"b": 1}


def test_for_carries_its_data_from_round_to_round():
    text = """
    do:
    - loop:
        for: {each: pet, at: place, in: .pets}
        while: (.names | length) < 2
        do: [{keep: {set: {pets: '${ .pets }', names: '${ .names + [$pet + ($place | tostring)] }'}}}]
    """
    assert output_of(text, {"pets": ["a", "b", "c"]})["names"] == ["a0", "b1"]
    assert output_of(text, {"pets": []}) == {"pets": []}
    assert output_of("do: [{l: {for: {in: .none}, do: [{x: {set: {x: 1}}}]}}]", {"a": 1}) == {"a": 1}
    assert "must give a list" in error_of("do: [{l: {for: {in: .n}, do: [{x: {set: {x: 1}}}]}}]", {"n": 1}).detail


def test_fork_gives_what_its_branches_gave_in_their_order():
    text = """
    do:
    - f:
        fork:
          branches:
          - slow: {do: [{w: {wait: {seconds: 2}}}, {a: {set: {a: '${ .n }'}, export: {as: '{from: "a"}'}}}]}
          - quick: {set: {b: '${ .n + 1 }'}}
          - never: {if: 'false', set: {c: 1}}
    """
    log = EventLog()
    assert output_of(text, {"n": 1}, observers=[log]) == [{"a": 1}, {"b": 2}, {"n": 1}]
    assert not log.rows("merge_conflict")


def test_competing_branches_have_one_winner():
    text = """
    do:
    - f: {fork: {compete: true, branches: [{a: {wait: PT1H}}, {b: {do: [{w: {wait: PT2S}}, {s: {set: {b: 1}}}]}}]}}
    """
    result = result_of(text, {"n": 1})
    assert (result.variables["output"], result.statistics.elapsed) == ({"b": 1}, 2.0)


def test_a_fork_may_have_many_branches():
    branches = ", ".join(f"{{b{n}: {{set: {{n: {n}}}}}}}" for n in range(20))
    assert output_of(f"do: [{{f: {{fork: {{branches: [{branches}]}}}}}}]") == [{"n": n} for n in range(20)]


def test_raise_names_the_task():
    error = error_of(
        "do: [{a: {do: [{b: {raise: {error: {type: 'https://x.test/no', status: 418, title: '${ .t }'}}}}]}}]",
        {"t": "Tea"},
    )
    assert error.as_data() == {"type": "https://x.test/no", "status": 418, "title": "Tea", "instance": "/do/0/a/do/0/b"}
    assert str(error) == "Tea (418, https://x.test/no, at /do/0/a/do/0/b)"
    text = "use: {errors: {tea: {type: 'https://x.test/no', status: 418, detail: d}}}\ndo: [{a: {raise: {error: tea}}}]"
    assert error_of(text).detail == "d"


TRY = """
do:
- t:
    try: [{x: {set: {lost: 1}}}, {a: {raise: {error: {type: 'https://x.test/no', status: 418, title: T}}}}]
    catch: CATCH
"""


def test_catch_takes_what_fits_and_begins_with_what_try_began_with():
    assert output_of(TRY.replace("CATCH", "{}"), {"n": 1}) == {"n": 1}
    assert output_of(
        TRY.replace("CATCH", "{as: e, do: [{s: {set: {n: '${ .n }', at: '${ $e.instance }'}}}]}"), {"n": 1}
    ) == {
        "n": 1,
        "at": "/do/0/t/try/1/a",
    }
    for catch in (
        "{errors: {with: {status: 500}}}",
        "{when: $error.status == 1}",
        "{exceptWhen: $error.status == 418}",
        "{errors: {with: {type: 'https://x.test/other'}}}",
    ):
        assert error_of(TRY.replace("CATCH", catch)).status == 418


def test_standard_types_are_the_same_in_every_spelling():
    for uri in ("spec/1.0.0/errors/expression", "dsl/errors/types/expression"):
        text = f"do: [{{t: {{try: [{{a: {{set: '${{ .n + 1 }}'}}}}], catch: {{errors: {{with: {{type: 'https://serverlessworkflow.io/{uri}'}}}}}}}}}}]"
        assert output_of(text, {"n": {}}) == {"n": {}}


def test_retry_waits_as_its_policy_says():
    retry = "{delay: {seconds: 3}, backoff: {exponential: {}}, limit: {attempt: {count: 2}}}"
    log = EventLog()
    error = error_of(TRY.replace("CATCH", f"{{retry: {retry}}}"), observers=[log])
    assert error.status == 418
    assert [round(each.time) for each in log if each.node == "a" and type(each).__name__ == "NodeStarted"] == [0, 3, 9]


@pytest.mark.parametrize(
    ("policy", "elapsed"),
    [
        ("{delay: PT1S, limit: {attempt: {count: 3}}}", 3),
        ("{delay: PT1S, backoff: {constant: {}}, limit: {attempt: {count: 3}}}", 3),
        ("{delay: PT1S, backoff: {linear: {}}, limit: {attempt: {count: 3}}}", 6),
        ("{delay: PT1S, backoff: {linear: {increment: PT2S}}, limit: {attempt: {count: 3}}}", 9),
        ("{delay: PT2S, limit: {duration: PT7S}}", 6),
        ("{when: '$error.status == 1'}", 0),
        ("{exceptWhen: '$error.status == 418'}", 0),
        ("{limit: {attempt: {count: 0}}}", 0),
    ],
)
def test_what_a_retry_policy_says(policy: str, elapsed: float):
    text = TRY.replace("CATCH", "{retry: r, do: [{s: {set: {done: true}}}]}") + f"use: {{retries: {{r: {policy}}}}}"
    result = result_of(text)
    assert (result.variables["output"], result.statistics.elapsed) == ({"done": True}, elapsed)


def test_jitter_and_a_limit_for_each_attempt():
    text = """
    do:
    - t:
        try: [{w: {wait: PT1H}}]
        catch: {retry: {jitter: {from: PT1S, to: PT2S}, limit: {attempt: {count: 1, duration: PT10S}}}}
    """
    log = EventLog()
    assert error_of(text, observers=[log]).type.endswith("/timeout")
    (first, second) = [each.time for each in log if each.node == "w" and type(each).__name__ == "NodeStarted"]
    assert (first, 11 <= second <= 12) == (0.0, True)


def test_time_limits_of_tasks_and_workflows():
    error = error_of("do: [{w: {wait: PT1H, timeout: {after: PT5S}}}]")
    assert (error.status, error.instance, error.detail) == (408, "/do/0/w", "it took longer than 5 s.")
    text = "use: {timeouts: {short: {after: {milliseconds: 1500}}}}\ntimeout: short\ndo: [{w: {wait: PT1H}}]"
    assert error_of(text).detail == "The workflow took longer than 1.5 s."
    assert output_of("timeout: {after: PT1H}\ndo: [{w: {wait: PT1S, timeout: {after: PT5S}}}]", {"n": 1}) == {"n": 1}


def test_schemas_are_checked():
    schema = "{schema: {document: {type: object, required: [n], properties: {n: {type: integer}}}}}"
    assert output_of(f"input: {schema}\ndo: [{{a: {{set: {{ok: 1}}}}}}]", {"n": 1}) == {"ok": 1}
    error = error_of(f"input: {schema}\ndo: [{{a: {{set: {{ok: 1}}}}}}]", {"n": "x"})
    assert (error.status, error.instance) == (400, "/")
    assert error.detail == "The input does not fit its schema: $.n: 'x' is not of type 'integer'."
    assert error_of(f"do: [{{a: {{set: {{ok: 1}}, output: {schema}}}}}]").detail.startswith("The output does not fit")
    assert error_of(f"do: [{{a: {{set: {{ok: 1}}, export: {{as: ., {schema[1:-1]}}}}}}}]").detail.startswith(
        "The context"
    )
    elsewhere = error_of("input: {schema: {document: {$ref: 'https://x.test/y'}}}\ndo: [{a: {set: {ok: 1}}}]")
    assert "the schema refers to 'https://x.test/y', which is not in it" in elsewhere.detail


def test_functions_of_the_document():
    text = """
    use: {functions: {double: {input: {schema: {document: {type: object, required: [n]}}}, set: {n: '${ .n * 2 }'}}}}
    do:
    - a: {call: double, with: {n: '${ .m }'}}
    - b: {call: double, with: {n: '${ .n }'}}
    """
    assert output_of(text, {"m": 2}) == {"n": 8}
    assert error_of(text.replace("{n: '${ .m }'}", "{}")).instance == "/use/functions/double"


EXTENSION = """
use:
  extensions:
  - log:
      extend: set
      when: $task.definition.set.n > 1
      before: [{b: {set: {before: '${ . }'}, then: THEN}}]
      after: [{c: {set: {after: '${ . }'}}}]
do:
- a: {set: {n: 1}}
- b: {set: {n: 2}}
"""


def test_extensions_do_tasks_around_others():
    assert output_of(EXTENSION.replace("THEN", "continue")) == {"after": {"n": 2}}
    assert output_of(EXTENSION.replace("THEN", "exit")) == {"before": {"n": 1}}


def test_expressions_that_fail_name_the_task():
    told = error_of("do: [{a: {set: {x: '${ .n.m }'}}}]", {"n": 1}).as_data()
    assert told.pop("detail").startswith("'.n.m': Cannot index number with string")  # in the words of jq's version
    assert told == {
        "type": "https://serverlessworkflow.io/spec/1.0.0/errors/expression",
        "status": 400,
        "title": "Expression Error",
        "instance": "/do/0/a",
    }
    assert (
        error_of("do: [{a: {set: {x: '${ 1, 2 }'}}}]").detail == "'1, 2' gives 2 values. Put it into [...] for a list."
    )
    assert output_of("do: [{a: {set: {x: '${ empty }'}}}]") == {"x": None}
    assert error_of("do: [{a: {wait: '${ .n }'}}]", {"n": "soon"}).detail.startswith("expected a duration")


def test_a_duration_may_be_an_expression():
    assert result_of("do: [{a: {wait: '${ .d }'}}]", {"d": {"seconds": 4}}).statistics.elapsed == 4
