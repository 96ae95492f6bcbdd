"""The proofs in Coq: what the rules say of them is read as text, without Coq; with Coq they are checked."""

from __future__ import annotations

import re
import shutil
import subprocess

import marks
import pytest
from specification import ROOT, RULES, SPEC

PROOFS = SPEC / "proofs"
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PROOFS.glob("*.v"))}
PROVED = {name: rule for name, rule in RULES.items() if "proved" in rule or "left_out" in rule}

_THEOREM = re.compile(
    r"(?:\(\*\*(?P<said>(?:(?!\*\)).)*)\*\)\n)?^(?:Theorem|Corollary) (?P<name>\w+)", re.MULTILINE | re.DOTALL
)
_RULE = re.compile(r"\b[A-Z]\d{1,2}\b")


def theorems() -> dict[str, str]:
    """All theorems and corollaries by file and name, each with the comment that stands above it."""
    return {
        f"{file}.{match['name']}": " ".join((match["said"] or "").split())
        for file, text in FILES.items()
        for match in _THEOREM.finditer(text)
    }


def main_theorems() -> list[str]:
    """Those whose assumptions are printed."""
    return re.findall(r"^Print Assumptions (\S+)\.$", FILES["Theorems"], re.MULTILINE)


def test_each_rule_that_is_proved_says_by_what():
    """A mark names main theorems, and what of the rule they leave out; the comment of each names the rule."""
    stated = theorems()
    for name, rule in PROVED.items():
        assert rule["proved"], name
        assert rule["left_out"], name
        for theorem in rule["proved"]:
            assert theorem in main_theorems(), (name, theorem)
            assert name in _RULE.findall(stated[theorem]), (name, theorem)


def test_each_theorem_of_a_rule_is_a_mark_of_it():
    """A rule that the comment of a main theorem names has the mark, as far as the specification has the rule."""
    stated = theorems()
    for theorem in main_theorems():
        for rule in _RULE.findall(stated[theorem]):
            if rule in RULES:
                assert theorem in RULES[rule].get("proved", []), (theorem, rule)


def test_each_theorem_is_a_main_one():
    """What is called a theorem or a corollary is listed, in the order of the files; the rest are lemmas."""
    order = re.findall(r"^(\w+)\.v$", (PROOFS / "_CoqProject").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(order) == sorted(FILES)
    listed = main_theorems()
    assert sorted(listed) == sorted(theorems())
    assert listed == sorted(listed, key=lambda name: order.index(name.partition(".")[0]))


def test_the_readme_says_each_theorem_in_words():
    """Each main theorem has its line in the README of the proofs, and no other name stands there."""
    told = re.findall(r"^\| `(\w+\.\w+)` \|", (PROOFS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert told == main_theorems()


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_admitted(file):
    """No file admits or assumes anything; variables and hypotheses stand in sections only, where they are closed."""
    text = re.sub(r"\(\*.*?\*\)", "", FILES[file], flags=re.DOTALL)
    assert re.findall(r"\b(?:Admitted|admit|Axioms?|Parameters?|Conjecture|Abort)\b", text) == []
    open_sections = 0
    for word in re.findall(r"^ *(Section|End|Variables?|Hypothes[ie]s|Context)\b", text, re.MULTILINE):
        open_sections += {"Section": 1, "End": -1}.get(word, 0)
        assert open_sections >= (word != "End")
    assert open_sections == 0


@pytest.mark.parametrize("name", RULES)
def test_the_prose_shows_the_mark(name):
    """Below the level of a rule that is proved stands where, and what is left out; of no other rule."""
    rule = RULES[name]
    text = (SPEC / rule["file"]).read_text(encoding="utf-8")
    found = re.search(rf"^### {name} .+\n\n\w+ · .+\n\n((?:.+\n)+)", text, re.MULTILINE)
    assert found is not None
    shown = found[1] if found[1].startswith("*Proved* in ") else ""
    assert shown == (marks.mark(rule) if name in PROVED else ""), "python -m tests.marks writes it"


def test_marks_are_written_by_a_command(tmp_path):
    """The command leaves what is right, puts what is missing, and takes away what no rule says."""
    spec = shutil.copytree(SPEC, tmp_path / "spec", ignore=shutil.ignore_patterns("proofs", "vectors", "ports"))
    before = {path.name: path.read_text(encoding="utf-8") for path in (spec / "rules").glob("*.md")}
    path = spec / "rules" / "fork.md"
    path.write_text(before["fork.md"].replace("*Proved* in [Core.v]", "*Proved* in [Nowhere.v]"), encoding="utf-8")
    marks.write(spec)
    assert {path.name: path.read_text(encoding="utf-8") for path in (spec / "rules").glob("*.md")} == before


# --- with Coq ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def coq() -> None:
    """Skips where there is no Coq, with a reason that is told at the end of all checks."""
    if shutil.which("coqc") is None:
        pytest.skip("coqc not found: the proofs were not checked")


@pytest.mark.outside
@pytest.mark.slow
@pytest.mark.unmeasured
def test_all_is_proved(coq):
    """check.sh compiles all files, and finds that each main theorem assumes nothing."""
    done = subprocess.run([PROOFS / "check.sh"], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^(\S+): Closed under the global context$", done.stdout, re.MULTILINE)
    assert told == main_theorems()


@pytest.mark.outside
@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Qed.", "Admitted.", "NOT PROVED"),
        ("\nSection Memo", "\nHypothesis magic : False.\nSection Memo", "TF.Reuse.magic"),
        ("eapply own_fits; eauto.", "auto.", "Error"),
    ],
)
def test_what_is_not_proved_is_noticed(coq, tmp_path, old, new, said):
    """A proof that was left out, an assumption beside all sections, a proof that is wrong."""
    copy = shutil.copytree(PROOFS, tmp_path / "proofs", ignore=shutil.ignore_patterns("build"))
    for path in copy.glob("*.v"):
        if path.stem not in ("Reuse", "Theorems"):
            path.unlink()
    project = (copy / "_CoqProject").read_text(encoding="utf-8")
    kept = "".join(f"{line}\n" for line in project.splitlines() if line in ("-R . TF", "Reuse.v", "Theorems.v"))
    (copy / "_CoqProject").write_text(kept, encoding="utf-8")
    (copy / "Theorems.v").write_text("From TF Require Reuse.\nPrint Assumptions Reuse.never_twice.\n", encoding="utf-8")
    text = FILES["Reuse"]
    assert old in text
    (copy / "Reuse.v").write_text(text.replace(old, new, 1), encoding="utf-8")
    done = subprocess.run([copy / "check.sh"], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr


def test_without_coq_that_is_told(monkeypatch, request, tmp_path):
    """Where there is no Coq the end of all checks says that the proofs were not checked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="the proofs were not checked"):
        request.getfixturevalue("coq")
    done = subprocess.run(["/bin/sh", ROOT / "spec/proofs/check.sh"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
