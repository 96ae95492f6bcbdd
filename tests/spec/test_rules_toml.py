"""The table of rules, the prose, the vectors and the mutants speak of the same rules, without a gap."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter

import pytest
from specification import HEADINGS, ROOT, RULES, SPEC

VECTORS = sorted((SPEC / "vectors").rglob("*.json"))
MUTANTS = sorted(path for path in (SPEC / "mutants").glob("*.py") if not path.stem.startswith("_"))
LEAST_VECTORS = 3


def test_prose_and_table_are_the_same_rules():
    """Each rule of the prose has its table, with the same title, level and file, and the other way round."""
    prose = {each.rule: (each.title, each.level, each.file, each.seen_from) for each in HEADINGS}
    table = {name: (rule["title"], rule["level"], rule["file"], rule.get("from")) for name, rule in RULES.items()}
    assert len(prose) == len(HEADINGS)
    assert prose == table


def test_ids_have_no_gaps():
    """The ids of each letter are numbered from 1, in the prose and in the table."""
    for names in ([each.rule for each in HEADINGS], list(RULES)):
        numbers: dict[str, list[int]] = {}
        for name in names:
            numbers.setdefault(name[0], []).append(int(name[1:]))
        assert numbers == {letter: [*range(1, len(found) + 1)] for letter, found in numbers.items()}
        assert set(numbers) == set("MDTFSRGEBCAWJP")


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_says_where_it_is_checked(rule):
    """A rule is a MUST or a SHOULD, names a test that exists, and a reason where it has no vectors or no mutants."""
    table = RULES[rule]
    assert set(table) - {"from", "excluded", "proved", "left_out"} == {
        "title",
        "level",
        "file",
        "vectors",
        "mutants",
        "property",
    }
    assert table["level"] in ("MUST", "SHOULD")
    assert bool(table.get("excluded")) == (not (table["vectors"] and table["mutants"]))
    path, name = table["property"].split("::")
    defined = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    assert name in [each.name for each in defined if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_rules_have_their_vectors():
    """Rules that vectors can show have enough of them, and no vector names another rule."""
    named = Counter(rule for path in VECTORS for rule in set(json.loads(path.read_text(encoding="utf-8"))["rules"]))
    assert set(named) <= set(RULES)
    wanting = {rule: named[rule] for rule, table in RULES.items() if table["vectors"] and named[rule] < LEAST_VECTORS}
    assert wanting == {}
    assert [rule for rule, table in RULES.items() if not table["vectors"] and named[rule]] == []


def rule_of(mutant):
    """The constant RULE of a mutant, without running it."""
    for statement in ast.parse(mutant.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "RULE":
            return ast.literal_eval(statement.value)
    raise AssertionError(f"{mutant.name} has no constant RULE")


def test_rules_have_their_mutants():
    """Rules that an engine can break in a way that shows have a mutant, and no mutant breaks another rule."""
    assert {rule_of(path) for path in MUTANTS} == {rule for rule, table in RULES.items() if table["mutants"]}


# --- links -----------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
DOCUMENTS = sorted(SPEC.rglob("*.md"))


def anchors(path):
    """The anchors that hosts of repositories make of the headings of a document."""
    headings = _HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(SPEC).as_posix())
def test_links_lead_somewhere(path):
    """Every link within the specification leads to a file that exists, and to a heading in it."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in _LINK.findall(text):
        if target.startswith("http"):
            continue
        to = (path.parent / target).resolve() if target else path
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), f"{target}#{anchor}"


def test_rules_that_are_named_exist():
    """Prose and contract name no rule that does not exist."""
    known = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"\b[MDTFSRGEBCAWJP]\d{1,2}\b(?!\.)", path.read_text(encoding="utf-8"))
    }
    assert known - set(RULES) == set()
