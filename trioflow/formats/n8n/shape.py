"""What the fields of workflows and of the parameters of their nodes may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trioflow.formats.shapes import ANYTHING, FLAG, NUMBER, SINGLE, TEXT, Shape, a_list, an_object, mismatches

_OBJECT = an_object(ANYTHING)
_ITEM = Shape("an item", fields={"json": _OBJECT})
_TARGET = an_object(type=TEXT, index=NUMBER)

_NODE = an_object(
    id=SINGLE, type=TEXT, typeVersion=NUMBER, position=a_list(NUMBER), disabled=FLAG, executeOnce=FLAG,
    alwaysOutputData=FLAG, continueOnFail=FLAG, onError=TEXT, notes=TEXT, notesInFlow=FLAG, webhookId=TEXT,
    credentials=_OBJECT,
)  # fmt: skip
_WORKFLOW = an_object(
    id=SINGLE, name=TEXT, active=FLAG, settings=an_object(executionOrder=TEXT, timezone=TEXT), versionId=TEXT,
    meta=an_object(instanceId=TEXT, templateId=SINGLE), tags=a_list(ANYTHING),
    connections=an_object(an_object(main=a_list(a_list(_TARGET)))), pinData=an_object(a_list(_ITEM)),
)  # fmt: skip

_FIELDS = Shape("a text, or an object", (str, dict))
_OPERATOR = an_object(type=TEXT, operation=TEXT, name=TEXT, singleValue=FLAG)
_OLD_CONDITIONS = a_list(an_object(operation=TEXT))
_CONDITIONS = an_object(
    combinator=TEXT,
    conditions=a_list(an_object(id=TEXT, operator=_OPERATOR, leftValue=ANYTHING, rightValue=ANYTHING)),
    options=an_object(caseSensitive=FLAG, leftValue=TEXT, typeValidation=TEXT, version=NUMBER),
    string=_OLD_CONDITIONS, number=_OLD_CONDITIONS, boolean=_OLD_CONDITIONS, dateTime=_OLD_CONDITIONS,
)  # fmt: skip
_CHOICE = an_object(conditions=_CONDITIONS, combineOperation=TEXT, looseTypeValidation=FLAG, options=_OBJECT)
_RULES = an_object(
    values=a_list(an_object(conditions=_CONDITIONS, renameOutput=FLAG, outputKey=TEXT)),
    rules=a_list(an_object(operation=TEXT, output=NUMBER, outputKey=TEXT)),
)

_PARAMETERS: Mapping[str, Shape] = {
    "set": an_object(
        assignments=an_object(assignments=a_list(an_object(id=TEXT, name=TEXT, type=TEXT))), mode=TEXT,
        includeOtherFields=FLAG, include=TEXT, keepOnlySet=FLAG, options=_OBJECT,
        values=an_object(a_list(an_object(name=TEXT))),
    ),
    "if": _CHOICE,
    "filter": _CHOICE,
    "switch": an_object(
        rules=_RULES, mode=TEXT, dataType=TEXT, numberOutputs=NUMBER, fallbackOutput=SINGLE,
        options=an_object(ANYTHING, fallbackOutput=SINGLE),
    ),
    "merge": an_object(
        mode=TEXT, combineBy=TEXT, combinationMode=TEXT, joinMode=TEXT, numberInputs=NUMBER, useDataOfInput=SINGLE,
        fieldsToMatchString=TEXT, output=TEXT, chooseBranchMode=TEXT, outputDataFrom=TEXT, options=_OBJECT,
        mergeByFields=an_object(values=a_list(an_object(field1=TEXT, field2=TEXT))),
    ),
    "limit": an_object(maxItems=NUMBER, keep=TEXT),
    "sort": an_object(
        type=TEXT, options=_OBJECT, sortFieldsUi=an_object(sortField=a_list(an_object(fieldName=TEXT, order=TEXT)))
    ),
    "removeDuplicates": an_object(
        operation=TEXT, compare=TEXT, fieldsToCompare=_FIELDS, fieldsToExclude=_FIELDS, options=_OBJECT
    ),
    "splitOut": an_object(fieldToSplitOut=TEXT, include=TEXT, fieldsToInclude=_FIELDS, options=_OBJECT),
    "aggregate": an_object(
        aggregate=TEXT, destinationFieldName=TEXT, include=TEXT, options=_OBJECT,
        fieldsToAggregate=an_object(
            fieldToAggregate=a_list(an_object(fieldToAggregate=TEXT, renameField=FLAG, outputFieldName=TEXT))
        ),
    ),
    "renameKeys": an_object(
        keys=an_object(key=a_list(an_object(currentKey=TEXT, newKey=TEXT))), additionalOptions=_OBJECT
    ),
    "splitInBatches": an_object(batchSize=NUMBER, options=_OBJECT),
    "code": an_object(jsCode=TEXT, pythonCode=TEXT, mode=TEXT, language=TEXT),
    "wait": an_object(amount=NUMBER, unit=TEXT, resume=TEXT),
    "stopAndError": an_object(errorMessage=SINGLE, errorType=TEXT),
}  # fmt: skip


def in_workflow(tree: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of a workflow, but for its nodes; with its place."""
    return mismatches(tree, _WORKFLOW, "")


def in_node(raw: Mapping[str, Any], kind: str, path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of a node, with its place. What is an expression may become anything."""
    yield from mismatches(raw, _NODE, path)
    if kind in _PARAMETERS and isinstance(raw.get("parameters"), dict):
        yield from mismatches(raw["parameters"], _PARAMETERS[kind], f"{path}.parameters", lambda text: text[:1] == "=")
