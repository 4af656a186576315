"""Which environments a command line needs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bench.needed import Line
from bench.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = ("fastapi_run", "granian", "gunicorn", "hypercorn", "uvicorn")


@pytest.fixture(autouse=True)
def _no_database_of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MATRIX_POSTGRES", raising=False)


def line(*words: str, root: Path = ROOT) -> Line:
    """Typed so, on Python 3.12."""
    return Line(("nox", "-s", *words), root, "3.12", LOCKED, root / ".nox" / "ab")


@pytest.mark.parametrize(
    ("words", "environments"),
    [
        (["matrix"], ["env-3.12(uvicorn)", "env-3.12(gunicorn)", "env-3.12(hypercorn)"]),
        (["single", "--", "sync_json", "--server", "granian"],
         ["env-3.12(uvicorn)", "env-3.12(gunicorn)", "env-3.12(hypercorn)", "env-3.12(granian)"]),
        (["versus", "--", "server=uvicorn", "server=granian,workers=1"],
         ["env-3.12(uvicorn)", "env-3.12(gunicorn)", "env-3.12(hypercorn)", "env-3.12(granian)"]),
        (["single", "--", "sync_postgres"],
         ["env-3.12(uvicorn)", "env-3.12(gunicorn)", "env-3.12(hypercorn)", "database"]),
        (["matrix", "--", "--server=nonsense"],
         ["env-3.12(uvicorn)", "env-3.12(gunicorn)", "env-3.12(hypercorn)"]),
    ],
)  # fmt: skip
def test_a_matrix_and_what_is_asked_beside_it(words: list[str], environments: list[str]) -> None:
    """Servers of the file, and those that the command line names."""
    assert line(*words).measured == environments


def test_a_database_of_a_persons_own_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there already."""
    monkeypatch.setenv("MATRIX_POSTGRES", "postgresql://localhost")
    assert "database" not in line("single", "--", "sync_postgres").measured


@pytest.mark.parametrize("python", ["3.13", "3.14t"])
def test_another_python_has_environments_of_its_own(python: str) -> None:
    """Beside those of the file's cells, which name none."""
    found = line("matrix", "--", "--python", f"{python},x,2.7")
    assert f"env-{python}(uvicorn)" in found.measured
    assert found.pythons == sorted(["3.12", python])


def test_a_question_needs_what_its_file_names() -> None:
    """Servers and Pythons of a matrix, or an application of its own, or a database."""
    assert line("ask", "--", "uvloop").asked == ["env-3.12(uvicorn)", "env-3.12(granian)"]
    assert line("ask", "--", "python-version").pythons == ["3.11", "3.12", "3.13"]
    assert line("ask", "--", "async-driver").asked == ["env-3.12(uvicorn)", "database"]
    found = line("ask", "--", "middleware")
    (project,) = found.questions
    assert project.folder == ROOT / "questions" / "middleware"
    assert found.asked == [f"own-{project.digest}-3.12(uvicorn)"]


def test_all_questions_need_everything_and_none_needs_nothing() -> None:
    """`nox -s ask` alone lists them; a word of another session asks nothing."""
    every = line("ask", "--", "--all")
    assert {"database", "env-3.12(granian)"} <= {*every.asked}
    assert len(every.questions) > 4
    assert len(every.asked) == len({*every.asked})
    assert line("ask").asked == []
    assert line("matrix", "--", "--select", "middleware").asked == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"matrix: 3", b"matrix: [", b"a: &a [*a]"])
def test_whatever_is_wrong_with_the_file_is_none_of_its_business(
    tmp_path: Path, content: bytes
) -> None:
    """All servers on the Python at hand: the harness says what is wrong."""
    (tmp_path / "experiments.yaml").write_bytes(content)
    found = line("matrix", root=tmp_path)
    assert found.measured == [f"env-3.12({server})" for server in LOCKED]
    assert line("matrix", "--", "--config", str(tmp_path / "none.yaml")).own is None


def test_an_application_of_ones_own_takes_the_place_of_the_one_here() -> None:
    """Its servers and Pythons; and `ab` asks for both revisions of it."""
    config = str(ROOT / "examples" / "shop" / "bench.yaml")
    found = line("matrix", "--", "--config", config)
    assert found.own is not None
    assert {name.partition("-3")[0] for name in found.measured} == {f"own-{found.own.digest}"}
    assert line("matrix", "--", "--config", config).sides == []


def test_revisions_are_looked_for_by_ab_alone(tmp_path: Path) -> None:
    """And one that git doesn't know is told by the harness."""
    shutil.copy(ROOT / "experiments.yaml", tmp_path)
    found = line("ab", "--", "no-such", "neither", root=tmp_path)
    assert found.revisions is None
    assert found.sides == []
    assert found.compared == found.matrix
