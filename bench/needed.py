"""Which environments a command line of nox needs, before any of them is there.

Nox's own Python reads this: standard library and PyYAML alone. Lenient on purpose: whatever is
wrong with a file or a word is told by the harness, and must not keep `nox -l` or `nox -s tests`
from working.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench import own_install, revisions

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = re.compile(r"3\.[1-9]\dt?")
QUESTIONS = "questions/*/question.yaml"


@dataclass(frozen=True)
class Line:
    """One command line, and what is there to be asked for."""

    words: tuple[str, ...]  # nox's, and after `--` the harness's
    root: Path  # of the project
    current: str  # nox's own Python, as 3.12
    locked: tuple[str, ...]  # servers that have a lock file
    work_trees: Path  # where revisions are checked out

    @cached_property
    def config(self) -> Path | None:
        """The file that `--config` names."""
        named = next(iter(own_install.values(self.words, "--config")), None)
        return None if named is None else Path(named)

    @cached_property
    def own(self) -> own_install.Project | None:
        """One's own application, if that file is of one."""
        if self.config is None:
            return None
        return own_install.read(self.config, self.words, self.current, self.locked)

    @cached_property
    def matrix(self) -> list[str]:
        """The sessions of the environments that the matrix needs."""
        return self._environments(self._matrix_file)

    @cached_property
    def measured(self) -> list[str]:
        """Of those that are needed to measure: the own application's in place of the matrix's."""
        if self.own is not None:
            return environments_of(self.own)
        return [*self.matrix, *self._databases(self._matrix_file)]

    @cached_property
    def compared(self) -> list[str]:
        """Of those that two revisions need."""
        own = [name for side in self.sides for name in environments_of(side)]
        return [*([] if self.own is not None else self.matrix), *own]

    @cached_property
    def asked(self) -> list[str]:
        """Of those that the questions need which `ask` names."""
        found: list[str] = []
        for path in self._asked_questions:
            project = own_install.read(path, (), self.current, self.locked)
            if project is not None:
                found += environments_of(project)
            else:
                found += [*self._environments(path), *self._databases(path)]
        return list(dict.fromkeys(found))

    @cached_property
    def questions(self) -> list[own_install.Project]:
        """The applications of their own that those questions have."""
        found = (
            own_install.read(path, (), self.current, self.locked) for path in self._asked_questions
        )
        return [project for project in found if project is not None]

    @cached_property
    def pythons(self) -> list[str]:
        """All that servers here may be asked to run on."""
        files = (self._matrix_file, *self._asked_questions)
        named = {name for file in files for name in self._axes(file)[0]}
        return sorted({*named, self.current})

    @cached_property
    def revisions(self) -> revisions.Revisions | None:
        """Those that `ab` names, if it is asked for and git has them."""
        if "ab" not in self._of_nox:
            return None
        named, worktree = revisions.words_of(self.words)
        project = self.root if self.own is None else self.own.folder
        try:
            return revisions.find(named, worktree=worktree, project=project, cache=self.work_trees)
        except (revisions.RevisionError, OSError):
            return None

    @cached_property
    def sides(self) -> list[own_install.Project]:
        """The projects of both revisions: the own application's, or the one here, of old locks."""
        if self.revisions is None:
            return []
        pythons, servers = self._axes(self._matrix_file)
        here = own_install.Project(self.root, (), tuple(servers), tuple(pythons))
        present = here if self.own is None else self.own
        try:
            return [
                dataclasses.replace(present, folder=one.at(present.folder))
                for one in (self.revisions.a, self.revisions.b)
                if self.own is not None or one.commit is not None
            ]
        except ValueError:  # its folder is in no repository
            return []

    @property
    def _of_nox(self) -> Sequence[str]:
        return self.words[: self.words.index("--")] if "--" in self.words else self.words

    @property
    def _matrix_file(self) -> Path:
        if self.config is None or self.own is not None:
            return self.root / "experiments.yaml"
        return self.config

    @cached_property
    def _asked_questions(self) -> list[Path]:
        """The files of those that `ask` names, or of all."""
        if "ask" not in self._of_nox:
            return []
        every = sorted(self.root.glob(QUESTIONS))
        named = self.words[len(self._of_nox) :]
        return every if "--all" in named else [p for p in every if p.parent.name in named]

    def _environments(self, file: Path) -> list[str]:
        pythons, servers = self._axes(file)
        return [f"env-{python}({server})" for python in pythons for server in servers]

    def _axes(self, file: Path) -> tuple[list[str], list[str]]:
        """Pythons and servers that a file names anywhere in it, or the command line."""
        try:
            document = yaml.safe_load(file.read_text(encoding="utf-8"))
            tables = [document["matrix"], *(document.get("include") or [])]
            pythons = [
                name for name in own_install.levels(tables, "python") if PYTHON.fullmatch(name)
            ]
            if "python" not in document["matrix"] and self.current not in pythons:
                pythons.append(self.current)  # what the cells without a python run on
            named = [*own_install.levels(tables, "server"), *self._levels("server")]
        # RecursionError: nested a thousand deep
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError,
                yaml.YAMLError):  # fmt: skip
            return [self.current], [*self.locked]
        pythons += [name for name in self._levels("python") if PYTHON.fullmatch(name)]
        servers = [name for name in named if name in self.locked]
        return list(dict.fromkeys(pythons)), list(dict.fromkeys(servers)) or [*self.locked]

    def _levels(self, axis: str) -> list[str]:
        """Those that the command line has in place of the file's, or as a side of `versus`."""
        sides = re.findall(rf"(?:^|[,\s]){axis}=([^,\s]+)", " ".join(self.words))
        values = own_install.values(self.words, f"--{axis}")
        return [*(part for value in values for part in value.split(",")), *sides]

    def _databases(self, file: Path) -> list[str]:
        """The session of the database that the file, or the command line, names."""
        if os.environ.get("MATRIX_POSTGRES"):  # a person's own
            return []
        texts = [" ".join(self.words)]
        with contextlib.suppress(OSError, ValueError):
            texts.append(file.read_text(encoding="utf-8"))
        return ["database"] if any("postgres" in text for text in texts) else []


def environments_of(project: own_install.Project) -> list[str]:
    """The sessions that make an own application's."""
    name = f"own-{project.digest}"
    return [
        f"{name}-{python}({server})" for python in project.pythons for server in project.servers
    ]
