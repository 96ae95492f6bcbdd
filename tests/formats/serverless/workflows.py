"""What the tests of this folder share: a document in a few lines, imported and run."""

from __future__ import annotations

import textwrap
from typing import Any

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import Imported, document_in
from trioflow.formats.serverless import FORMAT
from trioflow.testing import run_virtual

HEAD = "document: {dsl: '1.0.3', namespace: test, name: test, version: '1.0.0'}\n"
ALL = tf.Registry.standard()


def imported(text: str) -> Imported:
    return import_document(document_in(HEAD + textwrap.dedent(text), syntax="yaml"), format=FORMAT)


def graph_of(text: str) -> tf.Graph:
    found = imported(text)
    assert not found.errors, [str(each) for each in found.errors]
    return found.graph


def result_of(text: str, input: Any = None, **arguments: Any) -> tf.RunResult:
    given = {} if input is None else {"input": input}
    return run_virtual(graph_of(text), variables=given, **arguments)


def output_of(text: str, input: Any = None, **arguments: Any) -> Any:
    return result_of(text, input, **arguments).variables["output"]


def said(text: str) -> list[str]:
    return [f"{each.severity}[{each.code}] {each.path}: {each.message}" for each in imported(text).diagnostics]
