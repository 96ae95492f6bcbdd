"""Which errors a policy is for: by names of classes, full names, codes of status and of errors (P1)."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.nodes.http import HttpFailed
from trioflow.semantics.policies.conditions import condition, known_names, leaves

UNAVAILABLE = HttpFailed("http.get", "http://x", 503, "Unavailable")


@pytest.mark.parametrize(
    ("names", "error", "holds"),
    [
        (["OSError"], OSError(), True),
        (["OSError"], ConnectionResetError(), True),
        (["ConnectionResetError"], OSError(), False),
        (["trioflow.errors.NodeTimeout"], tf.NodeTimeout("x"), True),
        (["NodeTimeout"], tf.NodeTimeout("x"), True),
        (["RunError"], tf.NodeTimeout("x"), True),
        (["ValueError", "http.5xx"], UNAVAILABLE, True),
        (["http.503"], UNAVAILABLE, True),
        (["http.4xx", "http.500"], UNAVAILABLE, False),
        (["http.xxx"], ValueError(), False),
        (["merge"], tf.MergeError("x"), True),
        (["HttpFailed"], UNAVAILABLE, True),
    ],
)
def test_names(names, error, holds):
    """A name means a class and those below it; a code what has a status or a code."""
    assert condition(names)(error) is holds


def test_leaves():
    """The errors in a group, at any depth."""
    errors = [OSError(), ValueError(), KeyError()]
    group = ExceptionGroup("", [errors[0], ExceptionGroup("", errors[1:])])
    assert [*leaves(group)] == errors
    assert [*leaves(errors[0])] == errors[:1]


def test_known_names():
    """Short and full names of what Python, trioflow and all that is imported define."""
    assert {"OSError", "trioflow.errors.NodeTimeout", "HttpFailed", "builtins.KeyError"} <= known_names()
