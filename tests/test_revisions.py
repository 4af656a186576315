"""Two revisions of a repository, each in a work tree of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.revisions import RevisionError, check_out, find, words_of

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """As a person would, under a name of its own."""
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *arguments],  # noqa: S607 - whichever is on PATH
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a project in a folder of its own, and a change that isn't committed."""
    top = tmp_path / "repository"
    shop = top / "shop"
    shop.mkdir(parents=True)
    git(top, "init", "--quiet", "--initial-branch=main")
    (shop / "main.py").write_text("one", encoding="utf-8")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "one")
    git(top, "branch", "old")
    (shop / "main.py").write_text("two", encoding="utf-8")
    git(top, "commit", "--quiet", "-am", "two")
    (shop / "main.py").write_text("three", encoding="utf-8")
    return top


def test_each_side_has_its_files_and_the_repository_is_left_alone(
    repository: Path, tmp_path: Path
) -> None:
    """No work tree is noted in it, and what isn't committed stays."""
    shop, cache = repository / "shop", tmp_path / "cache"
    found = find(("old", "HEAD"), worktree=False, project=shop, cache=cache)
    check_out(found)
    read = {one: (one.at(shop) / "main.py").read_text() for one in (found.a, found.twin, found.b)}
    assert [*read.values()] == ["one", "one", "two"]
    assert len({one.folder for one in read}) == 3
    assert found.a.short.startswith("old (")
    assert (shop / "main.py").read_text() == "three"
    assert git(repository, "worktree", "list").count("\n") == 0
    assert git(repository, "status", "--short") == "M shop/main.py"
    check_out(found)  # again: they are there


def test_what_is_not_committed_is_measured_where_it_lies(repository: Path, tmp_path: Path) -> None:
    """A is checked out all the same."""
    found = find(("HEAD",), worktree=True, project=repository, cache=tmp_path / "cache")
    check_out(found)
    assert found.b.commit is None
    assert found.b.folder == repository
    assert (found.b.at(repository / "shop") / "main.py").read_text() == "three"
    assert (found.a.at(repository / "shop") / "main.py").read_text() == "two"


def test_a_commit_against_itself_has_three_work_trees(repository: Path, tmp_path: Path) -> None:
    """No two servers share files that they may write."""
    found = find(("HEAD", "main"), worktree=False, project=repository, cache=tmp_path / "cache")
    assert len({one.folder for one in (found.a, found.twin, found.b)}) == 3


def test_old_work_trees_go(repository: Path, tmp_path: Path) -> None:
    """All but a few of the latest."""
    cache = tmp_path / "cache"
    for number in range(20):
        (cache / f"earlier{number}").mkdir(parents=True)
    check_out(find(("old", "HEAD"), worktree=False, project=repository, cache=cache))
    assert len([*cache.iterdir()]) <= 8 + 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nowhere HEAD", "a revision that"),
        ("HEAD", "two revisions"),
        ("HEAD main --worktree", "one revision with --worktree"),
        ("", "found none"),
    ],
)
def test_what_git_does_not_have_is_told(
    repository: Path, tmp_path: Path, line: str, told: str
) -> None:
    """What was found, and what is allowed."""
    named, worktree = words_of(line.split())
    with pytest.raises(RevisionError, match=told):
        find(named, worktree=worktree, project=repository, cache=tmp_path / "cache")


def test_an_option_of_git_is_no_revision(repository: Path, tmp_path: Path) -> None:
    """It would be git's to obey."""
    named = ("--upload-pack=x", "HEAD")
    with pytest.raises(RevisionError, match="a git revision"):
        find(named, worktree=False, project=repository, cache=tmp_path / "cache")


def test_no_repository_is_told(tmp_path: Path) -> None:
    """By git's own words."""
    with pytest.raises(RevisionError, match="not a git repository"):
        find(("a", "b"), worktree=False, project=tmp_path, cache=tmp_path / "cache")


def test_the_revisions_of_a_command_line() -> None:
    """Options and their values are none."""
    line = "nox -s ab -- main --config ../shop/bench.yaml HEAD --threshold=5% --quiet"
    assert words_of(line.split()) == (("main", "HEAD"), False)
    assert words_of(["ab", "--", "main", "--worktree"]) == (("main",), True)
