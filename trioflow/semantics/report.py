"""What validation says: problems, each with its place and its cure, in one report (M5)."""

from __future__ import annotations

import enum

import attrs

from trioflow.errors import InvalidGraph


class Severity(enum.Enum):
    """How bad a problem is: a graph with errors does not run; an info is no problem, but good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@attrs.frozen
class Problem:
    """One thing that is wrong: a stable code, where, what was found, the cure, and the rule it breaks."""

    code: str
    severity: Severity
    path: str
    message: str
    cure: str
    rule: str

    def __str__(self) -> str:
        return f"{self.severity.value}[{self.code}] {self.path}: {self.message} {self.cure}"


def error(code: str, path: str, message: str, cure: str, rule: str = "M5") -> Problem:
    """A problem that keeps the graph from running."""
    return Problem(code, Severity.ERROR, path, message, cure, rule)


def warning(code: str, path: str, message: str, cure: str, rule: str = "M5") -> Problem:
    """A problem that does not."""
    return Problem(code, Severity.WARNING, path, message, cure, rule)


def info(code: str, path: str, message: str, cure: str, rule: str = "M5") -> Problem:
    """What is right, and might be meant otherwise."""
    return Problem(code, Severity.INFO, path, message, cure, rule)


@attrs.frozen
class Report:
    """All problems of a graph, in the order of the document: nodes, connections, variables, events."""

    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep it from running."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    @property
    def infos(self) -> tuple[Problem, ...]:
        """What is good to know, and no problem."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.INFO)

    @property
    def ok(self) -> bool:
        """Whether the graph can run."""
        return not self.errors

    def raise_for_errors(self, what: str = "The graph has") -> None:
        """Raise `InvalidGraph` with every error, if there is one."""
        errors = self.errors
        if errors:
            count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
            raise InvalidGraph("\n".join([f"{what} {count}:", *(f"  {problem}" for problem in errors)]))

    def __str__(self) -> str:
        """One line per problem."""
        return "\n".join(map(str, self.problems)) or "no problems"
