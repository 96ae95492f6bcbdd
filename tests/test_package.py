"""What is published: a wheel of what people need who run graphs, and a source distribution from which all checks can be run."""

from __future__ import annotations

import email
import os
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.conformance.shipped import PACKAGED, PACKAGED_MUTANTS, files

pytest.importorskip("hatchling", reason="it builds the package")
pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

ROOT = Path(__file__).parent.parent
KIT = "trioflow/conformance/spec.zip"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with both, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(wheel):
    (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(wheel.read(path))


def test_the_wheel_has_no_more_than_is_imported(wheel):
    """Modules, the examples, what `trioflow explain` says, the studio's page, the mark of types, and one archive for the conformance kit; no links."""
    others = {name for name in wheel.namelist() if not name.endswith(".py") and ".dist-info/" not in name}
    examples = {each.relative_to(ROOT).as_posix() for each in (ROOT / "trioflow" / "examples").rglob("*.json")}
    texts = {f"trioflow/explain/{each.name}" for each in (ROOT / "trioflow" / "explain").glob("*.md")}
    page = {f"trioflow/studio/static/{each.name}" for each in (ROOT / "trioflow" / "studio" / "static").iterdir()}
    assert others == {"trioflow/py.typed", KIT} | examples | texts | page
    assert {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name} == {"trioflow"}
    assert not [each.filename for each in wheel.infolist() if stat.S_ISLNK(each.external_attr >> 16)]


def test_the_version_is_that_of_the_package(metadata):
    assert metadata["Version"] == tf.__version__


def test_the_page_of_the_index_is_whole(metadata):
    """It has no link that leads nowhere there, and its picture is found from there."""
    page = metadata.get_payload()
    targets = re.findall(r"\]\(([^)]+)\)", page)
    assert targets
    assert [each for each in targets if not each.startswith(("https://", "#"))] == []
    (picture,) = re.findall(r"!\[.*\]\(https://raw.githubusercontent.com/trioflow/trioflow/main/(.*)\)", page)
    assert (ROOT / picture).is_file()
    here = "https://github.com/trioflow/trioflow/blob/main/"
    files_there = [each.removeprefix(here).partition("#")[0] for each in targets if each.startswith(here)]
    assert [each for each in files_there if not (ROOT / each).exists()] == []


def test_whoever_looks_for_it_finds_it(metadata):
    """Addresses, and classifiers that the index knows."""
    trove_classifiers = pytest.importorskip("trove_classifiers", reason="it comes with hatchling")
    assert {each.partition(",")[0] for each in metadata.get_all("Project-URL")} == {
        "Documentation",
        "GitHub",
        "Issues",
        "Changelog",
    }
    classifiers = metadata.get_all("Classifier")
    assert set(classifiers) <= trove_classifiers.classifiers
    kinds = {each.partition(" :: ")[0] for each in classifiers}
    assert {"Development Status", "Operating System", "Programming Language", "Topic", "Typing"} <= kinds


CHECK = """
import sys, trioflow
from trioflow.conformance.mutants import load_mutants
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import load_vectors
print(trioflow.__file__, len(load_vectors(PACKAGED)), len(load_mutants()))
"""


def test_what_is_installed_has_the_whole_conformance_kit(wheel, tmp_path):
    """Vectors and mutants are read from the archive as they are from a checkout."""
    wheel.extractall(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", CHECK],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    numbers = [str(sum(1 for _ in files(*each))) for each in ((PACKAGED, ".json"), (PACKAGED_MUTANTS, ".py"))]
    assert told.stdout.split() == [str(tmp_path / "trioflow" / "__init__.py"), *numbers]


def test_the_source_distribution_is_the_checkout(built):
    """Whatever git knows is there, so that its checks are the same; and what describes the package."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as opened:
        members = opened.getmembers()
    assert [each.name for each in members if not (each.isfile() or each.isdir())] == []
    names = {each.name.partition("/")[2] for each in members if each.isfile()}
    known = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert known - names == set()
    assert "PKG-INFO" in names
