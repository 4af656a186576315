"""What is installed for an application of a person's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.own_install import (
    Project,
    builds,
    constraints,
    direct,
    read,
    values,
    without_uv_lock,
)

if TYPE_CHECKING:
    from pathlib import Path


def project(folder: Path, *install: str) -> Project:
    """That installs so."""
    return Project(folder, install, ("uvicorn",), ("3.12",))


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ((), []),
        (("setup.py",), ["."]),
        (("pyproject.toml", "setup.py"), ["."]),
        (("pyproject.toml", "requirements.txt"), ["-r", "requirements.txt"]),
        (("pyproject.toml", "requirements.txt", "uv.lock"), ["-r", "uv.lock"]),
        (("uv.lock", "pylock.toml"), ["-r", "pylock.toml"]),
    ],
    ids=str,
)
def test_what_lies_in_the_folder_says_what_is_needed(
    tmp_path: Path, files: tuple[str, ...], arguments: list[str]
) -> None:
    """The most exact first; what the file says goes before it."""
    for name in files:
        (tmp_path / name).touch()
    assert project(tmp_path).arguments() == arguments
    assert project(tmp_path, "-r 'a b.txt'", ".[prod]").arguments() == ["-r", "a b.txt", ".[prod]"]


def test_a_quote_that_never_ends_is_left_to_pip(tmp_path: Path) -> None:
    """Which says what is wrong with it."""
    assert project(tmp_path, "-r 'a").arguments() == ["-r", "'a"]


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["-r", "uv.lock"], []),
        (["--requirement", "uv.lock", "httpx"], ["httpx"]),
        (["uv.lock"], []),
        (["-r", "requirements.txt"], ["-r", "requirements.txt"]),
        (["httpx", "-r", "uv.lock", "-r", "more.txt"], ["httpx", "-r", "more.txt"]),
    ],
    ids=str,
)
def test_uv_lock_is_not_for_pip(words: list[str], rest: list[str]) -> None:
    """And neither is the option before it."""
    assert without_uv_lock(words) == rest


@given(st.lists(st.sampled_from(["-r", "--requirement", ".", "httpx", "a.txt"])))
def test_without_a_uv_lock_nothing_is_taken_away(words: list[str]) -> None:
    """Whatever else there is."""
    assert without_uv_lock(words) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, False),
        ("[project]\nname = 'x'\n", False),
        ("[project]\n\n[build-system]\nrequires = []\n", True),
        ("[build-system]\nrequires = []\n[tool.uv]\npackage = false\n", False),
    ],
    ids=["no file", "an application", "a package", "told not to"],
)
def test_a_project_that_is_a_package_is_built(
    tmp_path: Path, text: str | None, *, found: bool
) -> None:
    """As uv does."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert builds(tmp_path) is found


def test_what_would_install_something_else_is_asked_anew(tmp_path: Path) -> None:
    """Of a file its contents; of a project that installs itself its sources."""
    lock, source = tmp_path / "uv.lock", tmp_path / "shop.py"
    lock.write_text("a", encoding="utf-8")
    before = project(tmp_path).asked(b"")
    assert project(tmp_path).asked(b"") == before
    assert project(tmp_path).asked(b"server") != before
    source.write_text("1", encoding="utf-8")
    assert project(tmp_path).asked(b"") == before
    lock.write_text("b", encoding="utf-8")
    assert project(tmp_path).asked(b"") != before
    itself = project(tmp_path, ".").asked(b"")
    source.write_text("10", encoding="utf-8")
    assert project(tmp_path, ".").asked(b"") != itself


def test_their_versions_win() -> None:
    """Of what isn't there yet the server's lock decides."""
    windows = "colorama==0.4 ; sys_platform == 'win32' "
    lock = f"h11==0.14.0 \\\n    --hash=sha256:00\nUvicorn==0.30.0\n{windows}\\\n"
    assert constraints(lock, {"h11"}) == f"Uvicorn==0.30.0\n{windows}\n"
    assert direct("# why\n-r app.in\n\nuvicorn[standard]\n") == ["uvicorn[standard]"]


def test_a_file_says_servers_and_pythons_and_the_command_line_more(tmp_path: Path) -> None:
    """Of those that are known."""
    path = tmp_path / "bench.yaml"
    path.write_text(
        "target: {app: 'a:b', path: sub, install: ['.']}\n"
        "matrix: {server: [uvicorn, nginx], python: ['3.12', '2.7']}\n"
        "include: [{server: hypercorn}]\n",
        encoding="utf-8",
    )
    known = ["uvicorn", "gunicorn", "hypercorn"]
    found = read(path, ["--server=gunicorn", "--python", "3.13"], "3.11", known)
    assert found == Project(
        tmp_path / "sub", (".",), ("uvicorn", "hypercorn", "gunicorn"), ("3.12", "3.13")
    )
    assert values(["--server", "a", "--server=b", "--server"], "--server") == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["", "{", "target: 3", "[1]", "target: {install: 3}", "a: &b [*b]"]
)
def test_of_a_file_that_is_none_nothing_is_made(tmp_path: Path, text: str) -> None:
    """The harness tells what is wrong with it."""
    path = tmp_path / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    assert read(path, [], "3.12", ["uvicorn"]) is None
