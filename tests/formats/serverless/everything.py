"""A document in which each kind of task and each field stands once."""

from __future__ import annotations

from typing import Any

EVERYTHING: dict[str, Any] = {
    "document": {"dsl": "1.0.3", "namespace": "n", "name": "x", "version": "1.0.0", "title": "t", "tags": {"a": "b"}},
    "input": {"schema": {"format": "json", "document": {"type": "object"}}, "from": "."},
    "use": {
        "authentications": {"a": {"basic": {"username": "u", "password": "p"}}, "o": {"oauth2": {
            "authority": "https://x.test", "grant": "password", "client": {"id": "i"}, "scopes": ["s"]}}},
        "errors": {"e": {"type": "https://x.test", "status": 400, "title": "t", "detail": "d", "instance": "/x"}},
        "retries": {"r": {"delay": "PT1S", "when": ".", "backoff": {"linear": {"increment": "PT1S"}},
                          "limit": {"attempt": {"count": 1, "duration": "PT1S"}, "duration": "PT1S"},
                          "jitter": {"from": "PT1S", "to": "PT2S"}}},
        "timeouts": {"t": {"after": {"seconds": 1}}},
        "secrets": ["s"],
        "functions": {"f": {"set": {"x": 1}}},
        "extensions": [{"x": {"extend": "wait", "when": "true", "before": [{"b": {"set": {"x": 1}}}], "after": []}}],
    },
    "timeout": "t",
    "output": {"as": {"o": "${ . }"}},
    "schedule": {"on": {"one": {"with": {"type": "t"}}}},
    "do": [
        {"call": {"call": "http", "if": "true", "with": {"method": "get", "endpoint": {"uri": "https://x.test",
            "authentication": {"use": "a"}}, "headers": {"h": "v"}, "query": {"q": "v"}, "body": {}, "output": "raw",
            "redirect": True}, "timeout": {"after": "PT1S"}, "export": {"as": "."}, "metadata": {}, "then": "open"}},
        {"open": {"call": "openapi", "with": {"document": {"endpoint": "https://x.test"}, "operationId": "o",
                                              "parameters": {"p": 1}}}},
        {"function": {"call": "f", "with": {"a": 1}}},
        {"do": {"do": [{"s": {"set": {"x": "${ 1 }"}}}]}},
        {"emit": {"emit": {"event": {"with": {"source": "https://x.test", "type": "t"}}}}},
        {"for": {"for": {"each": "i", "in": ".", "at": "n"}, "while": "$i", "do": [{"s": {"set": {"x": "${ $n }"}}}]}},
        {"fork": {"fork": {"compete": True, "branches": [{"b": {"wait": "PT1S"}}]}}},
        {"listen": {"listen": {"to": {"any": [{"with": {"type": "t"}, "correlate": {"c": {"from": ".", "expect": "x"}}}],
                                      "until": "true"}, "read": "data"},
                    "foreach": {"item": "i", "at": "n", "do": [{"s": {"set": {"x": "${ $i }"}}}], "output": {"as": "."}}}},
        {"raise": {"raise": {"error": "e"}}},
        {"script": {"run": {"script": {"language": "python", "code": "x", "arguments": ["a"], "environment": {"a": "b"}},
                            "return": "all", "await": True}}},
        {"shell": {"run": {"shell": {"command": "x", "stdin": "y"}}}},
        {"switch": {"switch": [{"c": {"when": "true", "then": "exit"}}]}},
        {"try": {"try": [{"s": {"set": {"x": 1}}}], "catch": {"errors": {"with": {"type": "t", "status": 1}}, "as": "e",
            "when": "$e", "exceptWhen": "$e", "retry": "r", "do": [{"s": {"set": {"x": "${ $e }"}}}]}}},
        {"wait": {"wait": {"milliseconds": 1}}},
    ],
}  # fmt: skip
