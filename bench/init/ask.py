"""Asks an application for its routes: installed and imported in an environment made for that."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.own_install import Project
from bench.run.process.children import child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.init.find import Found

INSTALL_S, IMPORT_S = 300.0, 60.0
INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True, slots=True)
class Answer:
    """What it said, or why it said nothing."""

    routes: tuple[Mapping[str, Any], ...] = ()
    openapi: bool = False
    problem: str | None = None


def ask(project: Path, found: Found, folder: Path) -> Answer:
    """Its routes that answer GET; ``folder`` is where the environment may be made."""
    arguments = Project(project, (), (), ()).arguments()
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    steps: list[tuple[str, list[str], float]] = [
        ("make an environment", [sys.executable, "-m", "venv", str(folder / "env")], INSTALL_S)
    ]
    if arguments:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        steps.append((f"install {' '.join(arguments)}", [*pip, *arguments], INSTALL_S))
    for what, words, patience_s in steps:
        _, problem = _run(words, project, patience_s)
        if problem is not None:
            return Answer(problem=f"could not {what}: {problem}")
    words = [str(python), str(INSIDE), found.app, *(["factory"] if found.factory else [])]
    said, problem = _run(words, found.root, IMPORT_S)
    if problem is not None:
        return Answer(problem=f"importing {found.app} failed: {problem}")
    try:
        told = json.loads(said.strip().splitlines()[-1])
        return Answer(tuple(told["routes"]), bool(told["openapi"]))
    except (ValueError, LookupError, TypeError):
        return Answer(problem=f"importing {found.app} said nothing that can be read")


def _run(words: Sequence[str], folder: Path, patience_s: float) -> tuple[str, str | None]:
    """What it printed, and the last line of why it failed."""
    environment = child_environment(**_index())
    try:
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=patience_s, check=False, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "", f"no end within {patience_s:g} s"
    if done.returncode == 0:
        return done.stdout, None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "", lines[-1].strip() if lines else f"exit status {done.returncode}"


def _index() -> dict[str, str]:
    """Pip's own settings: where packages come from is this person's to say."""
    return {name: value for name, value in os.environ.items() if re.match(r"PIP_|SSL_CERT", name)}
