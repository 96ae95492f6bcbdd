"""Questions to people, and who puts them: somebody in a terminal, a page of forms on this machine, or the host."""

from __future__ import annotations

import contextlib
import html
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol, TextIO, runtime_checkable

import attrs
import trio

from trioflow.errors import MissingExtra
from trioflow.nodes.json_schema import checker


@attrs.frozen
class Question:
    """What somebody is asked: a text, the answers that count, and who asks.

    `choices` are all answers there are, if there are some; a `schema` of JSON is what an answer has to fit. `key` is
    the same for a question that is asked again after a resume.
    """

    text: str
    name: str = "answer"
    choices: tuple[Any, ...] = ()
    schema: Any = None
    node: str = ""
    key: str = ""

    def problem(self, answer: Any) -> str | None:
        """Why an answer does not count; None if it does. Raises `ValueError` for a schema that is none."""
        if self.choices and answer not in self.choices:
            return f"expected one of {', '.join(map(str, self.choices))}, got {answer!r}"
        if self.schema is not None:
            for problem in checker("user.ask", self.schema)(answer):
                return problem
        return None

    def read(self, text: str) -> Any:
        """The answer that somebody has typed: the choice of that text or number, JSON where a schema wants that."""
        text = text.strip()
        for number, choice in enumerate(self.choices, 1):
            if text in (str(choice), str(number)):
                return choice
        if self.schema is not None:
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(text)
        return text


@runtime_checkable
class Asker(Protocol):
    """Who puts questions to people, for a host: a service, `services={Asker: ...}`."""

    async def ask(self, question: Question) -> Any:
        """The answer. Cancelled when the time is up, or the run is; asked again if the answer does not count."""
        ...


class TerminalAsker:
    """Asks whoever sits at the terminal, one question at a time, on stderr; an answer is a line of stdin.

    Cancelled at any time. Raises `EOFError` where there is nobody any more.
    """

    def __init__(self, source: int | None = None, target: TextIO | None = None) -> None:
        self._source = source
        self._target = target

    async def ask(self, question: Question) -> Any:
        """The answer to a question, asked again until one counts. Raises `EOFError` at the end of the input."""
        source = sys.stdin.fileno() if self._source is None else self._source
        target = sys.stderr if self._target is None else self._target
        async with _terminal():
            said = question.text
            while True:
                choices = "".join(f"\n  {number} {choice}" for number, choice in enumerate(question.choices, 1))
                target.write(f"{said}{choices}\n> ")
                target.flush()
                try:
                    answer = question.read(await _line(source))
                finally:
                    target.flush()  # with nothing more: a display that has made room for the answer goes on
                problem = question.problem(answer)
                if problem is None:
                    return answer
                said = f"{problem}."


_turns: dict[Any, trio.Lock] = {}


@asynccontextmanager
async def _terminal() -> AsyncGenerator[None, None]:
    """One at a time has the terminal."""
    token = trio.lowlevel.current_trio_token()
    lock = _turns.setdefault(token, trio.Lock())
    try:
        async with lock:
            yield
    finally:
        if not lock.locked():  # nobody has waited for it
            _turns.pop(token, None)


async def _line(source: int) -> str:
    """A line, without taking what comes behind it."""
    data = bytearray()
    while not data.endswith(b"\n"):
        await trio.lowlevel.wait_readable(source)
        char = os.read(source, 1)
        if not char:
            if data:
                break
            raise EOFError("user.ask: nobody answers any more: there is no more input.")
        data += char
    return data.decode(errors="replace")


@attrs.define(eq=False)
class _Open:
    question: Question
    answered: trio.Event = attrs.Factory(trio.Event)
    answer: Any = None


class FormAsker:
    """Puts questions into a page of forms on this machine: `async with open_forms() as forms`.

    Whoever has `address` can answer. Any number of questions are open at a time; one is gone when it is answered, or
    is not waited for any more.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._open: dict[str, _Open] = {}

    async def ask(self, question: Question) -> Any:
        """The answer that somebody gives in the page."""
        key = secrets.token_hex(8)
        self._open[key] = _Open(question)
        try:
            await self._open[key].answered.wait()
            return self._open[key].answer
        finally:
            del self._open[key]

    def answer(self, key: str, text: str) -> str | None:
        """Take an answer; gives what is wrong with it."""
        waiting = self._open.get(key)
        if waiting is None or waiting.answered.is_set():
            return "This question is not open any more."
        answer = waiting.question.read(text)
        problem = waiting.question.problem(answer)
        if problem is None:
            waiting.answer = answer
            waiting.answered.set()
        return problem

    def page(self, said: str | None = None) -> str:
        """The page, with a form for each question that is open."""
        forms = "".join(_form(key, each.question) for key, each in self._open.items() if not each.answered.is_set())
        note = f"<p role='alert'>{html.escape(said)}</p>" if said else ""
        return f"{_PAGE}{note}{forms or '<p>There is no question now.</p>'}"


_PAGE = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>Questions</title>"
    "<meta name='viewport' content='width=device-width'>"
    "<style>body{font:1rem system-ui;margin:2rem auto;max-width:40rem}form{margin:1rem 0}"
    "button,input{font:inherit;margin:.25rem}</style><h1>Questions</h1>"
)


def _form(key: str, question: Question) -> str:
    label = html.escape(question.text)
    if question.choices:
        field = "".join(
            f"<button name='answer' value='{number}'>{html.escape(str(choice))}</button>"
            for number, choice in enumerate(question.choices, 1)
        )
    else:
        field = f"<input name='answer' aria-label='{html.escape(question.text, quote=True)}'><button>Answer</button>"
    return f"<form method='post'><p>{label}</p><input type='hidden' name='key' value='{key}'>{field}</form>"


@asynccontextmanager
async def open_forms(*, port: int = 0) -> AsyncGenerator[FormAsker, None]:
    """Serve a page of forms on this machine while the block is open: a `FormAsker` for `services={Asker: forms}`.

    Raises `OSError` if the port is taken, `MissingExtra` without the extra `studio`.
    """
    try:
        from hypercorn.config import Config  # noqa: PLC0415 - an extra
        from hypercorn.trio import serve  # noqa: PLC0415 - as above
        from starlette.applications import Starlette  # noqa: PLC0415 - as above
        from starlette.requests import Request  # noqa: PLC0415 - as above
        from starlette.responses import HTMLResponse, RedirectResponse, Response  # noqa: PLC0415 - as above
        from starlette.routing import Route  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtra("A page of forms", "studio") from error
    token = secrets.token_urlsafe(24)
    listening = socket.create_server(("127.0.0.1", port))
    forms = FormAsker(f"http://127.0.0.1:{listening.getsockname()[1]}/{token}/")

    async def questions(request: Request) -> Response:
        said: str | None = None
        if request.method == "POST":
            given = dict(_fields(await request.body()))
            said = forms.answer(given.get("key", ""), given.get("answer", ""))
            if said is None:
                return RedirectResponse(forms.address, status_code=303)
        return HTMLResponse(forms.page(said), headers=_HEADERS, status_code=200 if said is None else 422)

    config = Config()
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.graceful_timeout = 0.2
    config.bind = [f"fd://{listening.detach()}"]
    stop = trio.Event()
    app: Any = Starlette(routes=[Route(f"/{token}/", questions, methods=["GET", "POST"])])
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve, app, config, shutdown_trigger=stop.wait))
        try:
            yield forms
        finally:
            stop.set()


_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def _fields(body: bytes) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - only where forms are served

    return parse_qsl(body[:1_000_000].decode(errors="replace"), keep_blank_values=True)
