"""Persons: whoever a graph can talk to, most often a model. A port of one method, and adapters that speak over HTTP."""

from trioflow.persons.anthropic import AnthropicPerson
from trioflow.persons.openai import OpenAIPerson
from trioflow.persons.port import (
    Message,
    Person,
    PersonFailed,
    Persons,
    PersonUnreachable,
    Reply,
    Speaking,
    Tool,
    ToolCall,
)
from trioflow.persons.scripted import Asked, ScriptedPerson

__all__ = [
    "AnthropicPerson",
    "Asked",
    "Message",
    "OpenAIPerson",
    "Person",
    "PersonFailed",
    "PersonUnreachable",
    "Persons",
    "Reply",
    "ScriptedPerson",
    "Speaking",
    "Tool",
    "ToolCall",
]
