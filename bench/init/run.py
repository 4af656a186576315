"""`nox -s init -- PATH`: look, ask, write."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BadInputError
from bench.init.ask import ask
from bench.init.find import Found, applications
from bench.init.write import document
from bench.own_install import GUESSES
from bench.records import atomic
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "bench.yaml"


def run(project: Path, app: str | None, *, say: Callable[[str], None]) -> None:
    """Write a first file into a project's folder.

    Raises:
        BadInputError: there is no such folder, no application in it, or a file already.
        OSError: the file can't be written.
    """
    project = project.resolve()
    if not project.is_dir():
        raise BadInputError(f"init: found {shown(str(project), 300)}, allowed: a project's folder")
    target = project / NAME
    if target.exists():
        raise BadInputError(f"{target} is there already: remove it, or change it by hand")
    found, others = _chosen(project, app)
    install = next((line for name, line in GUESSES if (project / name).is_file()), "")
    say(f"{found.app}{' (a function that makes it)' if found.factory else ''}, in {found.file}")
    say(f"asking it for its routes{f', with {install} installed' if install else ''}")
    with tempfile.TemporaryDirectory(prefix="matrix-init-") as folder:
        answer = ask(project, found, Path(folder))
    text, open_ends = document(project, found, others, answer, install)
    atomic.write(target, text)
    say(f"{target}: {text.count('path: /')} requests")
    for line in open_ends:
        say(f"  to be looked at: {line}")
    say(f"next: nox -s plan -- --config {target}")


def _chosen(project: Path, app: str | None) -> tuple[Found, list[Found]]:
    found = applications(project)
    if app is not None:
        named = [one for one in found if one.app == app]
        if named:
            return named[0], []
        src = project / "src"
        root = src if src.is_dir() else project
        return Found(app, Path(app.partition(":")[0]), "", root), []
    if not found:
        raise BadInputError(
            f"init: no application found in {project}: say which it is, as in"
            f" `nox -s init -- {project} --app shop.main:app`"
        )
    return found[0], [one for one in found[1:] if not one.factory or found[0].factory]
