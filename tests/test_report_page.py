"""How the harness has the page made: what fails costs the page alone, and no page shows another
run.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import report_page
from bench.errors import RequirementError
from bench.paths import ROOT, Paths
from page import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    Set = Callable[..., Paths]


@pytest.fixture
def environment(tmp_path: Path) -> Set:
    """Makes a stand-in of the page's environment: a program that does as it is told."""

    def make(script: str = "", error: str | None = None) -> Paths:
        notes = tmp_path / "notes"
        notes.mkdir()
        program = tmp_path / "python"
        program.write_text(f"#!{sys.executable}\nimport sys\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        lock = (ROOT / "requirements" / "report.txt").read_bytes()
        note = {"python": str(program), "lock_sha256": hashlib.sha256(lock).hexdigest(),
                "error": error}  # fmt: skip
        (notes / "report.json").write_text(json.dumps(note), encoding="utf-8")
        return Paths(root=ROOT, notes=notes)

    return make


def published(folder: Path, page_of: bytes) -> None:
    """A document, and a page made from another one or from this."""
    (folder / "latest.json").write_bytes(b"{}")
    digest = report_page.fingerprint(page_of, b"")
    (folder / "latest.html").write_text(f"made-from sha256:{digest}", encoding="utf-8")


def test_both_sides_know_a_page_by_the_same_digest() -> None:
    """The harness can't import what reads for the page, nor the other way round."""
    assert report_page.fingerprint(b"a", b"") == reading.fingerprint(b"a", b"")


def test_a_failure_is_one_line_and_its_last_words(environment: Set, tmp_path: Path) -> None:
    """And a page of the run before doesn't stay under the published name."""
    published(tmp_path, page_of=b"another")
    where = environment("sys.stderr.write('first\\nit broke'); sys.exit(1)")
    told: list[str] = []
    assert report_page.make(tmp_path, where, told.append) is None
    (line,) = told
    assert line.endswith("was not made, all other reports were: it broke")
    assert not (tmp_path / "latest.html").exists()


def test_without_its_environment_the_page_of_this_run_stays(
    environment: Set, tmp_path: Path
) -> None:
    """Rendering again can't make it, and needn't: it shows the right run."""
    published(tmp_path, page_of=b"{}")
    where = environment(error="the installation failed: no network")
    told: list[str] = []
    assert report_page.make(tmp_path, where, told.append) is None
    assert "the installation failed: no network" in told[0]
    assert (tmp_path / "latest.html").exists()


def test_a_page_that_is_made_is_named(environment: Set, tmp_path: Path) -> None:
    """The child is given absolute paths, wherever we are."""
    where = environment("open(sys.argv[sys.argv.index('--output') + 1], 'w').write('x')")
    found = report_page.make(Path(os.path.relpath(tmp_path)), where, pytest.fail)
    assert found is not None
    assert found.resolve() == tmp_path / "latest.html"
    assert found.read_text("utf-8") == "x"


def test_a_page_of_another_run_is_stale(tmp_path: Path) -> None:
    """`readme -- --check` needs no chart library to see it."""
    assert report_page.stale(tmp_path) is None
    published(tmp_path, page_of=b"{}")
    assert report_page.stale(tmp_path) is None
    published(tmp_path, page_of=b"another")
    assert "latest.html is stale" in str(report_page.stale(tmp_path))


def test_a_comparison_that_is_asked_for_must_be_made(environment: Set, tmp_path: Path) -> None:
    """It is the only thing asked for, so its failure is the command's."""
    where = environment("sys.exit('no charts')")
    with pytest.raises(RequirementError, match="was not made: no charts"):
        report_page.compare("{}", tmp_path / "a.html", where)
    missing = replace(where, notes=tmp_path / "nothing")
    with pytest.raises(RequirementError, match="nox has not made it"):
        report_page.compare("{}", tmp_path / "a.html", missing)
