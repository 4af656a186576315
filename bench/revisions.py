"""Two git revisions of one project, each in a work tree of its own.

For the noxfile too, which makes their environments: standard library alone. The person's own
repository is only read: each work tree is a clone that shares its objects, so nothing of ours
stays in it, whatever ends a run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GIT_S = 300.0
KEPT = 8  # work trees that are kept for the next time
FLAGS = {"--worktree", "--quiet"}  # options of `ab` that take no value


class RevisionError(Exception):
    """Git can't give what was asked for; its message says what."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One side. ``commit`` is None of what isn't committed: that is measured where it lies."""

    title: str  # as the person calls it
    commit: str | None
    repository: Path
    folder: Path  # its work tree; there once `check_out` has been called

    @property
    def short(self) -> str:
        """`main (1a2b3c4)`."""
        if self.commit is None:
            return "the work tree"
        short = self.commit[:7]
        return short if self.commit.startswith(self.title) else f"{self.title} ({short})"

    @property
    def digest(self) -> str:
        """Of its folder: its environments are named by it."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    def at(self, path: Path) -> Path:
        """Where a path of the repository lies in the work tree."""
        return self.folder / path.resolve().relative_to(self.repository)


@dataclass(frozen=True, slots=True)
class Revisions:
    """Both sides, and a second work tree of the first for its twin."""

    a: Revision
    twin: Revision
    b: Revision


def words_of(words: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The revisions that a command line of `ab` names, and whether one is what isn't committed."""
    words = words[words.index("--") + 1 :] if "--" in words else words
    named, skip = [], False
    for word in words:
        if skip or word.startswith("--"):
            skip = not skip and word not in FLAGS and "=" not in word
        else:
            named.append(word)
    return tuple(named), "--worktree" in words


def find(named: tuple[str, ...], *, worktree: bool, project: Path, cache: Path) -> Revisions:
    """Which commits are meant; nothing is checked out yet.

    Args:
        named: one revision and ``worktree``, or two.
        worktree: the second side is what isn't committed.
        project: a folder in the repository.
        cache: where work trees are kept.

    Raises:
        RevisionError: there is no repository, or it has no such revision.
    """
    if len(named) != (1 if worktree else 2):
        wanted = "one revision with --worktree" if worktree else "two revisions"
        raise RevisionError(
            f"ab: found {' '.join(named) or 'none'}, allowed: {wanted}, as in main HEAD"
        )
    top = _git(project, "rev-parse", "--show-toplevel")
    repository = Path(top).resolve()
    commits = [_commit(repository, title) for title in named]
    a = _revision(named[0], commits[0], repository, cache, "")
    twin = _revision(named[0], commits[0], repository, cache, "-twin")
    if worktree:
        return Revisions(a, twin, Revision("the work tree", None, repository, repository))
    # Of one commit against itself, too: each side has its own.
    suffix = "-b" if commits[0] == commits[1] else ""
    return Revisions(a, twin, _revision(named[1], commits[1], repository, cache, suffix))


def check_out(revisions: Revisions) -> None:
    """Make the work trees that aren't there yet; drop the oldest of earlier times.

    Raises:
        RevisionError: git refuses.
        OSError: there is no room.
    """
    sides = {one.folder: one for one in (revisions.a, revisions.twin, revisions.b)}
    for folder, one in sides.items():
        if one.commit is not None:
            _check_out(one)
            os.utime(folder)
    cache = revisions.a.folder.parent
    old = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]
    for folder in old:
        if folder not in sides:
            shutil.rmtree(folder, ignore_errors=True)


def _check_out(one: Revision) -> None:
    if (one.folder / ".git").is_dir():
        return
    draft = one.folder.with_name(f".{one.folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        clone = ("clone", "--quiet", "--shared", "--no-checkout", str(one.repository), str(draft))
        _git(draft.parent, *clone)
        _git(draft, "checkout", "--quiet", "--detach", str(one.commit))
        draft.rename(one.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _revision(title: str, commit: str, repository: Path, cache: Path, suffix: str) -> Revision:
    place = hashlib.sha256(os.fsencode(repository)).hexdigest()[:8]
    return Revision(title, commit, repository, cache / f"{place}-{commit[:12]}{suffix}")


def _commit(repository: Path, title: str) -> str:
    if title.startswith("-"):
        raise RevisionError(f"ab: found {title!r}, allowed: a git revision, such as main or HEAD~1")
    try:
        return _git(repository, "rev-parse", "--verify", "--quiet", f"{title}^{{commit}}")
    except RevisionError:
        raise RevisionError(
            f"ab: found {title[:100]!r}, allowed: a revision that {repository} has, such as main,"
            " HEAD~1 or a commit (in a shallow clone most are missing: `git fetch --unshallow`)"
        ) from None


def _git(folder: Path, *arguments: str) -> str:
    # Hooks and prompts of the person's own have no place here.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=GIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RevisionError(f"git can't be run in {folder}: {error}") from error
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise RevisionError(f"git {arguments[0]} in {folder}: {told[-1] if told else 'refused'}")
    return done.stdout.strip()
