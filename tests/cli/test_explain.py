"""`trioflow explain`."""

from __future__ import annotations


def test_a_word(cli):
    """A rule, a code, an error: a head, and what it means."""
    code, out, err = cli("explain", "d4")
    assert (code, err) == (0, "")
    assert out.startswith("D4  Re-use\n==========\nrule: Data\n\nMUST · from L1\n\n")
    assert "A demand re-uses an earlier evaluation" in out
    assert cli("explain", "warning[split-memory]").out.splitlines()[0] == "split-memory"
    assert "it has neither literal nor default (D1)" in cli("explain", "MissingInput").out


def test_all_words(cli):
    """Without a word everything is listed, by area."""
    lines = cli("explain").out.splitlines()
    assert lines[:2] == ["rule: The model", "    M1  A graph is immutable data"]
    assert "    unknown-socket" in lines
    assert "    RunAborted" in lines


def test_an_unknown_word(cli):
    """Bad input, with what may be meant."""
    code, out, err = cli("explain", "unknown-sokcet")
    assert (code, out) == (2, "")
    assert err.startswith("error: There is nothing to explain about 'unknown-sokcet'. Did you mean 'unknown-socket'")
