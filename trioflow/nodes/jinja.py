"""Templates of Jinja2, by the extra `templates`: in its sandbox, in a process of its own, with a limit of time."""

from __future__ import annotations

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._names import Named
from trioflow.nodes._workshop import Job, ScriptFailed, ScriptTimeout, Workshop, enter_workshop, leave_workshop

_MEMORY = 1 << 28


class TemplateFailed(ValueError):
    """A template can't be read, or does not fit the values that it got."""


class RenderTemplate(Named, id="template.render", durable="recorded"):
    """Renders a template of Jinja2 with the inputs that `config` names, and those in `inputs`.

    `{{ name }}` is a value, `{% for %}` and `{% if %}` are as there. It runs in Jinja2's sandbox, where a template can
    touch nothing but the values, and in a process of its own, which is killed when it takes longer than `timeout`. A
    name without a value is an error, with `strict=False` an empty text. It knows no other templates. What is wrong is
    `TemplateFailed`, with the line. Needs the extra `templates`. For POSIX systems.

    >>> fire("template.render", template="{% for each in names %}{{ each }} {% endfor %}", inputs={"names": "ab"},
    ...     virtual=False)
    [('then', {'result': 'a b '})]
    """

    needs_packages = {"jinja2": "jinja2>=3.1.6"}  # noqa: RUF012 - read only

    template = tf.DataIn(str, doc="the template")
    strict = tf.DataIn(bool, default=True, doc="whether a name without a value is an error")
    timeout = tf.DataIn(float, default=10.0, doc="seconds that it may take, on trio's clock")
    result = tf.DataOut(str, doc="what came of it")
    then = tf.ExecOut()

    _workshop: Workshop

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self._workshop = enter_workshop(ctx.services)

    async def teardown(self) -> None:
        await leave_workshop(self._services, self._workshop)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        template, names = await ctx.get_input(self.template), await self._names(ctx)
        strict = await ctx.get_input(self.strict)
        seconds = expect.at_least_zero("template.render", "seconds", await ctx.get_input(self.timeout))
        job = Job("template.render", "template", template, names, (strict,), _MEMORY, seconds)
        try:
            done = await self._workshop.do(job, ctx)
        except ScriptFailed as error:
            raise TemplateFailed(str(error)) from None
        ctx.set_output(self.result, done.result)
        return self.then


__all__ = ["ScriptTimeout", "TemplateFailed"]
