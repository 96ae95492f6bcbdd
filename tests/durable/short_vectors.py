"""The vectors that are short enough to be run again and again."""

from __future__ import annotations

import json

from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import load_vectors

VECTOR_REQUESTS = [each.request for each in load_vectors(PACKAGED) if len(json.dumps(each.request)) < 1500]
